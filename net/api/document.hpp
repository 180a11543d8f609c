// JSON documents as the API faces answer them: built member by member, changed, compared and written, never read.
//
// A document lives for one answer. Everything in it lies in one arena, and names are not copied, so that to build and
// write a customer with a subscription costs microseconds.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace billd::api {

class Document;
class Object;
class Array;

/// Null, a boolean, an integer, a text, a number with decimals, or a reference to an object or array of the same
/// document. Money is integers; decimals (of percentages) are kept as their digits.
class Value {
 public:
  enum class Kind : std::uint8_t { null, boolean, integer, text, number, object, array };

  Value() = default;
  Value(std::nullptr_t) {}
  template <std::same_as<bool> Boolean>  // nothing else becomes a boolean, least of all a pointer to characters
  Value(Boolean value) : kind_(Kind::boolean) {
    boolean_ = value;
  }
  Value(std::int32_t value) : kind_(Kind::integer) { integer_ = value; }
  Value(std::int64_t value) : kind_(Kind::integer) { integer_ = value; }
  Value(Object& object) : kind_(Kind::object) { object_ = &object; }
  Value(Array& array) : kind_(Kind::array) { array_ = &array; }
  /// A literal of the program: it is not copied.
  template <std::size_t size>
  Value(const char (&literal)[size]) : kind_(Kind::text), size_(size - 1) {
    text_ = literal;
  }

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::null; }
  bool is_text() const { return kind_ == Kind::text; }
  bool boolean() const { return boolean_; }
  std::int64_t integer() const { return integer_; }
  std::string_view text() const { return {text_, size_}; }
  /// nullptr for other kinds.
  Object* object() const { return kind_ == Kind::object ? object_ : nullptr; }
  Array* array() const { return kind_ == Kind::array ? array_ : nullptr; }

  /// Equal in kind and content; the order of members does not count.
  bool operator==(const Value& other) const;

 private:
  friend class Document;
  struct TextOfDocument {};
  Value(TextOfDocument, std::string_view text) : kind_(Kind::text), size_(static_cast<std::uint32_t>(text.size())) {
    text_ = text.data();
  }

  Kind kind_ = Kind::null;
  std::uint32_t size_ = 0;
  union {
    bool boolean_;
    std::int64_t integer_ = 0;
    const char* text_;
    Object* object_;
    Array* array_;
  };
};

struct Member {
  std::string_view name;
  Value value;
};

/// Members in the order in which they were added.
class Object {
 public:
  explicit Object(std::pmr::memory_resource* arena, std::size_t members) : members_(arena) {
    members_.reserve(members);
  }

  /// The name must outlive the document: a literal, or Document::text(). It must be new to the object.
  void add(std::string_view name, Value value) { members_.push_back({name, value}); }

  /// Replaces the member, or adds it.
  void set(std::string_view name, Value value);
  void remove(std::string_view name);

  /// nullptr when there is none of that name.
  Value* find(std::string_view name);
  const Value* find(std::string_view name) const;

  std::pmr::vector<Member>& members() { return members_; }
  const std::pmr::vector<Member>& members() const { return members_; }

 private:
  std::pmr::vector<Member> members_;
};

class Array {
 public:
  explicit Array(std::pmr::memory_resource* arena, std::size_t values) : values_(arena) { values_.reserve(values); }

  void add(Value value) { values_.push_back(value); }

  std::pmr::vector<Value>& values() { return values_; }
  const std::pmr::vector<Value>& values() const { return values_; }

 private:
  std::pmr::vector<Value> values_;
};

class Document {
 public:
  Document() : arena_(first_block_, sizeof first_block_) {}
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  /// The argument is how many members there will be, so that room is made once.
  Object& object(std::size_t members = 8) { return make<Object>(members); }
  Array& array(std::size_t values = 0) { return make<Array>(values); }

  /// A copy of the text.
  Value text(std::string_view text) { return {Value::TextOfDocument(), copy(text)}; }
  Value text_or_null(std::string_view text) { return text.empty() ? Value() : this->text(text); }

  /// A number with decimals, by its digits: "8.875".
  Value number(std::string_view digits) {
    Value value = text(digits);
    value.kind_ = Value::Kind::number;
    return value;
  }

  /// A copy for a member's name.
  std::string_view copy(std::string_view text);

  /// What `before` had otherwise than `after`, as Stripe's previous_attributes tell it: members of nested objects one
  /// by one, lists as a whole, null for what was not there.
  Object& difference(const Object& before, const Object& after);

 private:
  template <class Container>
  Container& make(std::size_t count) {
    void* place = arena_.allocate(sizeof(Container), alignof(Container));
    return *new (place) Container(&arena_, count);  // Destroyed with the arena: the memory is its only resource.
  }

  // Enough for a customer with a card; more comes from the heap.
  alignas(std::max_align_t) std::byte first_block_[8192];
  std::pmr::monotonic_buffer_resource arena_;
};

/// Appends the value as JSON without white space.
void write(const Value& value, std::string& output);

std::string to_json(const Value& value);

}  // namespace billd::api
