// The parts of the codec that are the same for every structure.
#include "net/store/codec.hpp"

#include <algorithm>
#include <iterator>

namespace billd::store {

namespace {
constexpr std::int64_t microseconds_per_second = 1'000'000;
}

// A text is its length x 2, then its bytes; or the number of a common word x 2 + 1.
void Writer::text(std::string_view value) {
  if (!value.empty() && value.size() <= 16) {
    const auto* word = std::ranges::find(common_words, value);
    if (word != std::end(common_words)) {
      unsigned_number(static_cast<std::uint64_t>(word - std::begin(common_words)) * 2 + 1);
      return;
    }
  }
  unsigned_number(value.size() * 2);
  out_ += value;
}

void Reader::get(std::string& value) {
  const std::uint64_t head = unsigned_number();
  if (head % 2 == 1) {
    if (head / 2 >= std::size(common_words)) return fail();
    value = common_words[head / 2];
    return;
  }
  if (head / 2 > rest_.size()) return fail();
  value = rest_.substr(0, head / 2);
  rest_.remove_prefix(head / 2);
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

void Writer::put(Timestamp value) { put(value.time_since_epoch()); }

void Reader::get(Timestamp& value) {
  Duration since{};
  get(since);
  value = Timestamp(since);
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
