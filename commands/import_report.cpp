#include "commands/import_report.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>
#include <utility>

namespace billd::commands {

void ImportReport::refuse(std::string kind, std::string id, std::string reason) {
  ++kinds[kind].refused;
  refused.push_back({std::move(kind), std::move(id), std::move(reason)});
}

void ImportReport::add(ImportReport more) {
  for (const auto& [kind, count] : more.kinds) {
    Count& sum = kinds[kind];
    sum.taken += count.taken;
    sum.known += count.known;
    sum.refused += count.refused;
  }
  std::ranges::move(more.refused, std::back_inserter(refused));
}

std::string to_text(const ImportReport& report) {
  std::string text;
  for (const ImportReport::Refused& each : report.refused)
    text.append("not taken: ").append(each.kind).append(" ").append(each.id).append(": ").append(each.reason) += '\n';
  for (const auto& [kind, count] : report.kinds)
    text.append(kind)
        .append(": ")
        .append(std::to_string(count.taken))
        .append(" taken, ")
        .append(std::to_string(count.known))
        .append(" already there, ")
        .append(std::to_string(count.refused))
        .append(" not taken\n");
  return text;
}

std::string to_json(const ImportReport& report) {
  namespace json = boost::json;
  json::object object, kinds;
  for (const auto& [kind, count] : report.kinds) {
    json::object counts;
    counts["taken"] = count.taken;
    counts["already_there"] = count.known;
    counts["refused"] = count.refused;
    kinds[kind] = std::move(counts);
  }
  object["kinds"] = std::move(kinds);
  json::array refused;
  for (const ImportReport::Refused& each : report.refused) {
    json::object line;
    line["object"] = each.kind;
    line["id"] = each.id;
    line["reason"] = each.reason;
    refused.push_back(std::move(line));
  }
  object["refused"] = std::move(refused);
  return json::serialize(object) + "\n";
}

}  // namespace billd::commands
