// What requests say of invoices and their items, the same in several operations.
#pragma once

#include <array>
#include <optional>

#include "net/api/stripe/inline_prices.hpp"
#include "net/api/stripe/pricing_terms.hpp"

namespace billd::api::stripe {

inline constexpr std::array period_rules = {timestamp("start").required(), timestamp("end").required()};

inline constexpr std::int64_t footer_length_max = 5000;
inline constexpr std::int64_t statement_descriptor_length_max = 22;
inline constexpr std::array custom_field_rules = {text("name", 30).required(), text("value", 30).required()};

/// The custom fields of an invoice; empty: the request says nothing of them.
Result<std::optional<CustomFields>> read_custom_fields(const Arguments& arguments);
/// Likewise what is to be read on the statement of whoever pays.
Result<std::optional<std::string>> read_statement_descriptor(const Arguments& arguments);

/// The whole amount, or one unit's or a price and how many; negative for a credit.
inline constexpr std::array invoice_item_rules = {
    integer("amount", -999'999'999'999, 999'999'999'999),
    integer("unit_amount", -999'999'999'999, 999'999'999'999),
    text("unit_amount_decimal", 32),
    text("price"),
    map("price_data", inline_price_rules),
    integer("quantity", 0, 1'000'000'000),
    text("description").clearable(),
    boolean("discountable"),
    map("period", period_rules),
    list("tax_rates").clearable(),
    list("discounts", discount_rules).clearable(),
    metadata(),
};

/// A pending item of the account, in the customer's currency unless the request names one. `path` is where `arguments`
/// stand in the request.
awaitable<Result<CreateInvoiceItem>> read_new_invoice_item(Services& services, const Call& call, Known& known,
                                                           Arguments arguments, std::string path,
                                                           const Account& account);

awaitable<Result<UpdateInvoiceItem>> read_invoice_item_changes(Services& services, const Call& call, Known& known,
                                                               Arguments arguments, std::string path,
                                                               const KnownItem& item);

}  // namespace billd::api::stripe
