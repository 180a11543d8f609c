// What requests say of invoice items: the same in /v1/invoiceitems and in previews.
#pragma once

#include <array>
#include <optional>

#include "net/api/stripe/inline_prices.hpp"
#include "net/api/stripe/pricing_terms.hpp"

namespace billd::api::stripe {

inline constexpr std::array period_rules = {timestamp("start").required(), timestamp("end").required()};

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
