// Searches of the Management API among many customers: each filter alone, and some together.
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "bench/benchmarks.hpp"
#include "bench/host.hpp"
#include "bench/population.hpp"
#include "commands/session.hpp"
#include "engine/decide.hpp"
#include "net/api/gather.hpp"

namespace billd::bench {
namespace {

namespace json = boost::json;

/// For a page of a hundred customers, loaded.
constexpr double page_milliseconds_goal = 50;
constexpr std::size_t page_size = 100;
constexpr std::size_t written_at_once = 256;

using Criteria = std::vector<store::Store::Criterion>;

struct Search {
  std::string name;
  Criteria criteria;
  std::uint64_t offset = 0;
};

struct Measured {
  std::string name;
  std::size_t found = 0;
  double median = 0, p99 = 0;  ///< milliseconds
};

Settings settings_in(const std::filesystem::path& directory) {
  Settings settings;
  settings.state_directory = directory;
  return settings;
}

/// People as they are spread in a country: few first names, many last ones, towns of all sizes.
CreateCustomer person(std::size_t number, std::mt19937_64& dice) {
  auto one_of = [&dice](std::size_t count) { return std::to_string(std::min(dice() % count, dice() % count)); };
  CreateCustomer create;
  const std::string first = "First" + one_of(500);
  create.name = first + " Last" + one_of(20'000);
  create.first_name_size = static_cast<std::uint32_t>(first.size());
  create.email = "customer." + std::to_string(number) + "@example.com";
  create.phone = "+49" + std::to_string(100'000'000 + number);
  create.organization = number % 4 == 0 ? "Company " + one_of(10'000) : "";
  create.account_id = static_cast<std::int64_t>(1 + dice() % 50);
  create.address = Address{"Street " + one_of(50'000),
                           "",
                           "City " + one_of(2'000),
                           "S" + one_of(16),
                           std::to_string(10'000 + dice() % 80'000),
                           dice() % 10 < 8 ? "DE" : "FR"};
  return create;
}

class SearchBenchmark {
 public:
  SearchBenchmark(Executor executor, SearchOptions options)
      : options_(options), settings_(settings_in(directory_.path())), session_(executor, settings_) {}

  awaitable<Result<int>> run() {
    auto opened = co_await session_.open();
    if (!opened) co_return opened.error();
    auto measured = co_await measure_all();
    co_await session_.close();
    if (!measured) co_return measured.error();
    print(*measured);
    const bool is_reached =
        std::ranges::all_of(*measured, [](const Measured& each) { return each.p99 <= page_milliseconds_goal; });
    co_return is_reached ? 0 : 1;
  }

 private:
  awaitable<Result<bool>> write_one(std::size_t number) {
    Account account;
    account.key = numbered_account(number);
    auto drawn = co_await session_.store().draw_number(Mode::test, account.key);
    if (!drawn) co_return drawn.error();
    CreateCustomer create = person(number, dice_);
    create.number = *drawn;
    const Timestamp now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
    auto decided = decide(std::move(account), std::move(create), now, Rules());
    if (!decided) co_return decided.error();
    store::CommitRequest request;
    request.transition = std::move(*decided);
    request.now = now;
    auto committed = co_await session_.store().commit(std::move(request));
    if (!committed) co_return committed.error();
    co_return true;
  }

  awaitable<Result<void>> fill() {
    for (std::size_t number = 0; number < options_.customers;) {
      std::vector<awaitable<Result<bool>>> writes;
      for (; writes.size() < written_at_once && number < options_.customers; ++number)
        writes.push_back(write_one(number));
      auto written = co_await api::gather(std::move(writes));
      for (const Result<bool>& each : written)
        if (!each) co_return each.error();
    }
    co_return Result<void>();
  }

  static std::vector<Search> searches(std::size_t count) {
    using enum store::Index;
    return {
        {"no filter", {}},
        {"no filter, offset in the middle", {}, count / 2},
        {"accountId", {{account_ids, "7"}}},
        {"firstName", {{first_names, "first3"}}},
        {"lastName", {{last_names, "last3"}}},
        {"organizationName", {{organizations, "company 3"}}},
        {"email", {{emails, "customer.77@example.com"}}},
        {"phone", {{phones, "+49100000077"}}},
        {"street", {{streets, "street 3"}}},
        {"city", {{cities, "city 3"}}},
        {"state", {{states, "S3"}}},
        {"zipCode", {{postal_codes, "10115"}}},
        {"countryCode", {{countries, "DE"}}},
        {"countryCode, offset in the middle", {{countries, "DE"}}, count / 3},
        {"countryCode and state", {{countries, "DE"}, {states, "S3"}}},
        {"firstName and lastName", {{first_names, "first3"}, {last_names, "last3"}}},
        {"state and city and firstName", {{states, "S3"}, {cities, "city 3"}, {first_names, "first3"}}},
    };
  }

  awaitable<Result<Measured>> measure(const Search& search) {
    Measured measured;
    measured.name = search.name;
    std::vector<double> times;
    for (std::uint32_t i = 0; i < options_.searches; ++i) {
      const auto began = SteadyClock::now();
      Criteria criteria = search.criteria;
      auto keys = co_await session_.store().search(Mode::test, std::move(criteria), search.offset, page_size);
      if (!keys) co_return keys.error();
      auto loaded = co_await session_.store().load_all(Mode::test, std::move(*keys));
      if (!loaded) co_return loaded.error();
      measured.found = loaded->size();
      times.push_back(std::chrono::duration<double, std::milli>(SteadyClock::now() - began).count());
    }
    std::ranges::sort(times);
    measured.median = times[times.size() / 2];
    measured.p99 = times[times.size() * 99 / 100];
    co_return measured;
  }

  awaitable<Result<std::vector<Measured>>> measure_all() {
    auto filled = co_await fill();
    if (!filled) co_return filled.error();
    std::vector<Measured> all;
    for (const Search& search : searches(options_.customers)) {
      auto measured = co_await measure(search);
      if (!measured) co_return measured.error();
      all.push_back(std::move(*measured));
    }
    co_return all;
  }

  void print(const std::vector<Measured>& all) const {
    if (options_.json) {
      json::array figures;
      for (const Measured& each : all) {
        json::object figure;
        figure["search"] = each.name;
        figure["found"] = each.found;
        figure["median_ms"] = each.median;
        figure["p99_ms"] = each.p99;
        figures.push_back(std::move(figure));
      }
      std::printf("%s\n", json::serialize(figures).c_str());
      return;
    }
    std::printf("%u customers; a page of at most %zu, loaded; goal: p99 below %.0f ms\n", options_.customers, page_size,
                page_milliseconds_goal);
    for (const Measured& each : all)
      std::printf("%-36s %4zu found  median %7.2f ms  p99 %7.2f ms\n", each.name.c_str(), each.found, each.median,
                  each.p99);
  }

  SearchOptions options_;
  TemporaryDirectory directory_;
  Settings settings_;
  commands::Session session_;
  std::mt19937_64 dice_{7};
};

}  // namespace

int measure_search(const SearchOptions& options) {
  return commands::run([options](Executor executor) -> awaitable<Result<int>> {
    SearchBenchmark benchmark(executor, options);
    co_return co_await benchmark.run();
  });
}

}  // namespace billd::bench
