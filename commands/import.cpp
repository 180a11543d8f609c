// Customers brought along from another system that speaks Stripe's API: what goes on, with the identifiers it has.
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>

#include "commands/commands.hpp"
#include "commands/import_objects.hpp"
#include "commands/import_reader.hpp"
#include "commands/session.hpp"
#include "engine/imports.hpp"
#include "jobs/clock.hpp"
#include "net/gateways/test_gateway.hpp"
#include "net/store/held_sources.hpp"

namespace billd::commands {
namespace {

namespace json = boost::json;

/// How often a write is tried again when another writer was first.
constexpr int conflicts_max = 10;
/// How often the progress is told.
constexpr std::size_t progress_every = 100;
/// The tokens by which the built-in test gateway knows its cards and bank accounts. Source:
/// https://docs.stripe.com/testing.
constexpr std::array test_tokens = {
    "tok_visa",
    "tok_visa_debit",
    "tok_mastercard",
    "tok_mastercard_debit",
    "tok_mastercard_prepaid",
    "tok_amex",
    "tok_discover",
    "tok_diners",
    "tok_jcb",
    "tok_unionpay",
    "tok_chargeCustomerFail",
    "tok_chargeDeclined",
    "tok_chargeDeclinedInsufficientFunds",
    "btok_us_verified",
    "btok_us_verified_noAccount",
    "btok_us_verified_accountClosed",
    "btok_us_verified_insufficientFunds",
    "btok_us_verified_debitNotAuthorized",
    "btok_us_verified_invalidCurrency",
};

struct Count {
  std::size_t taken = 0, known = 0, refused = 0;
};

/// What was done, and what could not be.
struct Report {
  std::map<std::string, Count> kinds;
  std::vector<json::object> refused;

  void refuse(const std::string& kind, const std::string& id, const std::string& why) {
    ++kinds[kind].refused;
    json::object line;
    line["object"] = kind;
    line["id"] = id;
    line["reason"] = why;
    refused.push_back(std::move(line));
  }
};

class Import {
 public:
  Import(Executor executor, Session& session, ImportReader& reader, const ImportOptions& options, Rules rules)
      : executor_(executor), session_(session), reader_(reader), options_(options), rules_(std::move(rules)) {}

  awaitable<Result<Report>> run() {
    auto tokens = co_await read_tokens();
    if (!tokens) co_return tokens.error();
    auto catalog = co_await take_catalog();
    if (!catalog) co_return catalog.error();
    for (;;) {
      auto customers = co_await reader_.next_customers();
      if (!customers) co_return customers.error();
      if (customers->empty()) break;
      for (json::object& customer : *customers) {
        if (!seen_.insert(text_of(customer, "id")).second) continue;
        auto taken = co_await take_customer(std::move(customer));
        if (!taken) co_return taken.error();
        if (seen_.size() % progress_every == 0) tell_progress();
      }
    }
    tell_progress();
    co_return std::move(report_);
  }

 private:
  void tell_progress() {
    std::size_t refused = report_.refused.size();
    std::fprintf(stderr, "%zu customers looked at: %zu taken, %zu already there; %zu objects not taken so far\n",
                 seen_.size(), report_.kinds["customer"].taken, report_.kinds["customer"].known, refused);
  }

  /// The gateway's names of cards: from a file, and those that the test gateway knows by their fingerprint.
  awaitable<Result<void>> read_tokens() {
    if (options_.gateway == "test") {
      gateways::TestGateway gateway(executor_, session_.store(), Milliseconds(0));
      for (const char* token : test_tokens) {
        auto described = co_await gateway.describe_source(options_.mode, token);
        if (!described) continue;
        const std::string fingerprint =
            std::visit([](const auto& kind) { return kind.summary.fingerprint; }, described->means);
        tokens_.emplace(fingerprint, described->reference);
      }
    }
    if (options_.tokens.empty()) co_return Result<void>();
    std::ifstream stream(options_.tokens, std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(stream), {});
    boost::system::error_code ec;
    const json::value value = json::parse(text, ec);
    if (!stream || ec || !value.is_object())
      co_return Failure{Errc::invalid_parameter, options_.tokens + " holds no JSON object of tokens by card"};
    for (const auto& [card, token] : value.get_object())
      if (token.is_string()) tokens_.insert_or_assign(std::string(card), std::string(token.get_string()));
    co_return Result<void>();
  }

  std::string token_of(const std::string& id, const std::string& fingerprint) const {
    for (const std::string& name : {id, fingerprint})
      if (const auto found = tokens_.find(name); found != tokens_.end()) return found->second;
    return {};
  }

  awaitable<Result<void>> take_catalog() {
    auto products = co_await reader_.products();
    if (!products) co_return products.error();
    std::map<std::string, std::string> product_names;
    for (const json::object& each : *products) {
      const std::string id = text_of(each, "id");
      product_names[id] = text_of(each, "name");
      auto product = read_product(each);
      if (!product) {
        report_.refuse("product", id, product.error().detail);
        continue;
      }
      auto taken = co_await take(options_.mode, "product", std::move(*product));
      if (!taken) co_return taken.error();
    }
    auto plans = co_await reader_.plans();
    if (!plans) co_return plans.error();
    for (const json::object& each : *plans) {
      const std::string id = text_of(each, "id");
      auto plan = read_plan(each, product_names[text_of(each, "product")]);
      if (!plan) {
        report_.refuse("plan", id, plan.error().detail);
        continue;
      }
      prices_.insert_or_assign(id, plan->price());
      auto taken = co_await take(options_.mode, "plan", std::move(*plan));
      if (!taken) co_return taken.error();
    }
    auto coupons = co_await reader_.coupons();
    if (!coupons) co_return coupons.error();
    auto taken = co_await take_all(*coupons, "coupon", read_coupon);
    if (!taken) co_return taken.error();
    auto rates = co_await reader_.tax_rates();
    if (!rates) co_return rates.error();
    taken = co_await take_all(*rates, "tax_rate", read_tax_rate);
    if (!taken) co_return taken.error();
    if (options_.mode == Mode::live) co_return Result<void>();
    auto clocks = co_await reader_.test_clocks();
    if (!clocks) co_return clocks.error();
    co_return co_await take_all(*clocks, "test_clock", read_test_clock);
  }

  /// Takes what can be read of these into the catalog.
  template <class Object>
  awaitable<Result<void>> take_all(const Objects& foreign, std::string kind,
                                   Result<Object> (*read)(const json::object&)) {
    for (const json::object& each : foreign) {
      auto object = read(each);
      if (!object) {
        report_.refuse(kind, text_of(each, "id"), object.error().detail);
        continue;
      }
      auto taken = co_await take(options_.mode, kind, std::move(*object));
      if (!taken) co_return taken.error();
    }
    co_return Result<void>();
  }

  /// Writes an object of the catalog, unless there is one of that name.
  template <class Object>
  awaitable<Result<void>> take(Mode mode, std::string kind, Object object) {
    auto put = co_await session_.catalog().template put<Object>(mode, std::move(object), std::nullopt);
    if (put)
      ++report_.kinds[kind].taken;
    else if (put.error().code == Errc::already_exists)
      ++report_.kinds[kind].known;
    else
      co_return put.error();
    co_return Result<void>();
  }

  awaitable<Result<void>> take_customer(json::object foreign) {
    const std::string id = text_of(foreign, "id");
    const auto key = AccountKey::of_id(id);
    if (!key) {
      report_.refuse("customer", id, "its identifier was not made by billd, and does not lead to an account here");
      co_return Result<void>();
    }
    auto loaded = co_await session_.store().load(options_.mode, *key);
    if (!loaded && loaded.error().code != Errc::not_found) co_return loaded.error();
    if (loaded && !loaded->account.customer.id.is_empty()) {
      ++report_.kinds["customer"].known;
      co_return Result<void>();
    }
    auto whole = co_await reader_.belongings(std::move(foreign));
    if (!whole) co_return whole.error();
    auto account = read(*whole);
    if (!account) co_return Result<void>();
    co_return co_await commit(*key, id, std::move(*account));
  }

  /// Empty when the customer as such cannot be taken.
  std::optional<ForeignAccount> read(const ForeignCustomer& whole) {
    const std::string id = text_of(whole.customer, "id");
    auto customer = read_customer(whole.customer);
    if (!customer) {
      report_.refuse("customer", id, customer.error().detail);
      return std::nullopt;
    }
    ForeignAccount foreign;
    foreign.customer = std::move(*customer);
    if (const json::value* next = whole.customer.if_contains("next_invoice_sequence"))
      if (next->is_int64() && next->get_int64() > 0)
        foreign.invoices_numbered = static_cast<std::uint64_t>(next->get_int64() - 1);
    read_belongings(whole, foreign);
    return foreign;
  }

  void read_belongings(const ForeignCustomer& whole, ForeignAccount& foreign) {
    const TokenOf tokens = [this](const std::string& id, const std::string& fingerprint) {
      return token_of(id, fingerprint);
    };
    // The API tells the newest first.
    const PriceOf price_of = [this](const json::object& plan) { return this->price_of(plan); };
    for (auto each = whole.sources.rbegin(); each != whole.sources.rend(); ++each)
      keep("source", *each, read_source(*each, options_.gateway, tokens), foreign.sources);
    // A bank account does not say when it was made.
    for (Source& source : foreign.sources)
      if (source.created == Timestamp()) source.created = foreign.customer.created;
    for (auto each = whole.subscriptions.rbegin(); each != whole.subscriptions.rend(); ++each)
      keep("subscription", *each, read_subscription(*each, price_of), foreign.subscriptions);
    for (auto each = whole.invoice_items.rbegin(); each != whole.invoice_items.rend(); ++each) {
      const std::string of = text_of(*each, "subscription");
      if (of.empty() || has(foreign.subscriptions, of))
        keep("invoiceitem", *each, read_invoice_item(*each, price_of), foreign.invoice_items);
      else
        report_.refuse("invoiceitem", text_of(*each, "id"), "its subscription " + of + " was not taken");
    }
    for (auto each = whole.invoices.rbegin(); each != whole.invoices.rend(); ++each) {
      const std::string of = text_of(*each, "subscription");
      const auto subscription = std::ranges::find_if(foreign.subscriptions,
                                                     [&](const Subscription& known) { return known.id.value() == of; });
      const auto lines = whole.lines.find(text_of(*each, "id"));
      if (!of.empty() && subscription == foreign.subscriptions.end()) {
        report_.refuse("invoice", text_of(*each, "id"), "its subscription " + of + " was not taken");
        continue;
      }
      keep("invoice", *each,
           read_invoice(*each, lines == whole.lines.end() ? Objects() : lines->second,
                        of.empty() ? nullptr : &*subscription, price_of),
           foreign.invoices);
    }
  }

  static bool has(const std::vector<Subscription>& subscriptions, const std::string& id) {
    return std::ranges::any_of(subscriptions, [&](const Subscription& each) { return each.id.value() == id; });
  }

  /// As the catalog tells it, which knows the tiers; of a plan that is not there any more, as the item tells it.
  Result<Price> price_of(const json::object& plan) const {
    const auto known = prices_.find(text_of(plan, "id"));
    if (known != prices_.end()) return known->second;
    return read_price(plan);
  }

  template <class Object>
  void keep(const std::string& kind, const json::object& foreign, Result<Object> read, std::vector<Object>& into) {
    if (read)
      into.push_back(std::move(*read));
    else
      report_.refuse(kind, text_of(foreign, "id"), read.error().detail);
  }

  awaitable<Result<void>> commit(AccountKey key, std::string id, ForeignAccount foreign) {
    const ForeignAccount whole = std::move(foreign);
    auto now = time_of_account(whole.customer);
    if (!now) {
      report_.refuse("customer", id, now.error().detail);
      co_return Result<void>();
    }
    Account nothing;
    nothing.key = key;
    nothing.mode = options_.mode;
    const auto fits = bring_along(nothing, whole, *now, rules_);
    if (!fits) {
      report_.refuse("customer", id, fits.error().detail);
      co_return Result<void>();
    }
    auto claimed = co_await claim_payment_methods(key, id, whole);
    if (!claimed) co_return claimed;
    for (int attempt = 0;; ++attempt) {
      store::CommitRequest request;
      request.transition = *fits;
      request.now = *now;
      auto committed = co_await session_.store().commit(std::move(request));
      if (!committed) co_return committed.error();
      if (committed->status == store::CommitStatus::conflict && attempt < conflicts_max) {
        auto there = co_await session_.store().load(options_.mode, key);
        if (there && !there->account.customer.id.is_empty()) {
          ++report_.kinds["customer"].known;
          co_return Result<void>();
        }
        continue;
      }
      if (committed->status != store::CommitStatus::committed)
        co_return Failure{Errc::conflict, id + " could not be written"};
      count_taken(whole);
      co_return Result<void>();
    }
  }

  /// The time in which the customer lives: its test clock's, or real time.
  Result<Timestamp> time_of_account(const Customer& customer) {
    const std::string& name = customer.test_clock.value();
    if (name.empty()) return jobs::system_now();
    const auto clock = session_.catalog().get<TestClock>(Mode::test, name);
    if (clock == nullptr) return Failure{Errc::not_found, "its test clock " + name + " was not taken", "test_clock"};
    return clock->frozen_time;
  }

  /// Payment methods whose identifiers are older than that they were the customer's lead to it from now on.
  awaitable<Result<void>> claim_payment_methods(AccountKey key, std::string id, const ForeignAccount& whole) {
    for (const Source& source : whole.sources) {
      if (!source.is_payment_method() || AccountKey::of_id(source.id.value()) == key) continue;
      std::string method = source.id.value();
      auto claimed =
          co_await store::claim_held_source(session_.store(), options_.mode, std::move(method), id, std::nullopt);
      if (!claimed) co_return claimed.error();
    }
    co_return Result<void>();
  }

  void count_taken(const ForeignAccount& whole) {
    ++report_.kinds["customer"].taken;
    report_.kinds["source"].taken += whole.sources.size();
    report_.kinds["subscription"].taken += whole.subscriptions.size();
    report_.kinds["invoice"].taken += whole.invoices.size();
    report_.kinds["invoiceitem"].taken += whole.invoice_items.size();
  }

  Executor executor_;
  Session& session_;
  ImportReader& reader_;
  const ImportOptions& options_;
  const Rules rules_;
  std::map<std::string, std::string> tokens_;  ///< by the source's identifier or fingerprint
  std::map<std::string, Price> prices_;        ///< of the plans in the catalog
  std::set<std::string> seen_;
  Report report_;
};

void print(const Report& report, bool as_json) {
  if (as_json) {
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
    for (const json::object& line : report.refused) refused.push_back(line);
    object["refused"] = std::move(refused);
    std::printf("%s\n", json::serialize(object).c_str());
    return;
  }
  for (const json::object& line : report.refused)
    std::printf("not taken: %s %s: %s\n", text_of(line, "object").c_str(), text_of(line, "id").c_str(),
                text_of(line, "reason").c_str());
  for (const auto& [kind, count] : report.kinds)
    std::printf("%s: %zu taken, %zu already there, %zu not taken\n", kind.c_str(), count.taken, count.known,
                count.refused);
}

awaitable<Result<int>> take_everything(Session& session, ImportOptions options, Rules rules) {
  Executor executor = co_await asio::this_coro::executor;
  std::unique_ptr<ImportReader> reader;
  if (options.file.empty() == options.url.empty())
    co_return Failure{Errc::invalid_parameter, "name either --from or --file"};
  if (!options.file.empty()) {
    auto opened = read_from_file(options.file);
    if (!opened) co_return opened.error();
    reader = std::move(*opened);
  } else {
    std::ifstream stream(options.key_file);
    std::string key;
    std::getline(stream, key);
    if (key.empty())
      co_return Failure{Errc::invalid_parameter, "--key-file names the file whose first line is the API's key"};
    reader = read_from_api(executor, options.url, std::move(key));
  }
  Import work(executor, session, *reader, options, std::move(rules));
  auto report = co_await work.run();
  if (!report) co_return report.error();
  print(*report, options.json);
  constexpr int something_was_refused = 3;
  co_return report->refused.empty() ? 0 : something_was_refused;
}

}  // namespace

int import_customers(const Settings& settings, const ImportOptions& options) {
  const Rules rules = billing_rules(settings.billing);
  return run_with_session(settings, [&](Session& session) { return take_everything(session, options, rules); });
}

}  // namespace billd::commands
