// Forms: what is accepted is text, within the limits.
#include "tests/fuzz/parameters.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto read = billd::http::parse_form(text)) billd::http::check_parameters(*read);
  return 0;
}
