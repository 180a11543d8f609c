// XML: what is accepted has no document type and no entities, and what was read is read again from what is written.
#include <cstdint>

#include "net/api/management/xml.hpp"
#include "net/http/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace billd::api;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = management::read_xml(text, "customer");
  if (!read) return 0;
  BILLD_CHECK(text.find("<!DOCTYPE") == std::string_view::npos, "a document type was read");
  Document document;
  Object& object = document.object(read->size());
  for (const management::GivenMember& member : *read) {
    BILLD_CHECK(billd::http::is_utf8(member.name) && billd::http::is_utf8(member.text), "not text");
    object.add(document.copy(member.name), document.text(member.text));
  }
  const auto again = management::read_xml(management::write_xml("customer", object), "customer");
  // Controls that XML cannot hold may come in as they are; they are replaced on the way out.
  BILLD_CHECK(again && again->size() == read->size(), "what was written cannot be read");
  for (std::size_t i = 0; i < read->size(); ++i) BILLD_CHECK((*again)[i].name == (*read)[i].name, "another name");
  return 0;
}
