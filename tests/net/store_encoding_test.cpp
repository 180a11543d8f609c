// What is stored is read back exactly, and what nobody stored is refused.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>

#include "net/store/encoding.hpp"
#include "net/store/footprint.hpp"
#include "net/store/idempotency.hpp"
#include "tests/net/store_random.hpp"

namespace billd::store {
namespace {

const AccountKey& some_key() {
  static const AccountKey key = AccountKey::from_bits(17, 4);
  return key;
}

/// Whatever becomes of the bytes of a stored form, they are read as something or refused as corrupt.
template <class Decode>
void expect_harmless(const std::string& bytes, Decode decode, std::uint64_t seed) {
  for (std::size_t length = 0; length < bytes.size(); length += 1 + length / 64) {
    auto cut = decode(std::string_view(bytes).substr(0, length));
    RC_ASSERT(!cut);
    RC_ASSERT(cut.error().code == Errc::corrupt);
  }
  auto longer = decode(bytes + '\1');
  RC_ASSERT(!longer);
  RandomObjects random(seed);
  for (int round = 0; round < 50; ++round) {
    std::string damaged = bytes;
    for (std::uint64_t change = 1 + random.below(3); change > 0; --change)
      damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    auto read = decode(damaged);
    if (!read) RC_ASSERT(read.error().code == Errc::corrupt);
  }
}

template <class T, class Decode>
void expect_round_trip(const T& object, const std::string& bytes, Decode decode, std::uint64_t seed) {
  auto read = decode(bytes);
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == object);
  expect_harmless(bytes, decode, seed);
}

RC_GTEST_PROP(StoredForm, OfAnAccountIsReadBack, (std::uint64_t seed)) {
  const Account account = RandomObjects(seed, some_key()).account();
  expect_round_trip(
      account, encode(account),
      [&](std::string_view bytes) { return decode_account(account.key, account.mode, bytes); }, seed);
}

RC_GTEST_PROP(StoredForm, OfARecordIsReadBack, (std::uint64_t seed)) {
  RandomObjects random(seed, some_key());
  const Record record = random.record();
  expect_round_trip(
      record, encode(some_key(), record), [](std::string_view bytes) { return decode_record(some_key(), bytes); },
      seed);
}

RC_GTEST_PROP(StoredForm, OfARecordInPartsIsReadBack, (std::uint64_t seed)) {
  RandomObjects random(seed, some_key());
  const Record record = random.record();
  Parts parts;
  const std::string bytes = encode(some_key(), record, parts);
  expect_round_trip(record, bytes, [&](std::string_view read) { return decode_record(some_key(), read, parts); }, seed);
  auto names = part_names(some_key(), bytes);
  RC_ASSERT(names.has_value());
  for (std::uint64_t name : *names) RC_ASSERT(parts.contains(name));
  for (const auto& [name, value] : parts) {
    RC_ASSERT(std::ranges::count(*names, name) > 0);
    RC_ASSERT(parse_part_field(part_field(name)) == name);
    Parts others = parts;
    others.erase(name);
    auto incomplete = decode_record(some_key(), bytes, others);
    RC_ASSERT(!incomplete);
    RC_ASSERT(incomplete.error().code == Errc::corrupt);
    others.emplace(name, "noise");
    RC_ASSERT(!decode_record(some_key(), bytes, others));
  }
}

RC_GTEST_PROP(StoredForm, OfEventsIsReadBack, (std::uint64_t seed)) {
  const EventBatch batch = RandomObjects(seed, some_key()).event_batch();
  expect_round_trip(batch, encode(batch), decode_event_batch, seed);
}

RC_GTEST_PROP(StoredForm, OfWhatIsNobodysYetIsReadBack, (std::uint64_t seed)) {
  RandomObjects random(seed, AccountKey());
  const HeldSource held = random.held_source();
  expect_round_trip(held, encode(held), decode_held_source, seed);
  const SetupIntent intent = random.setup_intent();
  expect_round_trip(intent, encode(intent), decode_setup_intent, seed);
}

RC_GTEST_PROP(StoredForm, OfThePartsOfTheCatalogIsReadBack, (std::uint64_t seed)) {
  RandomObjects random(seed);
  const Plan plan = random.plan();
  expect_round_trip(plan, encode(plan), decode_plan, seed);
  const Product product = random.product();
  expect_round_trip(product, encode(product), decode_product, seed);
  const Coupon coupon = random.coupon();
  expect_round_trip(coupon, encode(coupon), decode_coupon, seed);
  const PromotionCode code = random.promotion_code();
  expect_round_trip(code, encode(code), decode_promotion_code, seed);
  const TaxRate rate = random.tax_rate();
  expect_round_trip(rate, encode(rate), decode_tax_rate, seed);
  const TestClock clock = random.test_clock();
  expect_round_trip(clock, encode(clock), decode_test_clock, seed);
  const ApiKey key = random.api_key();
  expect_round_trip(key, encode(key), decode_api_key, seed);
  const WebhookEndpoint endpoint = random.webhook_endpoint();
  expect_round_trip(endpoint, encode(endpoint), decode_webhook_endpoint, seed);
  const StaffMember member = random.staff_member();
  expect_round_trip(member, encode(member), decode_staff_member, seed);
}

RC_GTEST_PROP(StoredForm, OfNothingButNoiseIsCorrupt, (std::uint64_t seed)) {
  RandomObjects random(seed);
  for (int round = 0; round < 200; ++round) {
    std::string noise = random.bytes(random.below(300));
    if (!noise.empty() && random.coin()) noise[0] = form_version;
    auto account = decode_account(some_key(), Mode::test, noise);
    if (!account) RC_ASSERT(account.error().code == Errc::corrupt);
    auto record = decode_record(some_key(), noise);
    if (!record) RC_ASSERT(record.error().code == Errc::corrupt);
    auto events = decode_event_batch(noise);
    if (!events) RC_ASSERT(events.error().code == Errc::corrupt);
    auto plan = decode_plan(noise);
    if (!plan) RC_ASSERT(plan.error().code == Errc::corrupt);
    auto owner = decode_charge_owner(some_key(), noise);
    if (!owner) RC_ASSERT(owner.error().code == Errc::corrupt);
    auto reference = decode_reference(noise, "in_");
    if (!reference) RC_ASSERT(reference.error().code == Errc::corrupt);
    auto answer = decode_saved_answer(noise);
    if (!answer) RC_ASSERT(answer.error().code == Errc::corrupt);
  }
}

RC_GTEST_PROP(StoredForm, OfAReferenceLeadsToItsObject, (std::uint64_t seed)) {
  RandomObjects random(seed, some_key());
  const auto id = random.id<InvoiceKind>();
  auto reference = decode_reference(encode_reference(some_key(), id), InvoiceKind::prefix);
  RC_ASSERT(reference.has_value());
  RC_ASSERT(reference->key == some_key());
  RC_ASSERT(reference->id == id.value());
  auto owner = decode_charge_owner(some_key(), encode_charge_owner(some_key(), id));
  RC_ASSERT(owner.has_value());
  RC_ASSERT(*owner == id);
}

TEST(StoredForm, OfWaysToInvoicesHasFieldsOfItsOwn) {
  EXPECT_TRUE(is_owner_field(charge_field(some_key(), make_id<ChargeKind>(some_key(), 5))));
  EXPECT_TRUE(is_owner_field(refund_field(some_key(), make_id<RefundKind>(some_key(), 5))));
  EXPECT_TRUE(is_owner_field(credit_note_field(some_key(), make_id<CreditNoteKind>(some_key(), 5))));
  EXPECT_FALSE(is_owner_field(record_field(some_key(), make_id<BalanceTransactionKind>(some_key(), 5))));
  EXPECT_FALSE(is_owner_field(record_field(some_key(), make_id<ScheduleKind>(some_key(), 5))));
  EXPECT_FALSE(is_owner_field(record_field(some_key(), make_id<InvoiceKind>(some_key(), 5))));
  EXPECT_FALSE(is_owner_field(record_field(some_key(), make_id<SubscriptionKind>(some_key(), 5))));
}

TEST(StoredForm, KeepsMembersThatDifferFromWhatTheirStructureStartsWith) {
  Account account;
  account.key = some_key();
  Subscription& subscription = account.subscriptions.emplace_back();
  SubscriptionItem& item = subscription.items.emplace_back();
  item.quantity = 0;                           // starts as 1
  item.price.recurrence = {Interval::day, 1};  // starts as a month
  subscription.items.emplace_back().quantity = 1;
  Invoice& invoice = account.invoices.emplace_back();
  invoice.auto_advance = false;                // starts as true
  invoice.lines.emplace_back().quantity = 0;   // starts as 1
  invoice.charges.emplace_back().attempt = 0;  // starts as 1
  account.invoices.emplace_back();
  auto read = decode_account(some_key(), Mode::test, encode(account));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(*read, account);

  Plan plan;
  plan.active = false;
  auto read_plan = decode_plan(encode(plan));
  ASSERT_TRUE(read_plan.has_value());
  EXPECT_EQ(*read_plan, plan);
}

TEST(StoredForm, KeepsNegativeAmountsAndTheEndsOfTheirRange) {
  for (const std::int64_t minor : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{1},
                                   std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()})
    for (const char* code : {"usd", "jpy", "kwd"}) {
      Invoice invoice;
      invoice.total = {minor, Currency::of(code)};
      invoice.amount_paid = {0, Currency::of("eur")};
      auto read = decode_record(some_key(), encode(some_key(), Record(invoice)));
      ASSERT_TRUE(read.has_value());
      EXPECT_EQ(std::get<Invoice>(*read), invoice);
    }
}

TEST(StoredForm, KeepsTimesToTheMicrosecondAndToTheEndsOfTheirRange) {
  for (const Timestamp time : {Timestamp(Duration(1)), Timestamp(Duration(-1)), Timestamp(Duration(-1'000'001)),
                               from_unix(-1), from_unix(1 << 30), end_of_time, Timestamp::max(), Timestamp::min()}) {
    TestClock clock;
    clock.frozen_time = time;
    auto read = decode_test_clock(encode(clock));
    ASSERT_TRUE(read.has_value()) << time.time_since_epoch().count();
    EXPECT_EQ(read->frozen_time, time);
  }
}

// Their first half was taken for an account's key, and left out.
TEST(StoredForm, KeepsIdentifiersOutsideAnyAccountWhole) {
  std::uint64_t bits = 1;
  for (int round = 0; round < 1000; ++round) {
    Plan plan;
    plan.id = make_id<PlanKind>(bits, bits >> 40);
    plan.product = make_id<ProductKind>(bits, bits ^ 12345);
    auto read = decode_plan(encode(plan));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->id, plan.id);
    EXPECT_EQ(read->product, plan.product);
    bits = bits * 6364136223846793005 + 1442695040888963407;
  }
}

TEST(StoredForm, OfANewerVersionIsRefusedWithTheReason) {
  Account account;
  account.key = some_key();
  std::string bytes = encode(account);
  bytes[0] = form_version + 1;
  auto read = decode_account(some_key(), Mode::test, bytes);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, Errc::corrupt);
  EXPECT_EQ(read.error().detail,
            "a stored account has form 2, but this billd reads form 1: run the version of billd that wrote it");
  bytes[0] = static_cast<char>(200);
  EXPECT_NE(decode_record(some_key(), bytes).error().detail.find("a stored record has form 200"), std::string::npos);
}

TEST(StoredForm, OfASubscriptionWithoutItemsIsCorrupt) {
  Account account;
  account.key = some_key();
  account.subscriptions.emplace_back().items.emplace_back();
  EXPECT_TRUE(decode_account(some_key(), Mode::test, encode(account)));
  account.subscriptions.emplace_back();
  EXPECT_EQ(decode_account(some_key(), Mode::test, encode(account)).error().code, Errc::corrupt);
}

TEST(StoredForm, OfAnEventWithoutItsSnapshotIsCorrupt) {
  EventBatch batch;
  batch.key = some_key();
  batch.events.push_back({EventType::customer_created, 0, std::nullopt});
  EXPECT_EQ(decode_event_batch(encode(batch)).error().code, Errc::corrupt);
}

TEST(StoredForm, OfASavedAnswerIsReadBack) {
  for (const SavedAnswer& answer : {SavedAnswer{false, 200, R"({"id":"cus_1"})", {}}, SavedAnswer{false, 402, {}, {}},
                                    SavedAnswer{true, 0, {}, "sub_1"}, SavedAnswer{true, 0, {}, {}}}) {
    auto read = decode_saved_answer(encode(answer));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->under_way, answer.under_way);
    EXPECT_EQ(read->status, answer.status);
    EXPECT_EQ(read->body, answer.body);
    EXPECT_EQ(read->subject, answer.subject);
  }
}

TEST(Version, CountsCommitsAndTellsTwinsApart) {
  const std::uint64_t first = next_version(0, 7), twin = next_version(0, 8);
  EXPECT_NE(first, twin);
  EXPECT_EQ(first >> 24, 1U);
  EXPECT_EQ(next_version(first, ~std::uint64_t{0}) >> 24, 2U);
  EXPECT_EQ(encode_version(0), "");
  EXPECT_EQ(encode_version(first).size(), 8U);
  EXPECT_EQ(encode_version(0x0102030405060708), "\1\2\3\4\5\6\7\10");
}

TEST(Footprint, OfAnAccountNamesWhatTheListsShow) {
  Account account;
  account.key = some_key();
  account.customer.id = make_id<CustomerKind>(some_key(), 1);
  account.customer.email = "ann@example.com";
  account.customer.created = from_unix(100);
  Subscription hidden;
  hidden.id = make_id<SubscriptionKind>(some_key(), 2);
  hidden.provisional = true;
  account.subscriptions.push_back(hidden);
  Invoice invoice;
  invoice.id = make_id<InvoiceKind>(some_key(), 3);
  Charge sending;
  sending.id = make_id<ChargeKind>(some_key(), 4);
  Charge declined = sending;
  declined.id = make_id<ChargeKind>(some_key(), 5);
  declined.state = ChargeState::declined;
  invoice.charges = {declined, sending};
  account.invoices.push_back(invoice);

  const IndexEntries entries = index_entries(account);
  EXPECT_TRUE(std::ranges::is_sorted(entries));
  auto count = [&entries](Index index) { return std::ranges::count(entries, index, &IndexEntry::index); };
  EXPECT_EQ(count(Index::customers), 1);
  EXPECT_EQ(count(Index::emails), 1);
  EXPECT_EQ(count(Index::subscriptions), 0) << "nobody has heard of a provisional one";
  EXPECT_EQ(count(Index::invoices), 1);
  EXPECT_EQ(count(Index::charges), 1) << "only what is known of";
  EXPECT_EQ(count(Index::test_clock_customers), 0);

  account.customer.deleted = true;
  EXPECT_EQ(index_entries(account).front().index, Index::invoices);
}

}  // namespace
}  // namespace billd::store
