// Operations on payment methods.
#include "net/api/stripe/payment_methods.hpp"

#include <algorithm>
#include <charconv>

#include "config/keys.hpp"
#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/new_source.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/store/held_sources.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array<std::string_view, 2> types = {"card", "us_bank_account"};
/// Whose a payment method is that was detached: it can be nobody's any more.
constexpr std::string_view nobodys_any_more = "-";

constexpr std::array address_rules = {
    text("city").clearable(),  text("country").clearable(),     text("line1").clearable(),
    text("line2").clearable(), text("postal_code").clearable(), text("state").clearable(),
};
constexpr std::array billing_rules = {
    map("address", address_rules).clearable(),
    text("email", 512).clearable(),
    text("name").clearable(),
    text("phone").clearable(),
};
constexpr std::array new_card_rules = {
    text("number", 40), integer("exp_month", 0, 9999), integer("exp_year", 0, 9999), text("cvc", 20), text("token"),
};
constexpr std::array new_bank_account_rules = {
    text("account_number", 40),
    text("routing_number", 40),
    choice("account_holder_type", holder_types),
};
constexpr std::array create_table = {
    choice("type", types).required(),
    map("card", new_card_rules),
    map("us_bank_account", new_bank_account_rules),
    map("billing_details", billing_rules),
    metadata(),
    list("expand"),
};
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array expiry_rules = {integer("exp_month", 1, 12), integer("exp_year", 1970, 2099)};
constexpr std::array holder_rules = {choice("account_holder_type", holder_types)};
constexpr std::array update_table = {
    map("billing_details", billing_rules),
    map("card", expiry_rules),
    map("us_bank_account", holder_rules),
    metadata(),
    list("expand"),
};
constexpr std::array attach_table = {text("customer").required(), list("expand")};
constexpr std::array detach_table = {list("expand")};
constexpr std::array list_below_customer_table = page_rules + std::array{choice("type", types)};
constexpr std::array list_table = list_below_customer_table + std::array{text("customer").required()};

Address address_over(const Arguments& details, Address before) {
  if (!details.has("address")) return before;
  const auto given = details.map("address");
  if (!given) return {};
  auto over = [&](const char* name, std::string& part) {
    if (auto value = given->text(name)) part = std::move(*value);
  };
  over("city", before.city);
  over("country", before.country);
  over("line1", before.line1);
  over("line2", before.line2);
  over("postal_code", before.postal_code);
  over("state", before.state);
  return before;
}

awaitable<Result<NewSource>> describe_new_card(Services& services, const Call& call) {
  const auto card = call.arguments().map("card");
  if (!card) co_return Failure{Errc::missing_parameter, "Missing required param: card.", "card"};
  if (!card->has_value("token")) co_return co_await describe_particulars(services, call, "card");
  std::string token = card->text_or_empty("token");
  auto described = co_await describe_token(services, call, std::move(token), "card[token]");
  if (described && !std::holds_alternative<Card>(described->means))
    co_return Failure{Errc::invalid_parameter, "This token stands for no card.", "card[token]"};
  co_return described;
}

awaitable<Result<NewSource>> describe_new_bank_account(Services& services, const Call& call) {
  const auto given = call.arguments().map("us_bank_account");
  if (!given) co_return Failure{Errc::missing_parameter, "Missing required param: us_bank_account.", "us_bank_account"};
  if (call.is_live())
    co_return Failure{Errc::invalid_parameter, "Numbers of bank accounts are not accepted in live mode.",
                      "us_bank_account"};
  gateways::BankAccountDetails details;
  details.country = "US";
  details.currency = Currency::of("usd");
  details.routing_number = given->text_or_empty("routing_number");
  details.account_number = given->text_or_empty("account_number");
  details.holder_type = given->text_or_empty("account_holder_type");
  gateways::Gateway* gateway = services.gateways.find(services.gateway);
  if (gateway == nullptr) co_return Failure{Errc::bad_configuration, "no gateway " + services.gateway};
  auto described = co_await gateway->describe_bank_account(call.mode, std::move(details));
  if (!described)
    co_return Failure{described.error().code, described.error().detail,
                      "us_bank_account[" + described.error().parameter + "]"};
  co_return described;
}

void complete(NewSource& source, const Arguments& details) {
  source.email = details.text_or_empty("email");
  source.phone = details.text_or_empty("phone");
  if (auto* card = std::get_if<Card>(&source.means)) {
    if (details.has_value("name")) card->name = details.text_or_empty("name");
    card->address = address_over(details, card->address);
  } else if (details.has_value("name")) {
    std::get<BankAccount>(source.means).holder_name = details.text_or_empty("name");
  }
}

Shown show_nothing(Presenter&, const Transition&) { return Answer(); }

/// The same identifier for the same text, of no account: as if it had been made for nobody yet.
std::string identifier_for(const std::string& text) {
  const std::string hash = hash_key(text);
  const auto bits = [&](std::size_t at) {
    std::uint64_t value = 0;
    std::from_chars(hash.data() + at, hash.data() + at + 16, value, 16);
    return value;
  };
  return make_id<PaymentMethodKind>(AccountKey::from_bits(bits(0), bits(16)), 1).value();
}

NewSource new_source_of(const Source& source) {
  NewSource same;
  same.id = source.id;
  same.gateway = source.gateway;
  same.reference = source.reference;
  same.means = source.means;
  same.metadata = source.metadata;
  same.email = source.email;
  same.phone = source.phone;
  same.is_payment_method = true;
  return same;
}

/// The test mode's payment methods are its tokens by another name; each use of them makes one of its own.
std::string token_of_test_method(const std::string& id) {
  constexpr std::string_view prefix = "pm_card_";
  if (id == "pm_usBankAccount") return "btok_us_verified";
  return id.starts_with(prefix) ? "tok_" + id.substr(prefix.size()) : std::string();
}

Show show_payment_method(std::string id) {
  return [id = std::move(id)](Presenter& present, const Transition& after) -> Shown {
    const SourceId name(id.empty() ? after.subject : id);
    const Source* source = after.account.find(name);
    if (source == nullptr) return render_error(no_such("payment_method", name.value()));
    return &present.payment_method(*source, after.account.customer.id);
  };
}

Failure not_attached() {
  return {Errc::invalid_state,
          "The payment method you provided is not attached to a customer so detachment is impossible."};
}

}  // namespace

constinit const std::span<const Rule> create_payment_method_rules = create_table;
constinit const std::span<const Rule> retrieve_payment_method_rules = retrieve_table;
constinit const std::span<const Rule> update_payment_method_rules = update_table;
constinit const std::span<const Rule> attach_payment_method_rules = attach_table;
constinit const std::span<const Rule> detach_payment_method_rules = detach_table;
constinit const std::span<const Rule> list_payment_methods_rules = list_table;
constinit const std::span<const Rule> list_payment_methods_below_customer_rules = list_below_customer_table;

awaitable<Result<FoundPaymentMethod>> find_payment_method(Services& services, Mode mode, Known& known, std::string id,
                                                          std::string parameter) {
  std::vector<Named> wanted(1, Named{Kind::payment_method, id});
  auto loaded = co_await load(services, mode, known, std::move(wanted));
  if (!loaded) co_return loaded.error();
  if (const Source* source = known.source(id)) co_return FoundPaymentMethod{known.owner_of_source(id), *source};
  if (!id.starts_with(PaymentMethodKind::prefix)) co_return no_such("payment_method", id, parameter);
  auto held = co_await store::find_held_source(services.store, mode, id);
  if (held) co_return FoundPaymentMethod{nullptr, source_of(*held)};
  if (held.error().code != Errc::not_found) co_return held.error();
  co_return no_such("payment_method", id, parameter);
}

awaitable<Result<NewSource>> describe_payment_method(Services& services, const Call& call, CustomerId customer,
                                                     std::string id, std::string parameter) {
  if (std::string token = token_of_test_method(id); !token.empty()) {
    auto described = co_await describe_token(services, call, std::move(token), parameter);
    if (described) described->is_payment_method = true;
    co_return described;
  }
  Known known;
  auto found = co_await find_payment_method(services, call.mode, known, id, parameter);
  if (!found) co_return found.error();
  if (found->account != nullptr && found->customer() != customer)
    co_return Failure{Errc::invalid_state, "The payment method you provided has already been attached to a customer."};
  if (found->account != nullptr) co_return new_source_of(found->source);
  auto owner = co_await store::claim_held_source(services.store, call.mode, id, customer.value(), std::nullopt);
  if (!owner) co_return owner.error();
  if (*owner == nobodys_any_more)
    co_return Failure{Errc::invalid_state,
                      "This PaymentMethod was previously used without being attached to a Customer or was detached "
                      "from a Customer, and may not be used again."};
  if (*owner != customer.value())
    co_return Failure{Errc::invalid_state, "The payment method you provided has already been attached to a customer."};
  co_return new_source_of(found->source);
}

Result<void> check_offered_means(const Arguments& arguments, const std::string& list) {
  for (const std::string& type : arguments.texts(list))
    if (std::ranges::find(types, type) == types.end())
      return Failure{Errc::invalid_parameter, "billd takes card and us_bank_account, but not " + type + ".", list};
  return {};
}

awaitable<Result<SourceId>> bring_payment_method(Services& services, const Call& call, const Account& account,
                                                 std::string id, std::string use, std::string parameter) {
  if (account.find(SourceId(id)) != nullptr || !id.starts_with(PaymentMethodKind::prefix))
    co_return SourceId(std::move(id));
  const std::string use_of_it = use + " " + id;
  auto source = co_await describe_payment_method(services, call, account.customer.id, std::move(id), parameter);
  if (!source) co_return source.error();
  if (source->id.is_empty()) source->id = SourceId(identifier_for(use_of_it));
  SourceId brought = source->id;
  if (account.find(brought) != nullptr) co_return brought;
  auto claimed = co_await store::claim_held_source(services.store, call.mode, brought.value(),
                                                   account.customer.id.value(), std::nullopt);
  if (!claimed) co_return claimed.error();
  Task task{.account = account.key, .command = AddSource{std::move(*source), false}, .show = show_nothing};
  auto added = co_await carry_out_step(services, call, std::move(task));
  if (!added) co_return added.error();
  co_return brought;
}

awaitable<Result<Outcome>> create_payment_method(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  const bool is_card = arguments.text_or_empty("type") == "card";
  Result<NewSource> source = Failure();
  if (is_card)
    source = co_await describe_new_card(services, call);
  else
    source = co_await describe_new_bank_account(services, call);
  if (!source) co_return source.error();
  if (const auto details = arguments.map("billing_details")) complete(*source, *details);
  auto metadata = arguments.metadata_over({});
  if (!metadata) co_return metadata.error();
  source->metadata = std::move(*metadata);
  store::HeldSource held;
  held.id = make_id<PaymentMethodKind>(call.account, 1).value();
  held.created = services.billing.now();
  held.source = std::move(*source);
  held.source.id = SourceId(held.id);
  held.source.is_payment_method = true;
  auto kept = co_await store::hold_source(services.store, call.mode, std::move(held), services.settings.api.token_life);
  if (!kept) co_return kept.error();
  Reply reply(services, call);
  co_return co_await reply.answer(reply.present.payment_method(source_of(*kept), CustomerId()));
}

awaitable<Result<Outcome>> retrieve_payment_method(Services& services, Call call) {
  Reply reply(services, call);
  auto found =
      co_await find_payment_method(services, call.mode, reply.known, call.variable("payment_method"), "payment_method");
  if (!found) co_return found.error();
  const std::string customer = call.variable_or_empty("customer");
  if (!customer.empty() && found->customer().value() != customer)
    co_return no_such("payment_method", call.variable("payment_method"), "payment_method");
  co_return co_await reply.answer(reply.present.payment_method(found->source, found->customer()));
}

awaitable<Result<Outcome>> update_payment_method(Services& services, Call call) {
  Task task;
  auto found =
      co_await find_payment_method(services, call.mode, *task.known, call.variable("payment_method"), "payment_method");
  if (!found) co_return found.error();
  if (found->account == nullptr)
    co_return Failure{Errc::invalid_state, "You must save this PaymentMethod to a customer before you can update it."};
  const Arguments arguments = call.arguments();
  UpdateSource command;
  command.source = found->source.id;
  if (const auto details = arguments.map("billing_details")) {
    command.name = details->text("name");
    command.email = details->text("email");
    command.phone = details->text("phone");
    const Card* card = found->source.card();
    if (card != nullptr && details->has("address")) command.address = address_over(*details, card->address);
  }
  if (const auto card = arguments.map("card")) {
    if (auto month = card->integer("exp_month")) command.exp_month = static_cast<std::int32_t>(*month);
    if (auto year = card->integer("exp_year")) command.exp_year = static_cast<std::int32_t>(*year);
  }
  if (const auto account = arguments.map("us_bank_account")) command.holder_type = account->text("account_holder_type");
  command.metadata = arguments.metadata_patch();
  task.account = found->account->key;
  task.show = show_payment_method(found->source.id.value());
  task.command = std::move(command);
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> attach_payment_method(Services& services, Call call) {
  const std::string id = call.variable("payment_method");
  Task task;
  auto account = co_await load_live_customer(services, call.mode, *task.known,
                                             call.arguments().text_or_empty("customer"), "customer");
  if (!account) co_return account.error();
  auto source = co_await describe_payment_method(services, call, (*account)->customer.id, id, "payment_method");
  if (!source) co_return source.error();
  const bool was_held = !source->id.is_empty() && (*account)->find(source->id) == nullptr;
  task.account = (*account)->key;
  task.command = AddSource{std::move(*source), false};
  task.show = show_payment_method("");
  auto outcome = co_await carry_out(services, call, std::move(task));
  if (!outcome && was_held && outcome.error().code == Errc::limit_exceeded) {
    auto released = co_await store::release_held_source(services.store, call.mode, id);
    if (!released) co_return released.error();
  }
  co_return outcome;
}

awaitable<Result<Outcome>> detach_payment_method(Services& services, Call call) {
  const std::string id = call.variable("payment_method");
  Task task;
  auto found = co_await find_payment_method(services, call.mode, *task.known, id, "payment_method");
  if (!found) co_return found.error();
  // What a first try under the same key has detached is answered as it was then.
  if (found->account == nullptr && !call.is_repeated_try) co_return not_attached();
  if (found->account == nullptr) {
    Reply reply(services, call);
    co_return co_await reply.answer(reply.present.payment_method(found->source, CustomerId()));
  }
  store::HeldSource held;
  held.id = id;
  held.created = found->source.created;
  held.source = new_source_of(found->source);
  task.account = found->account->key;
  task.command = RemoveSource{found->source.id};
  task.show = [source = found->source](Presenter& present, const Transition&) -> Shown {
    return &present.payment_method(source, CustomerId());
  };
  auto outcome = co_await carry_out(services, call, std::move(task));
  if (!outcome) co_return outcome;
  const auto life = services.settings.api.token_life;
  auto given = co_await store::give_held_source(services.store, call.mode, id, std::string(nobodys_any_more), life);
  if (!given) co_return given.error();
  auto kept = co_await store::hold_source(services.store, call.mode, std::move(held), life);
  if (!kept) co_return kept.error();
  co_return outcome;
}

awaitable<Result<Outcome>> list_payment_methods(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  std::string customer = call.variable_or_empty("customer");
  if (customer.empty()) customer = call.arguments().text_or_empty("customer");
  Reply reply(services, call);
  auto account = co_await load_live_customer(services, call.mode, reply.known, std::move(customer), "customer");
  if (!account) co_return account.error();
  const std::string type = call.arguments().text_or_empty("type");
  std::vector<std::string> newest_first;
  for (const Source& source : (*account)->sources)
    if (type.empty() || (type == "card") == (source.card() != nullptr)) newest_first.push_back(source.id.value());
  std::ranges::reverse(newest_first);
  auto page = cut_page(std::move(newest_first), *query, "payment_method");
  if (!page) co_return page.error();
  co_return co_await answer_page(services, call, reply, Kind::payment_method, std::move(*page), call.path);
}

}  // namespace billd::api::stripe
