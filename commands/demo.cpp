// Fills a running daemon with customers on test clocks, lets months pass, and sums up what was billed; all of it
// through the API, as any program would.
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "commands/commands.hpp"
#include "commands/session.hpp"
#include "engine/calendar.hpp"
#include "engine/ids.hpp"
#include "engine/money.hpp"
#include "net/api/gather.hpp"
#include "net/http/client.hpp"
#include "net/http/text.hpp"

namespace billd::commands {
namespace {

namespace json = boost::json;

// A few less than the connections that billd grants one peer, so that a browser beside the demo gets through.
constexpr std::size_t requests_at_once = 24;
constexpr std::size_t customers_per_clock = 250;
/// How long a request is repeated while the daemon, having answered before, is restarted or overloaded.
constexpr Milliseconds patience = std::chrono::seconds(60);
constexpr Milliseconds advance_limit = std::chrono::hours(1);
constexpr std::string_view api_version = "2023-08-16";

using Form = std::vector<std::pair<std::string_view, std::string>>;

std::string encode(const Form& form) {
  std::string text;
  for (const auto& [name, value] : form) {
    if (!text.empty()) text += '&';
    text.append(http::percent_encoded(name)).append("=").append(http::percent_encoded(value));
  }
  return text;
}

/// What is being done and how far it is: one line that changes on a terminal, a line per step elsewhere.
class Progress {
 public:
  Progress() : on_terminal_(isatty(STDERR_FILENO) == 1) {}
  ~Progress() { end_step(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void begin_step(std::string what, std::size_t total) {
    end_step();
    what_ = std::move(what);
    total_ = total;
    done_ = 0;
    if (!on_terminal_) std::fprintf(stderr, "%s\n", what_.c_str());
    show();
  }

  void add_one() {
    ++done_;
    const auto now = SteadyClock::now();
    if (done_ < total_ && now - shown_at_ < Milliseconds(100)) return;
    shown_at_ = now;
    show();
  }

  void end_step() {
    if (on_terminal_ && !what_.empty()) std::fprintf(stderr, "\r\033[K");
    what_.clear();
  }

 private:
  void show() const {
    if (on_terminal_) std::fprintf(stderr, "\r\033[K%s: %zu of %zu", what_.c_str(), done_, total_);
  }

  const bool on_terminal_;
  std::string what_;
  std::size_t total_ = 0, done_ = 0;
  SteadyClock::time_point shown_at_;
};

/// The API as a program sees it: every POST has an idempotency key and is repeated under it until there is an answer.
class Api {
 public:
  Api(Executor executor, const DemoOptions& options) : client_(executor, settings()), options_(options) {
    std::random_device device;
    const auto high = (std::uint64_t{device()} << 32) | device();
    run_ = base62(high, 11);
  }

  awaitable<Result<json::object>> get(std::string path) {
    http::ClientRequest request = prepared(http::Method::get, path);
    return send(std::move(request));
  }

  /// `name` tells the request from all others of this run.
  awaitable<Result<json::object>> post(std::string path, std::string name, Form form) {
    http::ClientRequest request = prepared(http::Method::post, path);
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    request.headers.add("Idempotency-Key", "demo-" + run_ + "-" + name);
    request.body = encode(form);
    return send(std::move(request));
  }

 private:
  static http::ClientSettings settings() {
    http::ClientSettings settings;
    settings.connections_per_origin_max = requests_at_once;
    settings.response_bytes_max = 16 << 20;  // a page of a hundred invoices with all they hold
    return settings;
  }

  http::ClientRequest prepared(http::Method method, const std::string& path) const {
    http::ClientRequest request;
    request.method = method;
    request.url = options_.api + path;
    request.headers.add("Authorization", "Bearer " + options_.key);
    request.headers.add("Stripe-Version", api_version);
    return request;
  }

  awaitable<Result<json::object>> send(http::ClientRequest request) {
    const auto until = SteadyClock::now() + (has_answered_ ? patience : Milliseconds(0));
    for (Milliseconds wait(50);; wait = std::min(wait * 2, Milliseconds(2000))) {
      http::ClientRequest copy = request;
      auto response = co_await client_.send(std::move(copy));
      if (response) has_answered_ = true;
      if (response && response->status < 300) co_return parsed(request, response->body);
      const bool may_change = response ? may_change_by_itself(response->status) : is_of_connection(response.error());
      if (!may_change || SteadyClock::now() >= until) {
        if (response) co_return refusal(request, *response);
        co_return unreached(response.error());
      }
      co_await sleep_for(wait);
    }
  }

  static bool may_change_by_itself(int status) { return status == 409 || status == 429 || status == 503; }
  static bool is_of_connection(const Failure& failure) {
    return failure.code == Errc::unavailable || failure.code == Errc::outcome_unknown;
  }

  static std::string shown(const http::ClientRequest& request) {
    return std::string(http::name(request.method)) + " " + request.url;
  }

  static Result<json::object> parsed(const http::ClientRequest& request, const std::string& body) {
    boost::system::error_code ec;
    json::value value = json::parse(body, ec);
    if (ec || !value.is_object()) return Failure{Errc::corrupt, shown(request) + " was not answered in JSON"};
    return std::move(value.as_object());
  }

  Failure refusal(const http::ClientRequest& request, const http::Response& response) const {
    std::string why;
    boost::system::error_code ec;
    const json::value body = json::parse(response.body, ec);
    if (!ec) {
      const json::value* message = body.find_pointer("/error/message", ec);
      if (message != nullptr && message->is_string()) why = message->as_string();
    }
    if (response.status == 401)
      return {Errc::unauthenticated, options_.api + " refuses the key: " + why +
                                         " Give a test key with --key, or start the daemon with `billd serve --dev`."};
    return {Errc::invalid_parameter, shown(request) + " was refused with " + std::to_string(response.status) + ": " +
                                         (why.empty() ? response.body.substr(0, 200) : why)};
  }

  Failure unreached(const Failure& failure) const {
    if (has_answered_) return {failure.code, options_.api + " does not answer any more: " + failure.detail};
    return {failure.code, "no billd answers at " + options_.api + " (" + failure.detail +
                              "). Start one with ./run, or name another with --api."};
  }

  http::Client client_;
  const DemoOptions& options_;
  std::string run_;
  bool has_answered_ = false;
};

/// What was billed in a month, or in all.
struct Sums {
  std::uint64_t invoices = 0, paid = 0, failed = 0;
  std::map<std::string, std::int64_t> amounts;  ///< what was paid, in minor units by currency

  void add(const Sums& other) {
    invoices += other.invoices;
    paid += other.paid;
    failed += other.failed;
    for (const auto& [currency, amount] : other.amounts) amounts[currency] += amount;
  }
};

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::int64_t integer_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  boost::system::error_code ec;
  return value != nullptr && value->is_number() ? value->to_number<std::int64_t>(ec) : 0;
}

bool is_true(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->as_bool();
}

std::string month_of(Timestamp time) { return to_text(time).substr(0, 7); }

class Demo {
 public:
  Demo(Executor executor, DemoOptions options)
      : options_(std::move(options)),
        api_(executor, options_),
        began_(SteadyClock::now()),
        start_(std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now())) {}

  awaitable<Result<int>> run() {
    auto plans = co_await create_plans();
    if (!plans) co_return plans.error();
    clocks_.resize((options_.customers + customers_per_clock - 1) / customers_per_clock);
    auto clocks = co_await for_each("Making test clocks", clocks_.size(), &Demo::create_clock);
    if (!clocks) co_return clocks.error();
    customers_.resize(options_.customers);
    auto customers =
        co_await for_each("Making customers with a card and a subscription", customers_.size(), &Demo::create_customer);
    if (!customers) co_return customers.error();
    const auto filled = SteadyClock::now();
    for (month_ = 1; month_ <= options_.months; ++month_) {
      // Invoices stay open to changes for a while before they are charged: two hours let that pass, too.
      advance_to_ = boundary(start_, {Interval::month, 1}, month_) + std::chrono::hours(2);
      std::string what = "Month " + std::to_string(month_) + " of " + std::to_string(options_.months) + ", until " +
                         to_text(advance_to_).substr(0, 10);
      auto advanced = co_await for_each(std::move(what), clocks_.size(), &Demo::advance_clock);
      if (!advanced) co_return advanced.error();
    }
    const auto advanced = SteadyClock::now();
    auto listed = co_await for_each("Listing what was billed", customers_.size(), &Demo::list_invoices);
    if (!listed) co_return listed.error();
    progress_.end_step();
    print(filled - began_, advanced - filled, SteadyClock::now() - began_);
    co_return 0;
  }

 private:
  using Step = awaitable<Result<void>> (Demo::*)(std::size_t index);

  /// Does the step for every index below `count`, some at a time, until one fails.
  awaitable<Result<void>> for_each(std::string what, std::size_t count, Step step) {
    progress_.begin_step(std::move(what), count);
    std::size_t next = 0;
    std::vector<awaitable<Result<void>>> workers;
    for (std::size_t i = 0; i < std::min(count, requests_at_once); ++i) workers.push_back(work(step, next, count));
    auto results = co_await api::gather(std::move(workers));
    for (Result<void>& result : results)
      if (!result) co_return result.error();
    co_return Result<void>();
  }

  awaitable<Result<void>> work(Step step, std::size_t& next, std::size_t count) {
    while (next < count) {
      const std::size_t index = next++;
      auto done = co_await (this->*step)(index);
      if (!done) {
        next = count;
        co_return done.error();
      }
      progress_.add_one();
    }
    co_return Result<void>();
  }

  awaitable<Result<void>> create_plans() {
    struct NewPlan {
      std::string_view product, amount, currency, interval;
    };
    constexpr std::array plans = {NewPlan{"Basic", "1900", "usd", "month"}, NewPlan{"Team", "4900", "eur", "month"},
                                  NewPlan{"Basic, by the year", "19000", "usd", "year"}};
    static_assert(plans.size() == std::tuple_size_v<decltype(plans_)>);
    for (std::size_t i = 0; i < plans.size(); ++i) {
      Form form = {{"amount", std::string(plans[i].amount)},
                   {"currency", std::string(plans[i].currency)},
                   {"interval", std::string(plans[i].interval)},
                   {"product[name]", std::string(plans[i].product)}};
      auto plan = co_await api_.post("/v1/plans", "plan-" + std::to_string(i), std::move(form));
      if (!plan) co_return plan.error();
      plans_[i] = text_of(*plan, "id");
    }
    co_return Result<void>();
  }

  awaitable<Result<void>> create_clock(std::size_t index) {
    Form form = {{"frozen_time", std::to_string(to_unix(start_))}, {"name", "Demo " + std::to_string(index + 1)}};
    auto clock = co_await api_.post("/v1/test_helpers/test_clocks", "clock-" + std::to_string(index), std::move(form));
    if (!clock) co_return clock.error();
    clocks_[index] = text_of(*clock, "id");
    co_return Result<void>();
  }

  /// Every fourth pays in euros and every eighth by the year; in twenty there are two on trial, one who leaves at the
  /// end of the first month, and one whose card is declined when the trial is over.
  awaitable<Result<void>> create_customer(std::size_t index) {
    constexpr std::array cards = {"tok_visa", "tok_visa", "tok_mastercard", "tok_visa", "tok_amex"};
    const std::size_t kind = index % 20;
    const bool declines = kind == 7;
    const std::string name = "customer-" + std::to_string(index);
    Form customer_form = {{"email", name + "@example.com"},
                          {"name", "Customer " + std::to_string(index + 1)},
                          {"source", declines ? "tok_chargeCustomerFail" : cards[index % cards.size()]},
                          {"test_clock", clocks_[index / customers_per_clock]}};
    auto customer = co_await api_.post("/v1/customers", name, std::move(customer_form));
    if (!customer) co_return customer.error();
    customers_[index] = text_of(*customer, "id");

    const std::size_t plan = index % 8 == 6 ? 2 : index % 4 == 1 ? 1 : 0;
    Form form = {{"customer", customers_[index]}, {"items[0][plan]", plans_[plan]}};
    if (declines || kind == 3 || kind == 13) form.emplace_back("trial_period_days", "14");
    if (kind == 10) form.emplace_back("cancel_at_period_end", "true");
    auto subscription =
        co_await api_.post("/v1/subscriptions", "subscription-" + std::to_string(index), std::move(form));
    if (!subscription) co_return subscription.error();
    co_return Result<void>();
  }

  awaitable<Result<void>> advance_clock(std::size_t index) {
    const std::string path = "/v1/test_helpers/test_clocks/" + clocks_[index];
    Form form = {{"frozen_time", std::to_string(to_unix(advance_to_))}};
    const std::string name = "advance-" + std::to_string(index) + "-" + std::to_string(month_);
    auto clock = co_await api_.post(path + "/advance", name, std::move(form));
    const auto until = SteadyClock::now() + advance_limit;
    for (Milliseconds wait(10);; wait = std::min(wait * 2, Milliseconds(500))) {
      if (!clock) co_return clock.error();
      const std::string status = text_of(*clock, "status");
      if (status == "ready") co_return Result<void>();
      if (status != "advancing" || SteadyClock::now() >= until)
        co_return Failure{Errc::invalid_state, "the test clock " + clocks_[index] + " does not arrive at " +
                                                   to_text(advance_to_) + "; it is " + status};
      co_await sleep_for(wait);
      clock = co_await api_.get(path);
    }
  }

  awaitable<Result<void>> list_invoices(std::size_t index) {
    const std::string first_page = "/v1/invoices?limit=100&customer=" + customers_[index];
    std::string page = first_page;
    while (true) {
      auto list = co_await api_.get(page);
      if (!list) co_return list.error();
      const json::value* data = list->if_contains("data");
      if (data == nullptr || !data->is_array())
        co_return Failure{Errc::corrupt, page + " was not answered with a list"};
      for (const json::value& invoice : data->as_array())
        if (invoice.is_object()) add(invoice.as_object());
      if (!is_true(*list, "has_more") || data->as_array().empty()) co_return Result<void>();
      page = first_page + "&starting_after=" + text_of(data->as_array().back().as_object(), "id");
    }
  }

  void add(const json::object& invoice) {
    Sums& sums = months_[month_of(from_unix(integer_of(invoice, "created")))];
    ++sums.invoices;
    if (text_of(invoice, "status") == "paid") {
      ++sums.paid;
      sums.amounts[text_of(invoice, "currency")] += integer_of(invoice, "amount_paid");
    } else if (is_true(invoice, "attempted")) {
      ++sums.failed;
    }
  }

  static std::string amounts_text(const Sums& sums) {
    std::string text;
    for (const auto& [code, minor] : sums.amounts) {
      const auto currency = Currency::parse(code);
      if (!text.empty()) text += "  ";
      text += currency ? to_text(Money{minor, *currency}) : std::to_string(minor) + " " + code;
    }
    return text;
  }

  static json::object to_json(const Sums& sums) {
    json::object amounts;
    for (const auto& [currency, minor] : sums.amounts) amounts[currency] = minor;
    json::object object;
    object["invoices"] = sums.invoices;
    object["paid"] = sums.paid;
    object["failed"] = sums.failed;
    object["amount_paid"] = std::move(amounts);
    return object;
  }

  using SteadyDuration = SteadyClock::duration;

  void print(SteadyDuration filling, SteadyDuration advancing, SteadyDuration in_all) const {
    auto seconds = [](SteadyDuration duration) { return std::chrono::duration<double>(duration).count(); };
    Sums total;
    for (const auto& [month, sums] : months_) total.add(sums);
    if (options_.json) {
      json::array months;
      for (const auto& [month, sums] : months_) {
        json::object object = to_json(sums);
        object["month"] = month;
        months.push_back(std::move(object));
      }
      json::object object;
      object["customers"] = options_.customers;
      object["test_clocks"] = clocks_.size();
      object["months"] = std::move(months);
      object["total"] = to_json(total);
      object["seconds_filling"] = seconds(filling);
      object["seconds_advancing"] = seconds(advancing);
      object["seconds"] = seconds(in_all);
      std::printf("%s\n", json::serialize(object).c_str());
      return;
    }
    std::printf("%-8s %9s %9s %9s  %s\n", "month", "invoices", "paid", "failed", "amount paid");
    auto row = [](const std::string& name, const Sums& sums) {
      std::printf("%-8s %9llu %9llu %9llu  %s\n", name.c_str(), static_cast<unsigned long long>(sums.invoices),
                  static_cast<unsigned long long>(sums.paid), static_cast<unsigned long long>(sums.failed),
                  amounts_text(sums).c_str());
    };
    for (const auto& [month, sums] : months_) row(month, sums);
    row("total", total);
    std::printf("\n%u customers on %zu test clocks: filled in %.1f s, %u months in %.1f s, %.1f s in all.\n",
                options_.customers, clocks_.size(), seconds(filling), options_.months, seconds(advancing),
                seconds(in_all));
  }

  const DemoOptions options_;
  Api api_;
  Progress progress_;
  const SteadyClock::time_point began_;
  const Timestamp start_;  ///< when time begins on the test clocks
  std::array<std::string, 3> plans_;
  std::vector<std::string> clocks_, customers_;
  std::uint32_t month_ = 0;
  Timestamp advance_to_;
  std::map<std::string, Sums> months_;
};

awaitable<Result<int>> run_demo(Executor executor, DemoOptions options) {
  while (options.api.ends_with('/')) options.api.pop_back();
  Demo demo(executor, std::move(options));
  co_return co_await demo.run();
}

}  // namespace

int demo(const DemoOptions& options) {
  return run([&options](Executor executor) { return run_demo(executor, options); });
}

}  // namespace billd::commands
