#include "net/gateways/test_gateway.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "net/gateways/test_bank_accounts.hpp"
#include "net/log.hpp"
#include "net/shifts.hpp"

namespace billd::gateways {
namespace {

/// Tokens and what becomes of them. A card with `refused` cannot be attached; `declined` is said of each of its
/// charges. Several tokens may name one card; its number stands for the first of them.
struct TestCard {
  std::string_view token;
  std::string_view number;
  std::string_view brand;
  std::string_view funding;
  std::string_view country;
  std::string_view refused = {};
  std::string_view declined = {};
  std::string_view cvc_check = "pass";
  std::string_view address_line1_check = {};
  std::string_view address_zip_check = {};
};

// Source: https://docs.stripe.com/testing.
constexpr TestCard test_cards[] = {
    {"tok_visa", "4242424242424242", "Visa", "credit", "US"},
    {"tok_visa_debit", "4000056655665556", "Visa", "debit", "US"},
    {"tok_mastercard", "5555555555554444", "MasterCard", "credit", "US"},
    {"tok_mastercard_debit", "5200828282828210", "MasterCard", "debit", "US"},
    {"tok_mastercard_prepaid", "5105105105105100", "MasterCard", "prepaid", "US"},
    {"tok_amex", "378282246310005", "American Express", "credit", "US"},
    {"tok_discover", "6011111111111117", "Discover", "credit", "US"},
    {"tok_diners", "3056930009020004", "Diners Club", "credit", "US"},
    {"tok_jcb", "3566002020360505", "JCB", "credit", "JP"},
    {"tok_unionpay", "6200000000000005", "UnionPay", "credit", "CN"},
    {"tok_br", "4000000760000002", "Visa", "credit", "BR"},
    {"tok_ca", "4000001240000000", "Visa", "credit", "CA"},
    {"tok_mx", "4000004840008001", "Visa", "credit", "MX"},
    {"tok_de", "4000002760000016", "Visa", "credit", "DE"},
    {"tok_fr", "4000002500000003", "Visa", "credit", "FR"},
    {"tok_gb", "4000008260000000", "Visa", "credit", "GB"},
    {"tok_es", "4000007240000007", "Visa", "credit", "ES"},
    {"tok_it", "4000003800000008", "Visa", "credit", "IT"},
    {"tok_nl", "4000005280000002", "Visa", "credit", "NL"},
    {"tok_au", "4000000360000006", "Visa", "credit", "AU"},
    {"tok_jp", "4000003920000003", "Visa", "credit", "JP"},

    {"tok_bypassPending", "4000000000000077", "Visa", "credit", "US"},
    {"tok_createDispute", "4000000000000259", "Visa", "credit", "US"},
    {"tok_cvcCheckFail", "4000000000000101", "Visa", "credit", "US", {}, {}, "fail"},
    {"tok_avsZipFail", "4000000000000036", "Visa", "credit", "US", {}, {}, "pass", "pass", "fail"},
    {"tok_avsLine1Fail", "4000000000000028", "Visa", "credit", "US", {}, {}, "pass", "fail", "pass"},
    {"tok_avsFail", "4000000000000010", "Visa", "credit", "US", {}, {}, "pass", "fail", "fail"},
    {"tok_avsUnchecked", "4000000000000044", "Visa", "credit", "US", {}, {}, "pass", "unavailable", "unavailable"},

    {"tok_chargeCustomerFail", "4000000000000341", "Visa", "credit", "US", {}, "generic_decline"},

    {"tok_chargeDeclined", "4000000000000002", "Visa", "credit", "US", "generic_decline"},
    {"tok_visa_chargeDeclined", "4000000000000002", "Visa", "credit", "US", "generic_decline"},
    {"tok_chargeDeclinedInsufficientFunds", "4000000000009995", "Visa", "credit", "US", "insufficient_funds"},
    {"tok_visa_chargeDeclinedInsufficientFunds", "4000000000009995", "Visa", "credit", "US", "insufficient_funds"},
    {"tok_chargeDeclinedLostCard", "4000000000009987", "Visa", "credit", "US", "lost_card"},
    {"tok_visa_chargeDeclinedLostCard", "4000000000009987", "Visa", "credit", "US", "lost_card"},
    {"tok_chargeDeclinedStolenCard", "4000000000009979", "Visa", "credit", "US", "stolen_card"},
    {"tok_visa_chargeDeclinedStolenCard", "4000000000009979", "Visa", "credit", "US", "stolen_card"},
    {"tok_chargeDeclinedExpiredCard", "4000000000000069", "Visa", "credit", "US", "expired_card"},
    {"tok_chargeDeclinedIncorrectCvc", "4000000000000127", "Visa", "credit", "US", "incorrect_cvc"},
    {"tok_chargeDeclinedProcessingError", "4000000000000119", "Visa", "credit", "US", "processing_error"},
    {"tok_visa_chargeDeclinedVelocityLimitExceeded", "4000000000006975", "Visa", "credit", "US",
     "card_velocity_exceeded"},
    {"tok_chargeDeclinedFraudulent", "4100000000000019", "Visa", "credit", "US", "fraudulent"},
};

/// Cards of tokens show this expiry; whoever gives a number gives an expiry with it.
constexpr std::int32_t expiry_month = 12, expiry_year = 2040;

constexpr Milliseconds fault_delay(2'000);
/// Most keys whose error is repeated; further ones get it once.
constexpr std::size_t keys_with_error_max = 10'000;

constexpr std::string_view live_decline = "testmode_decline";  // Stripe: "A Stripe test card number was used."
constexpr std::string_view never_charged = "absent";
constexpr std::string_view never_refunded = "processing_error";

const TestCard* find_token(std::string_view token) {
  const auto* found = std::ranges::find(test_cards, token, &TestCard::token);
  return found == std::end(test_cards) ? nullptr : found;
}

const TestCard* find_number(std::string_view number) {
  const auto* found = std::ranges::find(test_cards, number, &TestCard::number);
  return found == std::end(test_cards) ? nullptr : found;
}

/// The digits of what may be meant as a card number, written together or in groups; empty when it is something else.
std::string card_digits(std::string_view text) {
  std::string digits;
  for (char character : text) {
    if (character == ' ' || character == '-') continue;
    if (character < '0' || character > '9') return {};
    digits.push_back(character);
  }
  return digits.size() >= 12 && digits.size() <= 19 ? digits : std::string();
}

/// The token for people: whatever could hide a card number in some other spelling is not told.
std::string presentable(const std::string& token) {
  const auto digits = std::ranges::count_if(token, [](char character) { return character >= '0' && character <= '9'; });
  return digits < 12 ? token : "(not shown)";
}

/// The check digit of ISO/IEC 7812.
bool passes_luhn(std::string_view digits) {
  int sum = 0;
  bool doubled = false;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, doubled = !doubled) {
    const int value = (*digit - '0') * (doubled ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 == 0;
}

/// The same for the same number, and no way back to it: these numbers are public anyway.
std::string fingerprint(std::string_view number) {
  const std::string salted = "billd test card " + std::string(number);
  return base62(fnv1a(salted), 8) + base62(fnv1a("again " + salted), 8);
}

NewSource describe(const TestCard& card) {
  NewSource source;
  source.gateway = "test";
  source.reference = card.token;
  Card details;
  details.summary.brand = card.brand;
  details.summary.last4 = card.number.substr(card.number.size() - 4);
  details.summary.exp_month = expiry_month;
  details.summary.exp_year = expiry_year;
  details.summary.funding = card.funding;
  details.summary.country = card.country;
  details.summary.fingerprint = fingerprint(card.number);
  details.cvc_check = card.cvc_check;
  details.address_line1_check = card.address_line1_check;
  details.address_zip_check = card.address_zip_check;
  source.means = std::move(details);
  return source;
}

/// Why the source would be declined; empty: it is charged.
std::string_view decline_of(Mode mode, std::string_view source) {
  if (mode == Mode::live) return live_decline;
  if (const auto outcome = test_bank_account_outcome(source)) return *outcome;
  const TestCard* card = find_token(source);
  if (card == nullptr) return "generic_decline";
  return card->refused.empty() ? card->declined : card->refused;
}

// A booking is text of ten fields: "1 account invoice source minor currency created decline_code settles_at refund_of",
// where the first is the form's version and "-" is a decline code, a time or a charge that there is not. None of the
// fields holds a space.
constexpr std::string_view form = "1";
constexpr std::size_t field_count = 10;
constexpr std::string_view none = "-";

std::string or_none(const std::string& text) { return text.empty() ? std::string(none) : text; }

std::string encode(const LedgerEntry& entry) {
  std::string text(form);
  for (const std::string& field :
       {entry.account, entry.invoice, entry.source, std::to_string(entry.amount.minor),
        std::string(entry.amount.currency.code()), std::to_string(entry.created.time_since_epoch().count()),
        or_none(entry.decline_code),
        entry.settles_at ? std::to_string(entry.settles_at->time_since_epoch().count()) : std::string(none),
        or_none(entry.refund_of)})
    text.append(" ").append(field);
  return text;
}

/// Money of bank accounts takes its time. Source: Stripe, an ACH charge "starts in the pending state".
bool is_bank_account(std::string_view source) { return source.starts_with("btok_"); }

LedgerEntry charge_entry(const ChargeRequest& request, std::string_view decline_code) {
  return {request.idempotency_key, request.account.value(), request.invoice.value(),  request.source,
          request.amount,          request.created,         std::string(decline_code)};
}

LedgerEntry refund_entry(const RefundRequest& request, std::string_view failure) {
  LedgerEntry entry{request.idempotency_key, request.account.value(), std::string(none),   request.source,
                    request.amount,          request.created,         std::string(failure)};
  entry.refund_of = request.charge;
  return entry;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<LedgerEntry> decode(std::string_view key, std::string_view text) {
  std::vector<std::string_view> fields;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    fields.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  const Failure unreadable{Errc::corrupt, "the test gateway's booking " + std::string(key) + " cannot be read"};
  if (fields.size() != field_count || fields[0] != form) return unreadable;
  const auto minor = parse_integer(fields[4]);
  const auto currency = Currency::parse(fields[5]);
  const auto created = parse_integer(fields[6]);
  const auto settles_at = fields[8] != none ? parse_integer(fields[8]) : std::nullopt;
  if (!minor || !currency || !created || (fields[8] != none && !settles_at)) return unreadable;
  LedgerEntry entry;
  entry.idempotency_key = key;
  entry.account = fields[1];
  entry.invoice = fields[2];
  entry.source = fields[3];
  entry.amount = {*minor, *currency};
  entry.created = Timestamp(Duration(*created));
  if (fields[7] != none) entry.decline_code = fields[7];
  if (settles_at) entry.settles_at = Timestamp(Duration(*settles_at));
  if (fields[9] != none) entry.refund_of = fields[9];
  return entry;
}

ChargeOutcome charge_outcome(const Result<LedgerEntry>& entry, Timestamp now) {
  ChargeOutcome outcome;
  if (!entry) {
    // Without a reply it may be booked or not: the same question gets the answer later.
    if (!is_transient(entry.error().code)) outcome.kind = ChargeOutcomeKind::impossible;
    return outcome;
  }
  outcome.gateway_reference = "test_" + entry->idempotency_key;
  if (entry->settles_at && now < *entry->settles_at) {
    outcome.kind = ChargeOutcomeKind::pending;
    return outcome;
  }
  if (entry->is_absent()) {
    outcome.kind = ChargeOutcomeKind::absent;
    outcome.gateway_reference.clear();
    return outcome;
  }
  outcome.kind = entry->succeeded() ? ChargeOutcomeKind::succeeded : ChargeOutcomeKind::declined;
  outcome.decline_code = entry->decline_code;
  return outcome;
}

RefundOutcome refund_outcome(const Result<LedgerEntry>& entry) {
  RefundOutcome outcome;
  if (!entry) {
    if (!is_transient(entry.error().code)) outcome.kind = RefundOutcomeKind::impossible;
    return outcome;
  }
  outcome.kind = entry->succeeded() ? RefundOutcomeKind::succeeded : RefundOutcomeKind::failed;
  outcome.failure_reason = entry->decline_code;
  outcome.gateway_reference = "test_" + entry->idempotency_key;
  return outcome;
}

}  // namespace

/// Books charges. Those of one turn of the loop and one lane go to Redis together.
class TestGateway::Ledger {
 public:
  Ledger(Executor executor, store::Store& store) : executor_(executor), store_(store), tasks_(executor) {}

  /// What is booked under the key: `wanted`, if nothing was before. invalid_state when what was booked is something
  /// else.
  awaitable<Result<LedgerEntry>> book(Mode mode, AccountKey account, LedgerEntry wanted);
  /// not_found when nothing is booked under the key.
  awaitable<Result<LedgerEntry>> find(Mode mode, AccountKey account, std::string idempotency_key);

 private:
  struct Booking {
    LedgerEntry wanted;
    std::string key;
    redis::Client* lane;
    Result<redis::Reply> reply;
    std::unique_ptr<Shifts::Work> resumption;
  };

  static Result<LedgerEntry> earlier_entry(const Booking& booking) {
    const std::string& key = booking.wanted.idempotency_key;
    if (!booking.reply->is_text()) return Failure{Errc::corrupt, "what is booked under " + key + " is no text"};
    auto earlier = decode(key, booking.reply->text());
    if (!earlier) {
      spdlog::error("{}", earlier.error().detail);
      return earlier;
    }
    if (earlier->amount != booking.wanted.amount || earlier->source != booking.wanted.source) {
      const log::About about{.account = booking.wanted.account, .invoice = booking.wanted.invoice, .charge = key};
      log::error(about, "the charge came again with another amount or source; it needs an operator");
      return Failure{Errc::invalid_state, "booked with another amount or source"};
    }
    return earlier;
  }

  /// Awaits the reply of the booking, which stays in the caller's frame until then. Not to be cancelled: the reply, or
  /// the lack of one, is there within Redis' time limit.
  auto booked(Booking& booking) {
    auto begin = [](auto handler, Ledger* ledger, Booking* what) {
      what->resumption = Shifts::work(std::move(handler));
      redis::Client& lane = *what->lane;
      std::vector<Booking*>& waiting = ledger->waiting_[&lane];
      waiting.push_back(what);
      if (waiting.size() > 1) return;
      Shifts::of(ledger->executor_).add(Shifts::work([ledger, &lane] {
        ledger->tasks_.spawn("test gateway", ledger->send_waiting(lane));
      }));
    };
    return asio::async_initiate<const asio::deferred_t&, void()>(begin, asio::deferred, this, &booking);
  }

  awaitable<> send_waiting(redis::Client& lane) {
    std::vector<Booking*> bookings;
    bookings.swap(waiting_[&lane]);
    std::vector<redis::Command> commands;
    commands.reserve(bookings.size());
    for (const Booking* booking : bookings)
      commands.emplace_back("SET", booking->key, encode(booking->wanted), "NX", "GET");
    auto replies = co_await lane.execute_all(std::move(commands));
    for (std::size_t i = 0; i < bookings.size(); ++i) {
      bookings[i]->reply = std::move(replies[i]);
      Shifts::of(executor_).add(std::move(bookings[i]->resumption));
    }
  }

  Executor executor_;
  store::Store& store_;
  std::unordered_map<redis::Client*, std::vector<Booking*>> waiting_;
  Tasks tasks_;
};

awaitable<Result<LedgerEntry>> TestGateway::Ledger::book(Mode mode, AccountKey account, LedgerEntry wanted) {
  const std::string key = store_.key_beside(mode, account, "g:" + wanted.idempotency_key);
  Booking booking{std::move(wanted), key, &store_.lane(account), Failure{Errc::unavailable, "not sent"}, {}};
  co_await booked(booking);
  if (!booking.reply) co_return booking.reply.error();
  if (booking.reply->is_nil()) co_return std::move(booking.wanted);
  co_return earlier_entry(booking);
}

awaitable<Result<LedgerEntry>> TestGateway::Ledger::find(Mode mode, AccountKey account, std::string idempotency_key) {
  redis::Command command("GET", store_.key_beside(mode, account, "g:" + idempotency_key));
  const auto reply = co_await store_.lane(account).execute(std::move(command));
  if (!reply) co_return reply.error();
  if (!reply->is_text()) co_return Failure{Errc::not_found, "nothing is booked under " + idempotency_key};
  co_return decode(idempotency_key, reply->text());
}

TestGateway::TestGateway(Executor executor, store::Store& store, Milliseconds latency, Milliseconds debit_settles_after)
    : latency_(latency),
      debit_settles_after_(debit_settles_after),
      ledger_(std::make_unique<Ledger>(executor, store)) {}

TestGateway::~TestGateway() = default;

awaitable<Result<NewSource>> TestGateway::describe_source(Mode mode, std::string token) {
  if (auto account = find_test_bank_account(token)) {
    if (mode == Mode::live) co_return Failure{Errc::invalid_parameter, "No such token: " + token, "source"};
    co_return std::move(*account);
  }
  const std::string digits = card_digits(token);
  const TestCard* card = digits.empty() ? find_token(token) : find_number(digits);
  if (mode == Mode::live && (card != nullptr || !digits.empty()))
    co_return Failure{Errc::card_declined, std::string(live_decline), "source"};
  if (card == nullptr && !digits.empty()) {
    if (!passes_luhn(digits)) co_return Failure{Errc::card_declined, "incorrect_number", "source"};
    co_return Failure{Errc::invalid_parameter,
                      "Card numbers are not accepted here: use a token. In test mode, Stripe's test card numbers work.",
                      "source"};
  }
  if (card == nullptr) co_return Failure{Errc::invalid_parameter, "No such token: " + presentable(token), "source"};
  if (latency_.count() > 0) co_await sleep_for(latency_);
  if (!card->refused.empty()) co_return Failure{Errc::card_declined, std::string(card->refused), "source"};
  co_return describe(*card);
}

awaitable<Result<NewSource>> TestGateway::describe_bank_account(Mode mode, BankAccountDetails details) {
  if (mode == Mode::live)
    co_return Failure{Errc::invalid_parameter, "The test gateway knows no bank accounts in live mode.", "source"};
  if (latency_.count() > 0) co_await sleep_for(latency_);
  co_return describe_test_bank_account(details);
}

awaitable<Result<bool>> TestGateway::verify_bank_account(Mode mode, std::string, MicroDeposits deposits) {
  if (latency_.count() > 0) co_await sleep_for(latency_);
  // Source: https://stripe.com/docs/ach-deprecated#testing-ach.
  std::ranges::sort(deposits);
  co_return mode == Mode::test&& deposits == MicroDeposits{32, 45};
}

void TestGateway::set_faults(std::vector<TestFault> faults) {
  faults_ = std::move(faults);
  sent_ = 0;
  keys_with_error_.clear();
}

TestFault TestGateway::next_fault(const std::string& idempotency_key) {
  if (faults_.empty()) return TestFault::none;
  if (keys_with_error_.contains(idempotency_key)) return TestFault::error_stored;
  const TestFault fault = faults_[sent_++ % faults_.size()];
  if (fault == TestFault::error_stored && keys_with_error_.size() < keys_with_error_max)
    keys_with_error_.insert(idempotency_key);
  return fault;
}

awaitable<ChargeOutcome> TestGateway::charge(ChargeRequest request) {
  const TestFault fault = next_fault(request.idempotency_key);
  ChargeOutcome unknown;
  if (fault == TestFault::lost || fault == TestFault::conflict || fault == TestFault::throttled) co_return unknown;
  LedgerEntry wanted = charge_entry(request, decline_of(request.mode, request.source));
  if (is_bank_account(request.source) && debit_settles_after_.count() > 0)
    wanted.settles_at = request.created + debit_settles_after_;
  const auto entry = co_await ledger_->book(request.mode, request.account, std::move(wanted));
  // The money has moved, the answer takes its time: the order in which interruptions hurt most.
  const Milliseconds wait = fault == TestFault::delay ? latency_ + fault_delay : latency_;
  if (wait.count() > 0) co_await sleep_for(wait);
  if (fault == TestFault::answer_lost || fault == TestFault::error_stored || fault == TestFault::garbage)
    co_return unknown;
  ChargeOutcome outcome = charge_outcome(entry, request.now);
  if (fault == TestFault::wrong_amount || fault == TestFault::wrong_currency)
    outcome.kind = ChargeOutcomeKind::impossible;
  co_return outcome;
}

awaitable<ChargeOutcome> TestGateway::look_up(ChargeRequest request) {
  LedgerEntry wanted = charge_entry(request, never_charged);
  const auto entry = co_await ledger_->book(request.mode, request.account, std::move(wanted));
  if (latency_.count() > 0) co_await sleep_for(latency_);
  co_return charge_outcome(entry, request.now);
}

awaitable<RefundOutcome> TestGateway::refund(RefundRequest request) {
  const auto charge = co_await ledger_->find(request.mode, request.account, request.charge);
  if (!charge && charge.error().code != Errc::not_found) co_return refund_outcome(charge);
  const bool has_charge = charge && charge->succeeded() && !charge->is_refund();
  LedgerEntry wanted = refund_entry(request, has_charge ? std::string_view() : never_refunded);
  const auto entry = co_await ledger_->book(request.mode, request.account, std::move(wanted));
  if (latency_.count() > 0) co_await sleep_for(latency_);
  co_return refund_outcome(entry);
}

awaitable<RefundOutcome> TestGateway::look_up_refund(RefundRequest request) {
  LedgerEntry wanted = refund_entry(request, never_refunded);
  const auto entry = co_await ledger_->book(request.mode, request.account, std::move(wanted));
  if (latency_.count() > 0) co_await sleep_for(latency_);
  co_return refund_outcome(entry);
}

Result<LedgerEntry> decode_ledger_entry(std::string_view idempotency_key, std::string_view text) {
  return decode(idempotency_key, text);
}

awaitable<Result<std::vector<LedgerEntry>>> read_ledger(redis::Client& client) {
  std::vector<LedgerEntry> entries;
  std::string cursor = "0";
  do {
    auto page = co_await client.execute(redis::Command("SCAN", cursor, "MATCH", "?:{p*}:g:*", "COUNT", 1000));
    if (!page) co_return page.error();
    const std::vector<redis::Reply>& parts = page->elements();
    cursor = parts[0].text();
    std::vector<redis::Command> reads;
    for (const redis::Reply& key : parts[1].elements()) reads.emplace_back("GET", key.text());
    auto values = co_await client.execute_all(std::move(reads));
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!values[i]) co_return values[i].error();
      if (values[i]->is_nil()) continue;  // gone since the page was read
      const std::string_view key = parts[1].elements()[i].text();
      auto entry = decode(key.substr(key.find(":g:") + 3), values[i]->text());
      if (!entry) co_return entry.error();
      entries.push_back(std::move(*entry));
    }
  } while (cursor != "0");
  // SCAN may tell a key twice.
  std::ranges::sort(entries, {}, &LedgerEntry::idempotency_key);
  const auto repeated = std::ranges::unique(entries, {}, &LedgerEntry::idempotency_key);
  entries.erase(repeated.begin(), repeated.end());
  co_return entries;
}

}  // namespace billd::gateways
