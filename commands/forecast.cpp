// `billd forecast`: what the whole book, or one customer, will be charged per day, found out by the same tick() as the
// daemon's; nothing is written.
#include "engine/forecast.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <map>
#include <tuple>

#include "commands/commands.hpp"
#include "commands/session.hpp"
#include "jobs/clock.hpp"
#include "net/store/aliases.hpp"
#include "net/store/encoding.hpp"

namespace billd::commands {
namespace {

constexpr std::size_t accounts_in_one_go = 500;

struct Sum {
  std::uint64_t payments = 0;
  Money amount;

  Result<void> add(const Sum& more) {
    auto whole = billd::add(amount, more.amount);
    if (!whole)
      return Failure{Errc::amount_out_of_range, "The payments in " + std::string(amount.currency.code()) +
                                                    " do not fit 64 bits; forecast single customers."};
    payments += more.payments;
    amount = *whole;
    return {};
  }
};

/// The day, the currency's code, and whether the customer pays an invoice that is sent.
using Line = std::tuple<std::chrono::sys_days, std::string, bool>;

/// What is foretold, and of whom.
struct Book {
  Timestamp from, until;
  Mode mode = Mode::live;
  std::map<Line, Sum> lines;
  std::uint64_t customers = 0;
  std::uint64_t on_test_clocks = 0;  ///< left out: they live in another time
  std::uint64_t metered = 0;         ///< with prices whose usage is yet to come
  std::uint64_t unforeseen = 0;      ///< left out: their next step fails
  std::string example;               ///< why

  Result<void> add(const ExpectedPayment& payment) {
    const auto day = std::chrono::floor<std::chrono::days>(payment.at);
    const Line line{day, std::string(payment.amount.currency.code()), payment.is_sent};
    const auto [sum, is_new] = lines.try_emplace(line, Sum{0, {0, payment.amount.currency}});
    return sum->second.add({1, payment.amount});
  }
};

std::string day_text(std::chrono::sys_days day) { return billd::to_text(Timestamp(day)).substr(0, 10); }
std::string day_text(Timestamp time) { return day_text(std::chrono::floor<std::chrono::days>(time)); }

std::string count_text(std::uint64_t count, std::string_view one) {
  return std::to_string(count) + " " + std::string(one) + (count == 1 ? "" : "s");
}

void add_row(std::string& text, const std::string& name, const Sum& sum, bool is_sent) {
  std::array<char, 64> row{};
  std::snprintf(row.data(), row.size(), "%-10s  %8llu  ", name.c_str(), static_cast<unsigned long long>(sum.payments));
  text.append(row.data()).append(billd::to_text(sum.amount)).append(is_sent ? " by invoices that are sent\n" : "\n");
}

Result<std::string> to_text(const Book& book) {
  std::string text;
  if (book.lines.empty())
    text = "Nothing will be charged until " + day_text(book.until) + ".\n";
  else
    text = "day         payments  amount\n";
  std::map<std::pair<std::string, bool>, Sum> totals;
  for (const auto& [line, sum] : book.lines) {
    const auto& [day, currency, is_sent] = line;
    add_row(text, day_text(day), sum, is_sent);
    Sum& total = totals.try_emplace({currency, is_sent}, Sum{0, {0, sum.amount.currency}}).first->second;
    auto added = total.add(sum);
    if (!added) return added.error();
  }
  for (const auto& [kind, sum] : totals) add_row(text, "in all", sum, kind.second);
  text += "\nOf " + count_text(book.customers, "customer") + " in " + (book.mode == Mode::live ? "live" : "test") +
          " mode, as if it were " + billd::to_text(book.from) +
          " now, every charge succeeded, who is sent an invoice paid when it is due, and nobody asked for anything.\n";
  if (book.metered > 0)
    text += count_text(book.metered, "customer") + (book.metered == 1 ? " has" : " have") +
            " metered prices: usage that is yet to come is not in it.\n";
  if (book.on_test_clocks > 0)
    text += count_text(book.on_test_clocks, "customer") +
            " more on test clocks, in times of their own: name a clock with --test-clock.\n";
  if (book.unforeseen > 0)
    text += count_text(book.unforeseen, "customer") + " more cannot be foretold, for example " + book.example + "\n";
  if (book.customers + book.on_test_clocks + book.unforeseen == 0 && book.mode == Mode::live)
    text += "The customers of test mode are looked at with --mode test.\n";
  return text;
}

std::string to_json(const Book& book) {
  boost::json::array days;
  for (const auto& [line, sum] : book.lines) {
    const auto& [day, currency, is_sent] = line;
    boost::json::object& object = days.emplace_back(boost::json::object()).as_object();
    object["day"] = day_text(day);
    object["currency"] = currency;
    object["collection"] = is_sent ? "send_invoice" : "charge_automatically";
    object["payments"] = sum.payments;
    object["amount"] = sum.amount.minor;
  }
  boost::json::object whole;
  whole["mode"] = book.mode == Mode::live ? "live" : "test";
  whole["from"] = to_unix(book.from);
  whole["until"] = day_text(book.until);
  whole["days"] = std::move(days);
  whole["customers"] = book.customers;
  whole["metered"] = book.metered;
  whole["on_test_clocks"] = book.on_test_clocks;
  whole["unforeseen"] = book.unforeseen;
  whole["unforeseen_example"] = book.example;
  return boost::json::serialize(whole) + "\n";
}

/// The end of the day "2026-12-31", in UTC.
Result<Timestamp> end_of_day(const std::string& text) {
  int year = 0, month = 0, day = 0, read = 0;
  const bool is_whole = std::sscanf(text.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &read) == 3 &&
                        static_cast<std::size_t>(read) == text.size();
  const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!is_whole || !date.ok() || year < 1970 || year > 2199)
    return Failure{Errc::invalid_parameter, "--until must be a day like 2026-12-31", "until"};
  return std::chrono::sys_days(date) + std::chrono::days(1) - Duration(1);
}

Result<void> check_order(Timestamp now, Timestamp until) {
  if (until < now)
    return Failure{Errc::invalid_parameter, "--until must not be over: it is " + billd::to_text(now) + " now", "until"};
  return {};
}

/// How far it is: one line that changes on a terminal, and nothing elsewhere.
class Progress {
 public:
  Progress() : on_terminal_(isatty(STDERR_FILENO) == 1) {}
  ~Progress() {
    if (on_terminal_) std::fprintf(stderr, "\r\033[K");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::uint64_t done, std::uint64_t total) const {
    if (on_terminal_)
      std::fprintf(stderr, "\r\033[K%llu of %llu customers", static_cast<unsigned long long>(done),
                   static_cast<unsigned long long>(total));
  }

 private:
  bool on_terminal_;
};

class Foresight {
 public:
  Foresight(Session& session, Rules rules, Timestamp now, Timestamp until)
      : session_(session), rules_(std::move(rules)) {
    book_.from = now;
    book_.until = until;
  }

  /// The customer in the given mode, or else wherever it is: live data goes before test data.
  awaitable<Result<Book>> one(std::string customer, std::optional<Mode> mode) {
    const Failure nobody{Errc::not_found, "There is no customer " + customer + ".", "customer"};
    auto native = co_await session_.store().aliases().to_native(std::move(customer));
    if (!native) co_return native.error();
    const auto key = AccountKey::of_id(*native);
    if (!key) co_return nobody;
    book_.mode = mode.value_or(Mode::live);
    auto loaded = co_await session_.store().load(book_.mode, *key);
    if (!loaded && loaded.error().code == Errc::not_found && !mode) {
      book_.mode = Mode::test;
      loaded = co_await session_.store().load(book_.mode, *key);
    }
    if (!loaded && loaded.error().code == Errc::not_found) co_return nobody;
    if (!loaded) co_return loaded.error();
    const TestClockId clock = loaded->account.customer.test_clock;
    if (!clock.is_empty()) {
      auto moved = co_await move_to(clock);
      if (!moved) co_return moved.error();
    }
    auto in_order = check_order(book_.from, book_.until);
    if (!in_order) co_return in_order.error();
    auto added = foresee(std::move(loaded->account));
    if (!added) co_return added.error();
    co_return std::move(book_);
  }

  /// The customers who live on the test clock, in its time.
  awaitable<Result<Book>> of_clock(TestClockId clock) {
    book_.mode = Mode::test;
    auto moved = co_await move_to(clock);
    if (!moved) co_return moved.error();
    auto in_order = check_order(book_.from, book_.until);
    if (!in_order) co_return in_order.error();
    auto keys = co_await session_.store().test_clock_accounts(clock);
    if (!keys) co_return keys.error();
    const Progress progress;
    for (std::size_t at = 0; at < keys->size(); at += accounts_in_one_go) {
      const std::size_t end = std::min(keys->size(), at + accounts_in_one_go);
      std::vector<AccountKey> some(keys->begin() + static_cast<std::ptrdiff_t>(at),
                                   keys->begin() + static_cast<std::ptrdiff_t>(end));
      auto added = co_await foresee_all(std::move(some), true);
      if (!added) co_return added.error();
      progress.show(end, keys->size());
    }
    co_return std::move(book_);
  }

  /// All customers in real time, page by page, so that memory does not grow with the book.
  awaitable<Result<Book>> all(Mode mode) {
    book_.mode = mode;
    auto in_order = check_order(book_.from, book_.until);
    if (!in_order) co_return in_order.error();
    auto total = co_await session_.store().count(mode, store::Index::customers, std::nullopt, std::nullopt);
    if (!total) co_return total.error();
    const Progress progress;
    store::Page page;
    page.limit = accounts_in_one_go;
    for (bool more = true; more;) {
      auto members = co_await session_.store().list(mode, store::Index::customers, page);
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
      auto added = co_await foresee_all(std::move(keys), false);
      if (!added) co_return added.error();
      progress.show(book_.customers + book_.on_test_clocks + book_.unforeseen, *total);
    }
    co_return std::move(book_);
  }

 private:
  awaitable<Result<void>> move_to(TestClockId clock) {
    const auto found = co_await session_.catalog().find<TestClock>(Mode::test, clock.value());
    if (!found && found.error().code == Errc::not_found)
      co_return Failure{Errc::not_found, "There is no test clock " + clock.value() + ".", "test_clock"};
    if (!found) co_return found.error();
    book_.from = jobs::account_time(**found, book_.from);
    co_return Result<void>();
  }

  awaitable<Result<void>> foresee_all(std::vector<AccountKey> keys, bool on_test_clock) {
    auto loaded = co_await session_.store().load_all(book_.mode, std::move(keys));
    if (!loaded) co_return loaded.error();
    for (store::Loaded& each : *loaded) {
      if (!on_test_clock && !each.account.customer.test_clock.is_empty()) {
        ++book_.on_test_clocks;
        continue;
      }
      auto added = foresee(std::move(each.account));
      if (!added) co_return added.error();
    }
    co_return Result<void>();
  }

  Result<void> foresee(Account account) {
    const std::string id = account.customer.id.value();
    const bool is_metered = std::ranges::any_of(account.subscriptions, [](const Subscription& subscription) {
      return std::ranges::any_of(subscription.items, [](const auto& item) { return item.price.is_metered(); });
    });
    const auto payments = forecast(std::move(account), book_.from, book_.until, rules_);
    if (!payments) {
      if (book_.unforeseen++ == 0) book_.example = id + ": " + payments.error().detail;
      return {};
    }
    ++book_.customers;
    if (is_metered) ++book_.metered;
    for (const ExpectedPayment& payment : *payments) {
      auto added = book_.add(payment);
      if (!added) return added.error();
    }
    return {};
  }

  Session& session_;
  const Rules rules_;
  Book book_;
};

awaitable<Result<int>> forecast_session(Session& session, Rules rules, ForecastOptions options) {
  const auto until = end_of_day(options.until);
  if (!until) co_return until.error();
  const Timestamp now = jobs::system_now();
  Foresight foresight(session, std::move(rules), now, *until);
  Result<Book> book = Book();
  if (!options.customer.empty())
    book = co_await foresight.one(options.customer, options.mode);
  else if (!options.test_clock.empty())
    book = co_await foresight.of_clock(TestClockId(options.test_clock));
  else
    book = co_await foresight.all(options.mode.value_or(Mode::live));
  if (!book) co_return book.error();
  Result<std::string> text = options.json ? to_json(*book) : to_text(*book);
  if (!text) co_return text.error();
  std::printf("%s", text->c_str());
  co_return 0;
}

}  // namespace

int forecast(const Settings& settings, const ForecastOptions& options) {
  const Rules rules = billing_rules(settings.billing);
  return run_with_session(settings, [&](Session& session) { return forecast_session(session, rules, options); });
}

}  // namespace billd::commands
