// JSON: what is accepted is text, within the limits, and means the same when it is read again.
#include "tests/fuzz/parameters.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = billd::http::parse_json(text);
  if (!read) return 0;
  billd::http::check_parameters(*read);
  BILLD_CHECK(*read == *billd::http::parse_json(text), "read twice, it is not the same");
  return 0;
}
