// Operations on charges, which are parts of their invoices.
#include <algorithm>

#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/settlement.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array create_table = {
    integer("amount", 1, 999'999'999'999).required(),
    currency("currency").required(),
    text("customer").required(),
    text("source"),
    text("description").clearable(),
    metadata(),
    boolean("capture"),
    list("expand"),
};
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array update_table = {text("description").clearable(), metadata(), list("expand")};
constexpr std::array list_table = filtered_page_rules + std::array{text("customer"), text("payment_intent")};

}  // namespace

constinit const std::span<const Rule> create_charge_rules = create_table;
constinit const std::span<const Rule> retrieve_charge_rules = retrieve_table;
constinit const std::span<const Rule> update_charge_rules = update_table;
constinit const std::span<const Rule> list_charges_rules = list_table;

awaitable<Result<Outcome>> create_charge(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  if (!arguments.boolean("capture").value_or(true))
    co_return Failure{Errc::invalid_parameter, "Charges are captured at once: `capture` cannot be false.", "capture"};
  Task task;
  auto account =
      co_await load_live_customer(services, call.mode, *task.known, arguments.text_or_empty("customer"), "customer");
  if (!account) co_return account.error();
  auto metadata = arguments.metadata_over({});
  if (!metadata) co_return metadata.error();
  ChargeCustomer command;
  command.amount = {*arguments.integer("amount"), *Currency::parse(arguments.text_or_empty("currency"))};
  command.source = SourceId(arguments.text_or_empty("source"));
  command.description = arguments.text_or_empty("description");
  command.metadata = std::move(*metadata);
  task.account = (*account)->key;
  task.show = [](Presenter& present, const Transition& after) -> Shown {
    const Invoice* holder = find_invoice(after, after.subject);
    if (holder == nullptr || holder->charges.empty())
      return render_error({Errc::internal, "the charge of " + after.subject + " was made, but is not there"});
    if (auto unpaid = unpaid_answer(*holder)) return std::move(*unpaid);
    return &present.charge(holder->charges.back(), holder->id, {after.account.customer.id, &after.account});
  };
  task.command = std::move(command);
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> retrieve_charge(Services& services, Call call) {
  Reply reply(services, call);
  const std::string& id = call.variable("charge");
  std::vector<Named> wanted(1, Named{Kind::charge, id});
  auto loaded = co_await load(services, call.mode, reply.known, std::move(wanted));
  if (!loaded) co_return loaded.error();
  Object* object = reply.present.find(Kind::charge, id);
  if (object == nullptr) co_return no_such("charge", id);
  co_return co_await reply.answer(*object);
}

awaitable<Result<Outcome>> update_charge(Services& services, Call call) {
  const std::string& id = call.variable("charge");
  Task task;
  std::vector<Named> wanted(1, Named{Kind::charge, id});
  auto loaded = co_await load(services, call.mode, *task.known, std::move(wanted));
  if (!loaded) co_return loaded.error();
  const Invoice* invoice = task.known->invoice_of_charge(id);
  if (invoice == nullptr) co_return no_such("charge", id);
  const auto charge = std::ranges::find(invoice->charges, ChargeId(id), &Charge::id);
  const Arguments arguments = call.arguments();
  UpdateCharge command;
  command.invoice = invoice->id;
  command.charge = charge->id;
  command.description = arguments.text("description");
  if (arguments.has("metadata")) {
    auto metadata = arguments.metadata_over(charge->metadata);
    if (!metadata) co_return metadata.error();
    command.metadata = std::move(*metadata);
  }
  const Account* account = task.known->account_of(id);
  if (account->find(invoice->id) == nullptr) command.recalled = *invoice;
  task.account = account->key;
  task.show = [invoice = invoice->id.value(), id](Presenter& present, const Transition& after) -> Shown {
    const Invoice* now = find_invoice(after, invoice);
    if (now == nullptr) return render_error(no_such("charge", id));
    const auto updated = std::ranges::find(now->charges, ChargeId(id), &Charge::id);
    return &present.charge(*updated, now->id, {after.account.customer.id, &after.account});
  };
  task.command = std::move(command);
  co_return co_await carry_out(services, call, std::move(task));
}

namespace {

/// The charges by which one invoice was to be collected. Source: Stripe, "only return charges that were created by the
/// PaymentIntent specified by this ID"; of an unknown one there are none.
awaitable<Result<Outcome>> list_charges_of_intent(Services& services, Call call, PageQuery query) {
  const std::string intent = call.arguments().text_or_empty("payment_intent");
  const std::string customer = call.arguments().text_or_empty("customer");
  Reply reply(services, call);
  const InvoiceId id = invoice_of_payment_intent(intent);
  std::vector<Named> wanted(1, Named{Kind::payment_intent, intent});
  auto loaded = co_await load(services, call.mode, reply.known, std::move(wanted));
  if (!loaded) co_return loaded.error();
  const Invoice* invoice = reply.known.payment(id.value());
  std::vector<std::string> newest_first;
  if (invoice != nullptr && (customer.empty() || owner_of(reply.known, id.value()).customer.value() == customer))
    for (auto charge = invoice->charges.rbegin(); charge != invoice->charges.rend(); ++charge)
      if (query.created.holds(charge->created)) newest_first.push_back(charge->id.value());
  auto page = cut_page(std::move(newest_first), query, "charge");
  if (!page) co_return page.error();
  co_return co_await answer_page(services, call, reply, Kind::charge, std::move(*page), call.path);
}

}  // namespace

awaitable<Result<Outcome>> list_charges(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  if (call.arguments().has("payment_intent"))
    co_return co_await list_charges_of_intent(services, std::move(call), std::move(*query));
  const std::string customer = call.arguments().text_or_empty("customer");
  Reply reply(services, call);
  if (customer.empty()) {
    auto page = co_await page_of_all(services, call, reply.known, Kind::charge, std::move(*query), Filter());
    if (!page) co_return page.error();
    co_return co_await answer_page(services, call, reply, Kind::charge, std::move(*page), call.path);
  }
  auto account = co_await load_live_customer(services, call.mode, reply.known, customer, "customer");
  if (!account) co_return account.error();
  auto page =
      co_await page_of_account(services, call, reply.known, (*account)->key, Kind::charge, std::move(*query), Filter());
  if (!page) co_return page.error();
  co_return co_await answer_page(services, call, reply, Kind::charge, std::move(*page), call.path);
}

}  // namespace billd::api::stripe
