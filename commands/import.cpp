// Customers brought along from another system that speaks Stripe's API: what goes on, with the identifiers it has.
#include <algorithm>
#include <boost/asio/basic_signal_set.hpp>
#include <boost/json.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <optional>
#include <set>

#include "commands/commands.hpp"
#include "commands/import_customer.hpp"
#include "commands/import_into_catalog.hpp"
#include "commands/import_reader.hpp"
#include "commands/import_report.hpp"
#include "commands/import_tokens.hpp"
#include "commands/session.hpp"

namespace billd::commands {
namespace {

namespace json = boost::json;

/// How often the progress is told.
constexpr std::chrono::seconds progress_interval{1};

/// Takes customers, several at a time. What became of them is told in the order of the list, whichever was done first.
class CustomersImport {
 public:
  CustomersImport(Executor executor, const ImportOfAll& all, ImportReport& report)
      : all_(all),
        report_(report),
        changed_(executor, SteadyClock::time_point::max()),
        signals_(executor),
        tasks_(executor) {
    signals_.add(SIGINT);
    signals_.add(SIGTERM);
    tasks_.spawn("signals", watch_signals());
  }

  /// Until all were looked at, something does not work, or somebody wants it to stop.
  awaitable<Result<void>> run() {
    while (!is_stopping()) {
      auto customers = co_await all_.reader.next_customers();
      if (!customers) failed_.emplace(customers.error());
      if (!customers || customers->empty()) break;
      for (json::object& customer : *customers) {
        if (!seen_.insert(text_of(customer, "id")).second) continue;
        co_await until_fewer_than(all_.options.customers_at_once);
        if (is_stopping()) break;
        ++running_;
        tasks_.spawn("customer", take(under_way_.emplace_back(), std::move(customer)));
      }
    }
    co_await until_fewer_than(1);
    tell_progress();
    signals_.cancel();
    co_await tasks_.idle(std::chrono::seconds(1));
    if (failed_) co_return *failed_;
    co_return Result<void>();
  }

  /// The signal by which somebody wanted it to stop; 0: none.
  int interrupted_by() const { return interrupted_by_; }

 private:
  /// A customer; it is here until all before it are done, too.
  struct UnderWay {
    std::optional<Result<ImportReport>> became;
  };

  bool is_stopping() const { return failed_ || interrupted_by_ != 0; }

  awaitable<> take(UnderWay& customer, json::object foreign) {
    try {
      auto taken = co_await take_customer(all_, std::move(foreign));
      customer.became.emplace(std::move(taken));
    } catch (const std::exception& escaped) {
      customer.became.emplace(Failure{Errc::corrupt, escaped.what()});
    }
    --running_;
    settle();
    changed_.cancel();
  }

  void settle() {
    for (; !under_way_.empty() && under_way_.front().became; under_way_.pop_front()) {
      Result<ImportReport>& became = *under_way_.front().became;
      if (became) {
        ++looked_at_;
        report_.add(std::move(*became));
      } else if (!failed_) {
        failed_.emplace(became.error());
      }
    }
    if (SteadyClock::now() - told_at_ >= progress_interval) tell_progress();
  }

  awaitable<> until_fewer_than(std::size_t running) {
    while (running_ >= running) {
      changed_.expires_at(SteadyClock::time_point::max());
      [[maybe_unused]] auto [ec] = co_await changed_.async_wait(nothrow);
    }
  }

  void tell_progress() {
    told_at_ = SteadyClock::now();
    const double seconds = std::chrono::duration<double>(told_at_ - began_at_).count();
    const ImportReport::Count& customers = report_.kinds["customer"];
    std::fprintf(stderr,
                 "%zu customers looked at: %zu taken, %zu already there; %zu objects not taken so far; "
                 "%.0f customers/s\n",
                 looked_at_, customers.taken, customers.known, report_.refused.size(),
                 seconds > 0 ? static_cast<double>(looked_at_) / seconds : 0.0);
  }

  awaitable<> watch_signals() {
    auto [ec, signal] = co_await signals_.async_wait(nothrow);
    if (ec) co_return;
    interrupted_by_ = signal;
    std::fprintf(stderr, "stopping when the %zu customers under way are done; once more stops at once\n", running_);
    auto [ec_again, signal_again] = co_await signals_.async_wait(nothrow);
    if (ec_again) co_return;
    // Nothing is half done: a customer is written in one commit.
    std::_Exit(128 + signal_again);
  }

  const ImportOfAll& all_;
  ImportReport& report_;
  Timer changed_;
  asio::basic_signal_set<Executor> signals_;
  std::set<std::string> seen_;
  std::deque<UnderWay> under_way_;
  std::size_t running_ = 0, looked_at_ = 0;
  std::optional<Failure> failed_;  ///< the first one
  int interrupted_by_ = 0;
  const SteadyClock::time_point began_at_ = SteadyClock::now();
  SteadyClock::time_point told_at_ = began_at_;
  Tasks tasks_;
};

/// Of the gateway that is to charge what is taken; unset: it is the built-in one.
Result<ProcessorKind> kind_of_gateway(const GatewaySettings& settings, const ImportOptions& options) {
  if (options.gateway == "test") return ProcessorKind::unset;
  const auto found = settings.processors.find(options.gateway);
  if (found == settings.processors.end())
    return Failure{Errc::invalid_parameter, "there is no [gateways." + options.gateway + "] in the configuration"};
  if (found->second.mode != options.mode)
    return Failure{Errc::invalid_parameter, "the gateway " + options.gateway + " is of the other mode"};
  return found->second.kind;
}

Result<std::string> read_key(const std::string& file) {
  if (file.empty())
    return Failure{Errc::invalid_parameter, "--from takes --key-file, the file whose first line is the API's key"};
  std::ifstream stream(file);
  if (!stream) return Failure{Errc::invalid_parameter, "cannot read " + file + ": " + std::strerror(errno)};
  std::string key;
  std::getline(stream, key);
  while (!key.empty() && (key.back() == '\r' || key.back() == ' ')) key.pop_back();
  if (key.empty()) return Failure{Errc::invalid_parameter, "the first line of " + file + " is not the API's key"};
  return key;
}

Result<std::unique_ptr<ImportReader>> open_reader(Executor executor, const ImportOptions& options) {
  if (options.file.empty() == options.url.empty())
    return Failure{Errc::invalid_parameter, "name the API with --from, or a file of its answers with --file"};
  if (!options.file.empty()) return read_from_file(options.file);
  auto key = read_key(options.key_file);
  if (!key) return key.error();
  return read_from_api(executor, options.url, std::move(*key), options.customers_at_once);
}

/// Says what goes on from here when it was not all.
Failure broken_off(const Failure& failure, const ImportReport& report) {
  const bool has_begun = std::ranges::any_of(
      report.kinds, [](const auto& kind) { return kind.second.taken > 0 || kind.second.known > 0; });
  if (!has_begun) return failure;
  return {failure.code,
          failure.detail + "\nbilld: what was taken so far stays; the same command again goes on from there"};
}

awaitable<Result<int>> take_everything(Session& session, ImportOptions options, Rules rules, GatewaySettings gateways) {
  Executor executor = co_await asio::this_coro::executor;
  auto gateway = kind_of_gateway(gateways, options);
  if (!gateway) co_return gateway.error();
  auto reader = open_reader(executor, options);
  if (!reader) co_return reader.error();
  auto tokens = co_await ImportTokens::read(session, options, *gateway == ProcessorKind::stripe);
  if (!tokens) co_return tokens.error();
  ImportReport report;
  CatalogImport catalog(session, **reader, options.mode, report);
  auto sold = co_await catalog.run();
  if (!sold) co_return broken_off(sold.error(), report);
  const ImportOfAll all{session, **reader, options, rules, *tokens, catalog};
  CustomersImport customers(executor, all, report);
  auto taken = co_await customers.run();
  std::printf("%s", (options.json ? to_json(report) : to_text(report)).c_str());
  if (taken && (std::fflush(stdout) != 0 || std::ferror(stdout) != 0))
    co_return Failure{Errc::invalid_state,
                      std::string("the report could not be written: ") + std::strerror(errno) +
                          "\nbilld: what was taken stays; what was not taken of it is not told by another run"};
  if (!taken) co_return broken_off(taken.error(), report);
  if (customers.interrupted_by() != 0) {
    std::fprintf(stderr,
                 "billd: stopped; what was taken so far stays, and the same command again goes on from there\n");
    co_return 128 + customers.interrupted_by();
  }
  constexpr int something_was_refused = 3;
  co_return report.refused.empty() ? 0 : something_was_refused;
}

}  // namespace

int import_customers(const Settings& settings, const ImportOptions& options) {
  const Rules rules = billing_rules(settings.billing);
  return run_with_session(
      settings, [&](Session& session) { return take_everything(session, options, rules, settings.gateways); });
}

}  // namespace billd::commands
