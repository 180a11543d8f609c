// Operations on refunds: top-level, and below their charge.
#include <algorithm>

#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/settlement.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array<std::string_view, 3> reasons = {"duplicate", "fraudulent", "requested_by_customer"};

constexpr std::array create_below_charge_table = {
    integer("amount", 1, 999'999'999'999),
    choice("reason", reasons),
    metadata(),
    list("expand"),
};
constexpr std::array create_table = create_below_charge_table + std::array{text("charge"), text("payment_intent")};
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array update_table = {metadata(), list("expand")};
constexpr std::array list_below_charge_table = page_rules;
constexpr std::array list_table = filtered_page_rules + std::array{text("charge"), text("payment_intent")};

struct FoundCharge {
  const Invoice* invoice;
  const Charge* charge;
};

/// The charge that the request names: in its path, by `charge`, or as the one that paid for a PaymentIntent.
awaitable<Result<FoundCharge>> find_charge(Services& services, const Call& call, Known& known) {
  const Arguments arguments = call.arguments();
  std::string id = call.variable_or_empty("charge");
  if (id.empty()) id = arguments.text_or_empty("charge");
  if (id.empty() && arguments.has_value("payment_intent")) {
    const std::string intent = arguments.text_or_empty("payment_intent");
    std::string invoice_id = invoice_of_payment_intent(intent).value();
    auto invoice = co_await load_payment(services, call.mode, known, std::move(invoice_id));
    if (!invoice && invoice.error().code != Errc::not_found) co_return invoice.error();
    if (!invoice || !has_payment_intent(**invoice)) co_return no_such("payment_intent", intent, "payment_intent");
    const auto& charges = (*invoice)->charges;
    const auto paid = std::ranges::find(charges, ChargeState::succeeded, &Charge::state);
    if (paid == charges.end())
      co_return Failure{Errc::invalid_state,
                        "This PaymentIntent (" + intent + ") does not have a successful charge to refund.",
                        "payment_intent"};
    co_return FoundCharge{*invoice, &*paid};
  }
  if (id.empty()) co_return Failure{Errc::missing_parameter, "Missing required param: charge.", "charge"};
  std::vector<Named> wanted(1, Named{Kind::charge, id});
  auto loaded = co_await load(services, call.mode, known, std::move(wanted));
  if (!loaded) co_return loaded.error();
  const Invoice* invoice = known.invoice_of_charge(id);
  if (invoice == nullptr) co_return no_such("charge", id, "charge");
  const auto charge = std::ranges::find(invoice->charges, ChargeId(id), &Charge::id);
  co_return FoundCharge{invoice, &*charge};
}

struct FoundRefund {
  const Invoice* invoice = nullptr;
  const Charge* charge = nullptr;
  const Refund* refund = nullptr;
};

FoundRefund refund_in(const Invoice& invoice, const std::string& id) {
  for (const Charge& charge : invoice.charges)
    for (const Refund& refund : charge.refunds)
      if (refund.id.value() == id) return {&invoice, &charge, &refund};
  return {};
}

awaitable<Result<FoundRefund>> find_refund(Services& services, const Call& call, Known& known, std::string id) {
  const auto key = AccountKey::of_id(id);
  if (!key) co_return no_such("refund", id, "refund");
  auto owner = co_await services.store.invoice_of_refund(call.mode, *key, RefundId(id));
  if (!owner) {
    if (owner.error().code != Errc::not_found) co_return owner.error();
    co_return no_such("refund", id, "refund");
  }
  std::string invoice_id = owner->value();
  auto invoice = co_await load_payment(services, call.mode, known, std::move(invoice_id));
  if (!invoice) co_return invoice.error();
  const FoundRefund found = refund_in(**invoice, id);
  const std::string charge = call.variable_or_empty("charge");
  if (found.refund == nullptr || (!charge.empty() && found.charge->id.value() != charge))
    co_return no_such("refund", id, "refund");
  co_return found;
}

/// The refund as it is after the command, among the invoices in the account and those that left it.
FoundRefund refund_after(const Transition& after, const std::string& invoice, const std::string& refund) {
  const Invoice* found = find_invoice(after, invoice);
  return found != nullptr ? refund_in(*found, refund) : FoundRefund();
}

}  // namespace

constinit const std::span<const Rule> create_refund_rules = create_table;
constinit const std::span<const Rule> create_refund_below_charge_rules = create_below_charge_table;
constinit const std::span<const Rule> retrieve_refund_rules = retrieve_table;
constinit const std::span<const Rule> update_refund_rules = update_table;
constinit const std::span<const Rule> list_refunds_rules = list_table;
constinit const std::span<const Rule> list_refunds_below_charge_rules = list_below_charge_table;

awaitable<Result<Outcome>> create_refund(Services& services, Call call) {
  Task task;
  auto found = co_await find_charge(services, call, *task.known);
  if (!found) co_return found.error();
  const Arguments arguments = call.arguments();
  RefundCharge command;
  command.invoice = found->invoice->id;
  command.charge = found->charge->id;
  command.amount = arguments.integer("amount");
  command.reason = arguments.text_or_empty("reason");
  auto metadata = arguments.metadata_over({});
  if (!metadata) co_return metadata.error();
  command.metadata = std::move(*metadata);
  const Account* account = task.known->account_of(found->charge->id.value());
  if (account->find(command.invoice) == nullptr) command.recalled = *found->invoice;
  task.account = account->key;
  // Below a charge old clients are answered the charge.
  const bool answers_charge = call.answers.kind == Kind::charge;
  task.show = [invoice = command.invoice.value(), charge = command.charge.value(), answers_charge](
                  Presenter& present, const Transition& after) -> Shown {
    const Invoice* now = find_invoice(after, invoice);
    if (now == nullptr) return render_error(no_such("charge", charge, "charge"));
    const auto of = std::ranges::find(now->charges, ChargeId(charge), &Charge::id);
    if (answers_charge) return &present.charge(*of, now->id, {after.account.customer.id, &after.account});
    return &present.refund(of->refunds.back(), of->id, now->id);
  };
  task.command = std::move(command);
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> retrieve_refund(Services& services, Call call) {
  Reply reply(services, call);
  auto found = co_await find_refund(services, call, reply.known, call.variable("refund"));
  if (!found) co_return found.error();
  co_return co_await reply.answer(reply.present.refund(*found->refund, found->charge->id, found->invoice->id));
}

awaitable<Result<Outcome>> update_refund(Services& services, Call call) {
  Task task;
  auto found = co_await find_refund(services, call, *task.known, call.variable("refund"));
  if (!found) co_return found.error();
  UpdateRefund command;
  command.invoice = found->invoice->id;
  command.refund = found->refund->id;
  auto metadata = call.arguments().metadata_over(found->refund->metadata);
  if (!metadata) co_return metadata.error();
  command.metadata = std::move(*metadata);
  const Account* account = task.known->account_of(found->refund->id.value());
  if (account->find(command.invoice) == nullptr) command.recalled = *found->invoice;
  task.account = account->key;
  task.show = [invoice = command.invoice.value(), refund = command.refund.value()](Presenter& present,
                                                                                   const Transition& after) -> Shown {
    const FoundRefund now = refund_after(after, invoice, refund);
    if (now.refund == nullptr) return render_error(no_such("refund", refund, "refund"));
    return &present.refund(*now.refund, now.charge->id, now.invoice->id);
  };
  task.command = std::move(command);
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> list_refunds(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  const Arguments arguments = call.arguments();
  const bool names_charge = !call.variable_or_empty("charge").empty() || arguments.has_value("charge") ||
                            arguments.has_value("payment_intent");
  Reply reply(services, call);
  if (!names_charge) {
    auto page = co_await page_of_all(services, call, reply.known, Kind::refund, std::move(*query), Filter());
    if (!page) co_return page.error();
    co_return co_await answer_page(services, call, reply, Kind::refund, std::move(*page), call.path);
  }
  auto found = co_await find_charge(services, call, reply.known);
  if (!found) co_return found.error();
  std::vector<std::string> newest_first;
  for (auto each = found->charge->refunds.rbegin(); each != found->charge->refunds.rend(); ++each)
    if (query->created.holds(each->created)) newest_first.push_back(each->id.value());
  auto page = cut_page(std::move(newest_first), *query, "refund");
  if (!page) co_return page.error();
  Array& data = reply.document.array(page->ids.size());
  for (const std::string& id : page->ids)
    data.add(reply.present.refund(*refund_in(*found->invoice, id).refund, found->charge->id, found->invoice->id));
  co_return co_await reply.answer(reply.present.list(call.path, data, page->has_more, page->total));
}

}  // namespace billd::api::stripe
