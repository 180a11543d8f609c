// Operations on invoices.
#include <algorithm>

#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/settlement.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array<std::string_view, 5> statuses = {"draft", "open", "paid", "uncollectible", "void"};
constexpr std::array<std::string_view, 1> collection_methods = {"charge_automatically"};

constexpr std::array retrieve_table = {list("expand")};
constexpr std::array update_table = {
    boolean("closed"),
    boolean("auto_advance"),
    list("expand"),
};
constexpr std::array pay_table = {
    text("source"),
    boolean("off_session"),
    list("expand"),
};
constexpr std::array list_table = filtered_page_rules + std::array{
                                                            text("customer"),
                                                            text("subscription"),
                                                            choice("status", statuses),
                                                            range("date"),
                                                            choice("billing", collection_methods),
                                                            choice("collection_method", collection_methods),
                                                        };
constexpr std::array lines_table = page_rules;

Show show_invoice(std::string id) {
  return [id = std::move(id)](Presenter& present, const Transition&) -> Shown {
    if (Object* object = present.find(Kind::invoice, id)) return object;
    return render_error(no_such("invoice", id));
  };
}

Show show_payment(std::string id) {
  return [id = std::move(id)](Presenter& present, const Transition& after) -> Shown {
    if (const Invoice* invoice = find_invoice(after, id))
      if (auto unpaid = unpaid_answer(*invoice)) return std::move(*unpaid);
    if (Object* object = present.find(Kind::invoice, id)) return object;
    return render_error(no_such("invoice", id));
  };
}

/// Whether the request wants the invoice collected; empty when it does not say.
Result<std::optional<bool>> read_collecting(const Arguments& arguments) {
  const auto closed = arguments.boolean("closed");
  const auto auto_advance = arguments.boolean("auto_advance");
  if (closed && auto_advance && *closed == *auto_advance)
    return Failure{Errc::invalid_parameter, "`closed` and `auto_advance` are each other's opposite.", "closed"};
  if (closed) return std::optional(!*closed);
  return auto_advance;
}

}  // namespace

constinit const std::span<const Rule> retrieve_invoice_rules = retrieve_table;
constinit const std::span<const Rule> update_invoice_rules = update_table;
constinit const std::span<const Rule> pay_invoice_rules = pay_table;
constinit const std::span<const Rule> list_invoices_rules = list_table;
constinit const std::span<const Rule> list_invoice_lines_rules = lines_table;

awaitable<Result<Outcome>> retrieve_invoice(Services& services, Call call) {
  Reply reply(services, call);
  auto invoice = co_await load_invoice(services, call.mode, reply.known, call.variable("invoice"));
  if (!invoice) co_return invoice.error();
  Object* object = reply.present.find(Kind::invoice, (*invoice)->id.value());
  co_return co_await reply.answer(*object);
}

awaitable<Result<Outcome>> update_invoice(Services& services, Call call) {
  auto collecting = read_collecting(call.arguments());
  if (!collecting) co_return collecting.error();
  if (!*collecting) co_return co_await retrieve_invoice(services, std::move(call));
  Task task;
  auto found = co_await load_invoice(services, call.mode, *task.known, call.variable("invoice"));
  if (!found) co_return found.error();
  const Invoice& invoice = **found;
  auto foreseen = co_await foresee(services, call, *task.known, Kind::invoice, invoice.id.value());
  if (!foreseen) co_return foreseen.error();
  task.account = *AccountKey::of_id(invoice.id.value());
  if (**collecting)
    task.command = ReopenInvoice{invoice.id, {}};
  else
    task.command = CloseInvoice{invoice.id, {}};
  task.show = show_invoice(invoice.id.value());
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> pay_invoice(Services& services, Call call) {
  Task task;
  auto found = co_await load_invoice(services, call.mode, *task.known, call.variable("invoice"));
  if (!found) co_return found.error();
  const Invoice& invoice = **found;
  auto foreseen = co_await foresee(services, call, *task.known, Kind::invoice, invoice.id.value());
  if (!foreseen) co_return foreseen.error();
  task.account = *AccountKey::of_id(invoice.id.value());
  task.command = PayInvoice{invoice.id, {}, SourceId(call.arguments().text_or_empty("source"))};
  task.show = show_payment(invoice.id.value());
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> list_invoices(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  const Arguments arguments = call.arguments();
  if (!arguments.has("created")) query->created = arguments.range("date");  // its name before 2019-03-14
  const std::string status = arguments.text_or_empty("status");
  const std::string subscription = arguments.text_or_empty("subscription");
  Filter filter;
  if (!status.empty() || !subscription.empty())
    filter = [status, subscription](const Known& known, const std::string& id) {
      const Invoice* invoice = known.invoice(id);
      if (invoice == nullptr) return false;
      if (!status.empty() && status_name(invoice->status) != status) return false;
      return subscription.empty() || invoice->subscription.value() == subscription;
    };
  const std::string customer = arguments.text_or_empty("customer");
  Reply reply(services, call);
  if (customer.empty() && subscription.empty()) {
    auto page = co_await page_of_all(services, call, reply.known, Kind::invoice, std::move(*query), filter);
    if (!page) co_return page.error();
    co_return co_await answer_page(services, call, reply, Kind::invoice, std::move(*page), call.path);
  }
  AccountKey key;
  if (!customer.empty()) {
    auto account = co_await load_live_customer(services, call.mode, reply.known, customer, "customer");
    if (!account) co_return account.error();
    key = (*account)->key;
  } else {
    auto found = co_await load_subscription(services, call.mode, reply.known, subscription);
    if (!found) co_return no_such("subscription", subscription, "subscription");
    key = *AccountKey::of_id(subscription);
  }
  auto page = co_await page_of_account(services, call, reply.known, key, Kind::invoice, std::move(*query), filter);
  if (!page) co_return page.error();
  co_return co_await answer_page(services, call, reply, Kind::invoice, std::move(*page), call.path);
}

awaitable<Result<Outcome>> list_invoice_lines(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  Reply reply(services, call);
  auto found = co_await load_invoice(services, call.mode, reply.known, call.variable("invoice"));
  if (!found) co_return found.error();
  const Invoice& invoice = **found;
  const std::vector<const InvoiceLine*> lines = shown_lines(invoice);
  std::vector<std::string> ids;
  for (const InvoiceLine* line : lines) ids.push_back(line->id.value());
  auto page = cut_page(std::move(ids), *query, "invoice line item");
  if (!page) co_return page.error();
  Array& data = reply.document.array(page->ids.size());
  for (const InvoiceLine* line : lines)
    if (std::ranges::find(page->ids, line->id.value()) != page->ids.end()) data.add(reply.present.line(*line, invoice));
  co_return co_await reply.answer(reply.present.list(call.path, data, page->has_more, invoice.lines.size()));
}

}  // namespace billd::api::stripe
