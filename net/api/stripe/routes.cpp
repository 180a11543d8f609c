#include "net/api/stripe/routes.hpp"

namespace billd::api::stripe {
namespace {

constexpr Shape one(Kind kind) { return {kind, false}; }
constexpr Shape many(Kind kind) { return {kind, true}; }

}  // namespace

std::span<const Route> routes() {
  using enum http::Method;
  using enum Kind;
  // clang-format off
  static const std::array table = {
      Route{post, "/v1/customers", create_customer, create_customer_rules, one(customer), Home::new_account},
      Route{get, "/v1/customers", list_customers, list_customers_rules, many(customer)},
      Route{get, "/v1/customers/{customer}", retrieve_customer, retrieve_customer_rules, one(customer)},
      Route{post, "/v1/customers/{customer}", update_customer, update_customer_rules, one(customer)},
      Route{delete_, "/v1/customers/{customer}", delete_customer, delete_customer_rules, one(customer)},

      Route{post, "/v1/customers/{customer}/sources", create_source, create_source_rules, one(card)},
      Route{get, "/v1/customers/{customer}/sources", list_sources, list_sources_rules, many(card)},
      Route{get, "/v1/customers/{customer}/sources/{id}", retrieve_source, retrieve_source_rules, one(card)},
      Route{post, "/v1/customers/{customer}/sources/{id}", update_source, update_source_rules, one(card)},
      Route{delete_, "/v1/customers/{customer}/sources/{id}", delete_source, delete_source_rules, one(card)},
      Route{post, "/v1/customers/{customer}/cards", create_source, create_source_rules, one(card)},
      Route{get, "/v1/customers/{customer}/cards", list_sources, list_sources_rules, many(card)},
      Route{get, "/v1/customers/{customer}/cards/{id}", retrieve_source, retrieve_source_rules, one(card)},
      Route{post, "/v1/customers/{customer}/cards/{id}", update_source, update_source_rules, one(card)},
      Route{delete_, "/v1/customers/{customer}/cards/{id}", delete_source, delete_source_rules, one(card)},

      Route{post, "/v1/plans", create_plan, create_plan_rules, one(plan), Home::catalog},
      Route{get, "/v1/plans", list_plans, list_plans_rules, many(plan)},
      Route{get, "/v1/plans/{plan}", retrieve_plan, retrieve_plan_rules, one(plan)},
      Route{post, "/v1/plans/{plan}", update_plan, update_plan_rules, one(plan), Home::catalog},
      Route{delete_, "/v1/plans/{plan}", delete_plan, delete_plan_rules, one(plan)},

      Route{post, "/v1/subscriptions", create_subscription, create_subscription_rules, one(subscription)},
      Route{get, "/v1/subscriptions", list_subscriptions, list_subscriptions_rules, many(subscription)},
      Route{get, "/v1/subscriptions/{subscription}",
            retrieve_subscription, retrieve_subscription_rules, one(subscription)},
      Route{post, "/v1/subscriptions/{subscription}",
            update_subscription, update_subscription_rules, one(subscription)},
      Route{delete_, "/v1/subscriptions/{subscription}",
            cancel_subscription, cancel_subscription_rules, one(subscription)},
      Route{post, "/v1/customers/{customer}/subscriptions",
            create_subscription, create_subscription_below_customer_rules, one(subscription)},
      Route{get, "/v1/customers/{customer}/subscriptions",
            list_subscriptions, list_subscriptions_below_customer_rules, many(subscription)},
      Route{get, "/v1/customers/{customer}/subscriptions/{subscription}",
            retrieve_subscription, retrieve_subscription_rules, one(subscription)},
      Route{post, "/v1/customers/{customer}/subscriptions/{subscription}",
            update_subscription, update_subscription_rules, one(subscription)},
      Route{delete_, "/v1/customers/{customer}/subscriptions/{subscription}",
            cancel_subscription, cancel_subscription_rules, one(subscription)},

      Route{get, "/v1/invoices", list_invoices, list_invoices_rules, many(invoice)},
      Route{get, "/v1/invoices/{invoice}", retrieve_invoice, retrieve_invoice_rules, one(invoice)},
      Route{post, "/v1/invoices/{invoice}", update_invoice, update_invoice_rules, one(invoice)},
      Route{post, "/v1/invoices/{invoice}/pay", pay_invoice, pay_invoice_rules, one(invoice)},
      Route{get, "/v1/invoices/{invoice}/lines", list_invoice_lines, list_invoice_lines_rules, many(line_item)},

      Route{get, "/v1/charges", list_charges, list_charges_rules, many(charge)},
      Route{get, "/v1/charges/{charge}", retrieve_charge, retrieve_charge_rules, one(charge)},

      Route{get, "/v1/events", list_events, list_events_rules, many(event)},
      Route{get, "/v1/events/{event}", retrieve_event, retrieve_event_rules, one(event)},

      Route{post, "/v1/test_helpers/test_clocks",
            create_test_clock, create_test_clock_rules, one(test_clock), Home::catalog},
      Route{get, "/v1/test_helpers/test_clocks", list_test_clocks, list_test_clocks_rules, many(test_clock)},
      Route{get, "/v1/test_helpers/test_clocks/{test_clock}",
            retrieve_test_clock, retrieve_test_clock_rules, one(test_clock)},
      Route{post, "/v1/test_helpers/test_clocks/{test_clock}/advance",
            advance_test_clock, advance_test_clock_rules, one(test_clock), Home::catalog},
      Route{delete_, "/v1/test_helpers/test_clocks/{test_clock}",
            delete_test_clock, delete_test_clock_rules, one(test_clock)},
  };
  // clang-format on
  return table;
}

}  // namespace billd::api::stripe
