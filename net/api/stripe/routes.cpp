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
      Route{get, "/v1/customers/search", search_customers, search_customers_rules, many(customer)},
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
      Route{post, "/v1/customers/{customer}/bank_accounts", create_source, create_source_rules, one(card)},
      Route{get, "/v1/customers/{customer}/bank_accounts", list_sources, list_sources_rules, many(card)},
      Route{get, "/v1/customers/{customer}/bank_accounts/{id}", retrieve_source, retrieve_source_rules, one(card)},
      Route{post, "/v1/customers/{customer}/bank_accounts/{id}", update_source, update_source_rules, one(card)},
      Route{delete_, "/v1/customers/{customer}/bank_accounts/{id}", delete_source, delete_source_rules, one(card)},
      Route{post, "/v1/customers/{customer}/bank_accounts/{id}/verify", verify_source, verify_source_rules, one(card)},
      Route{post, "/v1/customers/{customer}/sources/{id}/verify", verify_source, verify_source_rules, one(card)},

      Route{post, "/v1/tokens", create_token, create_token_rules, one(token), Home::new_account},
      Route{get, "/v1/tokens/{token}", retrieve_token, retrieve_token_rules, one(token)},

      Route{post, "/v1/payment_methods",
            create_payment_method, create_payment_method_rules, one(payment_method), Home::new_account},
      Route{get, "/v1/payment_methods", list_payment_methods, list_payment_methods_rules, many(payment_method)},
      Route{get, "/v1/payment_methods/{payment_method}",
            retrieve_payment_method, retrieve_payment_method_rules, one(payment_method)},
      Route{post, "/v1/payment_methods/{payment_method}",
            update_payment_method, update_payment_method_rules, one(payment_method)},
      Route{post, "/v1/payment_methods/{payment_method}/attach",
            attach_payment_method, attach_payment_method_rules, one(payment_method), Home::customer},
      Route{post, "/v1/payment_methods/{payment_method}/detach",
            detach_payment_method, detach_payment_method_rules, one(payment_method)},
      Route{get, "/v1/customers/{customer}/payment_methods",
            list_payment_methods, list_payment_methods_below_customer_rules, many(payment_method)},
      Route{get, "/v1/customers/{customer}/payment_methods/{payment_method}",
            retrieve_payment_method, retrieve_payment_method_rules, one(payment_method)},

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

      Route{get, "/v1/customers/{customer}/subscription",
            retrieve_single_subscription, retrieve_subscription_rules, one(subscription)},
      Route{post, "/v1/customers/{customer}/subscription",
            put_single_subscription, put_single_subscription_rules, one(subscription)},
      Route{delete_, "/v1/customers/{customer}/subscription",
            cancel_single_subscription, cancel_subscription_rules, one(subscription)},

      Route{post, "/v1/subscription_items",
            create_subscription_item, create_subscription_item_rules, one(subscription_item)},
      Route{get, "/v1/subscription_items",
            list_subscription_items, list_subscription_items_rules, many(subscription_item)},
      Route{get, "/v1/subscription_items/{item}",
            retrieve_subscription_item, retrieve_subscription_item_rules, one(subscription_item)},
      Route{post, "/v1/subscription_items/{item}",
            update_subscription_item, update_subscription_item_rules, one(subscription_item)},
      Route{delete_, "/v1/subscription_items/{item}",
            delete_subscription_item, delete_subscription_item_rules, one(subscription_item)},

      Route{post, "/v1/invoiceitems", create_invoice_item, create_invoice_item_rules, one(invoice_item)},
      Route{get, "/v1/invoiceitems", list_invoice_items, list_invoice_items_rules, many(invoice_item)},
      Route{get, "/v1/invoiceitems/{invoiceitem}",
            retrieve_invoice_item, retrieve_invoice_item_rules, one(invoice_item)},
      Route{post, "/v1/invoiceitems/{invoiceitem}",
            update_invoice_item, update_invoice_item_rules, one(invoice_item)},
      Route{delete_, "/v1/invoiceitems/{invoiceitem}",
            delete_invoice_item, delete_invoice_item_rules, one(invoice_item)},

      Route{post, "/v1/invoices", create_invoice, create_invoice_rules, one(invoice)},
      Route{get, "/v1/invoices/upcoming", retrieve_upcoming_invoice, retrieve_upcoming_invoice_rules, one(invoice)},
      Route{get, "/v1/invoices/upcoming/lines",
            list_upcoming_invoice_lines, list_upcoming_invoice_lines_rules, many(line_item)},
      Route{get, "/v1/invoices", list_invoices, list_invoices_rules, many(invoice)},
      Route{get, "/v1/invoices/{invoice}", retrieve_invoice, retrieve_invoice_rules, one(invoice)},
      Route{post, "/v1/invoices/{invoice}", update_invoice, update_invoice_rules, one(invoice)},
      Route{delete_, "/v1/invoices/{invoice}", delete_invoice, delete_invoice_rules, one(invoice)},
      Route{post, "/v1/invoices/{invoice}/finalize", finalize_invoice, finalize_invoice_rules, one(invoice)},
      Route{post, "/v1/invoices/{invoice}/send", send_invoice, act_on_invoice_rules, one(invoice)},
      Route{post, "/v1/invoices/{invoice}/void", void_invoice, act_on_invoice_rules, one(invoice)},
      Route{post, "/v1/invoices/{invoice}/mark_uncollectible",
            mark_invoice_uncollectible, act_on_invoice_rules, one(invoice)},
      Route{post, "/v1/invoices/{invoice}/pay", pay_invoice, pay_invoice_rules, one(invoice)},
      Route{get, "/v1/invoices/{invoice}/lines", list_invoice_lines, list_invoice_lines_rules, many(line_item)},

      Route{get, "/v1/charges", list_charges, list_charges_rules, many(charge)},
      Route{get, "/v1/charges/{charge}", retrieve_charge, retrieve_charge_rules, one(charge)},
      Route{post, "/v1/charges/{charge}", update_charge, update_charge_rules, one(charge)},
      Route{post, "/v1/charges/{charge}/refund", create_refund, create_refund_below_charge_rules, one(charge)},
      Route{post, "/v1/charges/{charge}/refunds", create_refund, create_refund_below_charge_rules, one(refund)},
      Route{get, "/v1/charges/{charge}/refunds", list_refunds, list_refunds_below_charge_rules, many(refund)},
      Route{get, "/v1/charges/{charge}/refunds/{refund}", retrieve_refund, retrieve_refund_rules, one(refund)},
      Route{post, "/v1/charges/{charge}/refunds/{refund}", update_refund, update_refund_rules, one(refund)},

      Route{post, "/v1/refunds", create_refund, create_refund_rules, one(refund), Home::refunded},
      Route{get, "/v1/refunds", list_refunds, list_refunds_rules, many(refund)},
      Route{get, "/v1/refunds/{refund}", retrieve_refund, retrieve_refund_rules, one(refund)},
      Route{post, "/v1/refunds/{refund}", update_refund, update_refund_rules, one(refund)},

      Route{post, "/v1/setup_intents",
            create_setup_intent, create_setup_intent_rules, one(setup_intent), Home::new_account},
      Route{get, "/v1/setup_intents/{intent}", retrieve_setup_intent, retrieve_setup_intent_rules, one(setup_intent)},
      Route{post, "/v1/setup_intents/{intent}", update_setup_intent, update_setup_intent_rules, one(setup_intent)},
      Route{post, "/v1/setup_intents/{intent}/confirm",
            confirm_setup_intent, confirm_setup_intent_rules, one(setup_intent)},
      Route{post, "/v1/setup_intents/{intent}/cancel",
            cancel_setup_intent, cancel_setup_intent_rules, one(setup_intent)},

      Route{get, "/v1/payment_intents", list_payment_intents, list_payment_intents_rules, many(payment_intent)},
      Route{get, "/v1/payment_intents/{intent}",
            retrieve_payment_intent, retrieve_payment_intent_rules, one(payment_intent)},
      Route{post, "/v1/payment_intents/{intent}/confirm",
            confirm_payment_intent, confirm_payment_intent_rules, one(payment_intent)},

      Route{get, "/v1/events", list_events, list_events_rules, many(event)},
      Route{get, "/v1/events/{event}", retrieve_event, retrieve_event_rules, one(event)},
      Route{post, "/v1/events/{event}/retry", retry_event, retry_event_rules, one(event), Home::catalog},

      Route{post, "/v1/webhook_endpoints",
            create_webhook_endpoint, create_webhook_endpoint_rules, one(nothing), Home::catalog},
      Route{get, "/v1/webhook_endpoints", list_webhook_endpoints, list_webhook_endpoints_rules, many(nothing)},
      Route{get, "/v1/webhook_endpoints/{webhook_endpoint}",
            retrieve_webhook_endpoint, retrieve_webhook_endpoint_rules, one(nothing)},
      Route{post, "/v1/webhook_endpoints/{webhook_endpoint}",
            update_webhook_endpoint, update_webhook_endpoint_rules, one(nothing), Home::catalog},
      Route{post, "/v1/webhook_endpoints/{webhook_endpoint}/rotate_secret",
            rotate_webhook_secret, rotate_webhook_secret_rules, one(nothing), Home::catalog},
      Route{delete_, "/v1/webhook_endpoints/{webhook_endpoint}",
            delete_webhook_endpoint, delete_webhook_endpoint_rules, one(nothing)},

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
