#include "net/api/operators/live.hpp"

#include "net/api/document.hpp"

namespace billd::api::operators {
namespace {

constexpr Milliseconds interval{1'000};

void add_event(std::string& out, std::string_view name, Object& data) {
  out.append("event: ").append(name).append("\ndata: ").append(to_json(data)).append("\n\n");
}

}  // namespace

awaitable<std::optional<std::string>> LiveStatus::next() {
  if (pause_) {
    pause_->expires_after(interval);
    [[maybe_unused]] auto [ended] = co_await pause_->async_wait(nothrow);
  } else {
    Executor executor = co_await asio::this_coro::executor;
    pause_.emplace(executor);
  }
  if (is_ended_) co_return std::nullopt;
  const Status status = view_.status();
  // Something is sent each time, so that a peer who is gone is noticed; after a lost connection: again in 2 s.
  std::string out = told_.empty() ? "retry: 2000\n\n" : ":\n\n";
  for (Part& part : status_parts(status, reader_)) {
    std::string& told = told_[std::string(part.id)];
    if (told == part.html) continue;
    Document document;
    Object& data = document.object(2);
    data.add("id", document.text(part.id));
    data.add("html", document.text(part.html));
    add_event(out, "part", data);
    told = std::move(part.html);
  }
  const Verdict now = verdict(status);
  std::string& told = told_["page"];
  if (told != now.text) {
    Document document;
    Object& data = document.object(2);
    data.add("title", document.text(now.text + " – billd"));
    data.add("verdict", document.text(now.colour));
    add_event(out, "page", data);
    told = now.text;
  }
  co_return out;
}

void LiveStatus::end() {
  is_ended_ = true;
  if (pause_) pause_->cancel();
}

}  // namespace billd::api::operators
