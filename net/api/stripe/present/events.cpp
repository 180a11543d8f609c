// Events as Stripe shows them.
#include "net/api/stripe/present/words.hpp"
#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {

Object& Presenter::snapshot(const Snapshot& snapshot, const AccountKey& key) {
  const CustomerId customer = customer_of(key);
  const Owner owner{customer, nullptr};
  if (const auto* object = std::get_if<Customer>(&snapshot)) return customer_alone(*object, key, 28);
  if (const auto* source = std::get_if<Source>(&snapshot))
    return source->is_payment_method() ? payment_method(*source, customer) : this->source(*source, customer);
  if (const auto* object = std::get_if<Subscription>(&snapshot)) return subscription(*object, owner);
  if (const auto* object = std::get_if<Invoice>(&snapshot)) return invoice(*object, owner);
  if (const auto* item = std::get_if<InvoiceItem>(&snapshot)) return invoice_item(*item, customer);
  if (const auto* applied = std::get_if<Discount>(&snapshot)) return discount(*applied, customer);
  if (const auto* refunded = std::get_if<RefundSnapshot>(&snapshot))
    return refund(refunded->refund, refunded->charge, refunded->invoice);
  if (const auto* credited = std::get_if<CreditNoteSnapshot>(&snapshot))
    return credit_note(credited->note, credited->invoice, customer);
  if (const auto* planned = std::get_if<Schedule>(&snapshot)) return schedule(*planned, owner);
  if (const auto* identifier = std::get_if<TaxIdentifier>(&snapshot)) return tax_id(*identifier, customer);
  const auto& charged = std::get<ChargeSnapshot>(snapshot);
  return charge(charged.charge, charged.invoice, owner);
}

Object& Presenter::event(const store::StoredEvent& event) {
  const store::EventBatch& batch = *event.batch;
  Object& data = document_.object(2);
  const EventType type = event.event().type;
  const bool is_of_dispute = type == EventType::charge_dispute_created || type == EventType::charge_dispute_closed;
  const auto* disputed = is_of_dispute ? std::get_if<ChargeSnapshot>(&event.snapshot()) : nullptr;
  Object& now = disputed != nullptr ? dispute(disputed->charge) : snapshot(event.snapshot(), batch.key);
  data.add("object", now);
  if (const auto previous = event.event().previous) {
    Object& before = snapshot(batch.snapshots[*previous], batch.key);
    data.add("previous_attributes", document_.difference(before, now));
  }
  Object& object = document_.object(10);
  object.add("id", id(event.position.id()));
  object.add("object", "event");
  object.add("api_version", document_.text(Version().text()));
  object.add("created", time(batch.created));
  object.add("data", data);
  object.add("livemode", mode_ == Mode::live);
  object.add("pending_webhooks", 0);
  Object& request = document_.object(2);
  request.add("id", document_.text_or_null(batch.request_id));
  request.add("idempotency_key", document_.text_or_null(batch.idempotency_key));
  object.add("request", request);
  object.add("type", document_.text(to_text(event.event().type)));
  return object;
}

}  // namespace billd::api::stripe
