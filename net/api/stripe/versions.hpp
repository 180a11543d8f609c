// The versions of Stripe's API: which one a request speaks, and how answers to older ones differ.
#pragma once

#include <string>
#include <string_view>

#include "engine/result.hpp"
#include "net/api/document.hpp"

namespace billd::api::stripe {

/// A version by its date. Everything is rendered as the union of all versions; what two of them tell differently is
/// told as the newest does, and changed back for older ones by the table in versions.cpp.
class Version {
 public:
  /// The newest that billd knows.
  Version();

  /// "2018-05-21", or "2024-09-30.acacia"; any date is a version, as between two of Stripe's the older one holds.
  static Result<Version> parse(std::string_view text);

  bool is_before(std::string_view date) const { return text_ < date; }
  const std::string& text() const { return text_; }

 private:
  explicit Version(std::string_view text) : text_(text) {}
  std::string text_;
};

// From when on operations act otherwise; how answers differ stands in versions.cpp.

/// Before it a plan named by `plan` brought its trial along. Source: https://stripe.com/docs/upgrades.
inline constexpr std::string_view plans_bring_no_trial = "2018-05-21";
/// From it on an invoice made by hand leaves pending items where they are unless asked for them.
inline constexpr std::string_view invoices_exclude_pending_items = "2022-08-01";
/// Before it a subscription whose first payment was declined did not come into being.
inline constexpr std::string_view subscriptions_may_be_incomplete = "2019-03-14";

/// Changes the answer, and all objects in it, into what the version tells.
void apply(const Version& version, Document& document, Value answer);

}  // namespace billd::api::stripe
