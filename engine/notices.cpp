// What customers are told ahead of time: the next invoice, and that a card is about to expire.
#include <algorithm>

#include "engine/change.hpp"
#include "engine/decide.hpp"

namespace billd {

std::optional<Timestamp> last_month_of(const CardSummary& card) {
  if (card.exp_month < 1 || card.exp_month > 12 || card.exp_year < 1970 || card.exp_year > 2199) return std::nullopt;
  return std::chrono::sys_days(std::chrono::year(card.exp_year) /
                               std::chrono::month(static_cast<unsigned>(card.exp_month)) / 1);
}

void plan_expiry_notice(const Change& change, Source& source) {
  source.expiring_at.reset();
  if (source.card() != nullptr) source.expiring_at = last_month_of(source.card()->summary);
  // In its last month or later it is no news.
  if (source.expiring_at && *source.expiring_at <= change.now) source.expiring_at.reset();
}

void announce_expiry(Change& change, Source& source) {
  const auto month = source.card() != nullptr ? last_month_of(source.card()->summary) : std::nullopt;
  source.expiring_at.reset();
  change.touch();
  // Source: Stripe, "Occurs whenever a source will expire at the end of the month". After that month it comes too late.
  if (month && change.now < boundary(*month, {Interval::month, 1}, 1))
    change.emit({EventType::source_expiring}, source);
}

void plan_upcoming_notice(const Change& change, Subscription& subscription) {
  subscription.upcoming_at.reset();
  if (change.rules.upcoming_notice <= Duration(0)) return;
  const Timestamp notice = subscription.current_period.end - change.rules.upcoming_notice;
  // Source: Stripe tells nothing of periods that are shorter than the notice.
  if (notice > change.now) subscription.upcoming_at = notice;
}

Result<void> announce_upcoming(Change& change, Subscription& subscription) {
  subscription.upcoming_at.reset();
  change.touch();
  if (subscription.current_period.end <= change.now) return {};  // The invoice itself is there.
  auto upcoming = preview(change.account(), std::nullopt, subscription.id, change.now, change.rules);
  if (!upcoming && upcoming.error().code == Errc::not_found) return {};
  if (!upcoming) return upcoming.error();
  // It has no identifier: there is no such invoice yet.
  upcoming->id = InvoiceId();
  upcoming->number.clear();
  upcoming->provisional = false;
  change.emit({EventType::invoice_upcoming}, *upcoming);
  return {};
}

}  // namespace billd
