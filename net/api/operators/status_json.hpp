// What operators are told, as JSON. Times are seconds since 1970, durations milliseconds.
#pragma once

#include <string>
#include <vector>

#include "engine/result.hpp"
#include "net/api/operators/control.hpp"
#include "net/api/operators/view.hpp"

namespace billd::api::operators {

std::string to_json(const Status& status, const std::string& not_ready_because);
std::string to_json(const QueueStatus& queue, const QueueDetail& detail, Timestamp now);
std::string to_json(const AccountDetail& detail);
std::string to_json(const std::vector<WebhookDetail>& details);
std::string to_json(const WebhookDetail& detail);
std::string to_json(const std::vector<store::AuditEntry>& entries);
std::string to_json(const ActionResult& result);
/// {"id": …, "sections": [{"title": …, "sentences": […]}]}
std::string to_json(std::string_view id, const std::vector<Section>& sections);
std::string error_to_json(std::string_view type, std::string_view message, std::string_view parameter);

}  // namespace billd::api::operators
