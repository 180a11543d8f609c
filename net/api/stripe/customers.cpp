// Operations on customers.
#include <algorithm>

#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/invoice_parameters.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/new_source.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/payment_methods.hpp"
#include "net/api/stripe/pricing_terms.hpp"
#include "net/api/stripe/tax_id_types.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array address_rules = {
    text("city").clearable(),  text("country").clearable(),     text("line1").clearable(),
    text("line2").clearable(), text("postal_code").clearable(), text("state").clearable(),
};
constexpr std::array<std::string_view, 3> tax_exempt_choices = {"none", "exempt", "reverse"};
constexpr std::array shipping_rules = {
    map("address", address_rules).required(),
    text("name", 256).required(),
    text("phone", 20).clearable(),
};
constexpr std::array invoice_settings_rules = {
    text("default_payment_method").clearable(),
    text("footer", footer_length_max).clearable(),
    list("custom_fields", custom_field_rules).clearable(),
};

constexpr std::array common_rules = new_source_rules + redemption_rules +
                                    std::array{
                                        text("email", 512).clearable(),
                                        text("name", 256).clearable(),
                                        text("phone", 20).clearable(),
                                        text("description").clearable(),
                                        map("address", address_rules).clearable(),
                                        metadata(),
                                        choice("tax_exempt", tax_exempt_choices).clearable(),
                                        integer("account_balance", -balance_limit, balance_limit),
                                        integer("balance", -balance_limit, balance_limit),
                                        map("shipping", shipping_rules).clearable(),
                                        list("preferred_locales"),
                                        map("invoice_settings", invoice_settings_rules),
                                        list("expand"),
                                    };
constexpr std::array create_table = common_rules + std::array{
                                                       text("test_clock"),
                                                       text("payment_method"),
                                                       list("tax_id_data", new_tax_id_rules),
                                                   };
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array default_names = {"default_source", "default_card", "default_bank_account"};
constexpr std::array update_table =
    common_rules + std::array{text(default_names[0]), text(default_names[1]), text(default_names[2])};
constexpr std::array<Rule, 0> delete_table = {};
constexpr std::array list_table = filtered_page_rules + std::array{text("email", 512), text("test_clock")};

Address address_over(const Arguments& arguments, Address before) {
  const auto given = arguments.map("address");
  if (!given) return {};  // address='' clears
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

TaxExempt read_tax_exempt(const Arguments& arguments) {
  const std::string given = arguments.text_or_empty("tax_exempt");
  return given == "exempt" ? TaxExempt::exempt : given == "reverse" ? TaxExempt::reverse : TaxExempt::none;
}

Shipping read_shipping(const Arguments& arguments) {
  Shipping shipping;
  const auto given = arguments.map("shipping");
  if (!given) return shipping;  // shipping='' clears
  shipping.name = given->text_or_empty("name");
  shipping.phone = given->text_or_empty("phone");
  shipping.address = address_over(*given, {});
  return shipping;
}

/// The balance by its newer or its older name; what is owed is positive.
Result<std::optional<std::int64_t>> read_balance(const Arguments& arguments) {
  if (arguments.has("balance") && arguments.has("account_balance"))
    return Failure{Errc::invalid_parameter,
                   "Received both balance and account_balance parameters. Please pass in only one.", "balance"};
  return arguments.integer(arguments.has("balance") ? "balance" : "account_balance");
}

/// At most as many languages as there are members of a list in a form.
Result<std::vector<std::string>> read_locales(const Arguments& arguments) {
  constexpr std::size_t locale_length_max = 35;  // Source: RFC 5646, 4.4.1.
  std::vector<std::string> locales = arguments.texts("preferred_locales");
  std::erase(locales, "");
  for (const std::string& locale : locales)
    if (locale.size() > locale_length_max)
      return Failure{Errc::invalid_parameter, "Invalid locale: " + locale, "preferred_locales"};
  return locales;
}

/// The source that the parameters give; empty when they give none.
awaitable<Result<std::optional<NewSource>>> read_source(Services& services, const Call& call, CustomerId customer) {
  const Arguments arguments = call.arguments();
  std::optional<NewSource> none;
  std::string parameter = new_source_parameter(arguments);
  std::string method = arguments.text_or_empty("payment_method");
  if (!parameter.empty() && !method.empty())
    co_return Failure{Errc::invalid_parameter,
                      "Received both source and payment_method parameters. Please pass in only one.", "payment_method"};
  if (parameter.empty() && method.empty()) co_return none;
  Result<NewSource> source = Failure();
  if (method.empty())
    source = co_await describe_new_source(services, call, std::move(parameter));
  else
    source = co_await describe_payment_method(services, call, std::move(customer), std::move(method), "payment_method");
  if (!source) co_return source.error();
  co_return std::optional(std::move(*source));
}

Shown show_customer(Presenter& present, const Transition& after) { return &present.customer(after.account); }

Shown show_deleted(Presenter& present, const Transition& after) {
  return &present.deleted(after.account.customer.id.value(), "customer");
}

/// The customers of these accounts, newest first.
awaitable<Result<Page>> page_of_accounts(Services& services, const Call& call, Known& known,
                                         std::vector<AccountKey> keys, PageQuery query,
                                         std::optional<std::string> email) {
  auto loaded = co_await services.store.load_all(call.mode, std::move(keys));
  if (!loaded) co_return loaded.error();
  std::vector<const Customer*> customers;
  for (store::Loaded& each : *loaded) {
    auto account = std::make_shared<const Account>(std::move(each.account));
    known.put(account);
    if (email && account->customer.email != *email) continue;
    if (account->customer.deleted || !query.created.holds(account->customer.created)) continue;
    customers.push_back(&account->customer);
  }
  std::ranges::sort(customers, [](const Customer* left, const Customer* right) {
    return std::pair(left->created, left->id) > std::pair(right->created, right->id);
  });
  std::vector<std::string> ids;
  for (const Customer* customer : customers) ids.push_back(customer->id.value());
  co_return cut_page(std::move(ids), query, "customer");
}

awaitable<Result<Page>> page_of_customers(Services& services, const Call& call, Known& known, PageQuery query) {
  const Arguments arguments = call.arguments();
  if (arguments.has("email")) {
    std::string email = arguments.text_or_empty("email");
    auto keys = co_await services.store.find_by_email(call.mode, email);
    if (!keys) co_return keys.error();
    co_return co_await page_of_accounts(services, call, known, std::move(*keys), std::move(query), std::move(email));
  }
  if (arguments.has("test_clock")) {
    auto keys = co_await services.store.test_clock_accounts(TestClockId(arguments.text_or_empty("test_clock")));
    if (!keys) co_return keys.error();
    co_return co_await page_of_accounts(services, call, known, std::move(*keys), std::move(query), std::nullopt);
  }
  co_return co_await page_of_all(services, call, known, Kind::customer, std::move(query), Filter());
}

}  // namespace

constinit const std::span<const Rule> create_customer_rules = create_table;
constinit const std::span<const Rule> retrieve_customer_rules = retrieve_table;
constinit const std::span<const Rule> update_customer_rules = update_table;
constinit const std::span<const Rule> delete_customer_rules = delete_table;
constinit const std::span<const Rule> list_customers_rules = list_table;

awaitable<Result<Outcome>> create_customer(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  CreateCustomer command;
  command.email = arguments.text_or_empty("email");
  command.name = arguments.text_or_empty("name");
  command.phone = arguments.text_or_empty("phone");
  command.description = arguments.text_or_empty("description");
  if (arguments.has("address")) command.address = address_over(arguments, {});
  auto metadata = arguments.metadata_over({});
  if (!metadata) co_return metadata.error();
  command.metadata = std::move(*metadata);
  if (arguments.has("test_clock")) {
    command.test_clock = TestClockId(arguments.text_or_empty("test_clock"));
    if (call.is_live()) co_return Failure{Errc::invalid_parameter, "Test clocks are for test mode only.", "test_clock"};
    auto clock = co_await services.catalog.find<TestClock>(Mode::test, command.test_clock.value());
    if (!clock) {
      if (clock.error().code != Errc::not_found) co_return clock.error();
      co_return no_such("test clock", command.test_clock.value(), "test_clock");
    }
  }
  // Source: Stripe, `payment_method` alone is attached only.
  command.source_is_default = !arguments.has("payment_method");
  if (arguments.has("invoice_settings") && arguments.map("invoice_settings")->has_value("default_payment_method")) {
    const std::string wanted = arguments.map("invoice_settings")->text_or_empty("default_payment_method");
    if (wanted != arguments.text_or_empty("payment_method"))
      co_return Failure{Errc::invalid_parameter,
                        "The customer does not have a payment method with the ID " + wanted +
                            ". The payment method must be attached to the customer.",
                        "invoice_settings[default_payment_method]"};
    command.source_is_default = true;
  }
  auto balance = read_balance(arguments);
  if (!balance) co_return balance.error();
  command.balance = balance->value_or(0);
  command.shipping = read_shipping(arguments);
  command.tax_exempt = read_tax_exempt(arguments);
  auto locales = read_locales(arguments);
  if (!locales) co_return locales.error();
  command.preferred_locales = std::move(*locales);
  if (const auto settings = arguments.map("invoice_settings")) {
    command.invoice_footer = settings->text_or_empty("footer");
    auto fields = read_custom_fields(*settings);
    if (!fields) co_return fields.error();
    command.invoice_fields = fields->value_or(CustomFields());
  }
  for (const Arguments& each : arguments.maps("tax_id_data"))
    command.tax_identifiers.push_back({each.text_or_empty("type"), each.text_or_empty("value")});
  auto redemption = co_await read_redemption(services, call, arguments, std::nullopt);
  if (!redemption) co_return redemption.error();
  command.discount = redemption->value_or(std::nullopt);
  auto source = co_await read_source(services, call, make_id<CustomerKind>(call.account, 1));
  if (!source) co_return source.error();
  command.source = std::move(*source);
  Task task{.account = call.account, .command = {}, .show = show_customer};
  auto foreseen = co_await foresee_new(services, call, *task.known, command.test_clock);
  if (!foreseen) co_return foreseen.error();
  task.command = std::move(command);
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> retrieve_customer(Services& services, Call call) {
  Reply reply(services, call);
  auto account = co_await load_customer(services, call.mode, reply.known, call.variable("customer"), "id");
  if (!account) co_return account.error();
  co_return co_await reply.answer(reply.present.customer(**account));
}

awaitable<Result<Outcome>> update_customer(Services& services, Call call) {
  Task task{.account = {}, .command = {}, .show = show_customer};
  auto loaded = co_await load_live_customer(services, call.mode, *task.known, call.variable("customer"), "id");
  if (!loaded) co_return loaded.error();
  const Account& account = **loaded;
  const Arguments arguments = call.arguments();
  UpdateCustomer command;
  command.email = arguments.text("email");
  command.name = arguments.text("name");
  command.phone = arguments.text("phone");
  command.description = arguments.text("description");
  if (arguments.has("address")) command.address = address_over(arguments, account.customer.address);
  command.metadata = arguments.metadata_patch();
  for (std::string_view name : default_names) {
    if (!arguments.has(name)) continue;
    command.default_source = SourceId(arguments.text_or_empty(name));
    if (account.find(*command.default_source) == nullptr)
      co_return no_such("source", command.default_source->value(), name);
  }
  if (const auto settings = arguments.map("invoice_settings")) {
    if (settings->has("default_payment_method"))
      command.default_payment_method = SourceId(settings->text_or_empty("default_payment_method"));
    command.invoice_footer = settings->text("footer");
    auto fields = read_custom_fields(*settings);
    if (!fields) co_return fields.error();
    command.invoice_fields = std::move(*fields);
  }
  auto balance = read_balance(arguments);
  if (!balance) co_return balance.error();
  command.balance = *balance;
  if (arguments.has("shipping")) command.shipping = read_shipping(arguments);
  if (arguments.has("tax_exempt")) command.tax_exempt = read_tax_exempt(arguments);
  if (arguments.has("preferred_locales")) {
    auto locales = read_locales(arguments);
    if (!locales) co_return locales.error();
    command.preferred_locales = std::move(*locales);
  }
  auto redemption = co_await read_redemption(services, call, arguments, account.customer.discount);
  if (!redemption) co_return redemption.error();
  command.discount = std::move(*redemption);
  auto source = co_await read_source(services, call, account.customer.id);
  if (!source) co_return source.error();
  command.source = std::move(*source);
  auto foreseen = co_await foresee(services, call, *task.known, Kind::customer, call.variable("customer"));
  if (!foreseen) co_return foreseen.error();
  task.account = account.key;
  task.command = std::move(command);
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> delete_customer(Services& services, Call call) {
  Task task{.account = {}, .command = DeleteCustomer{}, .show = show_deleted};
  auto account = co_await load_live_customer(services, call.mode, *task.known, call.variable("customer"), "id");
  if (!account) co_return account.error();
  task.account = (*account)->key;
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> list_customers(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  Reply reply(services, call);
  auto page = co_await page_of_customers(services, call, reply.known, std::move(*query));
  if (!page) co_return page.error();
  co_return co_await answer_page(services, call, reply, Kind::customer, std::move(*page), "/v1/customers");
}

}  // namespace billd::api::stripe
