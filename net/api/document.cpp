#include "net/api/document.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

namespace billd::api {
namespace {

/// Which bytes cannot stand in a JSON string as they are.
constexpr auto needs_escape = [] {
  std::array<bool, 256> table = {};
  for (std::size_t byte = 0; byte < 0x20; ++byte) table[byte] = true;
  table['"'] = table['\\'] = true;
  return table;
}();

void write_escape(unsigned char byte, std::string& output) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (byte) {
    case '"':
      output += "\\\"";
      return;
    case '\\':
      output += "\\\\";
      return;
    case '\n':
      output += "\\n";
      return;
    case '\r':
      output += "\\r";
      return;
    case '\t':
      output += "\\t";
      return;
    default:
      output += "\\u00";
      output += digits[byte >> 4];
      output += digits[byte & 15];
  }
}

void write_text(std::string_view text, std::string& output) {
  output += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (!needs_escape[byte]) continue;
    output.append(text, plain, i - plain);
    write_escape(byte, output);
    plain = i + 1;
  }
  output.append(text, plain);
  output += '"';
}

void write_integer(std::int64_t value, std::string& output) {
  std::array<char, 24> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  output.append(digits.data(), end);
}

}  // namespace

bool Value::operator==(const Value& other) const {
  if (kind_ != other.kind_) return false;
  switch (kind_) {
    case Kind::null:
      return true;
    case Kind::boolean:
      return boolean_ == other.boolean_;
    case Kind::integer:
      return integer_ == other.integer_;
    case Kind::text:
    case Kind::number:
      return text() == other.text();
    case Kind::array:
      return array_->values() == other.array_->values();
    case Kind::object:
      return object_->members().size() == other.object_->members().size() &&
             std::ranges::all_of(object_->members(), [&](const Member& member) {
               const Value* same = std::as_const(*other.object_).find(member.name);
               return same != nullptr && *same == member.value;
             });
  }
  return false;
}

Value* Object::find(std::string_view name) {
  auto at = std::ranges::find(members_, name, &Member::name);
  return at == members_.end() ? nullptr : &at->value;
}

const Value* Object::find(std::string_view name) const {
  auto at = std::ranges::find(members_, name, &Member::name);
  return at == members_.end() ? nullptr : &at->value;
}

void Object::set(std::string_view name, Value value) {
  if (Value* known = find(name))
    *known = value;
  else
    add(name, value);
}

void Object::remove(std::string_view name) {
  std::erase_if(members_, [&](const Member& member) { return member.name == name; });
}

std::string_view Document::copy(std::string_view text) {
  if (text.empty()) return "";
  auto* place = static_cast<char*>(arena_.allocate(text.size(), 1));
  std::memcpy(place, text.data(), text.size());
  return {place, text.size()};
}

Object& Document::difference(const Object& before, const Object& after) {
  Object& result = object();
  for (const Member& member : before.members()) {
    const Value* now = after.find(member.name);
    if (now == nullptr) {
      result.add(member.name, member.value);
    } else if (*now != member.value) {
      const bool both_objects = member.value.object() != nullptr && now->object() != nullptr;
      result.add(member.name, both_objects ? Value(difference(*member.value.object(), *now->object())) : member.value);
    }
  }
  for (const Member& member : after.members())
    if (before.find(member.name) == nullptr) result.add(member.name, nullptr);
  return result;
}

void write(const Value& value, std::string& output) {
  switch (value.kind()) {
    case Value::Kind::null:
      output += "null";
      return;
    case Value::Kind::boolean:
      output += value.boolean() ? "true" : "false";
      return;
    case Value::Kind::integer:
      write_integer(value.integer(), output);
      return;
    case Value::Kind::text:
      write_text(value.text(), output);
      return;
    case Value::Kind::number:
      output += value.text();
      return;
    case Value::Kind::array: {
      char separator = '[';
      for (const Value& each : value.array()->values()) {
        output += separator;
        write(each, output);
        separator = ',';
      }
      if (separator == '[') output += '[';
      output += ']';
      return;
    }
    case Value::Kind::object: {
      char separator = '{';
      for (const Member& member : value.object()->members()) {
        output += separator;
        write_text(member.name, output);
        output += ':';
        write(member.value, output);
        separator = ',';
      }
      if (separator == '{') output += '{';
      output += '}';
      return;
    }
  }
}

std::string to_json(const Value& value) {
  std::string output;
  output.reserve(4096);
  write(value, output);
  return output;
}

}  // namespace billd::api
