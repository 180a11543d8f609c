// The upcoming invoice: what would be billed next, as things are or after changes that are only tried out.
#include <algorithm>

#include "engine/schedule_preview.hpp"
#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/invoice_parameters.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/subscription_parameters.hpp"
#include "net/http/text.hpp"

namespace billd::api::stripe {
namespace {

const std::string prefix = "subscription_";

constexpr std::array tried_item_rules = invoice_item_rules + std::array{text("invoiceitem"), currency("currency")};

constexpr std::array upcoming_table = redemption_rules + tax_rules(tried_tax_names) +
                                      std::array{
                                          text("customer"),
                                          text("subscription"),
                                          text("schedule"),
                                          list("invoice_items", tried_item_rules),
                                          list("subscription_items", changed_item_rules),
                                          text("subscription_plan"),
                                          text("subscription_price"),
                                          integer("subscription_quantity", 0, quantity_max),
                                          boolean("subscription_prorate"),
                                          choice("subscription_proration_behavior", proration_behaviors),
                                          timestamp("subscription_proration_date"),
                                          timestamp_or_now("subscription_trial_end"),
                                          integer("subscription_trial_period_days", 0, trial_days_max),
                                          boolean("subscription_trial_from_plan"),
                                          text("subscription_billing_cycle_anchor"),
                                          timestamp("subscription_cancel_at").clearable(),
                                          timestamp("subscription_start_date"),
                                          boolean("subscription_cancel_at_period_end"),
                                          boolean("subscription_cancel_now"),
                                          list("expand"),
                                      };
constexpr std::array lines_table = upcoming_table + std::array{
                                                        integer("limit", 1, 100),
                                                        text("starting_after"),
                                                        text("ending_before"),
                                                    };

/// What newer clients ask with: the same under `subscription_details`, without the prefix.
const std::string details = "subscription_details";

constexpr std::array details_rules = {
    list("items", changed_item_rules),
    text("billing_cycle_anchor"),
    timestamp("cancel_at").clearable(),
    boolean("cancel_at_period_end"),
    boolean("cancel_now"),
    list("default_tax_rates").clearable(),
    choice("proration_behavior", proration_behaviors),
    timestamp("proration_date"),
    timestamp("start_date"),
    timestamp_or_now("trial_end"),
};
constexpr std::array<std::string_view, 1> preview_modes = {"next"};
constexpr std::array preview_table = {
    text("customer"),
    text("subscription"),
    text("schedule"),
    list("discounts", discount_rules).clearable(),
    list("invoice_items", tried_item_rules),
    map("subscription_details", details_rules),
    map("automatic_tax", automatic_tax_rules),
    choice("preview_mode", preview_modes),
    list("expand"),
};

/// Writes the parameter, and what is below it, as a form names them.
void write_form(const http::Parameter& parameter, const std::string& name, std::string& form) {
  if (parameter.is_text()) {
    form += (form.empty() ? "" : "&") + http::percent_encoded(name) + "=" + http::percent_encoded(parameter.text());
    return;
  }
  for (const http::Parameter& child : parameter.children()) write_form(child, name + "[" + child.name() + "]", form);
}

/// The request as older clients write it.
Result<http::Parameters> with_older_names(const http::Parameters& given) {
  std::string form;
  for (const http::Parameter& each : given.children()) {
    if (each.name() == "automatic_tax" || each.name() == "preview_mode") continue;
    if (each.name() != details) {
      write_form(each, each.name(), form);
      continue;
    }
    for (const http::Parameter& detail : each.children()) write_form(detail, prefix + detail.name(), form);
  }
  return http::parse_form(form);
}

/// "subscription_items[0][price]" is subscription_details[items][0][price].
std::string newer_name(const std::string& parameter) {
  if (!parameter.starts_with(prefix)) return parameter;
  const std::size_t end = std::min(parameter.find('['), parameter.size());
  return details + "[" + parameter.substr(prefix.size(), end - prefix.size()) + "]" + parameter.substr(end);
}

/// The invoice, and the account as it is without what was tried out.
struct Upcoming {
  const Account* account = nullptr;
  Invoice invoice;
  std::optional<Timestamp> proration_date;  ///< by which what was tried out is prorated
};

/// Parameters of a subscription that is not named: the first of them, for the error; empty: none.
std::string first_change(const Arguments& arguments) {
  for (const Rule& rule : upcoming_table)
    if (rule.name.starts_with(prefix) && arguments.has(rule.name)) return std::string(rule.name);
  return {};
}

Result<void> check_anchor(const Arguments& arguments, bool is_new) {
  if (!is_new && arguments.has(prefix + "start_date"))
    return Failure{Errc::invalid_parameter, "A running subscription has begun already.", prefix + "start_date"};
  const std::string name = prefix + "billing_cycle_anchor";
  const auto given = arguments.text(name);
  if (!given || *given == "now" || *given == "unchanged") return {};
  const auto time = arguments.timestamp(name);
  if (!time || *time < Timestamp() || *time > end_of_time)
    return Failure{Errc::invalid_parameter, "Invalid timestamp: must be an integer Unix timestamp, now or unchanged",
                   name};
  if (!is_new)
    return Failure{Errc::invalid_parameter, "The anchor of a running subscription may be moved to now only.", name};
  return {};
}

/// The account with the invoice items that are tried out.
awaitable<Result<Account>> with_items(Services& services, const Call& call, Known& known, Account account,
                                      Timestamp now) {
  const http::Parameter* list = call.arguments().find("invoice_items");
  if (list == nullptr) co_return account;
  for (const http::Parameter& each : list->children()) {
    const Arguments given(each);
    Command command;
    if (const std::string id = given.text_or_empty("invoiceitem"); !id.empty()) {
      const InvoiceItem* pending = account.find(InvoiceItemId(id));
      if (pending == nullptr) co_return no_such("invoiceitem", id, "invoice_items");
      const KnownItem item{*pending, {}};
      auto changes = co_await read_invoice_item_changes(services, call, known, given, each.path(), item);
      if (!changes) co_return changes.error();
      command = std::move(*changes);
    } else {
      auto item = co_await read_new_invoice_item(services, call, known, given, each.path(), account);
      if (!item) co_return item.error();
      command = std::move(*item);
    }
    auto decided = decide(std::move(account), command, now, services.billing.rules());
    if (!decided) co_return decided.error();
    account = std::move(decided->account);
  }
  co_return account;
}

/// The account with the coupon that is tried out: the subscription's, or the customer's. With other changes of a
/// subscription it is one of them.
awaitable<Result<Account>> with_coupon(Services& services, const Call& call, Account account,
                                       const Subscription* subscription, Timestamp now) {
  const std::optional<Discount> current = subscription != nullptr ? subscription->discount : account.customer.discount;
  auto redemption = co_await read_redemption(services, call, call.arguments(), current);
  if (!redemption) co_return redemption.error();
  if (!*redemption) co_return account;
  std::optional<Command> command;
  if (subscription != nullptr) {
    UpdateSubscription update;
    update.subscription = subscription->id;
    update.discount = std::move(*redemption);
    command = std::move(update);
  } else {
    UpdateCustomer update;
    update.discount = std::move(*redemption);
    command = std::move(update);
  }
  auto decided = decide(std::move(account), *command, now, services.billing.rules());
  if (!decided) co_return decided.error();
  co_return std::move(decided->account);
}

Result<Command> read_cancellation(const Arguments& arguments, const SubscriptionId& subscription) {
  auto proration = read_proration(arguments, ProrationBehavior::create_prorations, prefix);
  if (!proration) return proration.error();
  CancelSubscription command;
  command.subscription = subscription;
  command.prorate = *proration != ProrationBehavior::none;
  command.invoice_now = true;
  return Command(std::move(command));
}

/// What is tried out with the subscription, or with a new one; empty: nothing.
awaitable<Result<std::optional<Command>>> read_trial(Services& services, const Call& call, Known& known,
                                                     const Account& account, const Subscription* subscription) {
  const Arguments arguments = call.arguments();
  const std::string change = first_change(arguments);
  if (change.empty()) co_return std::optional<Command>();
  auto fits = check_anchor(arguments, subscription == nullptr);
  if (!fits) co_return fits.error();
  if (subscription == nullptr) {
    if (arguments.has(prefix + "proration_date"))
      co_return Failure{Errc::invalid_parameter, "Cannot specify proration date without specifying a subscription",
                        prefix + "proration_date"};
    if (!arguments.has(prefix + "items") && !arguments.has(prefix + "plan") && !arguments.has(prefix + "price"))
      co_return Failure{Errc::invalid_parameter, "Cannot specify " + change + " without specifying a subscription",
                        change};
    auto command = co_await read_new_subscription(services, call, known, account, prefix);
    if (!command) co_return command.error();
    co_return std::optional(Command(std::move(*command)));
  }
  if (arguments.boolean(prefix + "cancel_now").value_or(false)) {
    auto command = read_cancellation(arguments, subscription->id);
    if (!command) co_return command.error();
    co_return std::optional(std::move(*command));
  }
  auto command = co_await read_subscription_changes(services, call, known, account, *subscription, prefix);
  if (!command) co_return command.error();
  co_return std::optional(Command(std::move(*command)));
}

/// The account of the live schedule that the request names, which nothing can be tried out with.
awaitable<Result<const Account*>> find_account_of_schedule(Services& services, const Call& call, Known& known,
                                                           std::string id) {
  const Arguments arguments = call.arguments();
  for (const Rule& rule : upcoming_table)
    if (rule.name != "schedule" && rule.name != "customer" && rule.name != "expand" && arguments.has(rule.name))
      co_return Failure{Errc::invalid_parameter,
                        "You may only specify one of these parameters: schedule, " + std::string(rule.name) + ".",
                        "schedule"};
  std::vector<Named> wanted(1, Named{Kind::schedule, id});
  auto loaded = co_await load(services, call.mode, known, std::move(wanted));
  if (!loaded) co_return loaded.error();
  const Schedule* schedule = known.schedule(id);
  const std::string customer = arguments.text_or_empty("customer");
  const bool is_theirs = customer.empty() || owner_of(known, id).customer.value() == customer;
  if (schedule == nullptr || !schedule->is_live() || !is_theirs)
    co_return no_such("subscription_schedule", id, "schedule");
  co_return known.account_of(id);
}

/// The account that the request is about, by its customer, its subscription or its schedule.
awaitable<Result<const Account*>> find_account(Services& services, const Call& call, Known& known) {
  const Arguments arguments = call.arguments();
  std::string customer = arguments.text_or_empty("customer");
  const std::string subscription = arguments.text_or_empty("subscription");
  if (std::string schedule = arguments.text_or_empty("schedule"); !schedule.empty())
    co_return co_await find_account_of_schedule(services, call, known, std::move(schedule));
  if (customer.empty() && subscription.empty())
    co_return Failure{Errc::missing_parameter, "Missing required param: customer.", "customer"};
  if (!subscription.empty()) {
    auto found = co_await load_subscription(services, call.mode, known, subscription);
    const bool is_known = found && (*found)->is_live() &&
                          (customer.empty() || owner_of(known, subscription).customer.value() == customer);
    if (!found && found.error().code != Errc::not_found) co_return found.error();
    if (!is_known) co_return no_such("subscription", subscription, "subscription");
    customer = owner_of(known, subscription).customer.value();
  }
  co_return co_await load_live_customer(services, call.mode, known, customer, "customer");
}

awaitable<Result<Upcoming>> find_upcoming(Services& services, const Call& call, Known& known) {
  const Arguments arguments = call.arguments();
  auto account = co_await find_account(services, call, known);
  if (!account) co_return account.error();
  const SubscriptionId id(arguments.text_or_empty("subscription"));
  const Subscription* subscription = id.is_empty() ? nullptr : (*account)->find(id);
  auto command = co_await read_trial(services, call, known, **account, subscription);
  if (!command) co_return command.error();
  auto now = co_await account_time(services, **account);
  if (!now) co_return now.error();
  auto tried = co_await with_items(services, call, known, **account, *now);
  if (!tried) co_return tried.error();
  if (!*command) {
    tried = co_await with_coupon(services, call, std::move(*tried), subscription, *now);
    if (!tried) co_return tried.error();
  }
  const ScheduleId schedule(arguments.text_or_empty("schedule"));
  auto invoice = schedule.is_empty() ? preview(std::move(*tried), *command, id, *now, services.billing.rules())
                                     : preview_schedule(std::move(*tried), schedule, *now, services.billing.rules());
  if (!invoice) co_return invoice.error();
  Upcoming upcoming;
  upcoming.account = *account;
  if (*command && subscription != nullptr)
    upcoming.proration_date = arguments.timestamp(prefix + "proration_date").value_or(whole_second(*now));
  upcoming.invoice = std::move(*invoice);
  // The plans that its lines show.
  std::vector<Named> plans;
  for (const InvoiceLine& line : upcoming.invoice.lines)
    if (!line.price.id.is_empty()) plans.push_back({Kind::plan, line.price.id.value()});
  auto loaded = co_await load(services, call.mode, known, std::move(plans));
  if (!loaded) co_return loaded.error();
  co_return upcoming;
}

}  // namespace

constinit const std::span<const Rule> retrieve_upcoming_invoice_rules = upcoming_table;
constinit const std::span<const Rule> list_upcoming_invoice_lines_rules = lines_table;
constinit const std::span<const Rule> preview_invoice_rules = preview_table;

awaitable<Result<Outcome>> retrieve_upcoming_invoice(Services& services, Call call) {
  Reply reply(services, call);
  auto upcoming = co_await find_upcoming(services, call, reply.known);
  if (!upcoming) co_return upcoming.error();
  co_return co_await reply.answer(
      reply.present.upcoming_invoice(upcoming->invoice, *upcoming->account, upcoming->proration_date));
}

awaitable<Result<Outcome>> preview_invoice(Services& services, Call call) {
  auto older = with_older_names(call.parameters);
  if (!older) co_return older.error();
  call.parameters = std::move(*older);
  auto outcome = co_await retrieve_upcoming_invoice(services, std::move(call));
  if (!outcome) co_return Failure{outcome.error().code, outcome.error().detail, newer_name(outcome.error().parameter)};
  co_return outcome;
}

awaitable<Result<Outcome>> list_upcoming_invoice_lines(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  Reply reply(services, call);
  auto upcoming = co_await find_upcoming(services, call, reply.known);
  if (!upcoming) co_return upcoming.error();
  auto lines = page_of_lines(reply, upcoming->invoice, *query, call.path);
  if (!lines) co_return lines.error();
  co_return co_await reply.answer(**lines);
}

}  // namespace billd::api::stripe
