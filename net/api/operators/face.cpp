#include "net/api/operators/face.hpp"

#include <algorithm>

#include "net/api/document.hpp"

namespace billd::api::operators {
namespace {

Value count(std::uint64_t number) { return static_cast<std::int64_t>(number); }

Value time_or_null(const std::optional<Timestamp>& time) { return time ? Value(to_unix(*time)) : Value(); }

Object& show(Document& document, const QueueStatus& queue, Timestamp now) {
  Object& object = document.object(10);
  object.add("name", document.text(queue.name));
  object.add("waiting", count(queue.waiting));
  object.add("due", count(queue.due));
  object.add("late", count(queue.late));
  object.add("in_flight", count(queue.in_flight));
  object.add("parked", count(queue.parked));
  object.add("rate_per_minute", count(queue.rate_per_minute));
  object.add("oldest", time_or_null(queue.oldest));
  const auto lateness = queue.oldest ? std::chrono::duration_cast<std::chrono::milliseconds>(now - *queue.oldest)
                                     : std::chrono::milliseconds(0);
  object.add("lateness_milliseconds", std::max<std::int64_t>(lateness.count(), 0));
  object.add("next", time_or_null(queue.next));
  return object;
}

Object& show(Document& document, const PartitionStatus& partition) {
  Object& object = document.object(4);
  object.add("number", static_cast<std::int64_t>(partition.number));
  object.add("owner", document.text_or_null(partition.owner));
  object.add("epoch", count(partition.epoch));
  object.add("is_ours", partition.is_ours);
  return object;
}

Object& show(Document& document, const RedisStatus& redis) {
  Object& object = document.object(4);
  object.add("connected", redis.connected);
  object.add("address", document.text(redis.address));
  object.add("round_trip_microseconds",
             redis.round_trip ? Value(static_cast<std::int64_t>(redis.round_trip->count())) : Value());
  object.add("warning", document.text_or_null(redis.warning));
  return object;
}

std::string show(const Status& status, const std::string& not_ready) {
  Document document;
  Object& object = document.object(14);
  object.add("daemon", document.text(status.daemon));
  object.add("version", document.text(status.version));
  object.add("data_set", document.text(status.data_set));
  object.add("ready", not_ready.empty());
  object.add("not_ready_because", document.text_or_null(not_ready));
  object.add("now", to_unix(status.now));
  object.add("uptime_seconds", static_cast<std::int64_t>(status.uptime.count()));
  Array& queues = document.array(status.queues.size());
  for (const QueueStatus& queue : status.queues) queues.add(show(document, queue, status.now));
  object.add("queues", queues);
  Array& partitions = document.array(status.partitions.size());
  for (const PartitionStatus& partition : status.partitions) partitions.add(show(document, partition));
  object.add("partitions", partitions);
  object.add("redis", show(document, status.redis));
  Object& clock = document.object(2);
  clock.add("trusted", status.clock_is_trusted);
  clock.add("reason", document.text_or_null(status.clock_reason));
  object.add("clock", clock);
  object.add("data_loss", document.text_or_null(status.data_loss));
  object.add("stopping", status.is_stopping);
  return to_json(object);
}

http::Response plain(int status, std::string_view text) {
  http::Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body.append(text).append("\n");
  return response;
}

}  // namespace

http::Response Face::answer(const http::Request& request) const {
  if (request.method != http::Method::get && request.method != http::Method::head) {
    http::Response response = plain(405, "Only GET is answered here.");
    response.headers.add("Allow", "GET, HEAD");
    return response;
  }
  const std::string_view path = request.path();
  if (path == "/healthz") return plain(200, "ok");
  if (path == "/readyz") {
    const std::string reason = view_.not_ready_because();
    return reason.empty() ? plain(200, "ready") : plain(503, reason);
  }
  if (path == "/status") {
    http::Response response;
    response.headers.add("Cache-Control", "no-store");
    response.body = show(view_.status(), view_.not_ready_because());
    return response;
  }
  return plain(404, "There are /status, /healthz and /readyz.");
}

awaitable<http::Response> Face::handle(http::Request request) const { co_return answer(request); }

}  // namespace billd::api::operators
