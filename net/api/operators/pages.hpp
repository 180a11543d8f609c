// The operators' pages: the status with its parts, one queue, one account, what an action would do, the audit log.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/api/operators/control.hpp"
#include "net/api/operators/view.hpp"

namespace billd::api::operators {

/// Who looks: what they may do decides what they are offered.
struct Reader {
  bool may_act = false;
  std::string name;  ///< empty: nobody asked for it
};

/// How things are, in one sentence and a colour.
struct Verdict {
  std::string_view colour;  ///< "good", "warning" or "bad"
  std::string text;
};
Verdict verdict(const Status& status);

/// A part of the status page that is renewed on its own.
struct Part {
  std::string_view id;
  std::string html;
};
std::vector<Part> status_parts(const Status& status, const Reader& reader);

/// The status page. `done`: the number of the entry in the audit log of what the reader has just done.
std::string status_page(const Status& status, const Reader& reader, std::optional<std::uint64_t> done);

std::string queue_page(const QueueStatus& queue, const QueueDetail& detail, Timestamp now, const Reader& reader);

std::string account_page(const AccountDetail& detail, Timestamp now, const Reader& reader);

/// Why the object of that identifier is as it is.
std::string explanation_page(std::string_view id, const std::vector<Section>& sections);

std::string webhooks_page(const std::vector<WebhookDetail>& details, Timestamp now);
std::string webhook_page(const WebhookDetail& detail, Timestamp now, const Reader& reader);

/// What a form of the confirmation holds; the texts are as they were given.
struct Confirmation {
  ActionKind kind = ActionKind::retry;
  std::string account, mode, queue, reason;
  std::string endpoint, event, since;  ///< of webhooks that are delivered again
  std::string form_token;
  std::string problem;  ///< why it was not done; empty: it was not tried
  std::string who, why;
};
std::string confirmation_page(const Confirmation& confirmation, const Status& status, const Reader& reader);

std::string audit_page(const std::vector<store::AuditEntry>& entries, Timestamp now);

std::string error_page(int status, std::string_view message);

}  // namespace billd::api::operators
