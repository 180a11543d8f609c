// Lower case for comparing what people typed: the same on every system and in every version, because indexes keep it.
#pragma once

#include <string>
#include <string_view>

namespace billd::store {

/// The letters of ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic in lower case; everything else, also what is no
/// UTF-8, as it is.
std::string lower_case(std::string_view text);

}  // namespace billd::store
