// Operations on invoices.
#include <algorithm>

#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/invoice_parameters.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/settlement.hpp"
#include "net/api/stripe/subscription_parameters.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array<std::string_view, 5> statuses = {"draft", "open", "paid", "uncollectible", "void"};
constexpr std::array<std::string_view, 3> pending_behaviors = {"exclude", "include", "include_and_require"};
constexpr std::int64_t description_length_max = 1500;

/// What is to be read on it, and what is taken off it.
constexpr std::array content_rules = {
    text("footer", footer_length_max).clearable(),
    list("custom_fields", custom_field_rules).clearable(),
    text("statement_descriptor", statement_descriptor_length_max).clearable(),
    list("discounts", discount_rules).clearable(),
};
constexpr std::array create_table = content_rules + collection_rules + tax_rules(tax_names) +
                                    std::array{
                                        text("customer").required(),
                                        text("subscription"),
                                        currency("currency"),
                                        timestamp("due_date"),
                                        text("default_source"),
                                        text("description", description_length_max).clearable(),
                                        boolean("auto_advance"),
                                        choice("pending_invoice_items_behavior", pending_behaviors),
                                        metadata(),
                                        list("expand"),
                                    };
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array update_table = content_rules + tax_rules(tax_names) +
                                    std::array{
                                        boolean("closed"),
                                        boolean("auto_advance"),
                                        boolean("forgiven"),
                                        boolean("paid"),
                                        text("description", description_length_max).clearable(),
                                        timestamp("due_date"),
                                        integer("days_until_due", 1, days_until_due_max),
                                        text("default_source").clearable(),
                                        metadata(),
                                        list("expand"),
                                    };
constexpr std::array<Rule, 0> delete_table = {};
constexpr std::array finalize_table = {boolean("auto_advance"), list("expand")};
constexpr std::array act_table = {list("expand")};
constexpr std::array pay_table = {
    text("source"),
    text("payment_method"),
    boolean("paid_out_of_band"),
    // For sources that are funded ahead, which billd has none of: a card is charged for the whole or not at all.
    boolean("forgive"),
    boolean("off_session"),
    list("expand"),
};
constexpr std::array list_table = filtered_page_rules + std::array{
                                                            text("customer"),
                                                            text("subscription"),
                                                            choice("status", statuses),
                                                            range("date"),
                                                            range("due_date"),
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

Shown show_new_invoice(Presenter& present, const Transition& after) {
  if (Object* object = present.find(Kind::invoice, after.subject)) return object;
  return render_error({Errc::internal, "the invoice " + after.subject + " was made, but is not there"});
}

Show show_deleted(std::string id) {
  return
      [id = std::move(id)](Presenter& present, const Transition&) -> Shown { return &present.deleted(id, "invoice"); };
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

/// Which pending items a new invoice takes.
void read_pending_behavior(const Call& call, CreateInvoice& command) {
  const bool excludes = !call.version.is_before(invoices_exclude_pending_items);
  const std::string behavior =
      call.arguments().text("pending_invoice_items_behavior").value_or(excludes ? "exclude" : "include_and_require");
  command.take_pending_items = behavior != "exclude";
  command.may_be_empty = behavior != "include_and_require";
}

/// Has the command carried out on the invoice that the path names.
awaitable<Result<Outcome>> act_on_invoice(Services& services, const Call& call, Task task, const Invoice& invoice) {
  auto foreseen = co_await foresee(services, call, *task.known, Kind::invoice, invoice.id.value());
  if (!foreseen) co_return foreseen.error();
  task.account = *AccountKey::of_id(invoice.id.value());
  co_return co_await carry_out(services, call, std::move(task));
}

/// For the commands that say nothing but which invoice.
template <class NamingInvoice>
awaitable<Result<Outcome>> act(Services& services, Call call) {
  Task task;
  auto found = co_await load_invoice(services, call.mode, *task.known, call.variable("invoice"));
  if (!found) co_return found.error();
  task.command = NamingInvoice{(*found)->id, {}};
  task.show = show_invoice((*found)->id.value());
  co_return co_await act_on_invoice(services, call, std::move(task), **found);
}

/// `forgiven` and `paid` say what becomes of an invoice: nothing else goes with them, and nothing takes them back.
/// Empty: the request has neither.
Result<std::optional<Command>> read_verdict(const Arguments& arguments, const Invoice& invoice) {
  for (const char* name : {"forgiven", "paid"}) {
    const auto given = arguments.boolean(name);
    if (!given) continue;
    for (const Rule& rule : update_table)
      if (rule.name != name && rule.name != "expand" && arguments.has(rule.name))
        return Failure{Errc::invalid_parameter, "`" + std::string(name) + "` cannot be given with other parameters.",
                       name};
    const bool is_forgiven = std::string_view(name) == "forgiven";
    const bool is_so = invoice.status == (is_forgiven ? InvoiceStatus::uncollectible : InvoiceStatus::paid);
    if (is_so == *given) {
      UpdateInvoice nothing;
      nothing.invoice = invoice.id;
      return std::optional<Command>(std::move(nothing));
    }
    if (!*given)
      return Failure{Errc::invalid_state,
                     is_forgiven ? "A forgiven invoice cannot be unforgiven." : "A paid invoice cannot be unpaid.",
                     name};
    if (is_forgiven) return std::optional<Command>(MarkInvoiceUncollectible{invoice.id, {}});
    if (invoice.collection != Collection::send_invoice)
      return Failure{Errc::invalid_parameter, "`paid` can be set for an invoice that is sent only; use /pay.", "paid"};
    PayInvoice payment;
    payment.invoice = invoice.id;
    payment.paid_out_of_band = true;
    return std::optional<Command>(std::move(payment));
  }
  return std::optional<Command>();
}

/// What its user wants to be read on an invoice that is created or changed.
template <class InvoiceCommand>
Result<void> read_words(const Arguments& arguments, InvoiceCommand& command) {
  command.footer = arguments.text("footer");
  auto fields = read_custom_fields(arguments);
  if (!fields) return fields.error();
  command.custom_fields = std::move(*fields);
  auto descriptor = read_statement_descriptor(arguments);
  if (!descriptor) return descriptor.error();
  if (*descriptor) command.statement_descriptor = std::move(**descriptor);
  return {};
}

awaitable<Result<UpdateInvoice>> read_changes(Services& services, const Call& call, const Account& account,
                                              const Invoice& invoice) {
  const Arguments arguments = call.arguments();
  auto collecting = read_collecting(arguments);
  if (!collecting) co_return collecting.error();
  UpdateInvoice command;
  command.invoice = invoice.id;
  command.auto_advance = *collecting;
  command.description = arguments.text("description");
  command.metadata = arguments.metadata_patch();
  command.due_at = arguments.timestamp("due_date");
  if (const auto days = arguments.integer("days_until_due")) {
    if (command.due_at)
      co_return Failure{Errc::invalid_parameter,
                        "Received both due_date and days_until_due parameters. Please pass in only one.", "due_date"};
    auto now = co_await account_time(services, account);
    if (!now) co_return now.error();
    command.due_at = whole_second(*now) + std::chrono::days(*days);
  }
  if (arguments.has("default_source")) {
    auto source = read_source(arguments, "default_source", account);
    if (!source) co_return source.error();
    command.default_source = *source;
  }
  auto taxes = co_await read_taxes(services, call, arguments, "");
  if (!taxes) co_return taxes.error();
  command.tax_rates = std::move(*taxes);
  auto words = read_words(arguments, command);
  if (!words) co_return words.error();
  auto discount = co_await read_redemption(services, call, arguments, invoice.discount);
  if (!discount) co_return discount.error();
  command.discount = std::move(*discount);
  co_return command;
}

/// What a list of invoices is narrowed by; none when it is not.
Result<Filter> read_filter(const Arguments& arguments) {
  auto collection = read_collection(arguments);
  if (!collection) return collection.error();
  const std::string status = arguments.text_or_empty("status");
  const std::string subscription = arguments.text_or_empty("subscription");
  const bool by_due_date = arguments.has("due_date");
  if (status.empty() && subscription.empty() && !by_due_date && !collection->method) return Filter();
  return Filter([status, subscription, by_due_date, due = arguments.range("due_date"), method = collection->method](
                    const Known& known, const std::string& id) {
    const Invoice* invoice = known.invoice(id);
    if (invoice == nullptr) return false;
    if (!status.empty() && status_name(invoice->status) != status) return false;
    if (method && invoice->collection != *method) return false;
    if (by_due_date && (!invoice->due_at || !due.holds(*invoice->due_at))) return false;
    return subscription.empty() || invoice->subscription.value() == subscription;
  });
}

}  // namespace

constinit const std::span<const Rule> create_invoice_rules = create_table;
constinit const std::span<const Rule> retrieve_invoice_rules = retrieve_table;
constinit const std::span<const Rule> update_invoice_rules = update_table;
constinit const std::span<const Rule> delete_invoice_rules = delete_table;
constinit const std::span<const Rule> finalize_invoice_rules = finalize_table;
constinit const std::span<const Rule> act_on_invoice_rules = act_table;
constinit const std::span<const Rule> pay_invoice_rules = pay_table;
constinit const std::span<const Rule> list_invoices_rules = list_table;
constinit const std::span<const Rule> list_invoice_lines_rules = lines_table;

awaitable<Result<Outcome>> create_invoice(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  Task task;
  auto loaded =
      co_await load_live_customer(services, call.mode, *task.known, arguments.text_or_empty("customer"), "customer");
  if (!loaded) co_return loaded.error();
  const Account& account = **loaded;
  CreateInvoice command;
  command.subscription = SubscriptionId(arguments.text_or_empty("subscription"));
  read_pending_behavior(call, command);
  if (arguments.has("currency")) command.currency = *Currency::parse(arguments.text_or_empty("currency"));
  auto collection = read_collection(arguments);
  if (!collection) co_return collection.error();
  command.collection = collection->method.value_or(Collection::charge_automatically);
  command.days_until_due = collection->days_until_due;
  command.due_at = arguments.timestamp("due_date");
  // Source: Stripe, an invoice made by hand is collected by itself unless asked for otherwise.
  command.auto_advance = arguments.boolean("auto_advance").value_or(true);
  auto source = read_source(arguments, "default_source", account);
  if (!source) co_return source.error();
  command.default_source = *source;
  command.description = arguments.text_or_empty("description");
  auto taxes = co_await read_taxes(services, call, arguments, "");
  if (!taxes) co_return taxes.error();
  command.tax_rates = std::move(*taxes);
  auto metadata = arguments.metadata_over({});
  if (!metadata) co_return metadata.error();
  command.metadata = std::move(*metadata);
  auto words = read_words(arguments, command);
  if (!words) co_return words.error();
  const Subscription* subscription = account.find(command.subscription);
  const bool has_its_own = subscription != nullptr && subscription->discount;
  std::optional<Discount> inherited = has_its_own ? subscription->discount : account.customer.discount;
  auto discount = co_await read_redemption(services, call, arguments, std::move(inherited));
  if (!discount) co_return discount.error();
  command.discount = std::move(*discount);
  auto foreseen = co_await foresee_new(services, call, *task.known, account.customer.test_clock);
  if (!foreseen) co_return foreseen.error();
  task.account = account.key;
  task.command = std::move(command);
  task.show = show_new_invoice;
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> retrieve_invoice(Services& services, Call call) {
  Reply reply(services, call);
  auto invoice = co_await load_invoice(services, call.mode, reply.known, call.variable("invoice"));
  if (!invoice) co_return invoice.error();
  Object* object = reply.present.find(Kind::invoice, (*invoice)->id.value());
  co_return co_await reply.answer(*object);
}

awaitable<Result<Outcome>> update_invoice(Services& services, Call call) {
  Task task;
  auto found = co_await load_invoice(services, call.mode, *task.known, call.variable("invoice"));
  if (!found) co_return found.error();
  const Invoice& invoice = **found;
  auto verdict = read_verdict(call.arguments(), invoice);
  if (!verdict) co_return verdict.error();
  if (*verdict) {
    task.command = std::move(**verdict);
  } else {
    const Account& account = *task.known->account_of(invoice.id.value());
    auto command = co_await read_changes(services, call, account, invoice);
    if (!command) co_return command.error();
    task.command = std::move(*command);
  }
  task.show = show_invoice(invoice.id.value());
  co_return co_await act_on_invoice(services, call, std::move(task), invoice);
}

awaitable<Result<Outcome>> delete_invoice(Services& services, Call call) {
  Task task;
  auto found = co_await load_invoice(services, call.mode, *task.known, call.variable("invoice"));
  if (!found) co_return found.error();
  const InvoiceId id = (*found)->id;
  task.account = *AccountKey::of_id(id.value());
  task.command = DeleteInvoice{id, {}};
  task.show = show_deleted(id.value());
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> finalize_invoice(Services& services, Call call) {
  Task task;
  auto found = co_await load_invoice(services, call.mode, *task.known, call.variable("invoice"));
  if (!found) co_return found.error();
  task.command = FinalizeInvoice{(*found)->id, {}, call.arguments().boolean("auto_advance")};
  task.show = show_invoice((*found)->id.value());
  co_return co_await act_on_invoice(services, call, std::move(task), **found);
}

awaitable<Result<Outcome>> pay_invoice(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  Task task;
  auto found = co_await load_invoice(services, call.mode, *task.known, call.variable("invoice"));
  if (!found) co_return found.error();
  PayInvoice command;
  command.invoice = (*found)->id;
  const char* name = arguments.has("payment_method") ? "payment_method" : "source";
  if (arguments.has("payment_method") && arguments.has("source"))
    co_return Failure{Errc::invalid_parameter,
                      "Received both source and payment_method parameters. Please pass in only one.", name};
  command.source = SourceId(arguments.text_or_empty(name));
  command.paid_out_of_band = arguments.boolean("paid_out_of_band").value_or(false);
  if (command.paid_out_of_band && !command.source.is_empty())
    co_return Failure{Errc::invalid_parameter, "An invoice that is paid out of band is not charged to a source.", name};
  task.command = std::move(command);
  task.show = show_payment((*found)->id.value());
  co_return co_await act_on_invoice(services, call, std::move(task), **found);
}

awaitable<Result<Outcome>> send_invoice(Services& services, Call call) {
  return act<SendInvoice>(services, std::move(call));
}

awaitable<Result<Outcome>> void_invoice(Services& services, Call call) {
  return act<VoidInvoice>(services, std::move(call));
}

awaitable<Result<Outcome>> mark_invoice_uncollectible(Services& services, Call call) {
  return act<MarkInvoiceUncollectible>(services, std::move(call));
}

awaitable<Result<Outcome>> list_invoices(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  const Arguments arguments = call.arguments();
  if (!arguments.has("created")) query->created = arguments.range("date");  // its name before 2019-03-14
  auto filter = read_filter(arguments);
  if (!filter) co_return filter.error();
  const std::string subscription = arguments.text_or_empty("subscription");
  const std::string customer = arguments.text_or_empty("customer");
  Reply reply(services, call);
  if (customer.empty() && subscription.empty()) {
    auto page = co_await page_of_all(services, call, reply.known, Kind::invoice, std::move(*query), *filter);
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
  auto page = co_await page_of_account(services, call, reply.known, key, Kind::invoice, std::move(*query), *filter);
  if (!page) co_return page.error();
  co_return co_await answer_page(services, call, reply, Kind::invoice, std::move(*page), call.path);
}

awaitable<Result<Outcome>> list_invoice_lines(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  Reply reply(services, call);
  auto found = co_await load_invoice(services, call.mode, reply.known, call.variable("invoice"));
  if (!found) co_return found.error();
  auto lines = page_of_lines(reply, **found, *query, call.path);
  if (!lines) co_return lines.error();
  co_return co_await reply.answer(**lines);
}

}  // namespace billd::api::stripe
