// Operations on invoice items.
#include <algorithm>

#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/invoice_parameters.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/operations.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array common_rules = invoice_item_rules + std::array{list("expand")};
constexpr std::array create_table = common_rules + std::array{
                                                       text("customer").required(),
                                                       currency("currency"),
                                                       text("invoice"),
                                                       text("subscription"),
                                                   };
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array update_table = common_rules;
constexpr std::array<Rule, 0> delete_table = {};
constexpr std::array list_table =
    filtered_page_rules + std::array{text("customer"), text("invoice"), boolean("pending")};

awaitable<Result<KnownItem>> find_item(Services& services, const Call& call, Known& known) {
  const std::string& id = call.variable("invoiceitem");
  std::vector<Named> wanted(1, Named{Kind::invoice_item, id});
  auto loaded = co_await load(services, call.mode, known, std::move(wanted));
  if (!loaded) co_return loaded.error();
  auto item = known.invoice_item(id);
  if (!item) co_return no_such("invoiceitem", id);
  co_return std::move(*item);
}

/// The draft as it rests outside its account; empty: it is in the account, or unknown.
std::optional<Invoice> recalled_draft(const Known& known, const InvoiceId& id) {
  const Account* account = known.account_of(id.value());
  const Invoice* invoice = known.invoice(id.value());
  const bool rests = invoice != nullptr && (account == nullptr || account->find(id) == nullptr);
  return rests ? std::optional(*invoice) : std::nullopt;
}

/// The customer's draft that a new item is for; empty: it is in the account.
awaitable<Result<std::optional<Invoice>>> find_draft(Services& services, const Call& call, Known& known,
                                                     const Account& account, InvoiceId id) {
  auto invoice = co_await load_invoice(services, call.mode, known, id.value());
  if (!invoice && invoice.error().code != Errc::not_found) co_return invoice.error();
  const bool is_theirs = invoice && owner_of(known, id.value()).customer == account.customer.id;
  if (!is_theirs) co_return no_such("invoice", id.value(), "invoice");
  co_return recalled_draft(known, id);
}

Show show_item(std::string id) {
  return [id = std::move(id)](Presenter& present, const Transition&) -> Shown {
    if (Object* object = present.find(Kind::invoice_item, id)) return object;
    return render_error(no_such("invoiceitem", id));
  };
}

Shown show_new_item(Presenter& present, const Transition& after) {
  if (Object* object = present.find(Kind::invoice_item, after.subject)) return object;
  return render_error({Errc::internal, "the invoice item " + after.subject + " was made, but is not there"});
}

Show show_deleted(std::string id) {
  return [id = std::move(id)](Presenter& present, const Transition&) -> Shown {
    return &present.deleted(id, "invoiceitem");
  };
}

/// Of these items, which are known, the page that the query asks for.
Result<Page> page_of_items(const Known& known, std::vector<std::string> newest_first, const PageQuery& query,
                           std::optional<bool> pending) {
  std::erase_if(newest_first, [&](const std::string& id) {
    const auto item = known.invoice_item(id);
    if (!item || !query.created.holds(item->item.created)) return true;
    return pending && *pending != item->invoice.is_empty();
  });
  return cut_page(std::move(newest_first), query, "invoiceitem");
}

/// The items that stand on the invoice, newest first.
std::vector<std::string> items_of(const Invoice& invoice) {
  std::vector<std::string> ids;
  for (const InvoiceLine* line : shown_lines(invoice))
    if (!line->is_recurring()) ids.push_back(line->invoice_item.value());
  return ids;
}

awaitable<Result<Page>> list_items(Services& services, const Call& call, Known& known, PageQuery query) {
  const Arguments arguments = call.arguments();
  const auto pending = arguments.boolean("pending");
  if (arguments.has("invoice")) {
    auto invoice = co_await load_invoice(services, call.mode, known, arguments.text_or_empty("invoice"));
    if (!invoice) co_return no_such("invoice", arguments.text_or_empty("invoice"), "invoice");
    const std::string customer = arguments.text_or_empty("customer");
    const bool is_theirs = customer.empty() || owner_of(known, (*invoice)->id.value()).customer.value() == customer;
    co_return page_of_items(known, is_theirs ? items_of(**invoice) : std::vector<std::string>(), query, pending);
  }
  if (!arguments.has("customer")) {
    Filter filter;
    if (pending)
      filter = [pending](const Known& known_items, const std::string& id) {
        const auto item = known_items.invoice_item(id);
        return item && item->invoice.is_empty() == *pending;
      };
    co_return co_await page_of_all(services, call, known, Kind::invoice_item, std::move(query), filter);
  }
  auto account =
      co_await load_live_customer(services, call.mode, known, arguments.text_or_empty("customer"), "customer");
  if (!account) co_return account.error();
  std::vector<std::string> ids;
  for (const InvoiceItem& item : (*account)->invoice_items) ids.push_back(item.id.value());
  if (!pending.value_or(false)) {
    auto invoices = co_await load_history(services, call.mode, known, (*account)->key, Kind::invoice);
    if (!invoices) co_return invoices.error();
    for (const std::string& id : *invoices)
      if (const Invoice* invoice = known.invoice(id)) std::ranges::copy(items_of(*invoice), std::back_inserter(ids));
  }
  sort_newest_first((*account)->key, ids);
  co_return page_of_items(known, std::move(ids), query, pending);
}

}  // namespace

constinit const std::span<const Rule> create_invoice_item_rules = create_table;
constinit const std::span<const Rule> retrieve_invoice_item_rules = retrieve_table;
constinit const std::span<const Rule> update_invoice_item_rules = update_table;
constinit const std::span<const Rule> delete_invoice_item_rules = delete_table;
constinit const std::span<const Rule> list_invoice_items_rules = list_table;

awaitable<Result<Outcome>> create_invoice_item(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  Task task;
  auto account =
      co_await load_live_customer(services, call.mode, *task.known, arguments.text_or_empty("customer"), "customer");
  if (!account) co_return account.error();
  auto command = co_await read_new_invoice_item(services, call, *task.known, arguments, "", **account);
  if (!command) co_return command.error();
  command->invoice = InvoiceId(arguments.text_or_empty("invoice"));
  if (!command->invoice.is_empty()) {
    auto draft = co_await find_draft(services, call, *task.known, **account, command->invoice);
    if (!draft) co_return draft.error();
    command->recalled = std::move(*draft);
  }
  command->subscription = SubscriptionId(arguments.text_or_empty("subscription"));
  auto foreseen = co_await foresee_new(services, call, *task.known, (*account)->customer.test_clock);
  if (!foreseen) co_return foreseen.error();
  task.account = (*account)->key;
  task.command = std::move(*command);
  task.show = show_new_item;
  co_return co_await carry_out_with_prices(services, call, std::move(task));
}

awaitable<Result<Outcome>> retrieve_invoice_item(Services& services, Call call) {
  Reply reply(services, call);
  auto item = co_await find_item(services, call, reply.known);
  if (!item) co_return item.error();
  co_return co_await reply.answer(*reply.present.find(Kind::invoice_item, item->item.id.value()));
}

awaitable<Result<Outcome>> update_invoice_item(Services& services, Call call) {
  Task task;
  auto item = co_await find_item(services, call, *task.known);
  if (!item) co_return item.error();
  auto command = co_await read_invoice_item_changes(services, call, *task.known, call.arguments(), "", *item);
  if (!command) co_return command.error();
  auto foreseen = co_await foresee(services, call, *task.known, Kind::invoice_item, item->item.id.value());
  if (!foreseen) co_return foreseen.error();
  task.account = *AccountKey::of_id(item->item.id.value());
  command->recalled = recalled_draft(*task.known, item->invoice);
  task.show = show_item(item->item.id.value());
  task.command = std::move(*command);
  co_return co_await carry_out_with_prices(services, call, std::move(task));
}

awaitable<Result<Outcome>> delete_invoice_item(Services& services, Call call) {
  Task task;
  auto item = co_await find_item(services, call, *task.known);
  if (!item) co_return item.error();
  task.account = *AccountKey::of_id(item->item.id.value());
  task.show = show_deleted(item->item.id.value());
  task.command = DeleteInvoiceItem{item->item.id, item->invoice, {}};
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> list_invoice_items(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  Reply reply(services, call);
  auto page = co_await list_items(services, call, reply.known, std::move(*query));
  if (!page) co_return page.error();
  co_return co_await answer_page(services, call, reply, Kind::invoice_item, std::move(*page), call.path);
}

}  // namespace billd::api::stripe
