#include "net/api/funding_sources/users.hpp"

#include <algorithm>
#include <span>

#include "config/keys.hpp"
#include "config/staff.hpp"
#include "net/store/unique.hpp"
#include "net/webhooks/signature.hpp"

namespace billd::api::funding_sources {
namespace {

/// How often a request that another one forestalled looks again.
constexpr int attempts_max = 8;
/// Behind the hash of a secret: it fits no secret.
constexpr std::string_view unconfirmed_mark = " unconfirmed";

store::Unique unique_name(std::string_view name) { return {store::UniqueKind::user_name, folded_user_name(name)}; }

std::string holder_of(const AccountKey& account, const std::string& secret) {
  return account.value() + " " + hash_key(secret);
}

/// The account that the holder of a name names; empty: it names none.
std::optional<AccountKey> account_of(std::string_view holder) {
  if (holder.size() <= account_key_length) return std::nullopt;
  return AccountKey::parse(holder.substr(0, account_key_length));
}

bool is_user(const Customer& customer, const store::Unique& name) {
  return !customer.deleted && folded_user_name(customer.user_name) == name.value;
}

Answered<void> check_name(const std::optional<std::string>& name) {
  if (!name || name->empty()) return missing("username");
  if (name->size() < username_length_min) return too_short("username", "username must have at least 3 characters.");
  if (name->size() > username_length_max) return too_long("username", "username must have at most 20 characters.");
  if (!is_user_name(*name)) return invalid_format("username", "username must be of letters, digits, _ and -.");
  return {};
}

Problem name_in_use() { return in_use("username", "Another user has that name."); }

Problem too_much_at_once() {
  return {503, "ACT_OF_GOD", {}, std::nullopt, "The same user is being changed by many requests at once."};
}

void set_name(CreateCustomer& command, const UserFields& fields) {
  const std::string given = fields.given.value_or(""), family = fields.family.value_or("");
  const bool has_both = !given.empty() && !family.empty();
  command.name = has_both ? given + " " + family : given + family;
  command.first_name_size = has_both ? static_cast<std::uint32_t>(given.size()) : 0;
}

}  // namespace

std::string Users::secret_for(Mode mode, const KeyedRequest& keyed) const {
  KeyRandomness randomness;
  if (keyed.has_key()) {
    const Secret& master = services_.settings.webhooks.secret;
    BILLD_CHECK(!master.empty(), "secrets are derived before there is one to derive them from");
    const std::string subject = std::string(mode == Mode::live ? "live" : "test") + " user secret " + keyed.key();
    const std::string derived = webhooks::hmac_sha256(master.reveal(), subject);
    std::ranges::copy(std::as_bytes(std::span(derived)), randomness.begin());
  } else {
    secure_random(randomness);
  }
  return make_key(mode, randomness, KeyKind::person);
}

awaitable<Result<Users::Holding>> Users::look_up(Mode mode, store::Unique unique) {
  auto holder = co_await services_.store.holder(mode, std::move(unique));
  if (!holder) co_return holder.error();
  Holding holding{std::move(*holder), std::nullopt};
  const auto key = account_of(holding.holder);
  if (!key) co_return holding;
  auto loaded = co_await services_.store.load(mode, *key);
  if (!loaded && loaded.error().code != Errc::not_found) co_return loaded.error();
  if (loaded) holding.account = std::move(loaded->account);
  co_return holding;
}

awaitable<Result<User>> Users::find(Mode mode, std::string name) {
  const Failure unknown{Errc::not_found, "no such user", "customer"};
  if (!is_user_name(name)) co_return unknown;
  const store::Unique unique = unique_name(name);
  auto holding = co_await look_up(mode, unique);
  if (!holding) co_return holding.error();
  if (!holding->account || !is_user(holding->account->customer, unique)) co_return unknown;
  User user;
  user.account = std::move(*holding->account);
  user.secret_hash = holding->holder.substr(account_key_length + 1);
  user.holder = std::move(holding->holder);
  co_return user;
}

awaitable<Result<std::optional<User>>> Users::authenticate(BasicCredentials credentials) {
  const auto mode = mode_of(credentials.password);
  if (!mode || kind_of(credentials.password) != KeyKind::person) co_return std::optional<User>();
  auto user = co_await find(*mode, std::move(credentials.user));
  if (!user && user.error().code == Errc::not_found) co_return std::optional<User>();
  if (!user) co_return user.error();
  if (!equals_in_constant_time(user->secret_hash, hash_key(credentials.password))) co_return std::optional<User>();
  co_return std::optional<User>(std::move(*user));
}

awaitable<Answered<void>> Users::take_name(Mode mode, std::string name, std::string wanted) {
  const store::Unique unique = unique_name(name);
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto holding = co_await look_up(mode, unique);
    if (!holding) co_return problem_of(holding.error());
    if (holding->account && is_user(holding->account->customer, unique)) co_return name_in_use();
    const auto key = account_of(holding->holder);
    Result<void> taken;
    if (key && !holding->account)
      taken = co_await store::take_over(services_.store, mode, unique, *key, holding->holder, wanted);
    else
      taken = co_await services_.store.take(mode, unique, holding->holder, wanted);
    if (taken) co_return Answered<void>();
    if (taken.error().code != Errc::conflict) co_return problem_of(taken.error());
  }
  co_return too_much_at_once();
}

awaitable<Answered<http::Response>> Users::create(Mode mode, UserFields fields, std::string secret, Telling telling) {
  auto checked = check_name(fields.username);
  if (!checked) co_return checked.error();
  if (fields.customer) co_return co_await name_customer(mode, fields, secret, std::move(telling));
  co_return co_await create_customer(mode, fields, secret, std::move(telling));
}

awaitable<Answered<http::Response>> Users::create_customer(Mode mode, const UserFields& fields,
                                                           const std::string& secret, Telling telling) {
  const store::Unique unique = unique_name(*fields.username);
  // Every attempt, also that of a repetition, is in the partition of the name: the answer is looked for there.
  auto repeated = co_await telling.keyed.claim(store::draw_account_key(services_.store, unique));
  if (!repeated) co_return problem_of_key(repeated.error());
  if (*repeated) co_return std::move(**repeated);
  CreateCustomer command;
  command.user_name = *fields.username;
  command.email = fields.email.value_or("");
  set_name(command, fields);
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    Errand errand;
    errand.mode = mode;
    errand.account = store::draw_account_key(services_.store, unique);
    errand.command = command;
    errand.held = store::HeldUnique{unique, holder_of(errand.account, secret)};
    errand.idempotency_key = telling.keyed.key();
    errand.show = telling.show;
    auto taken = co_await take_name(mode, *fields.username, errand.held->holder);
    if (!taken) co_return taken.error();
    auto done = co_await carry_out(services_, std::move(errand));
    if (done) co_return std::move(done->response);
    if (done.error().code != Errc::already_exists) co_return problem_of(done.error());
  }
  co_return too_much_at_once();
}

awaitable<Result<Account>> Users::customer_to_name(Mode mode, const std::string& id) {
  if (!id.starts_with(CustomerKind::prefix)) co_return Failure{Errc::not_found, "no such customer", "id"};
  co_return co_await load_customer(services_, mode, id.substr(CustomerKind::prefix.size()));
}

/// The name and the customer are in different partitions: first the name is taken, then the customer shows it, and then
/// it is confirmed, which fails when it was taken over in between.
awaitable<Answered<http::Response>> Users::name_customer(Mode mode, const UserFields& fields, const std::string& secret,
                                                         Telling telling) {
  auto account = co_await customer_to_name(mode, *fields.customer);
  if (!account && account.error().code == Errc::not_found) co_return not_found("customer");
  if (!account) co_return problem_of(account.error());
  auto repeated = co_await telling.keyed.claim(account->key);
  if (!repeated) co_return problem_of_key(repeated.error());
  if (*repeated) co_return std::move(**repeated);
  const store::Unique unique = unique_name(*fields.username);
  const std::string holder = holder_of(account->key, secret);
  const std::string unconfirmed = holder + std::string(unconfirmed_mark);
  const std::string before = account->customer.user_name;
  if (!before.empty()) {
    auto user = co_await find(mode, before);
    if (!user && user.error().code != Errc::not_found) co_return problem_of(user.error());
    const bool is_user_already = user && user->account.key == account->key;
    // An earlier request with the key came as far as that, for the secret is its own.
    if (is_user_already && (user->holder == holder || user->holder == unconfirmed)) {
      Confirmation rest{unique, user->holder, holder};
      co_return co_await confirm(mode, std::move(rest), *account, std::move(telling));
    }
    if (is_user_already) co_return in_use("customer", "The customer is the user " + before + " already.");
  }
  auto taken = co_await take_name(mode, *fields.username, unconfirmed);
  if (!taken) co_return taken.error();
  UpdateCustomer command;
  command.user_name = UserNameChange{before, *fields.username};
  command.email = fields.email;
  command.first_name = fields.given;
  command.last_name = fields.family;
  Errand errand;
  errand.mode = mode;
  errand.account = account->key;
  errand.command = std::move(command);
  auto done = co_await carry_out(services_, std::move(errand));
  if (!done) {
    // Unless it is not known whether the customer shows the name: then the next request finds out.
    if (done.error().code != Errc::outcome_unknown) {
      auto given_up = co_await services_.store.take(mode, unique, unconfirmed, std::string());
      if (!given_up && given_up.error().code != Errc::conflict) co_return problem_of(given_up.error());
    }
    if (done.error().code == Errc::conflict) co_return in_use("customer", "The customer is another user by now.");
    co_return problem_of(done.error());
  }
  Confirmation rest{unique, unconfirmed, holder};
  co_return co_await confirm(mode, std::move(rest), done->account, std::move(telling));
}

awaitable<Answered<http::Response>> Users::confirm(Mode mode, Confirmation confirmation, const Account& account,
                                                   Telling telling) {
  auto confirmed =
      co_await services_.store.take(mode, confirmation.name, std::move(confirmation.seen), confirmation.holder);
  if (confirmed) co_return co_await tell(account, std::move(telling));
  if (confirmed.error().code != Errc::conflict) co_return problem_of(confirmed.error());
  UpdateCustomer undo;
  undo.user_name = UserNameChange{account.customer.user_name, {}};
  Errand undoing;
  undoing.mode = mode;
  undoing.account = account.key;
  undoing.command = std::move(undo);
  auto undone = co_await carry_out(services_, std::move(undoing));
  if (!undone && undone.error().code != Errc::conflict) co_return problem_of(undone.error());
  co_return name_in_use();
}

awaitable<Answered<http::Response>> Users::tell(const Account& account, Telling telling) {
  http::Response response = telling.show(account);
  auto saved = co_await telling.keyed.save(std::move(response));
  if (!saved) co_return problem_of(saved.error());
  co_return std::move(*saved);
}

awaitable<Answered<http::Response>> Users::rotate_secret(Mode mode, const User& user, std::string secret,
                                                         Telling telling) {
  auto repeated = co_await telling.keyed.claim(user.account.key);
  if (!repeated) co_return problem_of_key(repeated.error());
  if (*repeated) co_return std::move(**repeated);
  const std::string name = user.account.customer.user_name;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto now = co_await find(mode, name);
    if (!now) co_return problem_of(now.error());
    std::string holder = holder_of(now->account.key, secret);
    auto taken = co_await services_.store.take(mode, unique_name(name), now->holder, std::move(holder));
    if (taken) co_return co_await tell(now->account, std::move(telling));
    if (taken.error().code != Errc::conflict) co_return problem_of(taken.error());
  }
  co_return too_much_at_once();
}

awaitable<Answered<http::Response>> Users::update(Mode mode, const User& user, UserFields fields, Telling telling) {
  auto repeated = co_await telling.keyed.claim(user.account.key);
  if (!repeated) co_return problem_of_key(repeated.error());
  if (*repeated) co_return std::move(**repeated);
  UpdateCustomer command;
  command.email = std::move(fields.email);
  command.first_name = std::move(fields.given);
  command.last_name = std::move(fields.family);
  Errand errand;
  errand.mode = mode;
  errand.account = user.account.key;
  errand.command = std::move(command);
  errand.idempotency_key = telling.keyed.key();
  errand.show = std::move(telling.show);
  auto done = co_await carry_out(services_, std::move(errand));
  if (!done) co_return problem_of(done.error());
  co_return std::move(done->response);
}

awaitable<Answered<void>> Users::remove(Mode mode, const User& user) {
  Errand errand;
  errand.mode = mode;
  errand.account = user.account.key;
  errand.command = DeleteCustomer();
  auto done = co_await carry_out(services_, std::move(errand));
  if (!done) co_return problem_of(done.error());
  // A name that is not given up here is free all the same: its customer is deleted.
  const store::Unique unique = unique_name(user.account.customer.user_name);
  auto given_up = co_await services_.store.take(mode, unique, user.holder, std::string());
  if (!given_up && given_up.error().code != Errc::conflict) co_return problem_of(given_up.error());
  co_return Answered<void>();
}

}  // namespace billd::api::funding_sources
