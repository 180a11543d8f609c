// Operations on PaymentIntents, which are the collections of invoices; of one that was made by itself nobody sees the
// invoice.
#include "engine/decide.hpp"
#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/payment_methods.hpp"
#include "net/api/stripe/settlement.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array<std::string_view, 1> methods = {"automatic"};
constexpr std::array create_table =
    offered_means_rules +
    std::array{
        integer("amount", 1, 999'999'999'999).required(),
        currency("currency").required(),
        text("customer").required(),
        text("payment_method"),
        text("source"),
        boolean("confirm"),
        boolean("off_session"),
        boolean("error_on_requires_action"),
        choice("confirmation_method", methods),
        choice("capture_method", methods),
        // Of the version of 2018: what pays for it, and whether it is confirmed as soon as something does.
        list("allowed_source_types"),
        boolean("attempt_confirmation"),
        text("description").clearable(),
        metadata(),
        list("expand"),
    };
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array confirm_table = {
    text("payment_method"), text("source"), boolean("off_session"), text("return_url"), list("expand"),
};
constexpr std::array list_table = filtered_page_rules + std::array{text("customer")};

awaitable<Result<const Invoice*>> load_intent(Services& services, Mode mode, Known& known, std::string id) {
  const Failure unknown = no_such("payment_intent", id, "intent");
  std::string invoice_id = invoice_of_payment_intent(id).value();
  if (invoice_id.empty()) co_return unknown;
  auto invoice = co_await load_payment(services, mode, known, std::move(invoice_id));
  if (!invoice && invoice.error().code != Errc::not_found) co_return invoice.error();
  if (!invoice || !has_payment_intent(**invoice)) co_return unknown;
  co_return *invoice;
}

/// What the request wants to pay with, as one of the customer's; empty: it says nothing of it. `intent`: that is paid;
/// empty: the new one.
awaitable<Result<SourceId>> read_source(Services& services, const Call& call, const Account& account,
                                        std::string intent) {
  const Arguments arguments = call.arguments();
  const std::string parameter = arguments.has("payment_method") ? "payment_method" : "source";
  std::string id = arguments.text_or_empty(parameter);
  if (id.empty()) co_return SourceId();
  std::string use = intent.empty() ? account.customer.id.value() : std::move(intent);
  co_return co_await bring_payment_method(services, call, account, std::move(id), std::move(use), parameter);
}

bool is_intent(const Known& known, const std::string& invoice) {
  const Invoice* found = known.payment(invoice);
  return found != nullptr && has_payment_intent(*found);
}

/// Pages count in invoices; their identifiers become those of PaymentIntents.
void rename(Page& page) {
  for (std::string& id : page.ids) id = payment_intent_id(InvoiceId(id));
}

Show show_intent(std::string invoice) {
  return [invoice = std::move(invoice)](Presenter& present, const Transition& after) -> Shown {
    const Invoice* found = find_invoice(after, invoice);
    if (found == nullptr) return render_error(no_such("payment_intent", payment_intent_id(InvoiceId(invoice))));
    if (auto unpaid = unpaid_answer(*found)) return std::move(*unpaid);
    return &present.payment_intent(*found, {after.account.customer.id, &after.account});
  };
}

}  // namespace

constinit const std::span<const Rule> create_payment_intent_rules = create_table;
constinit const std::span<const Rule> retrieve_payment_intent_rules = retrieve_table;
constinit const std::span<const Rule> confirm_payment_intent_rules = confirm_table;
constinit const std::span<const Rule> list_payment_intents_rules = list_table;

awaitable<Result<Outcome>> create_payment_intent(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  for (const char* name : {"payment_method_types", "allowed_source_types"}) {
    auto offered = check_offered_means(arguments, name);
    if (!offered) co_return offered.error();
  }
  Task task;
  auto account =
      co_await load_live_customer(services, call.mode, *task.known, arguments.text_or_empty("customer"), "customer");
  if (!account) co_return account.error();
  auto metadata = arguments.metadata_over({});
  if (!metadata) co_return metadata.error();
  ChargeCustomer command;
  command.amount = {*arguments.integer("amount"), *Currency::parse(arguments.text_or_empty("currency"))};
  // Nothing is attached for what is refused.
  command.is_charged = false;
  auto rehearsed = decide(**account, Command(command), services.billing.now(), services.billing.rules());
  if (!rehearsed) co_return rehearsed.error();
  auto source = co_await read_source(services, call, **account, std::string());
  if (!source) co_return source.error();
  command.source = std::move(*source);
  const bool has_source = arguments.has_value("payment_method") || arguments.has_value("source");
  command.is_charged = arguments.boolean("confirm").value_or(false) ||
                       (has_source && arguments.boolean("attempt_confirmation").value_or(false));
  command.description = arguments.text_or_empty("description");
  command.metadata = std::move(*metadata);
  task.account = (*account)->key;
  task.show = [](Presenter& present, const Transition& after) -> Shown {
    return show_intent(after.subject)(present, after);
  };
  task.command = std::move(command);
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> retrieve_payment_intent(Services& services, Call call) {
  Reply reply(services, call);
  const std::string& id = call.variable("intent");
  auto invoice = co_await load_intent(services, call.mode, reply.known, id);
  if (!invoice) co_return invoice.error();
  co_return co_await reply.answer(reply.present.payment_intent(**invoice, owner_of(reply.known, id)));
}

awaitable<Result<Outcome>> confirm_payment_intent(Services& services, Call call) {
  const std::string& id = call.variable("intent");
  Task task;
  auto loaded = co_await load_intent(services, call.mode, *task.known, id);
  if (!loaded) co_return loaded.error();
  const Invoice& invoice = **loaded;
  const Account* account = task.known->account_of(id);
  if (invoice.status == InvoiceStatus::paid)
    co_return Failure{Errc::invalid_state,
                      "You cannot confirm this PaymentIntent because it has already succeeded after being previously "
                      "confirmed."};
  if (invoice.status == InvoiceStatus::void_)
    co_return Failure{Errc::invalid_state,
                      "You cannot confirm this PaymentIntent because it has a status of canceled."};
  auto source = co_await read_source(services, call, *account, id);
  if (!source) co_return source.error();
  PayInvoice command;
  command.invoice = invoice.id;
  if (account->find(invoice.id) == nullptr) command.recalled = invoice;
  command.source = std::move(*source);
  task.account = account->key;
  task.show = show_intent(invoice.id.value());
  task.command = std::move(command);
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> list_payment_intents(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  for (std::string* cursor : {&query->starting_after, &query->ending_before})
    if (!cursor->empty()) *cursor = invoice_of_payment_intent(*cursor).value();
  std::string customer = call.arguments().text_or_empty("customer");
  Reply reply(services, call);
  Result<Page> page = Failure();
  if (customer.empty()) {
    page = co_await page_of_all(services, call, reply.known, Kind::payment_intent, std::move(*query), is_intent);
  } else {
    auto account = co_await load_live_customer(services, call.mode, reply.known, std::move(customer), "customer");
    if (!account) co_return account.error();
    page = co_await page_of_account(services, call, reply.known, (*account)->key, Kind::payment_intent,
                                    std::move(*query), is_intent);
  }
  if (!page) co_return page.error();
  rename(*page);
  co_return co_await answer_page(services, call, reply, Kind::payment_intent, std::move(*page), call.path);
}

}  // namespace billd::api::stripe
