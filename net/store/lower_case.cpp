// Two-byte sequences of UTF-8 hold all of the letters that are known here beyond ASCII.
#include "net/store/lower_case.hpp"

namespace billd::store {
namespace {

bool is_within(unsigned letter, unsigned first, unsigned last) { return letter >= first && letter <= last; }

unsigned lower_letter(unsigned letter) {
  constexpr unsigned multiplication_sign = 0xD7;
  if (is_within(letter, 0xC0, 0xDE) && letter != multiplication_sign) return letter + 0x20;
  // Latin Extended-A alternates upper and lower case, from an even or an odd number on.
  const bool even_is_upper =
      is_within(letter, 0x100, 0x12F) || is_within(letter, 0x132, 0x137) || is_within(letter, 0x14A, 0x177);
  const bool odd_is_upper = is_within(letter, 0x139, 0x148) || is_within(letter, 0x179, 0x17E);
  if ((even_is_upper && letter % 2 == 0) || (odd_is_upper && letter % 2 == 1)) return letter + 1;
  if (letter == 0x178) return 0xFF;
  if (is_within(letter, 0x391, 0x3AB) && letter != 0x3A2) return letter + 0x20;  // Greek
  if (is_within(letter, 0x410, 0x42F)) return letter + 0x20;                     // Cyrillic
  if (is_within(letter, 0x400, 0x40F)) return letter + 0x50;
  return letter;
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (std::size_t at = 0; at < lower.size(); ++at) {
    const auto byte = static_cast<unsigned char>(lower[at]);
    if (byte >= 'A' && byte <= 'Z') lower[at] = static_cast<char>(byte - 'A' + 'a');
    const bool has_second = at + 1 < lower.size() && (static_cast<unsigned char>(lower[at + 1]) & 0xC0) == 0x80;
    if ((byte & 0xE0) != 0xC0 || !has_second) continue;
    const unsigned letter = lower_letter((byte & 0x1FU) << 6 | (static_cast<unsigned char>(lower[at + 1]) & 0x3FU));
    lower[at] = static_cast<char>(0xC0 | letter >> 6);
    lower[++at] = static_cast<char>(0x80 | (letter & 0x3F));
  }
  return lower;
}

}  // namespace billd::store
