// The byte-level form of stored data: numbered fields, of which those with their default value are left out.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "engine/account.hpp"

namespace billd::store {

// A structure is its fields in ascending order of their numbers, each a number and a value, ended by the number 0. One
// function `describe(archive, object)` per structure lists the fields; it serves Writer and Reader alike, so that the
// two cannot drift apart. Numbers are varints (7 bits a byte, least significant first), signed ones zigzag.
//
// An identifier that was made for the account is stored as its number in the account, others as text. A time on a whole
// second takes five bytes. A currency takes one byte when it is that of the amount before it.
//
// Two functions, found beside the types, say what a Reader refuses: `last_enumerator(Enum)`, which every stored
// enumeration has, and `is_sound(object)`, for structures whose users rely on more than on their fields.

/// Words that are stored as one byte. Append only.
inline constexpr std::string_view common_words[] = {
    "Visa",  "MasterCard", "American Express", "Discover",  "credit",
    "debit", "prepaid",    "unknown",          "US",        "test",
    "pass",  "fail",       "unavailable",      "unchecked", "Diners Club",
    "JCB",   "UnionPay",   "tok_visa",         "stripe",
};

/// False when the result would not fit.
inline bool add_checked(Duration a, Duration b, Duration& sum) {
  Duration::rep count = 0;
  const bool fits = !__builtin_add_overflow(a.count(), b.count(), &count);
  sum = Duration(count);
  return fits;
}
inline bool subtract_checked(Duration a, Duration b, Duration& difference) {
  Duration::rep count = 0;
  const bool fits = !__builtin_sub_overflow(a.count(), b.count(), &count);
  difference = Duration(count);
  return fits;
}

class Writer {
 public:
  template <class T>
  using Object = const T&;

  Writer(const AccountKey& key, std::string& out) : key_(key), out_(out) {}

  template <class T>
  void field(std::uint32_t number, const T& value) {
    if (value == T{}) return;
    unsigned_number(number);
    put(value);
  }
  template <class T>
  void field(std::uint32_t number, const std::optional<T>& value) {
    if (!value) return;
    unsigned_number(number);
    put(*value);
  }

  void unsigned_number(std::uint64_t value) {
    while (value >= 0x80) {
      out_ += static_cast<char>(value | 0x80);
      value >>= 7;
    }
    out_ += static_cast<char>(value);
  }
  void text(std::string_view value);
  void put(std::string_view value) { text(value); }
  void put(const std::string& value) { text(value); }
  void put(bool) {}  // Present means true.
  void put(std::unsigned_integral auto value) { unsigned_number(value); }
  void put(std::signed_integral auto value) {
    const auto wide = static_cast<std::int64_t>(value);
    unsigned_number((static_cast<std::uint64_t>(wide) << 1) ^ static_cast<std::uint64_t>(wide >> 63));
  }
  void put(Timestamp value);
  void put(const Currency& value);
  void put(const Money& value) {
    put(value.minor);
    put(value.currency);
  }
  void put(const Period& value) {
    Duration length{};
    BILLD_CHECK(subtract_checked(value.end.time_since_epoch(), value.start.time_since_epoch(), length),
                "a period is longer than time");
    put(value.start);
    put(length);
  }
  void put(Duration value);
  void put(const std::pair<std::string, std::string>& value) {
    text(value.first);
    text(value.second);
  }
  template <class T>
    requires std::is_enum_v<T>
  void put(T value) {
    unsigned_number(static_cast<std::uint64_t>(value));
  }
  template <class Kind>
  void put(const Id<Kind>& id) {
    identifier(Kind::prefix, id.value());
  }
  template <class T>
  void put(const std::vector<T>& values) {
    unsigned_number(values.size());
    for (const T& value : values) put(value);
  }
  template <class... T>
  void put(const std::variant<T...>& value) {
    unsigned_number(value.index());
    std::visit([this](const auto& each) { this->put(each); }, value);
  }
  template <class T>
    requires std::is_class_v<T>
  void put(const T& object) {
    describe(*this, object);
    unsigned_number(0);
  }

  void identifier(std::string_view prefix, std::string_view id);

 private:
  const AccountKey& key_;
  std::string& out_;
  Currency currency_;
};

/// Reads what Writer wrote. After the first error everything read is empty; ask is_good() at the end.
class Reader {
 public:
  template <class T>
  using Object = T&;

  Reader(const AccountKey& key, std::string_view bytes) : key_(key), rest_(bytes) {}

  bool is_good() const { return good_; }
  bool is_at_end() const { return rest_.empty(); }
  void fail() {
    good_ = false;
    rest_ = {};
  }

  template <class T>
  void field(std::uint32_t number, T& value) {
    value = T{};  // Not what the structure's member starts with: what Writer leaves out.
    if (next_ != number) return;
    get(value);
    next_field();
  }
  template <class T>
  void field(std::uint32_t number, std::optional<T>& value) {
    value.reset();
    if (next_ != number) return;
    get(value.emplace());
    next_field();
  }

  std::uint64_t unsigned_number();
  void get(std::string& value);
  void get(bool& value) { value = true; }
  template <std::unsigned_integral T>
  void get(T& value) {
    value = narrow<T>(unsigned_number());
  }
  template <std::signed_integral T>
  void get(T& value) {
    const std::uint64_t raw = unsigned_number();
    const auto wide = static_cast<std::int64_t>((raw >> 1) ^ (0 - (raw & 1)));
    value = narrow<T>(wide);
  }
  void get(Timestamp& value);
  void get(Currency& value);
  void get(Money& value) {
    get(value.minor);
    get(value.currency);
  }
  void get(Period& value) {
    Duration start{}, length{}, end{};
    get(start);
    get(length);
    if (!add_checked(start, length, end)) return fail();
    value = {Timestamp(start), Timestamp(end)};
  }
  void get(Duration& value);
  void get(std::pair<std::string, std::string>& value) {
    get(value.first);
    get(value.second);
  }
  template <class T>
    requires std::is_enum_v<T>
  void get(T& value) {
    const std::uint64_t raw = unsigned_number();
    if (raw > static_cast<std::uint64_t>(last_enumerator(T{}))) return fail();
    value = static_cast<T>(raw);
  }
  template <class Kind>
  void get(Id<Kind>& id) {
    id = Id<Kind>(identifier(Kind::prefix));
  }
  template <class T>
  void get(std::vector<T>& values) {
    const std::uint64_t count = unsigned_number();
    // An element takes a byte at least: a larger count is no list, and must not make us allocate.
    if (count > rest_.size()) return fail();
    values.resize(count);
    for (T& value : values) get(value);
  }
  template <class... T>
  void get(std::variant<T...>& value) {
    const std::uint64_t index = unsigned_number();
    std::size_t place = 0;
    const bool known = ((place++ == index ? (get(value.template emplace<T>()), true) : false) || ...);
    if (!known) fail();
  }
  template <class T>
    requires std::is_class_v<T>
  void get(T& object) {
    const std::uint64_t outer = next_;
    next_field();
    describe(*this, object);
    if (next_ != 0) fail();  // A field that this version does not know.
    if constexpr (requires { is_sound(object); })
      if (!is_sound(object)) fail();
    next_ = outer;
  }

  std::string identifier(std::string_view prefix);

 private:
  template <class T, class Wide>
  T narrow(Wide value) {
    if (!std::in_range<T>(value)) {
      fail();
      return T{};
    }
    return static_cast<T>(value);
  }
  void next_field() { next_ = unsigned_number(); }

  const AccountKey& key_;
  std::string_view rest_;
  std::uint64_t next_ = 0;
  Currency currency_;
  bool good_ = true;
};

}  // namespace billd::store
