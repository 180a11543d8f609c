#include "net/api/management/xml.hpp"

#include <pugixml.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "net/http/text.hpp"

namespace billd::api::management {
namespace {

constexpr std::size_t depth_max = 8;

Refusal forbidden(std::string what) { return {Code::forbidden_xml, std::move(what)}; }

/// XML 1.0, production [2] Char.
bool is_xml_character(std::uint32_t code) {
  if (code < 0x20) return code == '\t' || code == '\n' || code == '\r';
  return code <= 0xD7FF || (code >= 0xE000 && code <= 0xFFFD) || (code >= 0x10000 && code <= 0x10FFFF);
}

/// XML 1.0, 4.1: what a number names must be a character. The parser writes down any number as if it were one.
bool begins_known_entity(std::string_view behind_ampersand) {
  for (std::string_view name : {"amp;", "lt;", "gt;", "quot;", "apos;"})
    if (behind_ampersand.starts_with(name)) return true;
  if (!behind_ampersand.starts_with('#')) return false;
  const std::size_t end = behind_ampersand.find(';');
  if (end == std::string_view::npos || end > 9) return false;
  std::string_view digits = behind_ampersand.substr(1, end - 1);
  const bool is_hexadecimal = digits.starts_with('x');
  if (is_hexadecimal) digits.remove_prefix(1);
  std::uint32_t code = 0;
  const auto [last, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), code, is_hexadecimal ? 16 : 10);
  return error == std::errc() && last == digits.data() + digits.size() && is_xml_character(code);
}

/// What must not be in the text, wherever it stands: the parser would skip it without a word.
Answered<void> check_text(std::string_view body) {
  if (!http::is_utf8(body) || body.find('\0') != std::string_view::npos)
    return Refusal{Code::malformed_body, "The XML is not valid UTF-8."};
  for (std::size_t at = body.find('&'); at != std::string_view::npos; at = body.find('&', at + 1))
    if (!begins_known_entity(body.substr(at + 1)))
      return forbidden("Only the entities amp, lt, gt, quot and apos and characters by number are read.");
  for (std::size_t at = body.find("<!"); at != std::string_view::npos; at = body.find("<!", at + 1))
    if (!body.substr(at).starts_with("<!--") && !body.substr(at).starts_with("<![CDATA["))
      return forbidden("A document type is not read.");
  return {};
}

/// Goes through the elements without recursion.
struct DepthCheck : pugi::xml_tree_walker {
  bool for_each(pugi::xml_node&) override { return static_cast<std::size_t>(depth()) < depth_max; }
};

/// XML 1.0 has no way to write most control characters.
std::string writable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (char c : text) {
    const auto code = static_cast<unsigned char>(c);
    const bool is_unfit = code < 0x20 && c != '\t' && c != '\n' && c != '\r';
    if (is_unfit)
      result += "\xEF\xBF\xBD";
    else
      result += c;
  }
  return result;
}

void write_members(pugi::xml_node node, const Object& object) {
  for (const Member& member : object.members()) {
    const Value& value = member.value;
    if (value.is_null()) continue;
    pugi::xml_attribute attribute = node.append_attribute(std::string(member.name).c_str());
    switch (value.kind()) {
      case Value::Kind::boolean:
        attribute.set_value(value.boolean());
        break;
      case Value::Kind::integer:
        attribute.set_value(static_cast<long long>(value.integer()));
        break;
      case Value::Kind::text:
        attribute.set_value(writable(value.text()).c_str());
        break;
      default:
        BILLD_CHECK(false, "an object of this API holds only scalars");
    }
  }
}

struct StringWriter final : pugi::xml_writer {
  void write(const void* data, std::size_t size) override { text.append(static_cast<const char*>(data), size); }
  std::string text;
};

std::string saved(const pugi::xml_document& document) {
  StringWriter writer;
  document.save(writer, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
  return std::move(writer.text);
}

}  // namespace

Answered<GivenMembers> read_xml(std::string_view body, std::string_view name) {
  auto checked = check_text(body);
  if (!checked) return checked.error();
  pugi::xml_document document;
  constexpr unsigned options = pugi::parse_minimal | pugi::parse_escapes | pugi::parse_eol |
                               pugi::parse_wconv_attribute | pugi::parse_declaration | pugi::parse_cdata;
  const pugi::xml_parse_result parsed = document.load_buffer(body.data(), body.size(), options, pugi::encoding_utf8);
  if (!parsed)
    return Refusal{Code::malformed_body, "The XML cannot be read at byte " + std::to_string(parsed.offset) + ": " +
                                             parsed.description() + "."};
  DepthCheck check;
  if (!document.traverse(check)) return Refusal{Code::too_deep, "The XML is nested too deeply."};
  pugi::xml_node root;
  for (pugi::xml_node node : document.children()) {
    if (node.type() == pugi::node_declaration) {
      const std::string_view encoding = node.attribute("encoding").as_string("utf-8");
      if (!http::equals_ignoring_case(encoding, "utf-8")) return forbidden("The XML must be UTF-8.");
      continue;
    }
    if (node.type() != pugi::node_element || root)
      return Refusal{Code::malformed_body, "The XML must be one element <" + std::string(name) + "/>."};
    root = node;
  }
  if (std::string_view(root.name()) != name)
    return Refusal{Code::malformed_body, "The XML must be one element <" + std::string(name) + "/>."};
  GivenMembers members;
  for (pugi::xml_attribute attribute : root.attributes()) {
    if (std::ranges::find(members, attribute.name(), &GivenMember::name) != members.end())
      return Refusal{Code::malformed_body, std::string("The attribute ") + attribute.name() + " is given twice."};
    members.push_back({attribute.name(), attribute.value()});
  }
  return members;
}

std::string write_xml(std::string_view name, const Object& object) {
  pugi::xml_document document;
  write_members(document.append_child(std::string(name).c_str()), object);
  return saved(document);
}

std::string write_xml(std::string_view names, std::string_view name, const Array& list) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child(std::string(names).c_str());
  for (const Value& value : list.values()) write_members(root.append_child(std::string(name).c_str()), *value.object());
  return saved(document);
}

}  // namespace billd::api::management
