// Writing, reading and checking the chain.
#include "net/store/audit.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "config/keys.hpp"
#include "net/store/functions.hpp"
#include "net/store/keys.hpp"

namespace billd::store {
namespace {

std::string text_of(const AuditEntry& entry) {
  boost::json::object object;
  object["number"] = entry.number;
  object["at"] = entry.at.time_since_epoch().count();
  object["who"] = entry.who;
  object["from"] = entry.from;
  object["action"] = entry.action;
  object["subject"] = entry.subject;
  object["comment"] = entry.comment;
  object["outcome"] = entry.outcome;
  return boost::json::serialize(object);
}

Result<AuditEntry> parse_entry(const std::string& text, std::string hash) {
  const Failure unreadable{Errc::corrupt, "an entry of the audit log cannot be read: " + text};
  boost::system::error_code ec;
  const boost::json::value value = boost::json::parse(text, ec);
  if (ec || !value.is_object()) return unreadable;
  const boost::json::object& object = value.get_object();
  auto member = [&object](std::string_view name) {
    const auto* found = object.if_contains(name);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
  };
  const auto* number = object.if_contains("number");
  const auto* at = object.if_contains("at");
  if (number == nullptr || !number->is_int64() || at == nullptr || !at->is_int64()) return unreadable;
  AuditEntry entry;
  entry.number = static_cast<std::uint64_t>(number->get_int64());
  entry.at = Timestamp(Duration(at->get_int64()));
  entry.who = member("who");
  entry.from = member("from");
  entry.action = member("action");
  entry.subject = member("subject");
  entry.comment = member("comment");
  entry.outcome = member("outcome");
  entry.hash = std::move(hash);
  return entry;
}

/// SHA-256. The first entry is chained to the name of the data set.
std::string chained(const Store& store, std::string_view before, std::string_view text) {
  std::string bytes(before.empty() ? store.data_set() : before);
  return hash_key(bytes.append("\n").append(text));
}

struct StoredEntry {
  std::string id, text, hash;
};

Result<std::vector<StoredEntry>> entries_of(const redis::Reply& reply) {
  std::vector<StoredEntry> entries;
  for (const redis::Reply& entry : reply.elements()) {
    const auto& fields = entry.elements().at(1).elements();
    if (fields.size() != 4 || fields[0].text() != "e" || fields[2].text() != "h")
      return Failure{Errc::corrupt,
                     "the audit log holds an entry that billd did not write: " + entry.elements().at(0).text()};
    entries.push_back({entry.elements().at(0).text(), fields[1].text(), fields[3].text()});
  }
  return entries;
}

awaitable<Result<std::vector<StoredEntry>>> read_latest(Store& store, std::size_t limit) {
  redis::Command read("XREVRANGE", audit_key, "+", "-", "COUNT", limit);
  auto reply = co_await store.client().execute(std::move(read));
  if (!reply) co_return reply.error();
  co_return entries_of(*reply);
}

}  // namespace

awaitable<Result<AuditEntry>> append_audit(Store& store, AuditEntry entry) {
  // In each round one writer succeeds, so this is how many may write at once.
  constexpr int tries_max = 200;
  for (int attempt = 0; attempt < tries_max; ++attempt) {
    auto latest = co_await read_latest(store, 1);
    if (!latest) co_return latest.error();
    std::string before;
    entry.number = 1;
    if (!latest->empty()) {
      auto previous = parse_entry(latest->front().text, latest->front().hash);
      if (!previous) co_return previous.error();
      entry.number = previous->number + 1;
      before = previous->hash;
    }
    const std::string text = text_of(entry);
    entry.hash = chained(store, before, text);
    redis::Command append("FCALL", function_name("append_audit"), 1, audit_key, before, text, entry.hash);
    auto reply = co_await call_function(store.client(), std::move(append));
    if (!reply) co_return reply.error();
    if (reply->integer() == 1) co_return entry;
  }
  co_return Failure{Errc::conflict, "too many operators write to the audit log at once; try again"};
}

awaitable<Result<std::vector<AuditEntry>>> latest_audit(Store& store, std::size_t limit) {
  auto latest = co_await read_latest(store, limit);
  if (!latest) co_return latest.error();
  std::vector<AuditEntry> entries;
  for (StoredEntry& stored : *latest) {
    auto entry = parse_entry(stored.text, std::move(stored.hash));
    if (!entry) co_return entry.error();
    entries.push_back(std::move(*entry));
  }
  co_return entries;
}

awaitable<Result<AuditCheck>> verify_audit_log(Store& store) {
  constexpr int batch = 500;
  AuditCheck check;
  std::string from = "-";
  for (;;) {
    redis::Command read("XRANGE", audit_key, from, "+", "COUNT", batch);
    auto reply = co_await store.client().execute(std::move(read));
    if (!reply) co_return reply.error();
    auto entries = entries_of(*reply);
    if (!entries) {
      check.broken = entries.error().detail;
      co_return check;
    }
    if (entries->empty()) co_return check;
    for (StoredEntry& stored : *entries) {
      const auto entry = parse_entry(stored.text, stored.hash);
      if (!entry)
        check.broken = entry.error().detail;
      else if (entry->number != check.entries + 1)
        check.broken =
            "entry " + std::to_string(check.entries + 1) + " is missing before entry " + std::to_string(entry->number);
      else if (chained(store, check.latest_hash, stored.text) != stored.hash)
        check.broken = "entry " + std::to_string(entry->number) + " or one before it was changed";
      if (!check.broken.empty()) co_return check;
      ++check.entries;
      check.latest_hash = std::move(stored.hash);
    }
    from = "(" + entries->back().id;
  }
}

}  // namespace billd::store
