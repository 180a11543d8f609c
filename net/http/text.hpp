// Small functions over the text of HTTP: case, percent encoding, UTF-8, and what may stand in a header.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace billd::http {

/// Whether both are the same but for the case of ASCII letters.
bool equals_ignoring_case(std::string_view left, std::string_view right);

/// A token of RFC 9110, as field names and methods are: not empty, no spaces, no separators.
bool is_token(std::string_view text);

/// What may be written as a field value: visible ASCII, spaces and tabs, bytes above 0x7f. No CR, LF or other control.
bool is_field_value(std::string_view text);

/// Whether `text` is well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

enum class Plus { is_plus, is_space };

/// Undoes percent encoding; empty when a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text, Plus plus = Plus::is_plus);

/// Encodes everything but the unreserved characters of RFC 3986, so that the result fits any part of a URL or form.
std::string percent_encoded(std::string_view text);

}  // namespace billd::http
