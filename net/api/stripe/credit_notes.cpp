// Operations on credit notes, which are parts of their invoices.
#include <algorithm>

#include "engine/decide.hpp"
#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/settlement.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::int64_t amount_max = 999'999'999'999;
constexpr std::array<std::string_view, 4> reasons = {"duplicate", "fraudulent", "order_change",
                                                     "product_unsatisfactory"};
constexpr std::array<std::string_view, 2> line_types = {"custom_line_item", "invoice_line_item"};

constexpr std::array line_rules = {
    choice("type", line_types).required(), text("invoice_line_item"),       integer("amount", 1, amount_max),
    integer("quantity", 1, 1'000'000'000), text("description").clearable(), integer("unit_amount", 1, amount_max),
};
constexpr std::array create_table = {
    text("invoice").required(),
    integer("amount", 1, amount_max),
    list("lines", line_rules),
    integer("credit_amount", 0, amount_max),
    integer("refund_amount", 0, amount_max),
    integer("out_of_band_amount", 0, amount_max),
    choice("reason", reasons),
    text("memo").clearable(),
    metadata(),
    list("expand"),
};
constexpr std::array preview_lines_table = create_table + std::array{
                                                              integer("limit", 1, 100),
                                                              text("starting_after"),
                                                              text("ending_before"),
                                                          };
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array update_table = {text("memo").clearable(), metadata(), list("expand")};
constexpr std::array void_table = {list("expand")};
constexpr std::array list_table = filtered_page_rules + std::array{text("customer"), text("invoice")};
constexpr std::array lines_table = page_rules;

struct FoundNote {
  const Invoice* invoice = nullptr;
  const CreditNote* note = nullptr;
};

const CreditNote* note_in(const Invoice& invoice, std::string_view id) {
  for (const CreditNote& note : invoice.credit_notes)
    if (note.id.value() == id) return &note;
  return nullptr;
}

awaitable<Result<FoundNote>> find_note(Services& services, const Call& call, Known& known) {
  const std::string& id = call.variable("credit_note");
  std::vector<Named> wanted(1, Named{Kind::credit_note, id});
  auto loaded = co_await load(services, call.mode, known, std::move(wanted));
  if (!loaded) co_return loaded.error();
  const Invoice* invoice = known.invoice_of_credit_note(id);
  if (invoice == nullptr) co_return no_such("credit note", id);
  co_return FoundNote{invoice, note_in(*invoice, id)};
}

Result<NewCreditNoteLine> read_line(const Arguments& given, const std::string& path, const Invoice& invoice) {
  const bool is_of_line = given.text_or_empty("type") == "invoice_line_item";
  const auto refuse = [&](const char* name) {
    return Failure{Errc::invalid_parameter, "A line of type " + given.text_or_empty("type") + " has no `" + name + "`.",
                   path + "[" + name + "]"};
  };
  for (const char* name : {"invoice_line_item", "amount"})
    if (!is_of_line && given.has(name)) return refuse(name);
  if (is_of_line && given.has("unit_amount")) return refuse("unit_amount");
  const char* needed = is_of_line ? "invoice_line_item" : "unit_amount";
  if (!given.has_value(needed))
    return Failure{Errc::missing_parameter, "Missing required param: " + path + "[" + needed + "].",
                   path + "[" + needed + "]"};
  NewCreditNoteLine line;
  const std::string id = given.text_or_empty("invoice_line_item");
  const InvoiceLine* named = find_line(invoice, id);
  line.invoice_line = named != nullptr ? named->id : InvoiceLineId(id);
  line.amount = given.integer("amount");
  line.quantity = given.integer("quantity");
  line.unit_amount = given.integer("unit_amount").value_or(0);
  line.description = given.text_or_empty("description");
  return line;
}

/// The credit note that the request describes, of the invoice that it names.
awaitable<Result<CreateCreditNote>> read_note(Services& services, const Call& call, Known& known) {
  const Arguments arguments = call.arguments();
  const std::string id = arguments.text_or_empty("invoice");
  auto invoice = co_await load_invoice(services, call.mode, known, id);
  if (!invoice && invoice.error().code == Errc::not_found) co_return no_such("invoice", id, "invoice");
  if (!invoice) co_return invoice.error();
  CreateCreditNote command;
  command.invoice = (*invoice)->id;
  if (known.account_of(id)->find(command.invoice) == nullptr) command.recalled = **invoice;
  command.amount = arguments.integer("amount");
  for (const Arguments& each : arguments.maps("lines")) {
    auto line = read_line(each, "lines[" + std::to_string(command.lines.size()) + "]", **invoice);
    if (!line) co_return line.error();
    command.lines.push_back(std::move(*line));
  }
  command.credit_amount = arguments.integer("credit_amount").value_or(0);
  command.refund_amount = arguments.integer("refund_amount").value_or(0);
  command.out_of_band_amount = arguments.integer("out_of_band_amount").value_or(0);
  command.reason = arguments.text_or_empty("reason");
  command.memo = arguments.text_or_empty("memo");
  auto metadata = arguments.metadata_over({});
  if (!metadata) co_return metadata.error();
  command.metadata = std::move(*metadata);
  co_return command;
}

Show show_note(std::string id) {
  return [id = std::move(id)](Presenter& present, const Transition& after) -> Shown {
    const std::string& wanted = id.empty() ? after.subject : id;
    if (Object* object = present.find(Kind::credit_note, wanted)) return object;
    return render_error(no_such("credit note", wanted));
  };
}

/// Has the command carried out on the credit note that the path names.
template <class NamingNote>
awaitable<Result<Outcome>> act_on_note(Services& services, const Call& call, Task task, FoundNote found,
                                       NamingNote command) {
  const std::string id = found.note->id.value();
  command.invoice = found.invoice->id;
  command.credit_note = found.note->id;
  if (task.known->account_of(id)->find(command.invoice) == nullptr) command.recalled = *found.invoice;
  auto foreseen = co_await foresee(services, call, *task.known, Kind::credit_note, id);
  if (!foreseen) co_return foreseen.error();
  task.account = *AccountKey::of_id(id);
  task.command = std::move(command);
  task.show = show_note(id);
  co_return co_await carry_out(services, call, std::move(task));
}

/// What would come of the credit note that the request describes; nothing is kept of it.
awaitable<Result<CreditNote>> try_note(Services& services, const Call& call, Known& known) {
  auto command = co_await read_note(services, call, known);
  if (!command) co_return command.error();
  const std::string invoice = command->invoice.value();
  const Account& account = *known.account_of(invoice);
  auto now = co_await account_time(services, account);
  if (!now) co_return now.error();
  auto decided = decide(account, std::move(*command), *now, services.billing.rules());
  if (!decided) co_return decided.error();
  const Invoice* credited = find_invoice(*decided, invoice);
  const CreditNote* note = credited == nullptr ? nullptr : note_in(*credited, decided->subject);
  if (note == nullptr) co_return Failure{Errc::internal, "the credit note that was tried out is not there"};
  co_return *note;
}

Result<Object*> page_of_note_lines(Reply& reply, const CreditNote& note, const InvoiceId& invoice,
                                   const PageQuery& query, std::string_view url) {
  std::vector<std::string> ids;
  for (const CreditNoteLine& line : note.lines) ids.push_back(line.id.value());
  auto page = cut_page(std::move(ids), query, "credit note line item");
  if (!page) return page.error();
  Array& data = reply.document.array(page->ids.size());
  for (const CreditNoteLine& line : note.lines)
    if (std::ranges::find(page->ids, line.id.value()) != page->ids.end())
      data.add(reply.present.credit_note_line(line, invoice));
  return &reply.present.list(url, data, page->has_more, note.lines.size());
}

/// The page over the credit notes of one invoice.
awaitable<Result<Page>> page_of_invoice(Services& services, const Call& call, Known& known, PageQuery query) {
  const Arguments arguments = call.arguments();
  const std::string id = arguments.text_or_empty("invoice");
  auto invoice = co_await load_invoice(services, call.mode, known, id);
  if (!invoice && invoice.error().code == Errc::not_found) co_return no_such("invoice", id, "invoice");
  if (!invoice) co_return invoice.error();
  const std::string customer = arguments.text_or_empty("customer");
  const bool is_theirs = customer.empty() || owner_of(known, id).customer.value() == customer;
  std::vector<std::string> newest_first;
  for (auto note = (*invoice)->credit_notes.rbegin(); note != (*invoice)->credit_notes.rend(); ++note)
    if (is_theirs && query.created.holds(note->created)) newest_first.push_back(note->id.value());
  co_return cut_page(std::move(newest_first), query, "credit note");
}

}  // namespace

constinit const std::span<const Rule> create_credit_note_rules = create_table;
constinit const std::span<const Rule> preview_credit_note_rules = create_table;
constinit const std::span<const Rule> preview_credit_note_lines_rules = preview_lines_table;
constinit const std::span<const Rule> retrieve_credit_note_rules = retrieve_table;
constinit const std::span<const Rule> update_credit_note_rules = update_table;
constinit const std::span<const Rule> void_credit_note_rules = void_table;
constinit const std::span<const Rule> list_credit_notes_rules = list_table;
constinit const std::span<const Rule> list_credit_note_lines_rules = lines_table;

awaitable<Result<Outcome>> create_credit_note(Services& services, Call call) {
  Task task;
  auto command = co_await read_note(services, call, *task.known);
  if (!command) co_return command.error();
  auto foreseen = co_await foresee(services, call, *task.known, Kind::invoice, command->invoice.value());
  if (!foreseen) co_return foreseen.error();
  task.account = *AccountKey::of_id(command->invoice.value());
  task.command = std::move(*command);
  task.show = show_note("");
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> preview_credit_note(Services& services, Call call) {
  Reply reply(services, call);
  auto note = co_await try_note(services, call, reply.known);
  if (!note) co_return note.error();
  const InvoiceId invoice(call.arguments().text_or_empty("invoice"));
  const CustomerId customer = owner_of(reply.known, invoice.value()).customer;
  Object& object = reply.present.credit_note(*note, invoice, customer);
  // What it would begin is not there to be looked at.
  for (const char* member : {"customer_balance_transaction", "refund"}) object.set(member, nullptr);
  co_return co_await reply.answer(object);
}

awaitable<Result<Outcome>> preview_credit_note_lines(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  Reply reply(services, call);
  auto note = co_await try_note(services, call, reply.known);
  if (!note) co_return note.error();
  const InvoiceId invoice(call.arguments().text_or_empty("invoice"));
  auto lines = page_of_note_lines(reply, *note, invoice, *query, call.path);
  if (!lines) co_return lines.error();
  co_return co_await reply.answer(**lines);
}

awaitable<Result<Outcome>> retrieve_credit_note(Services& services, Call call) {
  Reply reply(services, call);
  auto found = co_await find_note(services, call, reply.known);
  if (!found) co_return found.error();
  co_return co_await reply.answer(*reply.present.find(Kind::credit_note, found->note->id.value()));
}

awaitable<Result<Outcome>> update_credit_note(Services& services, Call call) {
  Task task;
  auto found = co_await find_note(services, call, *task.known);
  if (!found) co_return found.error();
  const Arguments arguments = call.arguments();
  UpdateCreditNote command;
  command.memo = arguments.text("memo");
  if (arguments.has("metadata")) {
    auto metadata = arguments.metadata_over(found->note->metadata);
    if (!metadata) co_return metadata.error();
    command.metadata = std::move(*metadata);
  }
  co_return co_await act_on_note(services, call, std::move(task), *found, std::move(command));
}

awaitable<Result<Outcome>> void_credit_note(Services& services, Call call) {
  Task task;
  auto found = co_await find_note(services, call, *task.known);
  if (!found) co_return found.error();
  co_return co_await act_on_note(services, call, std::move(task), *found, VoidCreditNote());
}

awaitable<Result<Outcome>> list_credit_notes(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  const Arguments arguments = call.arguments();
  Reply reply(services, call);
  Result<Page> page = Failure();
  if (arguments.has_value("invoice")) {
    page = co_await page_of_invoice(services, call, reply.known, std::move(*query));
  } else if (arguments.has_value("customer")) {
    auto account =
        co_await load_live_customer(services, call.mode, reply.known, arguments.text_or_empty("customer"), "customer");
    if (!account) co_return account.error();
    page = co_await page_of_account(services, call, reply.known, (*account)->key, Kind::credit_note, std::move(*query),
                                    Filter());
  } else {
    page = co_await page_of_all(services, call, reply.known, Kind::credit_note, std::move(*query), Filter());
  }
  if (!page) co_return page.error();
  co_return co_await answer_page(services, call, reply, Kind::credit_note, std::move(*page), call.path);
}

awaitable<Result<Outcome>> list_credit_note_lines(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  Reply reply(services, call);
  auto found = co_await find_note(services, call, reply.known);
  if (!found) co_return found.error();
  auto lines = page_of_note_lines(reply, *found->note, found->invoice->id, *query, call.path);
  if (!lines) co_return lines.error();
  co_return co_await reply.answer(**lines);
}

}  // namespace billd::api::stripe
