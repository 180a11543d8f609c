// In which format a body comes, and in which one the answer goes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace billd::api::management {

enum class Format { json, xml, form };

/// The format that a Content-Type names; empty for any other, and for a charset other than UTF-8.
std::optional<Format> format_of(std::string_view content_type);

/// The media type of the answer: "application/json", "application/xml" or "text/xml". Of what `accept` likes equally
/// (everything, when there is no such field), the format `preferred` comes first. Empty: it accepts none of them.
std::optional<std::string_view> choose_media_type(std::optional<std::string_view> accept, Format preferred);

}  // namespace billd::api::management
