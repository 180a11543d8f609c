// What requests say of invoice items: the same in /v1/invoiceitems and in previews.
#pragma once

#include <array>
#include <optional>

#include "net/api/stripe/known.hpp"

namespace billd::api::stripe {

inline constexpr std::array period_rules = {timestamp("start").required(), timestamp("end").required()};

/// The whole amount, or one unit's and how many; negative for a credit.
inline constexpr std::array invoice_item_rules = {
    integer("amount", -999'999'999'999, 999'999'999'999),
    integer("unit_amount", -999'999'999'999, 999'999'999'999),
    integer("quantity", 0, 1'000'000'000),
    text("description").clearable(),
    boolean("discountable"),
    map("period", period_rules),
    metadata(),
};

/// A pending item of the account, in the customer's currency unless the request names one.
Result<CreateInvoiceItem> read_new_invoice_item(const Arguments& arguments, const Account& account);

Result<UpdateInvoiceItem> read_invoice_item_changes(const Arguments& arguments, const KnownItem& item);

}  // namespace billd::api::stripe
