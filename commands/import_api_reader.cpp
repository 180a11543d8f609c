// What is imported, read from a running API.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "commands/import_selection.hpp"
#include "net/http/text.hpp"

namespace billd::commands {
namespace {

namespace json = boost::json;

/// Whatever the account's own version is: one that knows of paused subscriptions, which came in 2022, and tells of
/// discounts, of usage records and of the period with its subscription, which went in 2025.
constexpr std::string_view api_version = "2023-08-16";
constexpr std::size_t answer_bytes_max = std::size_t{64} << 20;
/// How often what fails for a reason that may pass (no connection, 5xx) is asked.
constexpr int tries_max = 8;
/// How long an API that has no room for more (429) is asked again.
constexpr std::chrono::minutes busy_max{10};
/// The longest wait that its Retry-After is followed for.
constexpr std::chrono::seconds retry_after_max{60};

/// A list that is asked for, and what is told in it only when it is asked for, too. A coupon for one says only then
/// which products it is for.
struct Question {
  std::string path, filter = {};
  std::vector<std::string_view> expanded = {};
};

/// What the API says of an error; empty: nothing that is understood.
struct ApiError {
  std::string message, parameter;
};

ApiError error_in(const std::string& body) {
  boost::system::error_code ec;
  const json::value value = json::parse(body, ec);
  const json::object* error = ec || !value.is_object() ? nullptr : object_of(value.get_object(), "error");
  if (error == nullptr) return {};
  return {text_of(*error, "message"), text_of(*error, "param")};
}

std::string path_of(const std::string& target) { return target.substr(0, target.find('?')); }

/// Whether everything is told that belongs to the list.
bool is_whole(const json::object* list) {
  return list != nullptr && member_of(*list, "data") != nullptr && !truth_of(*list, "has_more");
}

class ApiReader final : public ImportReader {
 public:
  ApiReader(Executor executor, std::string url, std::string key, std::size_t customers_at_once)
      : client_(executor, settings(customers_at_once)), url_(std::move(url)), key_(std::move(key)) {
    while (url_.ends_with('/')) url_.pop_back();
    if (url_.ends_with("/v1")) url_.resize(url_.size() - 3);
  }

  awaitable<Result<Objects>> products() override { return all_or_none({"/v1/products"}); }
  awaitable<Result<Objects>> plans() override { return all({"/v1/plans", "", {"tiers"}}); }
  awaitable<Result<Objects>> prices() override { return all_or_none({"/v1/prices", "&type=one_time", {"tiers"}}); }
  awaitable<Result<Objects>> coupons() override { return all_or_none({"/v1/coupons", "", {"applies_to"}}); }
  awaitable<Result<Objects>> promotion_codes() override { return all_or_none({"/v1/promotion_codes"}); }
  awaitable<Result<Objects>> tax_rates() override { return all_or_none({"/v1/tax_rates"}); }
  awaitable<Result<Objects>> test_clocks() override {
    // A rehearsal with live customers: they have none, and the key may not ask.
    if (key_.starts_with("sk_live_") || key_.starts_with("rk_live_")) co_return Objects();
    Question question{"/v1/test_helpers/test_clocks"};
    auto clocks = co_await all_or_none(std::move(question));
    if (!clocks) co_return clocks.error();
    for (const json::object& clock : *clocks) clocks_.push_back(text_of(clock, "id"));
    co_return clocks;
  }

  /// Customers on a test clock may be told of only when it is named; those that come twice are taken once.
  awaitable<Result<Objects>> next_customers() override {
    for (;;) {
      if (is_at_end_) {
        if (clocks_.empty()) co_return Objects();
        clock_ = "&test_clock=" + http::percent_encoded(clocks_.back());
        clocks_.pop_back();
        after_.clear();
        is_at_end_ = false;
      }
      bool has_more = false;
      Question question{"/v1/customers", clock_, {"sources", "tax_ids", "discount.coupon.applies_to"}};
      auto customers = co_await page(std::move(question), after_, has_more);
      if (!customers) co_return customers.error();
      is_at_end_ = !has_more || customers->empty();
      if (customers->empty()) continue;
      after_ = text_of(customers->back(), "id");
      co_return customers;
    }
  }

  awaitable<Result<ForeignCustomer>> belongings(json::object customer) override {
    ForeignCustomer whole;
    whole.customer = std::move(customer);
    const std::string id = http::percent_encoded(text_of(whole.customer, "id"));
    auto read = co_await read_sources(whole, id);
    if (!read) co_return read.error();
    auto items = co_await all(of_customer("/v1/invoiceitems", id, "&pending=true"));
    if (!items) co_return items.error();
    whole.invoice_items = std::move(*items);
    Question question = of_customer("/v1/subscriptions", id);
    question.expanded = {"discount.coupon.applies_to"};
    auto subscriptions = co_await all(std::move(question));
    if (!subscriptions) co_return subscriptions.error();
    whole.subscriptions = std::move(*subscriptions);
    read = co_await read_invoices(whole, id);
    if (!read) co_return read.error();
    auto schedules = co_await all_or_none(of_customer("/v1/subscription_schedules", id));
    if (!schedules) co_return schedules.error();
    std::erase_if(*schedules, [](const json::object& schedule) { return !goes_on(schedule); });
    whole.schedules = std::move(*schedules);
    read = co_await tell_subscriptions(whole);
    if (!read) co_return read.error();
    co_return whole;
  }

 private:
  /// Cards and bank accounts, by their older and their newer names, and tax identifiers.
  awaitable<Result<void>> read_sources(ForeignCustomer& whole, std::string id) {
    const json::object* told = object_of(whole.customer, "sources");
    if (is_whole(told)) {
      whole.sources = objects_of(member_of(whole.customer, "sources"));
    } else {
      auto sources = co_await all_or_none(part_of("customers", id, "sources"));
      if (!sources) co_return sources.error();
      whole.sources = std::move(*sources);
    }
    auto methods = co_await all(of_customer("/v1/payment_methods", id, "&type=card"));
    if (!methods) co_return methods.error();
    add_unknown(whole.sources, std::move(*methods));
    sort_newest_first(whole.sources);
    if (is_whole(object_of(whole.customer, "tax_ids"))) {
      whole.tax_ids = objects_of(member_of(whole.customer, "tax_ids"));
      co_return Result<void>();
    }
    auto identifiers = co_await all_or_none(part_of("customers", id, "tax_ids"));
    if (!identifiers) co_return identifiers.error();
    whole.tax_ids = std::move(*identifiers);
    co_return Result<void>();
  }

  /// Drafts and open invoices; those that are paid, which may be many, are not asked for.
  awaitable<Result<void>> read_invoices(ForeignCustomer& whole, std::string id) {
    for (const std::string status : {"draft", "open"}) {
      auto invoices = co_await all(of_customer("/v1/invoices", id, "&status=" + status));
      if (!invoices) co_return invoices.error();
      std::erase_if(*invoices, [&](const json::object& invoice) { return text_of(invoice, "status") != status; });
      std::ranges::move(*invoices, std::back_inserter(whole.invoices));
    }
    sort_newest_first(whole.invoices);
    for (const json::object& invoice : whole.invoices) {
      const std::string name = text_of(invoice, "id");
      if (is_whole(object_of(invoice, "lines"))) {
        whole.lines.emplace(name, objects_of(member_of(invoice, "lines")));
        continue;
      }
      auto lines = co_await all(part_of("invoices", http::percent_encoded(name), "lines"));
      if (!lines) co_return lines.error();
      whole.lines.emplace(name, std::move(*lines));
    }
    co_return Result<void>();
  }

  /// What was used of metered items, and subscriptions that have ended but are still owed for.
  awaitable<Result<void>> tell_subscriptions(ForeignCustomer& whole) {
    for (const std::string& item : metered_items(whole.subscriptions)) {
      bool has_more = false;
      Question question = part_of("subscription_items", http::percent_encoded(item), "usage_record_summaries");
      auto summaries = co_await page(std::move(question), "", has_more);
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

  static http::ClientSettings settings(std::size_t customers_at_once) {
    http::ClientSettings settings;
    settings.response_bytes_max = answer_bytes_max;
    // One for the list of customers.
    settings.connections_per_origin_max = customers_at_once + 1;
    return settings;
  }

  static Question of_customer(std::string path, const std::string& id, const std::string& filter = std::string()) {
    return {std::move(path), filter + "&customer=" + id};
  }
  static Question part_of(const std::string& kind, const std::string& id, const std::string& part) {
    return {"/v1/" + kind + "/" + id + "/" + part};
  }

  awaitable<Result<Objects>> all(Question question) {
    Objects objects;
    for (bool has_more = true; has_more;) {
      const std::string after = objects.empty() ? std::string() : text_of(objects.back(), "id");
      auto read = co_await page(question, after, has_more);
      if (!read) co_return read.error();
      if (read->empty()) break;
      std::ranges::move(*read, std::back_inserter(objects));
    }
    co_return objects;
  }

  /// Of a kind that not every API has.
  awaitable<Result<Objects>> all_or_none(Question question) {
    auto objects = co_await all(std::move(question));
    if (!objects && objects.error().code == Errc::not_found) co_return Objects();
    co_return objects;
  }

  awaitable<Result<Objects>> page(Question question, std::string after, bool& has_more) {
    std::string target = question.path + "?limit=100" + question.filter;
    if (!after.empty()) target += "&starting_after=" + http::percent_encoded(after);
    const std::string plain = target;
    if (!unexpandable_.contains(question.path))
      for (const std::string_view name : question.expanded) target.append("&expand%5B%5D=data.").append(name);
    auto answer = co_await get(target);
    if (!answer && answer.error().parameter == "expand" && target != plain) {
      // An API that does not know of it has it not, or tells it by itself.
      unexpandable_.insert(question.path);
      answer = co_await get(plain);
    }
    if (!answer) co_return answer.error();
    const json::value* data = answer->if_contains("data");
    if (data == nullptr || !data->is_array())
      co_return Failure{Errc::corrupt, url_ + " answered no list to " + question.path + ": " + base_hint()};
    has_more = truth_of(*answer, "has_more");
    co_return objects_of(data);
  }

  /// Tries until there is an answer, or none is to be hoped for.
  awaitable<Result<json::object>> get(std::string target) {
    const SteadyClock::time_point patience = SteadyClock::now() + busy_max;
    for (int attempt = 1, busy = 1;;) {
      co_await until_welcome();
      http::ClientRequest request;
      request.url = url_ + target;
      request.headers.add("Authorization", "Bearer " + key_);
      request.headers.add("Stripe-Version", api_version);
      auto response = co_await client_.send(std::move(request));
      if (response && response->status == 429 && SteadyClock::now() < patience) {
        slow_down(*response, busy++);
        continue;
      }
      const bool may_change = !response ? response.error().code != Errc::invalid_parameter : response->status >= 500;
      // An API that has never answered is rather not there.
      if (may_change && has_answered_ && attempt < tries_max) {
        co_await sleep_for(Milliseconds(100) * (1 << attempt++));
        continue;
      }
      if (!response) co_return Failure{response.error().code, url_ + ": " + response.error().detail};
      if (response->status != 200) co_return failure_of(*response, target);
      has_answered_ = true;
      boost::system::error_code ec;
      json::value value = json::parse(response->body, ec);
      if (ec || !value.is_object())
        co_return Failure{Errc::corrupt, url_ + " answered no JSON object to " + path_of(target) + ": " + base_hint()};
      co_return std::move(value.get_object());
    }
  }

  /// All requests wait together: each that comes too early is counted against the key.
  awaitable<> until_welcome() {
    while (SteadyClock::now() < quiet_until_)
      co_await sleep_for(std::chrono::ceil<Milliseconds>(quiet_until_ - SteadyClock::now()));
  }

  void slow_down(const http::Response& response, int times) {
    Milliseconds wait = Milliseconds(100) * (1 << std::min(times, 8));
    const std::string_view text = response.headers.find("Retry-After").value_or("");
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    const bool is_told = error == std::errc() && end == text.data() + text.size() && seconds > 0;
    if (is_told) wait = std::min(std::chrono::seconds(seconds), retry_after_max);
    quiet_until_ = std::max(quiet_until_, SteadyClock::now() + wait);
  }

  std::string base_hint() const { return "--from names the base of an API of Stripe's kind, without /v1"; }

  Failure failure_of(const http::Response& response, const std::string& target) const {
    const std::string path = path_of(target);
    const ApiError error = error_in(response.body);
    const std::string& said = error.message;
    std::string text = url_ + " answered " + std::to_string(response.status) + " to " + path;
    // An API may tell what it was sent.
    if (!said.empty() && said.find(key_) == std::string::npos) text += " (" + said + ")";
    switch (response.status) {
      case 401:
        return {Errc::forbidden, text + ": the key in --key-file is not one of its"};
      case 403:
        return {Errc::forbidden, text +
                                     ": the key must be able to read customers, sources, payment methods, products, "
                                     "prices, coupons, promotion codes, tax rates, subscriptions, schedules, usage "
                                     "records, invoices, invoice items and tax IDs"};
      case 404:
        return {Errc::not_found, text + ": " + base_hint()};
      case 429:
        return {Errc::unavailable, text + " for ten minutes: run this again later, with a smaller --at-once"};
      default:
        break;
    }
    if (response.status >= 300 && response.status < 400)
      return {Errc::invalid_state, text + ": it is elsewhere; --from must name where"};
    if (response.status >= 500) return {Errc::unavailable, text + " again and again: run this again when it is well"};
    return {Errc::invalid_state, std::move(text), error.parameter};
  }

  http::Client client_;
  std::string url_, key_;
  std::vector<std::string> clocks_;
  std::string clock_, after_;
  std::set<std::string> unexpandable_;  ///< lists of which the API tells no more than by itself
  bool is_at_end_ = false;
  bool has_answered_ = false;
  SteadyClock::time_point quiet_until_{};
};

}  // namespace

std::unique_ptr<ImportReader> read_from_api(Executor executor, std::string url, std::string key,
                                            std::size_t customers_at_once) {
  return std::make_unique<ApiReader>(executor, std::move(url), std::move(key), customers_at_once);
}

}  // namespace billd::commands
