// The operations of the Stripe face: one function for each, and the table of parameters that it takes.
#pragma once

#include <span>

#include "net/api/stripe/parameters.hpp"
#include "net/api/stripe/services.hpp"

namespace billd::api::stripe {

/// Carries out a call whose parameters have been checked. A failure becomes Stripe's error.
using Operation = awaitable<Result<Outcome>> (*)(Services& services, Call call);

// customers.cpp
extern const std::span<const Rule> create_customer_rules, retrieve_customer_rules, update_customer_rules,
    delete_customer_rules, list_customers_rules;
awaitable<Result<Outcome>> create_customer(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_customer(Services& services, Call call);
awaitable<Result<Outcome>> update_customer(Services& services, Call call);
awaitable<Result<Outcome>> delete_customer(Services& services, Call call);
awaitable<Result<Outcome>> list_customers(Services& services, Call call);

// discounts.cpp: of a customer, and of a subscription below it or at the top.
extern const std::span<const Rule> retrieve_discount_rules, delete_discount_rules;
awaitable<Result<Outcome>> retrieve_discount(Services& services, Call call);
awaitable<Result<Outcome>> delete_discount(Services& services, Call call);

// customer_search.cpp
extern const std::span<const Rule> search_customers_rules;
awaitable<Result<Outcome>> search_customers(Services& services, Call call);

// sources.cpp
extern const std::span<const Rule> create_source_rules, retrieve_source_rules, update_source_rules, delete_source_rules,
    list_sources_rules, verify_source_rules;
awaitable<Result<Outcome>> create_source(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_source(Services& services, Call call);
awaitable<Result<Outcome>> update_source(Services& services, Call call);
awaitable<Result<Outcome>> delete_source(Services& services, Call call);
awaitable<Result<Outcome>> list_sources(Services& services, Call call);
awaitable<Result<Outcome>> verify_source(Services& services, Call call);

// tokens.cpp
extern const std::span<const Rule> create_token_rules, retrieve_token_rules;
awaitable<Result<Outcome>> create_token(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_token(Services& services, Call call);

// payment_methods.cpp: top-level, and below a customer.
extern const std::span<const Rule> create_payment_method_rules, retrieve_payment_method_rules,
    update_payment_method_rules, attach_payment_method_rules, detach_payment_method_rules, list_payment_methods_rules,
    list_payment_methods_below_customer_rules;
awaitable<Result<Outcome>> create_payment_method(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_payment_method(Services& services, Call call);
awaitable<Result<Outcome>> update_payment_method(Services& services, Call call);
awaitable<Result<Outcome>> attach_payment_method(Services& services, Call call);
awaitable<Result<Outcome>> detach_payment_method(Services& services, Call call);
awaitable<Result<Outcome>> list_payment_methods(Services& services, Call call);

// prices.cpp: plans and prices.
extern const std::span<const Rule> create_plan_rules, retrieve_plan_rules, update_plan_rules, delete_plan_rules,
    list_plans_rules;
awaitable<Result<Outcome>> create_plan(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_plan(Services& services, Call call);
awaitable<Result<Outcome>> update_plan(Services& services, Call call);
awaitable<Result<Outcome>> delete_plan(Services& services, Call call);
awaitable<Result<Outcome>> list_plans(Services& services, Call call);
extern const std::span<const Rule> create_price_rules, retrieve_price_rules, update_price_rules, list_prices_rules;
awaitable<Result<Outcome>> create_price(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_price(Services& services, Call call);
awaitable<Result<Outcome>> update_price(Services& services, Call call);
awaitable<Result<Outcome>> list_prices(Services& services, Call call);

// products.cpp
extern const std::span<const Rule> create_product_rules, retrieve_product_rules, update_product_rules,
    delete_product_rules, list_products_rules;
awaitable<Result<Outcome>> create_product(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_product(Services& services, Call call);
awaitable<Result<Outcome>> update_product(Services& services, Call call);
awaitable<Result<Outcome>> delete_product(Services& services, Call call);
awaitable<Result<Outcome>> list_products(Services& services, Call call);

// coupons.cpp: coupons and promotion codes.
extern const std::span<const Rule> create_coupon_rules, retrieve_coupon_rules, update_coupon_rules, delete_coupon_rules,
    list_coupons_rules, create_promotion_code_rules, retrieve_promotion_code_rules, update_promotion_code_rules,
    list_promotion_codes_rules;
awaitable<Result<Outcome>> create_coupon(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_coupon(Services& services, Call call);
awaitable<Result<Outcome>> update_coupon(Services& services, Call call);
awaitable<Result<Outcome>> delete_coupon(Services& services, Call call);
awaitable<Result<Outcome>> list_coupons(Services& services, Call call);
awaitable<Result<Outcome>> create_promotion_code(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_promotion_code(Services& services, Call call);
awaitable<Result<Outcome>> update_promotion_code(Services& services, Call call);
awaitable<Result<Outcome>> list_promotion_codes(Services& services, Call call);

// tax_rates.cpp
extern const std::span<const Rule> create_tax_rate_rules, retrieve_tax_rate_rules, update_tax_rate_rules,
    list_tax_rates_rules;
awaitable<Result<Outcome>> create_tax_rate(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_tax_rate(Services& services, Call call);
awaitable<Result<Outcome>> update_tax_rate(Services& services, Call call);
awaitable<Result<Outcome>> list_tax_rates(Services& services, Call call);

// subscriptions.cpp: top-level, and below a customer.
extern const std::span<const Rule> create_subscription_rules, create_subscription_below_customer_rules,
    retrieve_subscription_rules, update_subscription_rules, cancel_subscription_rules, resume_subscription_rules,
    list_subscriptions_rules, list_subscriptions_below_customer_rules, put_single_subscription_rules;
awaitable<Result<Outcome>> create_subscription(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_subscription(Services& services, Call call);
awaitable<Result<Outcome>> update_subscription(Services& services, Call call);
awaitable<Result<Outcome>> cancel_subscription(Services& services, Call call);
awaitable<Result<Outcome>> resume_subscription(Services& services, Call call);
awaitable<Result<Outcome>> list_subscriptions(Services& services, Call call);
// The only subscription of a customer, as the first versions know it.
awaitable<Result<Outcome>> retrieve_single_subscription(Services& services, Call call);
awaitable<Result<Outcome>> put_single_subscription(Services& services, Call call);
awaitable<Result<Outcome>> cancel_single_subscription(Services& services, Call call);

// tax_ids.cpp
extern const std::span<const Rule> create_tax_id_rules, retrieve_tax_id_rules, delete_tax_id_rules, list_tax_ids_rules;
awaitable<Result<Outcome>> create_tax_id(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_tax_id(Services& services, Call call);
awaitable<Result<Outcome>> delete_tax_id(Services& services, Call call);
awaitable<Result<Outcome>> list_tax_ids(Services& services, Call call);

// subscription_items.cpp
extern const std::span<const Rule> create_subscription_item_rules, retrieve_subscription_item_rules,
    update_subscription_item_rules, delete_subscription_item_rules, list_subscription_items_rules;
awaitable<Result<Outcome>> create_subscription_item(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_subscription_item(Services& services, Call call);
awaitable<Result<Outcome>> update_subscription_item(Services& services, Call call);
awaitable<Result<Outcome>> delete_subscription_item(Services& services, Call call);
awaitable<Result<Outcome>> list_subscription_items(Services& services, Call call);

// usage_records.cpp
extern const std::span<const Rule> create_usage_record_rules, list_usage_summaries_rules;
awaitable<Result<Outcome>> create_usage_record(Services& services, Call call);
awaitable<Result<Outcome>> list_usage_summaries(Services& services, Call call);

// invoice_items.cpp
extern const std::span<const Rule> create_invoice_item_rules, retrieve_invoice_item_rules, update_invoice_item_rules,
    delete_invoice_item_rules, list_invoice_items_rules;
awaitable<Result<Outcome>> create_invoice_item(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_invoice_item(Services& services, Call call);
awaitable<Result<Outcome>> update_invoice_item(Services& services, Call call);
awaitable<Result<Outcome>> delete_invoice_item(Services& services, Call call);
awaitable<Result<Outcome>> list_invoice_items(Services& services, Call call);

// invoices.cpp
extern const std::span<const Rule> create_invoice_rules, retrieve_invoice_rules, update_invoice_rules,
    delete_invoice_rules, finalize_invoice_rules, act_on_invoice_rules, pay_invoice_rules, list_invoices_rules,
    list_invoice_lines_rules;
awaitable<Result<Outcome>> create_invoice(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_invoice(Services& services, Call call);
awaitable<Result<Outcome>> update_invoice(Services& services, Call call);
awaitable<Result<Outcome>> delete_invoice(Services& services, Call call);
awaitable<Result<Outcome>> finalize_invoice(Services& services, Call call);
awaitable<Result<Outcome>> pay_invoice(Services& services, Call call);
awaitable<Result<Outcome>> send_invoice(Services& services, Call call);
awaitable<Result<Outcome>> void_invoice(Services& services, Call call);
awaitable<Result<Outcome>> mark_invoice_uncollectible(Services& services, Call call);
awaitable<Result<Outcome>> list_invoices(Services& services, Call call);
awaitable<Result<Outcome>> list_invoice_lines(Services& services, Call call);

// upcoming.cpp
extern const std::span<const Rule> retrieve_upcoming_invoice_rules, list_upcoming_invoice_lines_rules,
    preview_invoice_rules;
awaitable<Result<Outcome>> retrieve_upcoming_invoice(Services& services, Call call);
awaitable<Result<Outcome>> list_upcoming_invoice_lines(Services& services, Call call);
awaitable<Result<Outcome>> preview_invoice(Services& services, Call call);

// gateway_faults.cpp
extern const std::span<const Rule> retrieve_gateway_faults_rules, set_gateway_faults_rules;
awaitable<Result<Outcome>> retrieve_gateway_faults(Services& services, Call call);
awaitable<Result<Outcome>> set_gateway_faults(Services& services, Call call);

// charges.cpp
extern const std::span<const Rule> create_charge_rules, retrieve_charge_rules, update_charge_rules, list_charges_rules;
awaitable<Result<Outcome>> create_charge(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_charge(Services& services, Call call);
awaitable<Result<Outcome>> update_charge(Services& services, Call call);
awaitable<Result<Outcome>> list_charges(Services& services, Call call);

// refunds.cpp: top-level, and below a charge.
extern const std::span<const Rule> create_refund_rules, create_refund_below_charge_rules, retrieve_refund_rules,
    update_refund_rules, list_refunds_rules, list_refunds_below_charge_rules;
awaitable<Result<Outcome>> create_refund(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_refund(Services& services, Call call);
awaitable<Result<Outcome>> update_refund(Services& services, Call call);
awaitable<Result<Outcome>> list_refunds(Services& services, Call call);

// credit_notes.cpp
extern const std::span<const Rule> create_credit_note_rules, preview_credit_note_rules, preview_credit_note_lines_rules,
    retrieve_credit_note_rules, update_credit_note_rules, void_credit_note_rules, list_credit_notes_rules,
    list_credit_note_lines_rules;
awaitable<Result<Outcome>> create_credit_note(Services& services, Call call);
awaitable<Result<Outcome>> preview_credit_note(Services& services, Call call);
awaitable<Result<Outcome>> preview_credit_note_lines(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_credit_note(Services& services, Call call);
awaitable<Result<Outcome>> update_credit_note(Services& services, Call call);
awaitable<Result<Outcome>> void_credit_note(Services& services, Call call);
awaitable<Result<Outcome>> list_credit_notes(Services& services, Call call);
awaitable<Result<Outcome>> list_credit_note_lines(Services& services, Call call);

// balance_transactions.cpp
extern const std::span<const Rule> create_balance_transaction_rules, retrieve_balance_transaction_rules,
    update_balance_transaction_rules, list_balance_transactions_rules;
awaitable<Result<Outcome>> create_balance_transaction(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_balance_transaction(Services& services, Call call);
awaitable<Result<Outcome>> update_balance_transaction(Services& services, Call call);
awaitable<Result<Outcome>> list_balance_transactions(Services& services, Call call);

// schedules.cpp
extern const std::span<const Rule> create_schedule_rules, retrieve_schedule_rules, update_schedule_rules,
    cancel_schedule_rules, release_schedule_rules, list_schedules_rules;
awaitable<Result<Outcome>> create_schedule(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_schedule(Services& services, Call call);
awaitable<Result<Outcome>> update_schedule(Services& services, Call call);
awaitable<Result<Outcome>> cancel_schedule(Services& services, Call call);
awaitable<Result<Outcome>> release_schedule(Services& services, Call call);
awaitable<Result<Outcome>> list_schedules(Services& services, Call call);

// setup_intents.cpp
extern const std::span<const Rule> create_setup_intent_rules, retrieve_setup_intent_rules, update_setup_intent_rules,
    confirm_setup_intent_rules, cancel_setup_intent_rules, list_setup_intents_rules;
awaitable<Result<Outcome>> create_setup_intent(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_setup_intent(Services& services, Call call);
awaitable<Result<Outcome>> update_setup_intent(Services& services, Call call);
awaitable<Result<Outcome>> confirm_setup_intent(Services& services, Call call);
awaitable<Result<Outcome>> cancel_setup_intent(Services& services, Call call);
awaitable<Result<Outcome>> list_setup_intents(Services& services, Call call);

// payment_intents.cpp
extern const std::span<const Rule> create_payment_intent_rules, retrieve_payment_intent_rules,
    confirm_payment_intent_rules, list_payment_intents_rules;
awaitable<Result<Outcome>> create_payment_intent(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_payment_intent(Services& services, Call call);
awaitable<Result<Outcome>> confirm_payment_intent(Services& services, Call call);
awaitable<Result<Outcome>> list_payment_intents(Services& services, Call call);

// events.cpp
extern const std::span<const Rule> retrieve_event_rules, list_events_rules, retry_event_rules;
awaitable<Result<Outcome>> retrieve_event(Services& services, Call call);
awaitable<Result<Outcome>> list_events(Services& services, Call call);
awaitable<Result<Outcome>> retry_event(Services& services, Call call);

// webhook_endpoints.cpp
extern const std::span<const Rule> create_webhook_endpoint_rules, retrieve_webhook_endpoint_rules,
    update_webhook_endpoint_rules, rotate_webhook_secret_rules, delete_webhook_endpoint_rules,
    list_webhook_endpoints_rules;
awaitable<Result<Outcome>> create_webhook_endpoint(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_webhook_endpoint(Services& services, Call call);
awaitable<Result<Outcome>> update_webhook_endpoint(Services& services, Call call);
awaitable<Result<Outcome>> rotate_webhook_secret(Services& services, Call call);
awaitable<Result<Outcome>> delete_webhook_endpoint(Services& services, Call call);
awaitable<Result<Outcome>> list_webhook_endpoints(Services& services, Call call);

// test_clocks.cpp
extern const std::span<const Rule> create_test_clock_rules, retrieve_test_clock_rules, advance_test_clock_rules,
    delete_test_clock_rules, list_test_clocks_rules;
awaitable<Result<Outcome>> create_test_clock(Services& services, Call call);
awaitable<Result<Outcome>> retrieve_test_clock(Services& services, Call call);
awaitable<Result<Outcome>> advance_test_clock(Services& services, Call call);
awaitable<Result<Outcome>> delete_test_clock(Services& services, Call call);
awaitable<Result<Outcome>> list_test_clocks(Services& services, Call call);

}  // namespace billd::api::stripe
