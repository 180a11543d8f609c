// What objects of all kinds share, and the way from a name to its object.
#include "net/api/stripe/presenter.hpp"

#include <algorithm>

#include "net/api/stripe/present/words.hpp"

namespace billd::api::stripe {

Owner owner_of(const Known& known, std::string_view id) {
  if (const Account* account = known.account_of(id)) return {account->customer.id, account};
  const auto key = AccountKey::of_id(id);
  return {key ? customer_of(*key) : CustomerId(), nullptr};
}

Object& Presenter::list(std::string_view url, Array& data, bool has_more, std::optional<std::size_t> total) {
  Object& list = document_.object(5);
  list.add("object", "list");
  list.add("data", data);
  list.add("has_more", has_more);
  if (total) list.add("total_count", count(*total));
  list.add("url", document_.text(url));
  return list;
}

Object& Presenter::deleted(std::string_view id, std::string_view kind) {
  Object& object = document_.object(3);
  object.add("id", document_.text(id));
  object.add("object", document_.text(kind));
  object.add("deleted", true);
  return object;
}

Object& Presenter::metadata(const Metadata& metadata) {
  Object& object = document_.object(metadata.size());
  for (const auto& [key, value] : metadata) object.add(document_.copy(key), document_.text(value));
  return object;
}

Value Presenter::address(const Address& address) {
  if (address == Address()) return {};
  Object& object = document_.object(6);
  object.add("city", document_.text_or_null(address.city));
  object.add("country", document_.text_or_null(address.country));
  object.add("line1", document_.text_or_null(address.line1));
  object.add("line2", document_.text_or_null(address.line2));
  object.add("postal_code", document_.text_or_null(address.postal_code));
  object.add("state", document_.text_or_null(address.state));
  return object;
}

Object* Presenter::find(Kind kind, std::string_view id) {
  const Owner owner = owner_of(known_, id);
  switch (kind) {
    case Kind::customer: {
      const Account* account = known_.account_of(id);
      return account != nullptr && account->customer.id.value() == id ? &customer(*account) : nullptr;
    }
    case Kind::card: {
      const Source* source = known_.source(id);
      return source != nullptr ? &this->source(*source, owner.customer) : nullptr;
    }
    case Kind::subscription: {
      const Subscription* found = known_.subscription(id);
      return found != nullptr ? &subscription(*found, owner) : nullptr;
    }
    case Kind::invoice: {
      const Invoice* found = known_.invoice(id);
      return found != nullptr ? &invoice(*found, owner) : nullptr;
    }
    case Kind::charge: {
      const Invoice* of = known_.invoice_of_charge(id);
      if (of == nullptr) return nullptr;
      const auto at =
          std::ranges::find(of->charges, id, [](const Charge& each) -> std::string_view { return each.id.value(); });
      return at != of->charges.end() ? &charge(*at, of->id, owner) : nullptr;
    }
    case Kind::refund: {
      const Invoice* of = known_.invoice_of_refund(id);
      if (of == nullptr) return nullptr;
      for (const Charge& charge : of->charges)
        for (const Refund& each : charge.refunds)
          if (each.id.value() == id) return &refund(each, charge.id, of->id);
      return nullptr;
    }
    case Kind::credit_note: {
      const Invoice* of = known_.invoice_of_credit_note(id);
      if (of == nullptr) return nullptr;
      const auto at = std::ranges::find(of->credit_notes, id,
                                        [](const CreditNote& each) -> std::string_view { return each.id.value(); });
      return at != of->credit_notes.end() ? &credit_note(*at, of->id, owner.customer) : nullptr;
    }
    case Kind::schedule: {
      const Schedule* found = known_.schedule(id);
      return found != nullptr ? &schedule(*found, owner) : nullptr;
    }
    case Kind::balance_transaction: {
      const BalanceTransaction* found = known_.balance_transaction(id);
      return found != nullptr ? &balance_transaction(*found, owner.customer) : nullptr;
    }
    case Kind::plan: {
      const Plan* found = known_.plan(PlanId(std::string(id)));
      return found != nullptr ? &plan(*found) : nullptr;
    }
    case Kind::price: {
      const Plan* found = known_.plan(PlanId(std::string(id)));
      return found != nullptr ? &price(*found) : nullptr;
    }
    case Kind::product: {
      const Product* found = known_.product(id);
      return found != nullptr ? &product(*found) : nullptr;
    }
    case Kind::test_clock: {
      const TestClock* found = known_.test_clock(id);
      return found != nullptr ? &test_clock(*found) : nullptr;
    }
    case Kind::payment_method: {
      const Source* source = known_.source(id);
      const Account* account = known_.owner_of_source(id);
      return source != nullptr ? &payment_method(*source, account->customer.id) : nullptr;
    }
    case Kind::payment_intent: {
      const Invoice* of = known_.payment(invoice_of_payment_intent(id).value());
      return of != nullptr && has_payment_intent(*of) ? &payment_intent(*of, owner) : nullptr;
    }
    case Kind::tax_id: {
      if (owner.account == nullptr) return nullptr;
      const auto& all = owner.account->customer.tax_identifiers;
      const auto at = std::ranges::find(all, TaxIdentifierId(std::string(id)), &TaxIdentifier::id);
      return at != all.end() ? &tax_id(*at, owner.customer) : nullptr;
    }
    case Kind::subscription_item: {
      const Subscription* of = known_.subscription_of_item(id);
      if (of == nullptr) return nullptr;
      const auto at = std::ranges::find(
          of->items, id, [](const SubscriptionItem& each) -> std::string_view { return each.id.value(); });
      return &subscription_item(*at, *of);
    }
    case Kind::invoice_item: {
      const auto found = known_.invoice_item(id);
      return found ? &invoice_item(found->item, owner.customer, found->invoice) : nullptr;
    }
    case Kind::discount: {
      const Discount* found = known_.discount(id);
      return found != nullptr ? &discount(*found, owner.customer) : nullptr;
    }
    case Kind::nothing:
    case Kind::setup_intent:
    case Kind::phase:
    case Kind::phase_item:
    case Kind::invoice_settings:
    case Kind::token:
    case Kind::coupon:
    case Kind::promotion_code:
    case Kind::tax_rate:
    case Kind::pending_update:
    case Kind::line_item:
    case Kind::event:
      return nullptr;
  }
  return nullptr;
}

}  // namespace billd::api::stripe
