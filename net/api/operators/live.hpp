// The status page's live part: server-sent events that renew what has changed.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "net/api/operators/pages.hpp"
#include "net/async.hpp"
#include "net/http/server.hpp"

namespace billd::api::operators {

/// Tells the parts of the page that have changed, once a second: an event "part" with its identifier and HTML for each,
/// and an event "page" with title and verdict.
class LiveStatus final : public http::BodyStream {
 public:
  /// The view must outlive it.
  LiveStatus(const View& view, Reader reader) : view_(view), reader_(std::move(reader)) {}

  awaitable<std::optional<std::string>> next() override;
  void end() override;

 private:
  const View& view_;
  Reader reader_;
  std::map<std::string, std::string, std::less<>> told_;
  std::optional<Timer> pause_;
  bool is_ended_ = false;
};

}  // namespace billd::api::operators
