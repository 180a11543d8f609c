#include "net/api/operators/status_json.hpp"

#include <algorithm>

#include "net/api/document.hpp"

namespace billd::api::operators {
namespace {

Value count(std::uint64_t number) { return static_cast<std::int64_t>(number); }

Value time_or_null(const std::optional<Timestamp>& time) { return time ? Value(to_unix(*time)) : Value(); }

Value milliseconds(Duration duration) {
  return static_cast<std::int64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

Value mode_name(Mode mode) { return mode == Mode::live ? Value("live") : Value("test"); }

Object& show(Document& document, const QueueStatus& queue, Timestamp now) {
  Object& object = document.object(13);
  object.add("name", document.text(queue.name));
  object.add("waiting", count(queue.waiting));
  object.add("due", count(queue.due));
  object.add("late", count(queue.late));
  object.add("in_flight", count(queue.in_flight));
  object.add("parked", count(queue.parked));
  object.add("rate_per_minute", count(queue.rate_per_minute));
  object.add("became_due_last_minute", count(queue.became_due_last_minute));
  object.add("oldest", time_or_null(queue.oldest));
  object.add("lateness_milliseconds",
             milliseconds(queue.oldest ? std::max(now - *queue.oldest, Duration(0)) : Duration(0)));
  object.add("next", time_or_null(queue.next));
  object.add("paused", queue.pause.has_value());
  if (queue.pause) {
    Object& pause = document.object(3);
    pause.add("since", to_unix(queue.pause->since));
    pause.add("by", document.text(queue.pause->by));
    pause.add("why", document.text(queue.pause->why));
    object.add("pause", pause);
  }
  return object;
}

Object& show(Document& document, const DeliveriesStatus& deliveries) {
  Object& object = document.object(12);
  object.add("name", document.text_or_null(deliveries.name));
  object.add("paused", deliveries.is_paused);
  object.add("endpoints", count(deliveries.endpoints));
  object.add("failing", count(deliveries.failing));
  object.add("disabled", count(deliveries.disabled));
  object.add("waiting", count(deliveries.waiting));
  object.add("customers", count(deliveries.customers));
  object.add("in_flight", count(deliveries.in_flight));
  object.add("rate_per_minute", count(deliveries.rate_per_minute));
  object.add("given_up", count(deliveries.given_up));
  object.add("failing_since", time_or_null(deliveries.failing_since));
  object.add("next", time_or_null(deliveries.next));
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

Object& show(Document& document, const DaemonStatus& daemon) {
  Object& object = document.object(3);
  object.add("name", document.text(daemon.name));
  object.add("partitions", static_cast<std::int64_t>(daemon.partitions));
  object.add("is_this", daemon.is_this);
  return object;
}

Object& show(Document& document, const RedisStatus& redis) {
  Object& object = document.object(6);
  object.add("connected", redis.connected);
  object.add("address", document.text(redis.address));
  object.add("round_trip_microseconds",
             redis.round_trip ? Value(static_cast<std::int64_t>(redis.round_trip->count())) : Value());
  object.add("warning", document.text_or_null(redis.warning));
  object.add("memory_used_bytes", count(redis.memory_used));
  object.add("memory_max_bytes", redis.memory_max > 0 ? count(redis.memory_max) : Value());
  return object;
}

Object& show(Document& document, const LatenessStatus& lateness) {
  Object& object = document.object(5);
  object.add("now_milliseconds", milliseconds(lateness.now));
  object.add("last_hour_milliseconds", milliseconds(lateness.last_hour));
  object.add("last_day_milliseconds", milliseconds(lateness.last_day));
  object.add("step_seconds",
             static_cast<std::int64_t>(std::chrono::floor<std::chrono::seconds>(lateness.step).count()));
  Array& day = document.array(lateness.day.size());
  for (const HistoryStatus& step : lateness.day) {
    if (!step.is_known) continue;
    Object& shown = document.object(4);
    shown.add("from", to_unix(step.from));
    shown.add("late_milliseconds", milliseconds(step.late));
    shown.add("done", count(step.done));
    shown.add("failed", count(step.failed));
    day.add(shown);
  }
  object.add("day", day);
  return object;
}

Object& show(Document& document, const TroubleStatus& trouble) {
  Object& object = document.object(8);
  object.add("queue", document.text(trouble.queue));
  object.add("reason", document.text(trouble.reason));
  object.add("count", count(trouble.count));
  object.add("first", to_unix(trouble.first));
  object.add("last", to_unix(trouble.last));
  object.add("mode", mode_name(trouble.mode));
  object.add("example", document.text(trouble.example));
  object.add("detail", document.text_or_null(trouble.detail));
  return object;
}

Object& show(Document& document, const ComingStatus& coming) {
  Object& object = document.object(4);
  Array& hours = document.array(coming.by_hour.size());
  for (const std::uint64_t due : coming.by_hour) hours.add(count(due));
  Array& days = document.array(coming.by_day.size());
  for (const std::uint64_t due : coming.by_day) days.add(count(due));
  object.add("from_hour", to_unix(coming.from_hour));
  object.add("by_hour", hours);
  object.add("from_day", to_unix(coming.from_day));
  object.add("by_day", days);
  return object;
}

Object& show(Document& document, const store::AuditEntry& entry) {
  Object& object = document.object(9);
  object.add("number", count(entry.number));
  object.add("at", to_unix(entry.at));
  object.add("who", document.text(entry.who));
  object.add("from", document.text(entry.from));
  object.add("action", document.text(entry.action));
  object.add("subject", document.text(entry.subject));
  object.add("why", document.text(entry.comment));
  object.add("outcome", document.text_or_null(entry.outcome));
  object.add("hash", document.text(entry.hash));
  return object;
}

Object& show(Document& document, const store::Store::Parked& parked) {
  Object& object = document.object(7);
  object.add("account", document.text(parked.key.value()));
  object.add("mode", mode_name(parked.mode));
  object.add("since", to_unix(parked.since));
  object.add("queue", document.text(billd::to_text(parked.queue)));
  object.add("reason", document.text(parked.reason));
  object.add("by", document.text_or_null(parked.by));
  object.add("detail", document.text_or_null(parked.detail));
  return object;
}

Object& show(Document& document, const UndeliveredEvent& event) {
  Object& object = document.object(7);
  object.add("account", document.text(event.key.value()));
  object.add("event", document.text(event.event));
  object.add("behind", count(event.behind));
  object.add("failures", count(event.failures));
  object.add("failed_at", to_unix(event.failed_at));
  object.add("next_at", time_or_null(event.next_at));
  object.add("problem", document.text(event.problem));
  return object;
}

Object& show(Document& document, const WebhookDetail& detail) {
  Object& object = document.object(10);
  object.add("id", document.text(detail.endpoint.id.value()));
  object.add("mode", mode_name(detail.mode));
  object.add("url", document.text(detail.endpoint.url));
  object.add("enabled", !detail.endpoint.is_disabled);
  object.add("disabled_because", document.text_or_null(detail.endpoint.disabled_because));
  object.add("delivered_at", time_or_null(detail.delivered_at));
  object.add("failing_since", time_or_null(detail.failing_since));
  object.add("waiting_events", count(detail.waiting_events));
  return object;
}

template <class Shown>
Array& show_all(Document& document, const std::vector<Shown>& all) {
  Array& array = document.array(all.size());
  for (const Shown& each : all) array.add(show(document, each));
  return array;
}

}  // namespace

std::string to_json(const Status& status, const std::string& not_ready_because) {
  Document document;
  Object& object = document.object(27);
  object.add("daemon", document.text(status.daemon));
  object.add("version", document.text(status.version));
  object.add("data_set", document.text(status.data_set));
  object.add("ready", not_ready_because.empty());
  object.add("not_ready_because", document.text_or_null(not_ready_because));
  object.add("now", to_unix(status.now));
  object.add("uptime_seconds", static_cast<std::int64_t>(status.uptime.count()));
  object.add("lateness", show(document, status.lateness));
  Array& queues = document.array(status.queues.size());
  for (const QueueStatus& queue : status.queues) queues.add(show(document, queue, status.now));
  object.add("queues", queues);
  object.add("deliveries", show(document, status.deliveries));
  object.add("daemons", show_all(document, status.daemons));
  object.add("partitions", show_all(document, status.partitions));
  object.add("clean_in_seconds",
             status.clean_in ? Value(static_cast<std::int64_t>(status.clean_in->count())) : Value());
  object.add("backing_off", count(status.backing_off));
  object.add("test_clocks_advancing", count(status.test_clocks_advancing));
  object.add("parked", show_all(document, status.parked));
  object.add("failures", show_all(document, status.failures));
  object.add("actions", show_all(document, status.audit));
  object.add("coming", show(document, status.coming));
  object.add("redis", show(document, status.redis));
  Object& clock = document.object(2);
  clock.add("trusted", status.clock_is_trusted);
  clock.add("reason", document.text_or_null(status.clock_reason));
  object.add("clock", clock);
  object.add("data_loss", document.text_or_null(status.data_loss));
  object.add("obstacle", document.text_or_null(status.obstacle));
  object.add("stopping", status.is_stopping);
  return api::to_json(object);
}

std::string to_json(const QueueStatus& queue, const QueueDetail& detail, Timestamp now) {
  Document document;
  Object& object = show(document, queue, now);
  Array& first = document.array(detail.first.size());
  for (const store::Store::Due& due : detail.first) {
    Object& shown = document.object(3);
    shown.add("account", document.text(due.key.value()));
    shown.add("mode", mode_name(due.mode));
    shown.add("due", to_unix(due.due));
    first.add(shown);
  }
  object.add("first_due", first);
  object.add("first_parked", show_all(document, detail.parked));
  return api::to_json(object);
}

std::string to_json(const AccountDetail& detail) {
  Document document;
  Object& object = document.object(6);
  object.add("account", document.text(detail.account.key.value()));
  object.add("customer", document.text(detail.account.customer.id.value()));
  object.add("mode", mode_name(detail.account.mode));
  Object& timers = document.object(queue_count);
  for (std::size_t queue = 0; queue < queue_count; ++queue)
    timers.add(billd::to_text(static_cast<Queue>(queue)), time_or_null(detail.timers[queue]));
  object.add("waits_for", timers);
  object.add("parked", detail.parked ? Value(show(document, *detail.parked)) : Value());
  object.add("backing_off", detail.is_backing_off);
  return api::to_json(object);
}

std::string to_json(const std::vector<WebhookDetail>& details) {
  Document document;
  Object& object = document.object(1);
  object.add("endpoints", show_all(document, details));
  return api::to_json(object);
}

std::string to_json(const WebhookDetail& detail) {
  Document document;
  Object& object = show(document, detail);
  object.add("waiting", show_all(document, detail.waiting));
  object.add("given_up", show_all(document, detail.given_up));
  return api::to_json(object);
}

std::string to_json(const std::vector<store::AuditEntry>& entries) {
  Document document;
  Object& object = document.object(1);
  object.add("entries", show_all(document, entries));
  return api::to_json(object);
}

std::string to_json(const ActionResult& result) {
  Document document;
  Object& object = document.object(5);
  object.add("text", document.text(result.text));
  object.add("done", count(result.done));
  object.add("failed", count(result.failed));
  object.add("more", result.more);
  object.add("entry", show(document, result.entry));
  return api::to_json(object);
}

std::string to_json(std::string_view id, const std::vector<Section>& sections) {
  Document document;
  Array& shown = document.array(sections.size());
  for (const Section& section : sections) {
    Array& sentences = document.array(section.sentences.size());
    for (const std::string& sentence : section.sentences) sentences.add(document.text(sentence));
    Object& object = document.object(2);
    object.add("title", document.text(section.title));
    object.add("sentences", sentences);
    shown.add(object);
  }
  Object& object = document.object(2);
  object.add("id", document.text(id));
  object.add("sections", shown);
  return api::to_json(object);
}

std::string error_to_json(std::string_view type, std::string_view message, std::string_view parameter) {
  Document document;
  Object& error = document.object(3);
  error.add("type", document.text(type));
  error.add("message", document.text(message));
  error.add("param", document.text_or_null(parameter));
  Object& object = document.object(1);
  object.add("error", error);
  return api::to_json(object);
}

}  // namespace billd::api::operators
