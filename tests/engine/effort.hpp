// How much a test that draws or repeats does, and what it begins with.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>

namespace billd::test {

/// A number from the environment.
inline std::uint64_t given(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// What is drawn from: BILLD_SEED, which ./check sets, so that a red run tells of a change and not of luck; without it
/// another one each time.
inline std::uint64_t seed() { return given("BILLD_SEED", std::random_device()()); }

/// How often something is repeated: more often where BILLD_LONG is set, and a tenth as often where BILLD_SHORT is: with
/// sanitizers, which look at memory rather than at numbers.
inline std::uint64_t times(std::uint64_t usual, std::uint64_t at_length) {
  if (std::getenv("BILLD_LONG") != nullptr) return at_length;
  return std::getenv("BILLD_SHORT") != nullptr ? usual / 10 : usual;
}

}  // namespace billd::test
