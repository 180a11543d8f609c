// The parts of the codec that are the same for every structure.
#include "net/store/codec.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace billd::store {

namespace {
constexpr std::int64_t microseconds_per_second = 1'000'000;
constexpr std::size_t name_length = 8;
constexpr std::uint64_t counted_max = std::uint64_t{1} << 62;

/// Behind the numbers of common words.
constexpr std::uint64_t first_embedding = 64;
static_assert(std::size(common_words) <= first_embedding);

/// As the engine numbers the account's invoices.
std::string invoice_number_of(const AccountKey& key, std::uint64_t counted) {
  std::string digits = std::to_string(counted);
  if (digits.size() < 4) digits.insert(0, 4 - digits.size(), '0');
  return invoice_prefix(key) + "-" + digits;
}

std::uint64_t raw(Timestamp time) { return static_cast<std::uint64_t>(time.time_since_epoch().count()); }
}  // namespace

// A text is its length x 2, then its bytes; or the number of a common word x 2 + 1; or, when it ends with an identifier
// of the account (as what gateways name after a charge), the length before that + first_embedding, x 2 + 1, then what
// is before it and the identifier's number.
void Writer::text(std::string_view value) {
  if (!value.empty() && value.size() <= 16) {
    const auto* word = std::ranges::find(common_words, value);
    if (word != std::end(common_words)) {
      unsigned_number(static_cast<std::uint64_t>(word - std::begin(common_words)) * 2 + 1);
      return;
    }
  }
  if (!key_.is_empty() && value.size() >= id_body_length) {
    const std::string_view before = value.substr(0, value.size() - id_body_length);
    const std::string_view body = value.substr(before.size());
    if (body.starts_with(key_.value()))
      if (const auto number = object_number(key_, body.substr(account_key_length))) {
        unsigned_number((before.size() + first_embedding) * 2 + 1);
        out_ += before;
        unsigned_number(*number);
        return;
      }
  }
  unsigned_number(value.size() * 2);
  out_ += value;
}

void Reader::get(std::string& value) {
  const std::uint64_t head = unsigned_number();
  const bool is_embedding = head % 2 == 1 && head / 2 >= first_embedding && !key_.is_empty();
  if (head % 2 == 1 && !is_embedding) {
    if (head / 2 >= std::size(common_words)) return fail();
    value = common_words[head / 2];
    return;
  }
  const std::uint64_t length = is_embedding ? head / 2 - first_embedding : head / 2;
  if (length > rest_.size()) return fail();
  value = rest_.substr(0, length);
  rest_.remove_prefix(length);
  if (is_embedding) value.append(key_.value()).append(object_suffix(key_, unsigned_number()));
}

// The account's own number x 2 + 1, or the length x 2 and the bytes.
void Writer::invoice_number(std::uint32_t number, const std::string& value) {
  if (value.empty()) return;
  unsigned_number(number);
  const std::size_t dash = std::min(value.find('-'), value.size() - 1);
  std::uint64_t counted = 0;
  const auto [end, error] = std::from_chars(value.data() + dash + 1, value.data() + value.size(), counted);
  if (error == std::errc() && counted < counted_max && value == invoice_number_of(key_, counted))
    return unsigned_number(counted * 2 + 1);
  unsigned_number(value.size() * 2);
  out_ += value;
}

void Reader::invoice_number(std::uint32_t number, std::string& value) {
  value.clear();
  if (next_ != number) return;
  const std::uint64_t head = unsigned_number();
  if (head % 2 == 1) {
    value = invoice_number_of(key_, head / 2);
  } else if (head / 2 > rest_.size()) {
    fail();
  } else {
    value = rest_.substr(0, head / 2);
    rest_.remove_prefix(head / 2);
  }
  next_field();
}

// A time or a duration is its seconds x 2, when it is no whole number of them + 1, and then the microseconds behind
// them.
void Writer::put(Duration value) {
  std::int64_t whole = value.count() / microseconds_per_second;
  std::int64_t rest = value.count() % microseconds_per_second;
  if (rest < 0) {
    whole -= 1;
    rest += microseconds_per_second;
  }
  put(whole * 2 + (rest == 0 ? 0 : 1));
  if (rest != 0) unsigned_number(static_cast<std::uint64_t>(rest));
}

void Reader::get(Duration& value) {
  std::int64_t head = 0;
  get(head);
  std::int64_t whole = head >> 1;
  std::int64_t rest = 0;
  if (head % 2 != 0) {
    const std::uint64_t behind = unsigned_number();
    if (behind == 0 || behind >= microseconds_per_second) return fail();
    rest = static_cast<std::int64_t>(behind);
    // Towards zero, so that the earliest of all times is reached from above.
    if (whole < 0) {
      whole += 1;
      rest -= microseconds_per_second;
    }
  }
  std::int64_t count = 0;
  if (__builtin_mul_overflow(whole, microseconds_per_second, &count) || __builtin_add_overflow(count, rest, &count))
    return fail();
  value = Duration(count);
}

// Distances wrap around, so that there is one between any two times.
void Writer::put(Timestamp value) {
  put(Duration(static_cast<std::int64_t>(raw(value) - raw(time_))));
  time_ = value;
}

void Reader::get(Timestamp& value) {
  Duration distance{};
  get(distance);
  value = time_ =
      Timestamp(Duration(static_cast<std::int64_t>(raw(time_) + static_cast<std::uint64_t>(distance.count()))));
}

// 0: none, 1: as before, else a 2 and the three letters.
void Writer::put(const Currency& value) {
  if (value.is_none()) return unsigned_number(0);
  if (value == currency_) return unsigned_number(1);
  unsigned_number(2);
  out_ += value.code();
  currency_ = value;
}

void Reader::get(Currency& value) {
  switch (unsigned_number()) {
    case 0:
      value = Currency();
      return;
    case 1:
      value = currency_;
      return;
    case 2:
      break;
    default:
      return fail();
  }
  if (rest_.size() < 3) return fail();
  auto parsed = Currency::parse(rest_.substr(0, 3));
  rest_.remove_prefix(3);
  if (!parsed) return fail();
  value = currency_ = *parsed;
}

// Made for this account (outside any account: never): its number x 2 + 1; otherwise the length x 2 and the text with
// its prefix.
void Writer::identifier(std::string_view prefix, std::string_view id) {
  if (!key_.is_empty() && id.starts_with(prefix) && id.size() == prefix.size() + id_body_length) {
    const std::string_view body = id.substr(prefix.size());
    if (body.starts_with(key_.value())) {
      const auto number = object_number(key_, body.substr(account_key_length));
      if (number && *number < (std::uint64_t{1} << 62)) return unsigned_number(*number * 2 + 1);
    }
  }
  unsigned_number(id.size() * 2);
  out_ += id;
}

std::string Reader::identifier(std::string_view prefix) {
  const std::uint64_t head = unsigned_number();
  if (head % 2 == 1) {
    if (key_.is_empty()) {
      fail();
      return {};
    }
    std::string id;
    id.reserve(prefix.size() + id_body_length);
    id.append(prefix).append(key_.value()).append(object_suffix(key_, head / 2));
    return id;
  }
  if (head / 2 > rest_.size()) {
    fail();
    return {};
  }
  std::string id(rest_.substr(0, head / 2));
  rest_.remove_prefix(head / 2);
  return id;
}

void Writer::part(std::string bytes) {
  std::uint64_t name = fnv1a(bytes);
  parts_->try_emplace(name, std::move(bytes));
  unsigned_number(part_mark);
  for (std::size_t byte = 0; byte < name_length; ++byte, name >>= 8) out_ += static_cast<char>(name & 0xFF);
}

std::optional<std::string_view> Reader::part() {
  std::uint64_t name = 0;
  if (rest_.size() < name_length) {
    fail();
    return std::nullopt;
  }
  for (std::size_t byte = name_length; byte-- > 0;) name = name << 8 | static_cast<unsigned char>(rest_[byte]);
  rest_.remove_prefix(name_length);
  if (names_ != nullptr) {
    names_->push_back(name);
    return std::nullopt;
  }
  if (parts_ != nullptr)
    if (const auto found = parts_->find(name); found != parts_->end()) return found->second;
  fail();
  return std::nullopt;
}

std::uint64_t Reader::unsigned_number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) break;
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    const std::uint64_t bits = byte & 0x7FU;
    if (shift == 63 && bits > 1) break;
    value |= bits << shift;
    if (byte < 0x80) return value;
  }
  fail();
  return 0;
}

}  // namespace billd::store
