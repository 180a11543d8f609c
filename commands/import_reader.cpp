#include "commands/import_reader.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "commands/import_objects.hpp"
#include "net/http/text.hpp"

namespace billd::commands {
namespace {

namespace json = boost::json;

constexpr std::string_view api_version = "2020-08-27";
constexpr std::size_t answer_bytes_max = std::size_t{64} << 20;
constexpr int tries_max = 8;

/// Adds those whose identifiers are not among `objects` yet: what is told by two names is told once. Of a card only one
/// of the two says when it was made.
void add_unknown(Objects& objects, Objects more) {
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < objects.size(); ++i) places.emplace(text_of(objects[i], "id"), i);
  for (json::object& object : more) {
    const auto [place, is_new] = places.try_emplace(text_of(object, "id"), objects.size());
    if (is_new)
      objects.push_back(std::move(object));
    else if (const json::value* created = object.if_contains("created"))
      objects[place->second].emplace("created", *created);
  }
}

/// Newest first, as the API lists each kind by itself.
void sort_newest_first(Objects& objects) {
  // What was made in the same second stays in its order.
  std::vector<std::pair<std::int64_t, std::size_t>> order;
  for (std::size_t i = 0; i < objects.size(); ++i) order.emplace_back(-integer_of(objects[i], "created"), i);
  std::ranges::sort(order);
  Objects sorted;
  for (const auto& [created, place] : order) sorted.push_back(std::move(objects[place]));
  objects = std::move(sorted);
}

bool is_unfinished(const json::object& invoice) {
  const std::string status = text_of(invoice, "status");
  return status == "open" || status == "draft";
}

bool has_ended(const json::object& subscription) {
  const std::string status = text_of(subscription, "status");
  return status == "canceled" || status == "incomplete_expired";
}

bool goes_on(const json::object& schedule) {
  const std::string status = text_of(schedule, "status");
  return status == "not_started" || status == "active";
}

/// The items of subscriptions that are billed by what is used of them.
std::vector<std::string> metered_items(const Objects& subscriptions) {
  std::vector<std::string> ids;
  for (const json::object& subscription : subscriptions)
    for (const json::object& item : objects_of(subscription.if_contains("items"))) {
      const json::object* plan = object_of(item, "plan");
      const json::object* price = object_of(item, "price");
      const json::object* recurring = price != nullptr ? object_of(*price, "recurring") : nullptr;
      for (const json::object* terms : {plan, recurring})
        if (terms != nullptr && text_of(*terms, "usage_type") == "metered") {
          ids.push_back(text_of(item, "id"));
          break;
        }
    }
  return ids;
}

/// The subscriptions of invoices that are not among those that go on.
std::set<std::string> ended_of(const ForeignCustomer& whole) {
  std::set<std::string> ids;
  for (const json::object& invoice : whole.invoices) ids.insert(identifier_of(invoice, "subscription"));
  for (const json::object& subscription : whole.subscriptions) ids.erase(text_of(subscription, "id"));
  ids.erase("");
  return ids;
}

class ApiReader final : public ImportReader {
 public:
  ApiReader(Executor executor, std::string url, std::string key)
      : client_(executor, settings()), url_(std::move(url)), key_(std::move(key)) {
    while (url_.ends_with('/')) url_.pop_back();
  }

  awaitable<Result<Objects>> products() override { return all_or_none("/v1/products"); }
  awaitable<Result<Objects>> plans() override { return all("/v1/plans", "&expand%5B%5D=data.tiers"); }
  awaitable<Result<Objects>> prices() override {
    return all_or_none("/v1/prices", "&type=one_time&expand%5B%5D=data.tiers");
  }
  awaitable<Result<Objects>> coupons() override { return all_or_none("/v1/coupons"); }
  awaitable<Result<Objects>> promotion_codes() override { return all_or_none("/v1/promotion_codes"); }
  awaitable<Result<Objects>> tax_rates() override { return all_or_none("/v1/tax_rates"); }
  awaitable<Result<Objects>> test_clocks() override {
    auto clocks = co_await all_or_none("/v1/test_helpers/test_clocks");
    if (!clocks) co_return clocks.error();
    for (const json::object& clock : *clocks) clocks_.push_back(text_of(clock, "id"));
    co_return clocks;
  }

  /// Customers on a test clock may be told of only when it is named; those that come twice are taken once.
  awaitable<Result<Objects>> next_customers() override {
    for (;;) {
      if (is_at_end_) {
        if (clocks_.empty()) co_return Objects();
        filter_ = "&test_clock=" + http::percent_encoded(clocks_.back());
        clocks_.pop_back();
        after_.clear();
        is_at_end_ = false;
      }
      bool has_more = false;
      auto customers = co_await page("/v1/customers", filter_, after_, has_more);
      if (!customers) co_return customers.error();
      is_at_end_ = !has_more || customers->empty();
      if (customers->empty()) continue;
      after_ = text_of(customers->back(), "id");
      co_return customers;
    }
  }

  awaitable<Result<ForeignCustomer>> belongings(json::object customer) override {
    ForeignCustomer whole;
    const std::string id = http::percent_encoded(text_of(customer, "id"));
    whole.customer = std::move(customer);
    auto sources = co_await all("/v1/customers/" + id + "/sources", "");
    if (!sources) co_return sources.error();
    whole.sources = std::move(*sources);
    auto methods = co_await all("/v1/payment_methods", "&type=card&customer=" + id);
    if (!methods) co_return methods.error();
    add_unknown(whole.sources, std::move(*methods));
    sort_newest_first(whole.sources);
    auto items = co_await all("/v1/invoiceitems", "&pending=true&customer=" + id);
    if (!items) co_return items.error();
    whole.invoice_items = std::move(*items);
    auto subscriptions = co_await all("/v1/subscriptions", "&customer=" + id);
    if (!subscriptions) co_return subscriptions.error();
    whole.subscriptions = std::move(*subscriptions);
    auto invoices = co_await all("/v1/invoices", "&customer=" + id);
    if (!invoices) co_return invoices.error();
    std::erase_if(*invoices, [](const json::object& invoice) { return !is_unfinished(invoice); });
    for (const json::object& invoice : *invoices) {
      auto lines = co_await all("/v1/invoices/" + http::percent_encoded(text_of(invoice, "id")) + "/lines", "");
      if (!lines) co_return lines.error();
      whole.lines.emplace(text_of(invoice, "id"), std::move(*lines));
    }
    whole.invoices = std::move(*invoices);
    auto schedules = co_await all_or_none("/v1/subscription_schedules", "&customer=" + id);
    if (!schedules) co_return schedules.error();
    std::erase_if(*schedules, [](const json::object& schedule) { return !goes_on(schedule); });
    whole.schedules = std::move(*schedules);
    auto told = co_await tell_subscriptions(whole);
    if (!told) co_return told.error();
    co_return whole;
  }

 private:
  /// What was used of metered items, and subscriptions that have ended but are still owed for.
  awaitable<Result<void>> tell_subscriptions(ForeignCustomer& whole) {
    for (const std::string& item : metered_items(whole.subscriptions)) {
      bool has_more = false;
      auto summaries = co_await page(
          "/v1/subscription_items/" + http::percent_encoded(item) + "/usage_record_summaries", "", "", has_more);
      if (!summaries) co_return summaries.error();
      whole.usage.emplace(item, std::move(*summaries));
    }
    for (const std::string& id : ended_of(whole)) {
      auto subscription = co_await get("/v1/subscriptions/" + http::percent_encoded(id));
      if (!subscription && subscription.error().code == Errc::not_found) continue;
      if (!subscription) co_return subscription.error();
      if (has_ended(*subscription)) whole.ended.push_back(std::move(*subscription));
    }
    co_return Result<void>();
  }

  static http::ClientSettings settings() {
    http::ClientSettings settings;
    settings.response_bytes_max = answer_bytes_max;
    return settings;
  }

  awaitable<Result<Objects>> all(std::string path, std::string filter) {
    Objects objects;
    for (bool has_more = true; has_more;) {
      const std::string after = objects.empty() ? std::string() : text_of(objects.back(), "id");
      auto read = co_await page(path, filter, after, has_more);
      if (!read) co_return read.error();
      if (read->empty()) break;
      std::ranges::move(*read, std::back_inserter(objects));
    }
    co_return objects;
  }

  /// Of a kind that not every API has.
  awaitable<Result<Objects>> all_or_none(std::string path, std::string filter = std::string()) {
    auto objects = co_await all(std::move(path), std::move(filter));
    if (!objects && objects.error().code == Errc::not_found) co_return Objects();
    co_return objects;
  }

  awaitable<Result<Objects>> page(std::string path, std::string filter, std::string after, bool& has_more) {
    std::string target = path + "?limit=100" + filter;
    if (!after.empty()) target += "&starting_after=" + http::percent_encoded(after);
    auto answer = co_await get(std::move(target));
    if (!answer) co_return answer.error();
    const json::value* more = answer->if_contains("has_more");
    has_more = more != nullptr && more->is_bool() && more->get_bool();
    co_return objects_of(answer->if_contains("data"));
  }

  awaitable<Result<json::object>> get(std::string target) {
    for (int attempt = 1;; ++attempt) {
      http::ClientRequest request;
      request.url = url_ + target;
      request.headers.add("Authorization", "Bearer " + key_);
      request.headers.add("Stripe-Version", api_version);
      auto response = co_await client_.send(std::move(request));
      const bool may_change = !response || response->status == 429 || response->status >= 500;
      if (may_change && attempt < tries_max) {
        co_await sleep_for(Milliseconds(100) * (1 << attempt));
        continue;
      }
      if (!response) co_return Failure{response.error().code, url_ + ": " + response.error().detail};
      if (response->status == 404) co_return Failure{Errc::not_found, target + " is not known to " + url_};
      if (response->status != 200)
        co_return Failure{Errc::invalid_state, url_ + " answered " + std::to_string(response->status) + " to " +
                                                   target + ": " + response->body.substr(0, 300)};
      boost::system::error_code ec;
      json::value value = json::parse(response->body, ec);
      if (ec || !value.is_object()) co_return Failure{Errc::corrupt, url_ + " answered no JSON object to " + target};
      co_return std::move(value.get_object());
    }
  }

  http::Client client_;
  std::string url_, key_;
  std::vector<std::string> clocks_;
  std::string filter_, after_;
  bool is_at_end_ = false;
};

class FileReader final : public ImportReader {
 public:
  explicit FileReader(json::object everything) : everything_(std::move(everything)) {}

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
    if (!is_sorted_) sort();
    ForeignCustomer whole;
    const std::string id = text_of(customer, "id");
    whole.sources = objects_of(customer.if_contains("sources"));
    add_unknown(whole.sources, sources_[id]);
    sort_newest_first(whole.sources);
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
    is_sorted_ = true;
    for (const std::string_view kind : {"sources", "payment_methods"})
      for (json::object& source : list(kind)) sources_[identifier_of(source, "customer")].push_back(std::move(source));
    for (json::object& item : list("invoiceitems"))
      if (text_of(item, "invoice").empty()) items_[identifier_of(item, "customer")].push_back(std::move(item));
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
    for (json::object& invoice : list("invoices"))
      if (is_unfinished(invoice)) invoices_[identifier_of(invoice, "customer")].push_back(std::move(invoice));
  }

  json::object everything_;
  bool has_told_customers_ = false, is_sorted_ = false;
  std::map<std::string, Objects> sources_, subscriptions_, schedules_, invoices_, items_;  ///< by customer
  std::map<std::string, Objects> usage_;                                                   ///< by item
  std::map<std::string, json::object> ended_;                                              ///< by their identifiers
};

}  // namespace

std::unique_ptr<ImportReader> read_from_api(Executor executor, std::string url, std::string key) {
  return std::make_unique<ApiReader>(executor, std::move(url), std::move(key));
}

Result<std::unique_ptr<ImportReader>> read_from_file(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Failure{Errc::invalid_parameter, "cannot read " + file};
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  boost::system::error_code ec;
  json::value value = json::parse(text, ec);
  if (ec || !value.is_object())
    return Failure{Errc::invalid_parameter, file + " holds no JSON object" + (ec ? ": " + ec.message() : "")};
  return std::unique_ptr<ImportReader>(std::make_unique<FileReader>(std::move(value.get_object())));
}

}  // namespace billd::commands
