#include "net/api/stripe/versions.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace billd::api::stripe {
namespace {

constexpr std::string_view newest = "2023-08-16";

/// Before the date, objects of the kind ("invoice") were told as `change_back` leaves them.
struct Difference {
  std::string_view date;
  std::string_view object;
  void (*change_back)(Document& document, Object& object);
};

void name_creation_an_update(Document&, Object& invoice) {
  Value* reason = invoice.find("billing_reason");
  if (reason != nullptr && reason->is_text() && reason->text() == "subscription_create")
    *reason = "subscription_update";
}

void name_line_after_subscription(Document&, Object& line) {
  const Value* subscription = line.find("subscription");
  if (line.find("invoice_item") != nullptr) return;
  if (subscription != nullptr && subscription->is_text()) line.set("id", *subscription);
}

/// Source: "requires_source" and "requires_source_action" were renamed on that day.
void name_status_after_sources(Document&, Object& intent) {
  Value* status = intent.find("status");
  if (status == nullptr || !status->is_text()) return;
  if (status->text() == "requires_payment_method") *status = "requires_source";
  if (status->text() == "requires_action") *status = "requires_source_action";
}

/// Source: the status came with that version; nothing is billed and nobody is owed anything, as while it is unpaid.
void name_pause_unpaid(Document&, Object& subscription) {
  Value* status = subscription.find("status");
  if (status != nullptr && status->is_text() && status->text() == "paused") *status = "unpaid";
}

/// What is not paid yet is past due, and what was not paid in time is over, in versions that know nothing incomplete.
void name_incomplete_after_payment(Document&, Object& subscription) {
  Value* status = subscription.find("status");
  if (status == nullptr || !status->is_text()) return;
  if (status->text() == "incomplete") *status = "past_due";
  if (status->text() == "incomplete_expired") *status = "canceled";
}

/// Lines had no identifiers of their own: that of an invoice item named its line, too.
void name_line_after_invoice_item(Document&, Object& line) {
  const Value* item = line.find("invoice_item");
  if (item != nullptr && item->is_text()) line.set("id", *item);
}

void shorten_request_to_its_id(Document&, Object& event) {
  const Value* request = event.find("request");
  if (request != nullptr && request->object() != nullptr) event.set("request", *request->object()->find("id"));
}

/// A share was a whole number, 1 at least, and percent_off_precise told what it really was.
void tell_share_as_integer(Document&, Object& coupon) {
  Value* share = coupon.find("percent_off");
  if (share == nullptr || share->kind() != Value::Kind::number) return;
  const std::string_view text = share->text();
  std::int64_t whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (error != std::errc()) return;
  const auto point = static_cast<std::size_t>(end - text.data());
  if (point + 1 < text.size() && text[point + 1] >= '5') whole += 1;
  *share = std::max<std::int64_t>(whole, 1);
}

// Newest first. Source: https://stripe.com/docs/upgrades#api-changelog.
constexpr std::array differences = {
    Difference{"2022-11-15", "subscription", name_pause_unpaid},
    Difference{"2019-12-03", "line_item", name_line_after_invoice_item},
    Difference{subscriptions_may_be_incomplete, "subscription", name_incomplete_after_payment},
    Difference{"2019-02-11", "payment_intent", name_status_after_sources},
    Difference{"2018-10-31", "invoice", name_creation_an_update},
    Difference{"2018-07-27", "coupon", tell_share_as_integer},
    Difference{"2018-05-21", "line_item", name_line_after_subscription},
    Difference{"2017-05-25", "event", shorten_request_to_its_id},
};

bool is_digit(char character) { return character >= '0' && character <= '9'; }

void visit(const Version& version, Document& document, const Value& value) {
  if (const Array* array = value.array()) {
    for (const Value& each : array->values()) visit(version, document, each);
    return;
  }
  Object* object = value.object();
  if (object == nullptr) return;
  for (const Member& member : object->members()) visit(version, document, member.value);
  const Value* kind = object->find("object");
  if (kind == nullptr || !kind->is_text()) return;
  for (const Difference& difference : differences) {
    if (!version.is_before(difference.date)) return;
    if (kind->text() == difference.object) difference.change_back(document, *object);
  }
}

}  // namespace

Version::Version() : text_(newest) {}

Result<Version> Version::parse(std::string_view text) {
  const std::string_view date = text.substr(0, 10);
  bool well_formed = date.size() == 10 && (text.size() == 10 || text[10] == '.') && text.size() <= 40;
  for (std::size_t i = 0; well_formed && i < date.size(); ++i)
    well_formed = i == 4 || i == 7 ? date[i] == '-' : is_digit(date[i]);
  if (!well_formed)
    return Failure{Errc::invalid_parameter, "Invalid Stripe API version: " + std::string(text.substr(0, 40))};
  return Version(text);
}

void apply(const Version& version, Document& document, Value answer) {
  if (version.is_before(differences.front().date)) visit(version, document, answer);
}

}  // namespace billd::api::stripe
