// The byte-level form of stored data: numbered fields, of which those with their default value are left out.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
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
// An identifier that was made for the account is stored as its number in the account, others as text. A time is stored
// as its distance from the time before it. A currency takes one byte when it is that of the amount before it.
//
// Parts that repeat from record to record (a price, a card) can be kept apart, once for an account, under a name that
// is made of what they say; a record then holds the name. `is_shared(object)`, found beside a type, says which parts
// are.
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

/// Parts kept apart, by name, as they are stored.
using Parts = std::map<std::uint64_t, std::string>;

/// Where a structure's first field would have its number, this says that a part's name follows.
inline constexpr std::uint32_t part_mark = 127;

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

  /// The part of a structure that it is derived from, as a field of its own.
  template <class Base>
  const Base& base(const Base& object) {
    return object;
  }

  /// `parts`: where to put what is kept apart; null: nothing is.
  Writer(const AccountKey& key, std::string& out, Parts* parts = nullptr) : key_(key), out_(out), parts_(parts) {}

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
  /// A field that holds an invoice's number: the account's own numbers are stored as what was counted.
  void invoice_number(std::uint32_t number, const std::string& value);
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
    time_ = value.end;
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
    if constexpr (requires { is_shared(object); })
      if (parts_ != nullptr && is_shared(object)) {
        std::string bytes;
        Writer(key_, bytes).put(object);
        return part(std::move(bytes));
      }
    describe(*this, object);
    unsigned_number(0);
  }

  void identifier(std::string_view prefix, std::string_view id);

 private:
  void part(std::string bytes);

  const AccountKey& key_;
  std::string& out_;
  Parts* parts_;
  Currency currency_;
  Timestamp time_;
};

/// Reads what Writer wrote. After the first error everything read is empty; ask is_good() at the end.
class Reader {
 public:
  template <class T>
  using Object = T&;

  template <class Base>
  Base& base(Base& object) {
    return object;
  }

  /// `parts`: what was kept apart.
  Reader(const AccountKey& key, std::string_view bytes, const Parts* parts = nullptr)
      : key_(key), rest_(bytes), parts_(parts) {}

  /// From now on parts are not read, but their names are collected.
  void collect_names(std::vector<std::uint64_t>& names) { names_ = &names; }

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
  void invoice_number(std::uint32_t number, std::string& value);
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
    Duration length{}, end{};
    get(value.start);
    get(length);
    if (!add_checked(value.start.time_since_epoch(), length, end)) return fail();
    value.end = time_ = Timestamp(end);
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
    if constexpr (requires { is_shared(object); })
      if (next_ == part_mark) {
        next_ = outer;
        if (auto bytes = part()) {
          Reader apart(key_, *bytes);
          apart.get(object);
          if (!apart.is_good() || !apart.is_at_end()) fail();
        }
        return;
      }
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
  /// The part whose name comes next; empty when its name is only collected, or it is missing.
  std::optional<std::string_view> part();

  const AccountKey& key_;
  std::string_view rest_;
  const Parts* parts_;
  std::vector<std::uint64_t>* names_ = nullptr;
  std::uint64_t next_ = 0;
  Currency currency_;
  Timestamp time_;
  bool good_ = true;
};

}  // namespace billd::store
