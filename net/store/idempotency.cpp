// Claims and saved answers of idempotency keys.
#include "net/store/idempotency.hpp"

#include <charconv>

#include "config/keys.hpp"
#include "net/store/functions.hpp"
#include "net/store/keys.hpp"

namespace billd::store {
namespace {

// A claim is the form's version and four texts with a zero behind each; none of them can hold a zero.
std::string encode(const IdempotencyClaim& claim) {
  std::string bytes(1, form_version);
  for (const std::string& text : {claim.endpoint, claim.fingerprint, claim.account.value(), claim.request_id})
    bytes.append(text).append(1, '\0');
  return bytes;
}

Result<IdempotencyClaim> decode_claim(std::string_view bytes) {
  const Failure corrupt{Errc::corrupt, "the claim of an idempotency key cannot be read"};
  if (bytes.empty() || bytes.front() != form_version) return corrupt;
  bytes.remove_prefix(1);
  std::array<std::string_view, 4> texts;
  for (std::string_view& text : texts) {
    const std::size_t end = bytes.find('\0');
    if (end == std::string_view::npos) return corrupt;
    text = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
  }
  IdempotencyClaim claim{std::string(texts[0]), std::string(texts[1]), AccountKey(), std::string(texts[3])};
  if (!texts[2].empty()) {
    const auto account = AccountKey::parse(texts[2]);
    if (!account) return corrupt;
    claim.account = *account;
  }
  return claim;
}

}  // namespace

std::string hash_idempotency_key(Mode mode, std::string_view key) {
  std::string text(mode == Mode::live ? "live " : "test ");
  return hash_key(text.append(key));
}

// 'u', the form's version and the subject; or 'a', the form's version, three digits of status and the body. The letter
// comes first, for complete_answer() in functions.lua looks at it.
std::string encode(const SavedAnswer& saved) {
  std::string bytes(1, saved.under_way ? 'u' : 'a');
  bytes += form_version;
  if (saved.under_way) return bytes.append(saved.subject);
  return bytes.append(std::to_string(saved.status)).append(saved.body);
}

Result<SavedAnswer> decode_saved_answer(std::string_view bytes) {
  const Failure corrupt{Errc::corrupt, "a saved answer cannot be read"};
  if (bytes.size() < 2 || bytes[1] != form_version) return corrupt;
  SavedAnswer saved;
  const char letter = bytes[0];
  bytes.remove_prefix(2);
  if (letter == 'u') {
    saved.under_way = true;
    saved.subject = bytes;
    return saved;
  }
  if (letter != 'a' || bytes.size() < 3) return corrupt;
  const auto [rest, error] = std::from_chars(bytes.data(), bytes.data() + 3, saved.status);
  if (error != std::errc() || rest != bytes.data() + 3) return corrupt;
  saved.body = bytes.substr(3);
  return saved;
}

awaitable<Result<IdempotencyClaim>> claim(Store& store, Mode mode, std::string key_hash, IdempotencyClaim wanted) {
  // The key alone decides where its claim is kept: every use of it must meet the first one.
  const std::uint32_t partition = static_cast<std::uint32_t>(fnv1a(key_hash) % store.partitions());
  redis::Command command("SET", claim_key(prefix(mode, partition), key_hash), encode(wanted), "NX", "GET", "PX",
                         store.settings().idempotency_retention.count());
  auto reply = co_await store.lane(partition).execute(std::move(command));
  if (!reply) co_return reply.error();
  if (reply->is_nil()) co_return wanted;
  co_return decode_claim(reply->text());
}

awaitable<Result<std::optional<SavedAnswer>>> saved_answer(Store& store, Mode mode, AccountKey account,
                                                           std::string key_hash) {
  redis::Command command("GET", answer_key(prefix(mode, store.partition_of(account)), key_hash));
  auto reply = co_await store.reading(account).execute(std::move(command));
  if (!reply) co_return reply.error();
  if (reply->is_nil()) co_return std::optional<SavedAnswer>();
  auto saved = decode_saved_answer(reply->text());
  if (!saved) co_return saved.error();
  co_return std::optional<SavedAnswer>(std::move(*saved));
}

awaitable<Result<SavedAnswer>> complete_answer(Store& store, Mode mode, AccountKey account, std::string key_hash,
                                               SavedAnswer answer, std::optional<Milliseconds> life) {
  redis::Command command("FCALL", function_name("complete_answer"), 1,
                         answer_key(prefix(mode, store.partition_of(account)), key_hash), encode(answer),
                         life.value_or(store.settings().idempotency_retention).count());
  auto reply = co_await call_function(store.lane(account), std::move(command));
  if (!reply) co_return reply.error();
  co_return decode_saved_answer(reply->text());
}

}  // namespace billd::store
