// What is imported, read from a file with an API's answers.
#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/stream_parser.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <utility>

#include "commands/import_newer_shapes.hpp"
#include "commands/import_selection.hpp"

namespace billd::commands {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 16> kinds = {"products",
                                                    "plans",
                                                    "prices",
                                                    "coupons",
                                                    "promotion_codes",
                                                    "tax_rates",
                                                    "test_clocks",
                                                    "customers",
                                                    "sources",
                                                    "tax_ids",
                                                    "payment_methods",
                                                    "subscriptions",
                                                    "subscription_schedules",
                                                    "usage_record_summaries",
                                                    "invoices",
                                                    "invoiceitems"};

class FileReader final : public ImportReader {
 public:
  explicit FileReader(json::object everything) : everything_(std::move(everything)) { sort(); }

  awaitable<Result<Objects>> products() override { co_return list("products"); }
  awaitable<Result<Objects>> plans() override { co_return list("plans"); }
  awaitable<Result<Objects>> prices() override { co_return list("prices"); }
  awaitable<Result<Objects>> coupons() override { co_return list("coupons"); }
  awaitable<Result<Objects>> promotion_codes() override { co_return list("promotion_codes"); }
  awaitable<Result<Objects>> tax_rates() override { co_return list("tax_rates"); }
  awaitable<Result<Objects>> test_clocks() override { co_return list("test_clocks"); }
  awaitable<Result<Objects>> next_customers() override {
    if (std::exchange(has_told_customers_, true)) co_return Objects();
    co_return list("customers");
  }

  awaitable<Result<ForeignCustomer>> belongings(json::object customer) override {
    ForeignCustomer whole;
    const std::string id = text_of(customer, "id");
    whole.sources = objects_of(customer.if_contains("sources"));
    add_unknown(whole.sources, sources_[id]);
    sort_newest_first(whole.sources);
    whole.tax_ids = objects_of(customer.if_contains("tax_ids"));
    add_unknown(whole.tax_ids, tax_ids_[id]);
    whole.invoice_items = items_[id];
    whole.subscriptions = subscriptions_[id];
    whole.invoices = invoices_[id];
    for (const json::object& invoice : whole.invoices)
      whole.lines.emplace(text_of(invoice, "id"), objects_of(invoice.if_contains("lines")));
    whole.schedules = schedules_[id];
    if (everything_.contains("usage_record_summaries"))
      for (const std::string& item : metered_items(whole.subscriptions)) whole.usage.emplace(item, usage_[item]);
    for (const std::string& ended : ended_of(whole))
      if (const auto at = ended_.find(ended); at != ended_.end()) whole.ended.push_back(at->second);
    whole.customer = std::move(customer);
    co_return whole;
  }

 private:
  Objects list(std::string_view name) const { return objects_of(everything_.if_contains(name)); }

  /// By customer.
  void sort() {
    for (const std::string_view kind : {"sources", "payment_methods"})
      for (json::object& source : list(kind)) sources_[identifier_of(source, "customer")].push_back(std::move(source));
    for (json::object& each : list("tax_ids")) tax_ids_[identifier_of(each, "customer")].push_back(std::move(each));
    for (json::object& item : list("invoiceitems")) {
      if (!identifier_of(item, "invoice").empty()) continue;
      tell_item_as_before(item);
      items_[identifier_of(item, "customer")].push_back(std::move(item));
    }
    for (json::object& each : list("subscriptions")) {
      if (has_ended(each))
        ended_.emplace(text_of(each, "id"), std::move(each));
      else
        subscriptions_[identifier_of(each, "customer")].push_back(std::move(each));
    }
    for (json::object& each : list("subscription_schedules"))
      if (goes_on(each)) schedules_[identifier_of(each, "customer")].push_back(std::move(each));
    for (json::object& each : list("usage_record_summaries"))
      usage_[text_of(each, "subscription_item")].push_back(std::move(each));
    for (json::object& invoice : list("invoices")) {
      if (!is_unfinished(invoice)) continue;
      tell_as_before(invoice);
      invoices_[identifier_of(invoice, "customer")].push_back(std::move(invoice));
    }
  }

  json::object everything_;
  bool has_told_customers_ = false;
  std::map<std::string, Objects> sources_, tax_ids_, subscriptions_, schedules_, invoices_, items_;  ///< by customer
  std::map<std::string, Objects> usage_;                                                             ///< by item
  std::map<std::string, json::object> ended_;  ///< by their identifiers
};

/// Parses piece by piece, so that the text is not in memory beside what is made of it, and tells where it is broken.
Result<json::value> parse(std::ifstream& stream, const std::string& file) {
  json::stream_parser parser;
  boost::system::error_code ec;
  std::array<char, 64 * 1024> piece;
  std::size_t line = 1;
  while (stream) {
    stream.read(piece.data(), piece.size());
    const auto size = static_cast<std::size_t>(stream.gcount());
    const std::size_t parsed = parser.write_some(piece.data(), size, ec);
    line += static_cast<std::size_t>(std::count(piece.data(), piece.data() + parsed, '\n'));
    if (!ec && parsed < size) ec = json::error::extra_data;
    if (ec) break;
  }
  if (stream.bad()) return Failure{Errc::invalid_parameter, "cannot read " + file + ": " + std::strerror(errno)};
  if (!ec) parser.finish(ec);
  if (ec)
    return Failure{Errc::invalid_parameter, file + " is no JSON object: line " + std::to_string(line) + ": " +
                                                ec.message() + "; nothing was taken"};
  return parser.release();
}

/// Every member is a whole list of a kind that is known.
Result<void> check_members(const json::object& everything, const std::string& file) {
  std::string known;
  for (const std::string_view kind : kinds) known.append(known.empty() ? "" : ", ").append(kind);
  for (const auto& [name, value] : everything) {
    const std::string member(name);
    if (std::ranges::find(kinds, std::string_view(member)) == kinds.end())
      return Failure{Errc::invalid_parameter,
                     file + " has a member `" + member + "`, which is none of " + known + "; nothing was taken"};
    const json::object* list = value.if_object();
    const json::value* data = list != nullptr ? list->if_contains("data") : &value;
    if (data == nullptr || !data->is_array())
      return Failure{Errc::invalid_parameter,
                     "`" + member + "` in " + file + " is neither an array nor a list object; nothing was taken"};
    if (list != nullptr && truth_of(*list, "has_more"))
      return Failure{Errc::invalid_parameter, "`" + member + "` in " + file +
                                                  " is only one page of several (has_more is true): join their data; "
                                                  "nothing was taken"};
  }
  if (!everything.contains("customers"))
    return Failure{Errc::invalid_parameter, file + " holds no customers; nothing was taken"};
  return {};
}

}  // namespace

Result<std::unique_ptr<ImportReader>> read_from_file(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Failure{Errc::invalid_parameter, "cannot read " + file + ": " + std::strerror(errno)};
  auto value = parse(stream, file);
  if (!value) return value.error();
  if (!value->is_object()) return Failure{Errc::invalid_parameter, file + " holds no JSON object; nothing was taken"};
  auto checked = check_members(value->get_object(), file);
  if (!checked) return checked.error();
  return std::unique_ptr<ImportReader>(std::make_unique<FileReader>(std::move(value->get_object())));
}

}  // namespace billd::commands
