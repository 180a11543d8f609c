// Where a merchant wants to be told of events.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/account.hpp"

namespace billd {

struct WebhookEndpointKind {
  static constexpr std::string_view prefix = "we_";
};
using WebhookEndpointId = Id<WebhookEndpointKind>;

/// Source: https://docs.stripe.com/api/webhook_endpoints. Its secret is derived from the daemon's master secret and
/// `secret_generation`, and stored nowhere.
struct WebhookEndpoint {
  WebhookEndpointId id;
  Timestamp created;
  std::string url;
  std::vector<std::string> enabled_events;  ///< types such as "invoice.paid", "invoice.*", or "*"
  std::string description;
  Metadata metadata;
  std::string api_version;  ///< in which events are shown to it; empty: billd's own
  bool is_disabled = false;
  std::string disabled_because;  ///< why billd itself disabled it; empty: somebody did
  std::uint32_t secret_generation = 1;
  Timestamp previous_secret_until;  ///< until then the secret of the generation before is valid, too
  std::string secret_mark;          ///< tells whether a master secret is the one that the secret was derived from
  /// Since when it is enabled, by the clock of the store: earlier events are not delivered to it.
  Timestamp enabled_at;

  bool operator==(const WebhookEndpoint&) const = default;
};

/// Whether a list of types, with "*" for all and "invoice.*" for all of the invoices', names this one.
inline bool names_type(const std::vector<std::string>& types, std::string_view type) {
  for (const std::string_view wanted : types) {
    if (wanted == "*" || wanted == type) return true;
    if (wanted.ends_with(".*") && type.starts_with(wanted.substr(0, wanted.size() - 1))) return true;
  }
  return false;
}

}  // namespace billd
