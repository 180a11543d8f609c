// Customers brought along from another system that speaks Stripe's API: what goes on, with the identifiers it has.
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>

#include "commands/commands.hpp"
#include "commands/import_adoption.hpp"
#include "commands/import_into_catalog.hpp"
#include "commands/import_objects.hpp"
#include "commands/import_reader.hpp"
#include "commands/import_report.hpp"
#include "commands/session.hpp"
#include "engine/imports.hpp"
#include "jobs/clock.hpp"
#include "net/gateways/test_gateway.hpp"
#include "net/store/aliases.hpp"
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

class Import {
 public:
  Import(Executor executor, Session& session, ImportReader& reader, const ImportOptions& options, Rules rules,
         ProcessorKind gateway)
      : executor_(executor),
        session_(session),
        reader_(reader),
        options_(options),
        rules_(std::move(rules)),
        is_stripe_(gateway == ProcessorKind::stripe),
        catalog_(session, reader, options.mode, report_) {
    named_.price = [this](const json::object& plan) { return price_of(plan); };
    named_.tax_rate = [this](const std::string& id) { return value_or_null(catalog_.tax_rates(), id); };
    named_.coupon = [this](const std::string& id) { return value_or_null(catalog_.coupons(), id); };
    named_.discount = [this](const std::string& id) { return value_or_null(discounts_, id); };
    named_.usage = [this](const std::string& item) { return value_or_null(usage_, item); };
  }

  awaitable<Result<ImportReport>> run() {
    auto tokens = co_await read_tokens();
    if (!tokens) co_return tokens.error();
    auto catalog = co_await catalog_.run();
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

  template <class Value>
  static const Value* value_or_null(const std::map<std::string, Value>& values, const std::string& name) {
    const auto at = values.find(name);
    return at == values.end() ? nullptr : &at->second;
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

  /// Stripe itself, as the processor, calls a source as it is called already.
  std::string token_of(const std::string& customer, const std::string& id, const std::string& fingerprint) const {
    for (const std::string& name : {id, fingerprint})
      if (const auto found = tokens_.find(name); found != tokens_.end()) return found->second;
    return is_stripe_ ? customer + "/" + id : std::string();
  }

  awaitable<Result<void>> take_customer(json::object foreign) {
    const std::string id = text_of(foreign, "id");
    const CustomerId native = native_customer(options_.mode, CustomerId(id));
    const auto key = AccountKey::of_id(native.value());
    if (!key) {
      report_.refuse("customer", id, "billd cannot keep its identifier: it is not cus_ and characters of [A-Za-z0-9_]");
      co_return Result<void>();
    }
    auto loaded = co_await session_.store().load(options_.mode, *key);
    if (!loaded && loaded.error().code != Errc::not_found) co_return loaded.error();
    if (loaded && !loaded->account.customer.id.is_empty()) co_return co_await note_known(*key, id);
    auto whole = co_await reader_.belongings(std::move(foreign));
    if (!whole) co_return whole.error();
    auto account = read(*whole);
    if (!account) co_return Result<void>();
    std::map<std::string, std::string> payment_intents;
    for (const json::object& invoice : whole->invoices)
      payment_intents.emplace(text_of(invoice, "id"), identifier_of(invoice, "payment_intent"));
    std::vector<store::Alias> aliases;
    if (key->is_adopted()) {
      auto adopted = adopt(*key, *account, payment_intents);
      if (!adopted) {
        report_.refuse("customer", id, adopted.error().detail);
        co_return Result<void>();
      }
      aliases = std::move(*adopted);
    }
    co_return co_await commit(*key, id, std::move(*account), std::move(aliases));
  }

  /// There is a customer under the key: this one, or, once in a blue moon, one whose identifier has the same hash.
  awaitable<Result<void>> note_known(AccountKey key, std::string id) {
    if (key.is_adopted()) {
      auto aliases = co_await session_.store().aliases().of_account(key);
      if (!aliases) co_return aliases.error();
      if (std::ranges::find(**aliases, id, &store::Alias::foreign) == (*aliases)->end()) {
        report_.refuse("customer", id,
                       "another customer is in its place: the hashes of their identifiers are the same");
        co_return Result<void>();
      }
    }
    ++report_.kinds["customer"].known;
    co_return Result<void>();
  }

  /// Empty when the customer as such cannot be taken.
  std::optional<ForeignAccount> read(const ForeignCustomer& whole) {
    const std::string id = text_of(whole.customer, "id");
    discounts_.clear();
    usage_ = whole.usage;
    auto customer = read_customer(whole.customer, named_);
    if (!customer) {
      report_.refuse("customer", id, customer.error().detail);
      return std::nullopt;
    }
    ForeignAccount foreign;
    foreign.customer = std::move(*customer);
    remember(foreign.customer.discount);
    foreign.invoice_prefix = text_of(whole.customer, "invoice_prefix");
    if (const std::int64_t next = integer_of(whole.customer, "next_invoice_sequence"); next > 0)
      foreign.invoices_numbered = static_cast<std::uint64_t>(next - 1);
    read_belongings(whole, foreign);
    return foreign;
  }

  void remember(const std::optional<Discount>& discount) {
    if (discount) discounts_.insert_or_assign(discount->id.value(), *discount);
  }

  void read_belongings(const ForeignCustomer& whole, ForeignAccount& foreign) {
    const std::string customer = text_of(whole.customer, "id");
    const TokenOf tokens = [&](const std::string& id, const std::string& fingerprint) {
      return token_of(customer, id, fingerprint);
    };
    // The API tells the newest first.
    for (auto each = whole.sources.rbegin(); each != whole.sources.rend(); ++each)
      keep("source", *each, read_source(*each, options_.gateway, tokens), foreign.sources);
    // A bank account does not say when it was made.
    for (Source& source : foreign.sources)
      if (source.created == Timestamp()) source.created = foreign.customer.created;
    for (auto each = whole.schedules.rbegin(); each != whole.schedules.rend(); ++each)
      keep("subscription_schedule", *each, read_schedule(*each, named_), foreign.schedules);
    for (auto each = whole.subscriptions.rbegin(); each != whole.subscriptions.rend(); ++each)
      keep("subscription", *each, check_references(read_subscription(*each, named_), foreign), foreign.subscriptions);
    drop_orphaned_schedules(foreign);
    for (const Subscription& subscription : foreign.subscriptions) remember(subscription.discount);
    for (const json::object& each : whole.ended)
      keep("subscription", each, read_ended_subscription(each, named_), foreign.ended);
    for (auto each = whole.invoice_items.rbegin(); each != whole.invoice_items.rend(); ++each) {
      const std::string of = identifier_of(*each, "subscription");
      if (of.empty() || find(foreign.subscriptions, of) != nullptr)
        keep("invoiceitem", *each, read_invoice_item(*each, named_), foreign.invoice_items);
      else
        report_.refuse("invoiceitem", text_of(*each, "id"), "its subscription " + of + " was not taken");
    }
    for (auto each = whole.invoices.rbegin(); each != whole.invoices.rend(); ++each)
      read_one_invoice(whole, *each, foreign);
  }

  void read_one_invoice(const ForeignCustomer& whole, const json::object& invoice, ForeignAccount& foreign) {
    const std::string of = identifier_of(invoice, "subscription");
    const Subscription* subscription = find(foreign.subscriptions, of);
    if (subscription == nullptr) subscription = find(foreign.ended, of);
    if (!of.empty() && subscription == nullptr) {
      report_.refuse("invoice", text_of(invoice, "id"), "its subscription " + of + " was not taken");
      return;
    }
    const auto lines = whole.lines.find(text_of(invoice, "id"));
    keep("invoice", invoice,
         read_invoice(invoice, lines == whole.lines.end() ? Objects() : lines->second, subscription, named_),
         foreign.invoices);
  }

  /// What it refers to was taken, too.
  static Result<Subscription> check_references(Result<Subscription> subscription, const ForeignAccount& foreign) {
    if (!subscription) return subscription;
    const SourceId& source = subscription->default_source;
    if (!source.is_empty() && std::ranges::find(foreign.sources, source, &Source::id) == foreign.sources.end())
      return refusal("what it is paid with was not taken: " + source.value(), "default_payment_method");
    const ScheduleId& schedule = subscription->schedule;
    if (!schedule.is_empty() &&
        std::ranges::find(foreign.schedules, schedule, &Schedule::id) == foreign.schedules.end())
      return refusal("its schedule " + schedule.value() + " was not taken", "schedule");
    return subscription;
  }

  /// A schedule that is under way is nothing without its subscription.
  void drop_orphaned_schedules(ForeignAccount& foreign) {
    std::erase_if(foreign.schedules, [&](const Schedule& schedule) {
      const std::string of = schedule.subscription.value();
      if (of.empty() || find(foreign.subscriptions, of) != nullptr) return false;
      report_.refuse("subscription_schedule", schedule.id.value(), "its subscription " + of + " was not taken");
      return true;
    });
  }

  static const Subscription* find(const std::vector<Subscription>& subscriptions, const std::string& id) {
    const auto at = std::ranges::find(subscriptions, SubscriptionId(id), &Subscription::id);
    return at == subscriptions.end() ? nullptr : &*at;
  }

  /// As the catalog tells it, which knows the tiers; of one that is not there any more, as the item tells it.
  Result<Price> price_of(const json::object& plan) const {
    const std::string id = text_of(plan, "id");
    if (const Price* known = value_or_null(catalog_.prices(), id)) return *known;
    if (plan.size() <= 1) return refusal("its price " + id + " is not in the catalog", "price");
    return read_price(plan);
  }

  template <class Object>
  void keep(const std::string& kind, const json::object& foreign, Result<Object> read, std::vector<Object>& into) {
    if (read)
      into.push_back(std::move(*read));
    else
      report_.refuse(kind, text_of(foreign, "id"), read.error().detail);
  }

  awaitable<Result<void>> commit(AccountKey key, std::string id, ForeignAccount foreign,
                                 std::vector<store::Alias> aliases) {
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
      report_.refuse("customer", id, in_foreign_words(fits.error().detail, aliases));
      co_return Result<void>();
    }
    // What is written before the account leads nowhere until it is there, and is written again by whoever comes next.
    auto leads = co_await session_.store().aliases().lead_to(options_.mode, key, aliases);
    if (!leads && leads.error().code == Errc::already_exists) {
      report_.refuse("customer", id, leads.error().detail);
      co_return Result<void>();
    }
    if (!leads) co_return leads.error();
    auto claimed = co_await claim_payment_methods(key, whole);
    if (!claimed) co_return claimed;
    for (int attempt = 0;; ++attempt) {
      store::CommitRequest request;
      request.transition = *fits;
      request.now = *now;
      if (!aliases.empty()) request.aliases = store::encode_aliases(key, aliases);
      auto committed = co_await session_.store().commit(std::move(request));
      if (!committed) co_return committed.error();
      if (committed->status == store::CommitStatus::conflict && attempt < conflicts_max) {
        auto there = co_await session_.store().load(options_.mode, key);
        if (there && !there->account.customer.id.is_empty()) co_return co_await note_known(key, id);
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
  awaitable<Result<void>> claim_payment_methods(AccountKey key, const ForeignAccount& whole) {
    for (const Source& source : whole.sources) {
      if (!source.is_payment_method() || AccountKey::of_id(source.id.value()) == key) continue;
      std::string method = source.id.value();
      std::string owner = whole.customer.id.value();
      auto claimed = co_await store::claim_held_source(session_.store(), options_.mode, std::move(method),
                                                       std::move(owner), std::nullopt);
      if (!claimed) co_return claimed.error();
    }
    co_return Result<void>();
  }

  void count_taken(const ForeignAccount& whole) {
    ++report_.kinds["customer"].taken;
    report_.kinds["source"].taken += whole.sources.size();
    report_.kinds["subscription"].taken += whole.subscriptions.size() + whole.ended.size();
    report_.kinds["subscription_schedule"].taken += whole.schedules.size();
    report_.kinds["invoice"].taken += whole.invoices.size();
    report_.kinds["invoiceitem"].taken += whole.invoice_items.size();
  }

  Executor executor_;
  Session& session_;
  ImportReader& reader_;
  const ImportOptions& options_;
  const Rules rules_;
  bool is_stripe_ = false;                     ///< the gateway that charges
  std::map<std::string, std::string> tokens_;  ///< by the source's identifier or fingerprint
  Named named_;
  std::map<std::string, Discount> discounts_;  ///< of the customer that is read
  std::map<std::string, Objects> usage_;       ///< likewise, by subscription item
  std::set<std::string> seen_;
  ImportReport report_;
  CatalogImport catalog_;
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

awaitable<Result<int>> take_everything(Session& session, ImportOptions options, Rules rules, GatewaySettings gateways) {
  Executor executor = co_await asio::this_coro::executor;
  auto gateway = kind_of_gateway(gateways, options);
  if (!gateway) co_return gateway.error();
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
  Import work(executor, session, *reader, options, std::move(rules), *gateway);
  auto report = co_await work.run();
  if (!report) co_return report.error();
  std::printf("%s", (options.json ? to_json(*report) : to_text(*report)).c_str());
  constexpr int something_was_refused = 3;
  co_return report->refused.empty() ? 0 : something_was_refused;
}

}  // namespace

int import_customers(const Settings& settings, const ImportOptions& options) {
  const Rules rules = billing_rules(settings.billing);
  return run_with_session(
      settings, [&](Session& session) { return take_everything(session, options, rules, settings.gateways); });
}

}  // namespace billd::commands
