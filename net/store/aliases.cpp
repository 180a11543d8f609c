#include "net/store/aliases.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "config/keys.hpp"
#include "net/store/codec.hpp"
#include "net/store/encoding.hpp"
#include "net/store/keys.hpp"

namespace billd::store {
namespace {

constexpr std::size_t foreign_size_max = 255;
// A hash of Redis with up to 128 short entries is stored as one piece. So many of them in each of 16 partitions take
// eight million identifiers in that form.
constexpr std::uint64_t directories_per_partition = 4096;

/// The kinds that can have an alias, by the prefixes of billd. Their places are stored: append only. The longer of two
/// that end alike comes first.
constexpr std::array<std::string_view, 13> kinds = {
    ScheduleKind::prefix,
    CustomerKind::prefix,
    SourceKind::prefix,
    BankAccountKind::prefix,
    "pm_",
    SubscriptionKind::prefix,
    SubscriptionItemKind::prefix,
    InvoiceKind::prefix,
    InvoiceLineKind::prefix,
    InvoiceItemKind::prefix,
    "pi_",
    DiscountKind::prefix,
    TaxIdentifierKind::prefix,
};
/// Prefixes of other systems' identifiers that billd does not make. Source: identifiers that Stripe made over the
/// years.
constexpr std::array<std::string_view, 3> foreign_prefixes = {"src_", "sli_", "cc_"};
/// The one API that calls customers so has no other objects; see net/api/stancer.
constexpr std::string_view other_customer_prefix = "cust_";

bool is_word(char character) {
  return (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') ||
         (character >= 'a' && character <= 'z');
}

std::optional<std::size_t> kind_of_native(std::string_view id) {
  const std::string_view prefix = id.substr(0, id.size() - id_body(id).size());
  const auto at = std::ranges::find(kinds, prefix);
  if (at == kinds.end()) return std::nullopt;
  return static_cast<std::size_t>(at - kinds.begin());
}

std::uint64_t number_of(const AccountKey& key, std::string_view id) {
  return object_number(key, id_body(id).substr(account_key_length)).value_or(0);
}

std::string_view letter_of(Mode mode) { return mode == Mode::live ? "l" : "t"; }

/// An identifier of an adopted account within a text.
struct Mention {
  std::size_t begin = 0, size = 0;
  AccountKey key;
};

/// The prefix that ends where `text` ends, as a word of its own.
std::optional<std::string_view> prefix_before(std::string_view text) {
  const auto ends_in = [text](std::string_view prefix) {
    if (!text.ends_with(prefix)) return false;
    if (text.size() == prefix.size()) return true;
    const std::size_t before = text.size() - prefix.size() - 1;
    if (text[before] == '_') return false;
    // "\n" in JSON is an end of line, and no part of the word behind it.
    return !is_word(text[before]) || (before > 0 && text[before - 1] == '\\');
  };
  for (const std::string_view prefix : kinds)
    if (ends_in(prefix)) return prefix;
  if (ends_in(other_customer_prefix)) return other_customer_prefix;
  return std::nullopt;
}

std::optional<Mention> mention_at(std::string_view text, std::size_t mark) {
  if (mark == 0 || text[mark - 1] != '_' || text.size() - mark < id_body_length) return std::nullopt;
  if (text.size() - mark > id_body_length && is_word(text[mark + id_body_length])) return std::nullopt;
  const auto prefix = prefix_before(text.substr(0, mark));
  if (!prefix) return std::nullopt;
  auto key = AccountKey::of_id(text.substr(mark, id_body_length));
  if (!key) return std::nullopt;
  return Mention{mark - prefix->size(), prefix->size() + id_body_length, std::move(*key)};
}

/// From the front to the back; at most `limit`.
std::vector<Mention> mentions_in(std::string_view text, std::size_t limit = std::string_view::npos) {
  std::vector<Mention> mentions;
  for (const char mark : {adopted_live_mark, adopted_test_mark})
    for (std::size_t at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at + 1)) {
      if (auto mention = mention_at(text, at)) mentions.push_back(std::move(*mention));
      if (mentions.size() >= limit) return mentions;
    }
  std::ranges::sort(mentions, {}, &Mention::begin);
  return mentions;
}

/// What the object is called elsewhere; empty: it has no other name.
std::string foreign_name(const std::vector<Alias>& aliases, std::string_view native) {
  const bool is_other_customer = native.starts_with(other_customer_prefix);
  std::string wanted(native);
  if (is_other_customer) wanted = std::string(CustomerKind::prefix).append(id_body(native));
  const auto at = std::ranges::find(aliases, wanted, &Alias::native);
  if (at == aliases.end()) return {};
  if (!is_other_customer) return at->foreign;
  return std::string(other_customer_prefix).append(id_body(at->foreign));
}

}  // namespace

AccountKey adopted_key(Mode mode, std::string_view customer) {
  // The first 64 of its 256 bits, in hexadecimal.
  const std::string hash = hash_key(std::string(letter_of(mode)).append(":").append(customer));
  std::uint64_t bits = 0;
  for (const char digit : std::string_view(hash).substr(0, 16))
    bits = bits << 4 | static_cast<std::uint64_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
  return AccountKey::adopted(mode == Mode::live ? adopted_live_mark : adopted_test_mark, bits);
}

Mode mode_of_adopted(const AccountKey& key) {
  return key.value().starts_with(adopted_live_mark) ? Mode::live : Mode::test;
}

bool is_foreign(std::string_view text) {
  if (text.size() > foreign_size_max) return false;
  const auto begins = [text](std::string_view prefix) {
    return text.starts_with(prefix) && text.size() > prefix.size();
  };
  if (std::ranges::none_of(kinds, begins) && std::ranges::none_of(foreign_prefixes, begins)) return false;
  const bool is_plain = std::ranges::all_of(text, [](char each) { return is_word(each) || each == '_'; });
  return is_plain && !AccountKey::of_id(text);
}

// The form's version, then for each alias: its kind's place x 2, + 1 when the foreign identifier has the kind's prefix,
// which then is left out; the object's number; the foreign identifier.
std::string encode_aliases(const AccountKey& key, const std::vector<Alias>& aliases) {
  std::string bytes(1, form_version);
  Writer writer(key, bytes);
  for (const Alias& alias : aliases) {
    const auto kind = kind_of_native(alias.native);
    BILLD_CHECK(kind.has_value() && AccountKey::of_id(alias.native) == key && is_foreign(alias.foreign),
                "an alias stands for an object of its account");
    std::string_view name = alias.foreign;
    const bool is_of_kind = name.starts_with(kinds[*kind]);
    if (is_of_kind) name.remove_prefix(kinds[*kind].size());
    writer.unsigned_number(*kind * 2 + (is_of_kind ? 1 : 0));
    writer.unsigned_number(number_of(key, alias.native));
    writer.text(name);
  }
  return bytes;
}

Result<std::vector<Alias>> decode_aliases(const AccountKey& key, std::string_view bytes) {
  const Failure corrupt{Errc::corrupt, "the stored aliases of " + key.value() + " cannot be read"};
  if (!bytes.starts_with(form_version)) return corrupt;
  Reader reader(key, bytes.substr(1));
  std::vector<Alias> aliases;
  while (reader.is_good() && !reader.is_at_end()) {
    const std::uint64_t head = reader.unsigned_number(), number = reader.unsigned_number();
    std::string name;
    reader.get(name);
    if (head / 2 >= kinds.size()) return corrupt;
    const std::string_view prefix = kinds[head / 2];
    Alias& alias = aliases.emplace_back();
    alias.native.append(prefix).append(key.value()).append(object_suffix(key, number));
    if (head % 2 == 1) alias.foreign = prefix;
    alias.foreign.append(name);
    if (!is_foreign(alias.foreign)) return corrupt;
  }
  if (!reader.is_good()) return corrupt;
  return aliases;
}

bool names_adopted(std::string_view text) { return !mentions_in(text, 1).empty(); }

std::string Aliases::directory_of(Mode mode, std::string_view foreign) const {
  const std::uint64_t hash = fnv1a(foreign);
  const std::uint32_t partitions = store_.partitions();
  const auto partition = static_cast<std::uint32_t>(hash % partitions);
  return aliased_accounts_key(prefix(mode, partition), hash / partitions % directories_per_partition);
}

awaitable<Result<std::vector<std::string>>> Aliases::to_native(Mode mode, std::vector<std::string> texts) {
  auto keys = co_await accounts_of(mode, texts);
  if (!keys) co_return keys.error();
  auto aliases = co_await load(*keys);
  if (!aliases) co_return aliases.error();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::vector<Alias>& known = *(*aliases)[i];
    const auto at = std::ranges::find(known, texts[i], &Alias::foreign);
    if (at != known.end()) texts[i] = at->native;
  }
  co_return texts;
}

awaitable<Result<std::string>> Aliases::to_native(std::string text) {
  for (const Mode mode : {Mode::live, Mode::test}) {
    std::vector<std::string> texts(1, text);
    auto native = co_await to_native(mode, std::move(texts));
    if (!native) co_return native.error();
    if (native->front() != text) co_return std::move(native->front());
  }
  co_return text;
}

/// Empty keys for texts that lead nowhere.
awaitable<Result<std::vector<AccountKey>>> Aliases::accounts_of(Mode mode, const std::vector<std::string>& texts) {
  std::vector<AccountKey> keys(texts.size());
  std::vector<redis::Command> questions;
  std::vector<std::size_t> asked;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string& text = texts[i];
    if (!is_foreign(text)) continue;
    if (text.starts_with(CustomerKind::prefix)) {
      keys[i] = adopted_key(mode, text);
    } else if (const AccountKey* known = accounts_.find(std::string(letter_of(mode)) + text)) {
      keys[i] = *known;
    } else {
      questions.emplace_back("HGET", directory_of(mode, text), text);
      asked.push_back(i);
    }
  }
  if (questions.empty()) co_return keys;
  auto answers = co_await store_.client().execute_all(std::move(questions));
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (!answers[i]) co_return answers[i].error();
    if (answers[i]->is_nil()) continue;
    const auto key = AccountKey::parse(answers[i]->text());
    const std::string& text = texts[asked[i]];
    if (!key) co_return Failure{Errc::corrupt, "the alias " + text + " leads to no account's key"};
    keys[asked[i]] = accounts_.put(std::string(letter_of(mode)) + text, *key);
  }
  co_return keys;
}

/// None for empty keys.
awaitable<Result<std::vector<Aliases::OfAccount>>> Aliases::load(std::vector<AccountKey> keys) {
  static const OfAccount none = std::make_shared<const std::vector<Alias>>();
  std::vector<OfAccount> found(keys.size(), none);
  std::vector<redis::Command> questions;
  std::vector<std::size_t> asked;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].is_empty()) continue;
    if (const OfAccount* known = of_accounts_.find(keys[i].value())) {
      found[i] = *known;
      continue;
    }
    const std::string place = prefix(mode_of_adopted(keys[i]), store_.partition_of(keys[i]));
    questions.emplace_back("HGET", aliases_key(place), keys[i].value());
    asked.push_back(i);
  }
  if (questions.empty()) co_return found;
  auto answers = co_await store_.client().execute_all(std::move(questions));
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (!answers[i]) co_return answers[i].error();
    if (answers[i]->is_nil()) continue;  // An account that is brought along any moment will have some.
    const AccountKey& key = keys[asked[i]];
    auto aliases = decode_aliases(key, answers[i]->text());
    if (!aliases) co_return aliases.error();
    OfAccount shared = std::make_shared<const std::vector<Alias>>(std::move(*aliases));
    found[asked[i]] = of_accounts_.put(key.value(), std::move(shared));
  }
  co_return found;
}

awaitable<Result<Aliases::OfAccount>> Aliases::of_account(AccountKey key) {
  std::vector<AccountKey> keys(1, std::move(key));
  auto found = co_await load(std::move(keys));
  if (!found) co_return found.error();
  co_return std::move(found->front());
}

awaitable<Result<std::string>> Aliases::to_foreign(std::string text) {
  const std::vector<Mention> mentions = mentions_in(text);
  if (mentions.empty()) co_return text;
  std::vector<AccountKey> keys;
  for (const Mention& mention : mentions) keys.push_back(mention.key);
  std::ranges::sort(keys);
  const auto repeated = std::ranges::unique(keys);
  keys.erase(repeated.begin(), repeated.end());
  auto aliases = co_await load(keys);
  if (!aliases) co_return aliases.error();
  std::string result;
  result.reserve(text.size());
  std::size_t done = 0;
  for (const Mention& mention : mentions) {
    const auto place = std::ranges::lower_bound(keys, mention.key) - keys.begin();
    const std::string_view native = std::string_view(text).substr(mention.begin, mention.size);
    const std::string name = foreign_name(*(*aliases)[static_cast<std::size_t>(place)], native);
    if (name.empty()) continue;
    result.append(text, done, mention.begin - done).append(name);
    done = mention.begin + mention.size;
  }
  result.append(text, done);
  co_return result;
}

awaitable<Result<void>> Aliases::lead_to(Mode mode, AccountKey key, std::vector<Alias> aliases) {
  std::erase_if(aliases, [](const Alias& alias) { return alias.foreign.starts_with(CustomerKind::prefix); });
  std::vector<redis::Command> commands;
  for (const Alias& alias : aliases) {
    const std::string directory = directory_of(mode, alias.foreign);
    commands.emplace_back("HSETNX", directory, alias.foreign, key.value());
    commands.emplace_back("HGET", directory, alias.foreign);
  }
  auto answers = co_await store_.client().execute_all(std::move(commands));
  for (std::size_t i = 0; i < aliases.size(); ++i) {
    const Result<redis::Reply>&written = answers[2 * i], &leads = answers[2 * i + 1];
    if (!written) co_return written.error();
    if (!leads) co_return leads.error();
    if (!leads->is_text() || leads->text() != key.value())
      co_return Failure{Errc::already_exists, "another customer has the identifier " + aliases[i].foreign, "id"};
  }
  co_return Result<void>();
}

}  // namespace billd::store
