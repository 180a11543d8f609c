// What must not be stored, shown or logged wherever people put it: card numbers and secret keys, found in free text.
#pragma once

#include <string>
#include <string_view>

namespace billd {

/// Whether the text holds the number of a payment card: as many digits as its brand has, perhaps grouped by single
/// spaces or hyphens, with a right check digit, and no digit or letter beside them.
bool has_card_number(std::string_view text);

/// Whether the text holds an API key of billd's or one of a processor's secret keys ("sk_live_…", "whsec_…").
bool has_secret_key(std::string_view text);

/// The text with all but the last four digits of card numbers, and all but the beginning of keys, starred out.
std::string without_secrets(std::string text);

}  // namespace billd
