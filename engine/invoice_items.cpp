// Invoice items: what is billed once, pending on the account or on a draft.
#include <algorithm>
#include <limits>
#include <tuple>

#include "engine/amounts.hpp"
#include "engine/lookup.hpp"
#include "engine/one_time.hpp"

namespace billd {
namespace {

/// Source: Stripe, add_invoice_items takes up to 20 items.
constexpr std::size_t one_time_items_max = 20;

/// As many as Stripe takes in one list of discounts.
constexpr std::size_t discounts_max = 20;

/// Twelve digits are the most of any currency's amounts that Stripe takes; so the lines of an invoice always add up.
constexpr std::int64_t amount_max = 999'999'999'999;

Failure no_such_item(const InvoiceItemId& id) {
  return {Errc::not_found, "No such invoiceitem: " + id.value(), "invoiceitem"};
}

Failure too_many_items(std::string_view where) {
  return {Errc::limit_exceeded, "There can be at most 250 items " + std::string(where) + "."};
}

Result<void> check_period(const std::optional<Period>& period) {
  if (!period) return {};
  if (period->start > period->end || period->start < Timestamp() || period->end > end_of_time)
    return Failure{Errc::invalid_parameter, "The period must end after it starts.", "period"};
  return {};
}

/// A price that may be on an invoice item.
Result<void> check_one_time(const Price& price) {
  if (!price.one_time) return recurring_price_refused("price");
  return check_price(price);
}

/// A unit amount that belongs to no price of the catalog, and may be a credit.
Price unit_price(Money unit_amount) {
  Price price;
  price.unit_amount = unit_amount;
  return price;
}

Result<Money> amount_of(const Price& price, std::int64_t quantity) {
  if (quantity < 0)
    return Failure{Errc::invalid_parameter, "This value must be greater than or equal to 0.", "quantity"};
  auto amount = price.id.is_empty() ? multiply(price.unit_amount, quantity) : cost_of(price, quantity);
  if (!amount || amount->minor > amount_max || amount->minor < -amount_max)
    return Failure{Errc::invalid_parameter, "Amount must be no more than 999,999,999,999 minor units.", "amount"};
  return amount;
}

InvoiceLine line_of(InvoiceItem item, InvoiceLineId id) {
  InvoiceLine line;
  line.id = std::move(id);
  line.amount = item.amount;
  line.period = item.period;
  line.quantity = item.quantity;
  line.price = std::move(item.price);
  line.item = std::move(item.item);
  line.invoice_item = std::move(item.id);
  line.created = item.created;
  line.subscription = std::move(item.subscription);
  line.description = std::move(item.description);
  line.discountable = item.discountable;
  line.proration = item.proration;
  line.tax_rates = std::move(item.tax_rates);
  line.metadata = std::move(item.metadata);
  line.discounts = std::move(item.discounts);
  return line;
}

/// Whether the draft takes the item along.
bool takes(const Invoice& invoice, const InvoiceItem& item, Sweep sweep) {
  switch (sweep) {
    case Sweep::cycle:
      return item.subscription.is_empty() ? !item.bill_at : item.subscription == invoice.subscription;
    case Sweep::own:
      return item.subscription == invoice.subscription;
    case Sweep::by_hand:
      return invoice.subscription.is_empty() || item.subscription.is_empty() ||
             item.subscription == invoice.subscription;
    case Sweep::ended:
      return item.bill_at.has_value();
  }
  return false;
}

/// The draft that the command names, in the account.
template <class NamingInvoice>
Result<Invoice*> bring_in_draft(Change& change, const NamingInvoice& command) {
  const Invoice* found = look_up(change, command);
  if (found == nullptr) return no_such_invoice(command.invoice);
  if (found->status != InvoiceStatus::draft)
    return Failure{Errc::invalid_state, "The invoice is no longer a draft: its items cannot be changed.", "invoice"};
  return &bring_in(change, command);
}

/// The item's discounts as they were asked for, with those that it keeps of the ones that it has.
Result<std::vector<Discount>> discounts_for(Change& change, const InvoiceItem& item,
                                            const std::vector<ItemDiscount>& wanted) {
  std::vector<Discount> discounts;
  if (wanted.empty()) return discounts;
  if (wanted.size() > discounts_max) return wrong("An invoice item can have at most 20 discounts.", "discounts");
  if (!item.discountable)
    return wrong(
        "An invoice item has discounts of its own only if it is discountable, which credits and prorations "
        "are not by themselves.",
        "discounts");
  for (const ItemDiscount& each : wanted) {
    if (!each.kept.is_empty()) {
      const auto kept = std::ranges::find(item.discounts, each.kept, &Discount::id);
      if (kept == item.discounts.end())
        return Failure{Errc::not_found, "No such discount: " + each.kept.value(), "discounts"};
      discounts.push_back(*kept);
      continue;
    }
    auto redeemed = redeem(change, each.redemption, SubscriptionId(), &item.amount);
    if (!redeemed) return Failure{redeemed.error().code, redeemed.error().detail, "discounts"};
    discounts.push_back(std::move(*redeemed));
  }
  for (auto it = discounts.begin(); it != discounts.end(); ++it)
    if (std::any_of(discounts.begin(), it, [&](const Discount& other) { return other.coupon.id == it->coupon.id; }))
      return wrong("A coupon is taken from an invoice item once: " + it->coupon.id.value(), "discounts");
  return discounts;
}

/// The changes of a command to an item that is pending or on a draft.
Result<void> apply(Change& change, const UpdateInvoiceItem& command, InvoiceItem& item) {
  if (item.proration && (command.unit_amount || command.quantity || command.price))
    return Failure{Errc::invalid_parameter, "The amount of a proration cannot be changed.",
                   command.price         ? "price"
                   : command.unit_amount ? "amount"
                                         : "quantity"};
  if (item.price.is_metered() && (command.unit_amount || command.quantity || command.price))
    return Failure{Errc::invalid_parameter, "The amount of what was used cannot be changed.",
                   command.unit_amount ? "amount" : "quantity"};
  if (command.tax_rates) {
    auto rates_are_fine = check_tax_rates(*command.tax_rates, "tax_rates");
    if (!rates_are_fine) return rates_are_fine.error();
  }
  if (item.proration && command.discountable.value_or(false))
    return Failure{Errc::invalid_parameter, "Discounts do not apply to prorations.", "discountable"};
  auto period = check_period(command.period);
  if (!period) return period.error();
  if (command.unit_amount || command.quantity || command.price) {
    Price price = command.price.value_or(item.price);
    if (command.price) {
      auto once = check_one_time(price);
      if (!once) return once.error();
      if (price.currency() != item.amount.currency) return mixed_currencies(item.amount.currency);
    }
    if (command.unit_amount) price = unit_price({*command.unit_amount, item.amount.currency});
    const std::int64_t quantity = command.quantity.value_or(item.quantity);
    auto amount = amount_of(price, quantity);
    if (!amount) return amount.error();
    item.price = std::move(price);
    item.quantity = quantity;
    item.amount = *amount;
  }
  if (command.period) item.period = *command.period;
  if (command.description) item.description = *command.description;
  if (command.discountable) item.discountable = *command.discountable;
  if (command.tax_rates) item.tax_rates = *command.tax_rates;
  if (command.discounts) {
    auto discounts = discounts_for(change, item, *command.discounts);
    if (!discounts) return discounts.error();
    item.discounts = std::move(*discounts);
  }
  return patch(item.metadata, command.metadata);
}

/// The price that was named, or what a bare amount makes.
Result<Price> price_of(const CreateInvoiceItem& command) {
  const Price price = command.price.value_or(unit_price(command.unit_amount));
  if (command.price) {
    auto once = check_one_time(price);
    if (!once) return once.error();
  }
  if (price.currency().is_none())
    return Failure{Errc::missing_parameter, "Missing required param: currency.", "currency"};
  return price;
}

}  // namespace

Failure recurring_price_refused(std::string parameter) {
  return {Errc::invalid_parameter,
          "The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`.",
          std::move(parameter)};
}

Result<void> create_invoice_item(Change& change, const CreateInvoiceItem& command) {
  Account& account = change.account();
  if (account.customer.deleted) return no_such_customer(account.customer);
  auto price = price_of(command);
  if (!price) return price.error();
  auto rates_are_fine = check_tax_rates(command.tax_rates, "tax_rates");
  if (!rates_are_fine) return rates_are_fine.error();
  auto amount = amount_of(*price, command.quantity);
  if (!amount) return amount.error();
  auto period = check_period(command.period);
  if (!period) return period.error();
  const Currency agreed = currency_of(account);
  if (!agreed.is_none() && agreed != amount->currency) return mixed_currencies(agreed);
  if (!command.subscription.is_empty()) {
    const Subscription* subscription = account.find(command.subscription);
    if (subscription == nullptr || subscription->provisional)
      return Failure{Errc::not_found, "No such subscription: " + command.subscription.value(), "subscription"};
  }
  const bool is_pending = command.invoice.is_empty();
  if (is_pending && account.invoice_items.size() >= pending_items_max) return too_many_items("pending");

  InvoiceItem item;
  item.amount = *amount;
  item.quantity = command.quantity;
  item.price = std::move(*price);
  item.tax_rates = command.tax_rates;
  item.created = change.now;
  item.period = command.period.value_or(Period{whole_second(change.now), whole_second(change.now)});
  item.subscription = command.subscription;
  item.description = command.description;
  item.discountable = command.discountable.value_or(amount->minor >= 0);
  item.metadata = command.metadata;
  item.id = change.draw_id<InvoiceItemKind>();
  change.set_subject(item.id.value());
  auto discounts = discounts_for(change, item, command.discounts);
  if (!discounts) return discounts.error();
  item.discounts = std::move(*discounts);
  if (is_pending) {
    agree_on_currency(change, amount->currency);
    change.emit({EventType::invoiceitem_created}, item);
    account.invoice_items.push_back(std::move(item));
    return {};
  }
  auto draft = bring_in_draft(change, command);
  if (!draft) return draft.error();
  Invoice& invoice = **draft;
  if (invoice.lines.size() >= invoice_lines_max) return too_many_items("on an invoice");
  Invoice before = invoice;
  change.emit({EventType::invoiceitem_created}, item);
  invoice.lines.push_back(line_of(std::move(item), change.draw_id<InvoiceLineKind>()));
  auto total = total_up(change, invoice);
  if (!total) return total.error();
  change.emit_update(EventType::invoice_updated, std::move(before), invoice);
  return {};
}

Result<void> update_invoice_item(Change& change, const UpdateInvoiceItem& command) {
  Account& account = change.account();
  change.set_subject(command.item.value());
  if (command.invoice.is_empty()) {
    auto item = std::ranges::find(account.invoice_items, command.item, &InvoiceItem::id);
    if (item == account.invoice_items.end()) return no_such_item(command.item);
    InvoiceItem before = *item;
    auto applied = apply(change, command, *item);
    if (!applied) return applied.error();
    change.emit_update(EventType::invoiceitem_updated, std::move(before), *item);
    return {};
  }
  auto draft = bring_in_draft(change, command);
  if (!draft) return draft.error();
  Invoice& invoice = **draft;
  auto line = std::ranges::find(invoice.lines, command.item, &InvoiceLine::invoice_item);
  if (line == invoice.lines.end() || command.item.is_empty()) return no_such_item(command.item);
  Invoice before = invoice;
  InvoiceItem item_before = invoice_item_of(*line);
  InvoiceItem item = item_before;
  auto applied = apply(change, command, item);
  if (!applied) return applied.error();
  change.emit_update(EventType::invoiceitem_updated, std::move(item_before), item);
  *line = line_of(std::move(item), line->id);
  auto total = total_up(change, invoice);
  if (!total) return total.error();
  change.emit_update(EventType::invoice_updated, std::move(before), invoice);
  return {};
}

Result<void> delete_invoice_item(Change& change, const DeleteInvoiceItem& command) {
  Account& account = change.account();
  change.set_subject(command.item.value());
  if (command.invoice.is_empty()) {
    auto item = std::ranges::find(account.invoice_items, command.item, &InvoiceItem::id);
    if (item == account.invoice_items.end()) return no_such_item(command.item);
    change.emit({EventType::invoiceitem_deleted}, *item);
    account.invoice_items.erase(item);
    return {};
  }
  auto draft = bring_in_draft(change, command);
  if (!draft) return draft.error();
  Invoice& invoice = **draft;
  auto line = std::ranges::find(invoice.lines, command.item, &InvoiceLine::invoice_item);
  if (line == invoice.lines.end() || command.item.is_empty()) return no_such_item(command.item);
  Invoice before = invoice;
  change.emit({EventType::invoiceitem_deleted}, invoice_item_of(*line));
  invoice.lines.erase(line);
  auto total = total_up(change, invoice);
  if (!total) return total.error();
  change.emit_update(EventType::invoice_updated, std::move(before), invoice);
  return {};
}

Result<void> check_one_time_items(const std::vector<OneTimeItem>& items, Currency currency) {
  if (items.size() > one_time_items_max)
    return Failure{Errc::limit_exceeded, "At most 20 items can be added to an invoice in one request.",
                   "add_invoice_items"};
  for (const OneTimeItem& item : items) {
    auto once = check_one_time(item.price);
    if (!once) return once.error();
    if (item.price.currency() != currency) return mixed_currencies(currency);
    auto amount = amount_of(item.price, item.quantity);
    if (!amount) return amount.error();
  }
  return {};
}

void tell_of_items(Change& change, const std::vector<InvoiceItem>& items) {
  for (const InvoiceItem& item : items) change.emit({EventType::invoiceitem_created}, item);
}

Result<std::vector<InvoiceItem>> add_one_time_items(Change& change, const Subscription& subscription,
                                                    const std::vector<OneTimeItem>& items) {
  std::vector<InvoiceItem>& pending = change.account().invoice_items;
  std::vector<InvoiceItem> added;
  if (!items.empty() && pending.size() + items.size() > pending_items_max) return too_many_items("pending");
  for (const OneTimeItem& each : items) {
    auto amount = amount_of(each.price, each.quantity);
    if (!amount) return amount.error();
    InvoiceItem item;
    item.id = change.draw_id<InvoiceItemKind>();
    item.created = change.now;
    item.amount = *amount;
    item.quantity = each.quantity;
    item.price = each.price;
    item.period = Period{whole_second(change.now), whole_second(change.now)};
    item.subscription = subscription.id;
    item.description = each.description;
    added.push_back(item);
    pending.push_back(std::move(item));
    change.touch();
  }
  return added;
}

void forget_items(Change& change, const Subscription& subscription) {
  std::erase_if(change.account().invoice_items,
                [&](const InvoiceItem& item) { return item.subscription == subscription.id; });
  change.touch();
}

void take_pending_items(Change& change, Invoice& invoice, Sweep sweep) {
  std::vector<InvoiceItem>& pending = change.account().invoice_items;
  if (pending.empty()) return;
  std::vector<InvoiceItem> left;
  __int128 sum = magnitude_of(invoice.lines);
  for (InvoiceItem& item : pending) {
    const __int128 with_item = sum + magnitude_of(item.amount.minor);
    const bool has_room = invoice.lines.size() < invoice_lines_max &&
                          with_item <= std::numeric_limits<std::int64_t>::max() &&
                          item.amount.currency == invoice.total.currency;
    // What has no room, or is too much for 64 bits, waits for the next invoice.
    if (!has_room || !takes(invoice, item, sweep)) {
      left.push_back(std::move(item));
      continue;
    }
    sum = with_item;
    invoice.lines.push_back(line_of(std::move(item), change.draw_id<InvoiceLineKind>()));
  }
  pending = std::move(left);
}

void give_items_back(Change& change, const Invoice& invoice, std::optional<std::uint64_t> drawn_before) {
  if (change.customer().deleted) return;
  const AccountKey& key = change.account().key;
  const auto is_later = [&](const InvoiceItemId& id) {
    // What was brought along from elsewhere has no number.
    const auto number = AccountKey::of_id(id.value()) == key
                            ? object_number(key, id_body(id.value()).substr(account_key_length))
                            : std::nullopt;
    return number && drawn_before && *number > *drawn_before;
  };
  std::vector<InvoiceItem>& pending = change.account().invoice_items;
  for (const InvoiceLine& line : invoice.lines) {
    if (line.is_recurring() || is_later(line.invoice_item)) continue;
    InvoiceItem item = invoice_item_of(line);
    // No invoice of a subscription that has ended would take it again: the customer's next one does.
    const Subscription* subscription = change.account().find(item.subscription);
    if (subscription == nullptr || !subscription->is_live()) item.subscription = SubscriptionId();
    pending.push_back(std::move(item));
    change.touch();
  }
  std::ranges::sort(pending, {}, [](const InvoiceItem& item) { return std::tie(item.created, item.id); });
}

void drop_prorations(Change& change, const Subscription& subscription) {
  std::erase_if(change.account().invoice_items, [&](const InvoiceItem& item) {
    if (!item.proration || item.subscription != subscription.id) return false;
    change.emit({EventType::invoiceitem_deleted}, item);
    return true;
  });
}

void settle_pending_items(Change& change, const Subscription& subscription, Timestamp bill_at) {
  Account& account = change.account();
  const bool others_live = std::ranges::any_of(
      account.subscriptions, [&](const Subscription& other) { return other.id != subscription.id && other.is_live(); });
  // Source: Stripe, pending items "will still be charged for at the end of the period, unless manually deleted".
  for (InvoiceItem& item : account.invoice_items) {
    if (item.bill_at || (item.subscription != subscription.id && (others_live || !item.subscription.is_empty())))
      continue;
    item.bill_at = bill_at;
    item.days_until_due = subscription.collection == Collection::send_invoice ? subscription.days_until_due : 0;
    change.touch();
  }
}

Result<void> bill_ended_items(Change& change, const InvoiceItem& due) {
  Invoice invoice = begin_invoice(change, BillingReason::manual, due.amount.currency);
  if (due.days_until_due > 0) invoice.collection = Collection::send_invoice;
  invoice.due_at = due_time(invoice.collection, change.now, due.days_until_due);
  take_pending_items(change, invoice, Sweep::ended);
  auto total = total_up(change, invoice);
  if (!total) return total.error();
  change.emit({EventType::invoice_created}, invoice);
  change.account().invoices.push_back(std::move(invoice));
  return {};
}

}  // namespace billd
