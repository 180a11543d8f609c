// `billd forecast`: what the whole book, or one customer, will be charged per day, found out by the same tick() as the
// daemon's; nothing is written.
#include "engine/forecast.hpp"

#include <unistd.h>

#include <boost/json.hpp>
#include <cstdio>
#include <map>

#include "commands/commands.hpp"
#include "commands/session.hpp"
#include "jobs/clock.hpp"
#include "net/store/encoding.hpp"

namespace billd::commands {
namespace {

constexpr std::size_t accounts_in_one_go = 500;

struct Sum {
  std::uint64_t payments = 0;
  __int128 minor = 0;
};

/// The day, the currency's code, and whether the customer pays an invoice that is sent.
using Line = std::tuple<std::chrono::sys_days, std::string, bool>;

struct Book {
  std::map<Line, Sum> lines;
  std::uint64_t customers = 0;
  std::uint64_t on_test_clocks = 0;  ///< left out: they live in another time
  std::uint64_t unforeseen = 0;      ///< left out: their next step fails
  std::string example;               ///< why

  void add(const std::vector<ExpectedPayment>& payments) {
    for (const ExpectedPayment& payment : payments) {
      const auto day = std::chrono::floor<std::chrono::days>(payment.at);
      Sum& sum = lines[{day, std::string(payment.amount.currency.code()), payment.is_sent}];
      sum.payments += 1;
      sum.minor += payment.amount.minor;
    }
  }
};

std::string day_text(std::chrono::sys_days day) { return billd::to_text(Timestamp(day)).substr(0, 10); }

std::string amount_text(const Line& line, const Sum& sum) {
  return billd::to_text(Money{static_cast<std::int64_t>(sum.minor), Currency::of(std::get<1>(line))});
}

std::string to_text(const Book& book) {
  std::string text = "day         payments  amount\n";
  std::map<std::pair<std::string, bool>, Sum> totals;
  std::array<char, 64> row{};
  auto add = [&](const std::string& name, const Line& line, const Sum& sum) {
    std::snprintf(row.data(), row.size(), "%-10s  %8llu  ", name.c_str(),
                  static_cast<unsigned long long>(sum.payments));
    text.append(row.data()).append(amount_text(line, sum)).append(std::get<2>(line) ? ", sent\n" : "\n");
  };
  for (const auto& [line, sum] : book.lines) {
    add(day_text(std::get<0>(line)), line, sum);
    Sum& total = totals[{std::get<1>(line), std::get<2>(line)}];
    total.payments += sum.payments;
    total.minor += sum.minor;
  }
  for (const auto& [kind, sum] : totals) add("in all", {std::chrono::sys_days(), kind.first, kind.second}, sum);
  text += std::to_string(book.customers) + " customers; every charge is taken to succeed.\n";
  if (book.on_test_clocks > 0)
    text += std::to_string(book.on_test_clocks) + " more live on test clocks and are left out.\n";
  if (book.unforeseen > 0)
    text += std::to_string(book.unforeseen) + " more cannot be foretold, for example: " + book.example + "\n";
  return text;
}

std::string to_json(const Book& book) {
  boost::json::array days;
  for (const auto& [line, sum] : book.lines) {
    boost::json::object& day = days.emplace_back(boost::json::object()).as_object();
    day["day"] = day_text(std::get<0>(line));
    day["currency"] = std::get<1>(line);
    day["collection"] = std::get<2>(line) ? "send_invoice" : "charge_automatically";
    day["payments"] = sum.payments;
    day["amount"] = static_cast<std::int64_t>(sum.minor);
  }
  boost::json::object whole;
  whole["days"] = std::move(days);
  whole["customers"] = book.customers;
  whole["on_test_clocks"] = book.on_test_clocks;
  whole["unforeseen"] = book.unforeseen;
  return boost::json::serialize(whole) + "\n";
}

/// The end of the day "2026-12-31", in UTC.
Result<Timestamp> end_of_day(const std::string& text) {
  int year = 0, month = 0, day = 0, read = 0;
  const bool is_whole = std::sscanf(text.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &read) == 3 &&
                        static_cast<std::size_t>(read) == text.size();
  const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!is_whole || !date.ok() || year > 2199)
    return Failure{Errc::invalid_parameter, "--until must be a day like 2026-12-31", "until"};
  return std::chrono::sys_days(date) + std::chrono::days(1) - Duration(1);
}

class Foresight {
 public:
  Foresight(Session& session, Rules rules, Mode mode, Timestamp now, Timestamp until)
      : session_(session), rules_(std::move(rules)), mode_(mode), now_(now), until_(until) {}

  awaitable<Result<Book>> one(std::string customer) {
    const auto key = AccountKey::of_id(customer);
    if (!key) co_return Failure{Errc::not_found, "No such customer: " + customer, "customer"};
    auto loaded = co_await session_.store().load(mode_, *key);
    if (!loaded && loaded.error().code == Errc::not_found)
      co_return Failure{Errc::not_found, "No such customer: " + customer, "customer"};
    if (!loaded) co_return loaded.error();
    Timestamp now = now_;
    const TestClockId clock_id = loaded->account.customer.test_clock;
    if (!clock_id.is_empty()) {
      const auto clock = co_await session_.catalog().find<TestClock>(mode_, clock_id.value());
      if (!clock) co_return clock.error();
      now = jobs::account_time(**clock, now_);
    }
    foresee(std::move(loaded->account), now);
    co_return std::move(book_);
  }

  /// Page by page, so that memory does not grow with the book.
  awaitable<Result<Book>> all() {
    const bool on_terminal = isatty(STDERR_FILENO) == 1;
    store::Page page;
    page.limit = accounts_in_one_go;
    for (bool more = true; more;) {
      auto members = co_await session_.store().list(mode_, store::Index::customers, page);
      if (!members) co_return members.error();
      more = members->size() > page.limit;
      if (more) members->pop_back();
      std::vector<AccountKey> keys;
      for (const store::ListedMember& each : *members) {
        auto reference = store::decode_reference(each.member, CustomerKind::prefix);
        if (!reference) co_return reference.error();
        keys.push_back(std::move(reference->key));
      }
      if (!members->empty()) page.after.emplace(members->back().score, members->back().member);
      auto loaded = co_await session_.store().load_all(mode_, std::move(keys));
      if (!loaded) co_return loaded.error();
      for (store::Loaded& each : *loaded) {
        if (each.account.customer.test_clock.is_empty())
          foresee(std::move(each.account), now_);
        else
          ++book_.on_test_clocks;
      }
      if (on_terminal) std::fprintf(stderr, "\r\033[K%llu customers", static_cast<unsigned long long>(book_.customers));
    }
    if (on_terminal) std::fprintf(stderr, "\r\033[K");
    co_return std::move(book_);
  }

 private:
  void foresee(Account account, Timestamp now) {
    const std::string id = account.customer.id.value();
    const auto payments = forecast(std::move(account), now, until_, rules_);
    if (payments) {
      ++book_.customers;
      book_.add(*payments);
    } else if (book_.unforeseen++ == 0) {
      book_.example = id + ": " + payments.error().detail;
    }
  }

  Session& session_;
  const Rules rules_;
  const Mode mode_;
  const Timestamp now_, until_;
  Book book_;
};

awaitable<Result<int>> forecast_session(Session& session, Rules rules, ForecastOptions options) {
  const auto until = end_of_day(options.until);
  if (!until) co_return until.error();
  const Timestamp now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  Foresight foresight(session, std::move(rules), options.mode, now, *until);
  Result<Book> book = Book();
  if (options.customer.empty())
    book = co_await foresight.all();
  else
    book = co_await foresight.one(options.customer);
  if (!book) co_return book.error();
  const std::string text = options.json ? to_json(*book) : to_text(*book);
  std::printf("%s", text.c_str());
  co_return 0;
}

}  // namespace

int forecast(const Settings& settings, const ForecastOptions& options) {
  const Rules rules = billing_rules(settings.billing);
  return run_with_session(settings, [&](Session& session) { return forecast_session(session, rules, options); });
}

}  // namespace billd::commands
