#include "net/gateways/peer.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>

#include "net/log.hpp"

namespace billd::gateways {
namespace {

/// Longest pause that a Retry-After may ask for.
constexpr std::chrono::minutes retry_after_max(10);
constexpr std::size_t answer_bytes_max = 1024 * 1024;
constexpr std::size_t json_depth_max = 32;

http::ClientSettings client_settings(const ProcessorSettings& settings) {
  http::ClientSettings client;
  client.connect_limit = settings.connect_timeout;
  client.request_limit = settings.request_timeout;
  client.connections_per_origin_max = settings.concurrency_max;
  client.response_bytes_max = answer_bytes_max;
  client.certificate_authorities_file = settings.certificates_file;
  return client;
}

std::optional<Milliseconds> retry_after(const http::Headers& headers) {
  const auto value = headers.find("Retry-After");
  std::int64_t seconds = 0;
  if (!value) return std::nullopt;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), seconds);
  if (error != std::errc() || end != value->data() + value->size() || seconds < 0) return std::nullopt;
  return std::min<Milliseconds>(std::chrono::seconds(std::min<std::int64_t>(seconds, 3'600)), retry_after_max);
}

}  // namespace

/// A place among the requests that run at once.
class Peer::Place {
 public:
  explicit Place(Peer& peer) : peer_(peer) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { peer_.leave(); }

 private:
  Peer& peer_;
};

Peer::Peer(Executor executor, std::string name, const ProcessorSettings& settings)
    : executor_(executor), name_(std::move(name)), settings_(settings), client_(executor, client_settings(settings)) {}

PeerStatistics Peer::statistics() const {
  PeerStatistics now = counts_;
  now.in_flight = in_flight_;
  now.waiting = waiting_.size();
  now.is_paused = SteadyClock::now() < paused_until_;
  return now;
}

Failure Peer::busy() const {
  return {Errc::unavailable, "the gateway " + name_ + " has more to do than its limits allow"};
}

/// Waits for a place among those that run at once.
awaitable<Result<void>> Peer::take_place(Deadline until) {
  if (SteadyClock::now() < paused_until_)
    co_return Failure{Errc::unavailable, "the gateway " + name_ + " is left alone for a while: " + counts_.problem};
  if (in_flight_ < settings_.concurrency_max && waiting_.empty()) {
    ++in_flight_;
    co_return Result<void>();
  }
  if (waiting_.size() >= settings_.waiting_max) {
    ++counts_.put_off;
    co_return busy();
  }
  auto place = std::make_shared<Timer>(executor_, until);
  waiting_.push_back(place);
  [[maybe_unused]] auto [ended] = co_await place->async_wait(nothrow);
  // Whoever leaves takes the one in front out of the queue, and its place is this one's.
  const auto still = std::ranges::find(waiting_, place);
  if (still != waiting_.end()) {
    waiting_.erase(still);
    co_return busy();
  }
  co_return Result<void>();
}

/// Waits until the budget has room.
awaitable<Result<void>> Peer::take_turn(Deadline until) {
  const auto now = SteadyClock::now();
  const auto turn = std::max(now, next_turn_);
  if (turn >= until) co_return busy();
  next_turn_ = turn + std::chrono::nanoseconds(std::chrono::seconds(1)) / settings_.requests_per_second_max;
  if (turn > now) {
    const bool waited = co_await sleep_for(std::chrono::ceil<Milliseconds>(turn - now));
    if (!waited) co_return busy();
  }
  co_return Result<void>();
}

void Peer::leave() {
  if (waiting_.empty()) {
    --in_flight_;
    return;
  }
  const std::shared_ptr<Timer> next = waiting_.front();
  waiting_.pop_front();
  next->cancel();
}

void Peer::note_failure(std::string what) {
  ++counts_.failures;
  counts_.problem = std::move(what);
  if (++failures_in_a_row_ < settings_.breaker_failures) return;
  // After the pause one more failure begins the next one.
  failures_in_a_row_ = settings_.breaker_failures - 1;
  spdlog::error("the gateway {} is left alone for {}: {}", name_, to_text(settings_.breaker_pause), counts_.problem);
  ++counts_.pauses;
  pause_for(settings_.breaker_pause);
}

void Peer::pause_for(Milliseconds time) { paused_until_ = std::max(paused_until_, SteadyClock::now() + time); }

Result<Peer::Answer> Peer::understand(const Result<http::Response>& response) {
  const auto unknown = [](std::string detail) { return Failure{Errc::outcome_unknown, std::move(detail)}; };
  if (!response) {
    note_failure(response.error().detail);
    return response.error();
  }
  const std::string said = "it answered " + std::to_string(response->status);
  if (const auto wait = retry_after(response->headers); wait && (response->status == 429 || response->status == 503))
    pause_for(*wait);
  if (response->status == 429 || response->status == 409) {
    ++counts_.refused;
    return unknown(said);
  }
  if (response->status >= 500) {
    note_failure(said);
    return unknown(said);
  }
  if (response->status == 401 || response->status == 403) {
    note_failure(said + ": its key is not accepted");
    return unknown(said);
  }
  boost::json::parse_options options;
  options.max_depth = json_depth_max;
  boost::json::error_code error;
  boost::json::value parsed = boost::json::parse(response->body, error, {}, options);
  if (error || !parsed.is_object()) {
    note_failure(said + " and no JSON object");
    return unknown(said + " and no JSON object");
  }
  failures_in_a_row_ = 0;
  return Answer{response->status, std::move(parsed.as_object())};
}

awaitable<Result<Peer::Answer>> Peer::send(http::Method method, std::string path, http::Headers headers,
                                           std::string body, Deadline until) {
  const auto admitted = co_await take_place(until);
  if (!admitted) co_return admitted.error();
  const Place place(*this);
  const auto turn = co_await take_turn(until);
  if (!turn) co_return turn.error();
  // A daemon that was stopped while it waited must not send what others may be asking about by now.
  const auto left = std::chrono::floor<Milliseconds>(until - SteadyClock::now());
  if (left.count() <= 0) co_return Failure{Errc::unavailable, "there was no time left"};
  http::ClientRequest request;
  request.method = method;
  request.url = settings_.url + path;
  request.headers = std::move(headers);
  request.body = std::move(body);
  request.limit = left;
  ++counts_.requests;
  const auto response = co_await client_.send(std::move(request));
  co_return understand(response);
}

std::string text_of(const boost::json::object& object, std::string_view member) {
  const boost::json::value* value = object.if_contains(member);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::optional<std::int64_t> integer_of(const boost::json::object& object, std::string_view member) {
  const boost::json::value* value = object.if_contains(member);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return value->as_int64();
}

const boost::json::object* object_of(const boost::json::object& object, std::string_view member) {
  const boost::json::value* value = object.if_contains(member);
  return value != nullptr ? value->if_object() : nullptr;
}

bool is_what_was_asked(const boost::json::object& answer, const Money& asked, std::string_view gateway,
                       std::string_view key) {
  const auto amount = integer_of(answer, "amount");
  const std::string currency = text_of(answer, "currency");
  if (amount == asked.minor && currency == asked.currency.code()) return true;
  spdlog::error("the gateway {} speaks of {} {} under {}, which asked for {} {}: it needs an operator", gateway,
                amount ? std::to_string(*amount) : "no amount", currency.empty() ? "without currency" : currency, key,
                asked.minor, asked.currency.code());
  return false;
}

}  // namespace billd::gateways
