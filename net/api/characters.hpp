// Lengths as the APIs count them.
#pragma once

#include <algorithm>
#include <string_view>

namespace billd::api {

/// Characters of well-formed UTF-8, not bytes.
inline std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

}  // namespace billd::api
