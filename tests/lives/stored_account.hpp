// What one account leaves in Redis, kept in memory: encoded as the store encodes it, with the differences of each
// commit applied as the commit function applies them. The rules of `billd verify` are run on what can be read back.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "commands/invariants.hpp"
#include "net/store/encoding.hpp"
#include "net/store/footprint.hpp"
#include "net/store/keys.hpp"

namespace billd::test {

class StoredAccount {
 public:
  explicit StoredAccount(const AccountKey& key) : key_(key), prefix_(store::prefix(Mode::test, 0)) {}

  /// `fetched` is the invoice that the command brought along; nullptr: none.
  void commit(const Transition& transition, const Invoice* fetched = nullptr) {
    const Account& after = transition.account;
    store::Footprint footprint = store::Footprint::of(after);
    store::IndexEntries gone = std::move(before_.entries), come = footprint.entries;
    store::Parts parts;
    for (const Record& record : transition.settled) {
      fields_[field_of(record)] = store::encode(key_, record, parts);
      if (const auto* invoice = std::get_if<Invoice>(&record)) keep_owners(*invoice);
      append(come, store::index_entries(key_, record));
    }
    for (auto& [name, bytes] : parts) parts_.insert_or_assign(name, std::move(bytes));
    for (const InvoiceId& recalled : transition.recalled) fields_.erase(store::record_field(key_, recalled));
    for (const Invoice& deleted : transition.deleted) append(gone, store::index_entries(key_, deleted));
    if (fetched != nullptr && has(transition, fetched->id)) append(gone, store::index_entries(key_, Record(*fetched)));
    for (const store::IndexEntry& entry : gone) places_.erase(place_of(entry));
    for (const store::IndexEntry& entry : come) places_[place_of(entry)] = entry.score;
    for (std::size_t queue = 0; queue < queue_count; ++queue) {
      const auto place = std::pair(store::queue_key(prefix_, static_cast<Queue>(queue)), key_.value());
      places_.erase(place);
      if (const auto& due = footprint.timers[queue]) places_[place] = due->time_since_epoch().count();
    }
    before_ = std::move(footprint);
  }

  std::size_t size(const Account& as_it_is) const {
    std::size_t bytes = store::encode(as_it_is).size();
    for (const auto& [field, value] : fields_) bytes += field.size() + value.size();
    return bytes;
  }

  /// As it is read back; what cannot be read, or is not what was stored, is a failure of the test.
  commands::AccountView view(const Account& as_it_is, std::map<std::string, gateways::LedgerEntry> ledger) const {
    commands::AccountView view;
    view.redis_key = store::account_key(prefix_, key_);
    auto account = store::decode_account(key_, Mode::test, store::encode(as_it_is));
    if (!account) {
      ADD_FAILURE() << account.error().detail;
      return view;
    }
    account->version = as_it_is.version;  // The store gives it with the commit.
    EXPECT_EQ(*account, as_it_is) << "the account is not read as it was stored";
    view.account = *std::move(account);
    for (const auto& [field, bytes] : fields_) {
      auto record = store::decode_record(key_, bytes, parts_);
      if (record)
        view.records.emplace(field, *std::move(record));
      else
        ADD_FAILURE() << field << ": " << record.error().detail;
    }
    for (const auto& [field, bytes] : owners_) {
      auto owner = store::decode_charge_owner(key_, bytes);
      if (owner)
        view.charge_owners.emplace(field, *std::move(owner));
      else
        ADD_FAILURE() << owner.error().detail;
    }
    view.ledger = std::move(ledger);
    view.queues = found(commands::expected_queues(prefix_, view.account, false));
    view.indexes = found(commands::expected_indexes(prefix_, view.account, view.records));
    EXPECT_EQ(view.queues.size() + view.indexes.size(), view.queues.size() + count_of_indexes())
        << "something is listed that does not exist";
    return view;
  }

 private:
  using Place = std::pair<std::string, std::string>;

  static bool has(const Transition& transition, const InvoiceId& id) {
    return transition.account.find(id) != nullptr || std::ranges::any_of(transition.settled, [&](const Record& record) {
             const auto* invoice = std::get_if<Invoice>(&record);
             return invoice != nullptr && invoice->id == id;
           });
  }

  static void append(store::IndexEntries& entries, const store::IndexEntries& more) {
    entries.insert(entries.end(), more.begin(), more.end());
  }
  std::string field_of(const Record& record) const {
    return std::visit([this](const auto& each) { return store::record_field(key_, each.id); }, record);
  }
  Place place_of(const store::IndexEntry& entry) const {
    return {store::index_key(prefix_, entry.index, entry.qualifier), entry.member};
  }
  void keep_owners(const Invoice& invoice) {
    const std::string owner = store::encode_charge_owner(key_, invoice.id);
    for (const Charge& charge : invoice.charges) {
      owners_[store::charge_field(key_, charge.id)] = owner;
      for (const Refund& refund : charge.refunds) owners_[store::refund_field(key_, refund.id)] = owner;
    }
    for (const CreditNote& note : invoice.credit_notes) owners_[store::credit_note_field(key_, note.id)] = owner;
  }
  std::vector<commands::Placement> found(std::vector<commands::Placement> places) const {
    for (commands::Placement& place : places) {
      const auto at = places_.find({place.set, place.member});
      place.score = at == places_.end() ? std::nullopt : std::optional(at->second);
    }
    return places;
  }
  std::size_t count_of_indexes() const {
    std::size_t count = places_.size();
    for (std::size_t queue = 0; queue < queue_count; ++queue)
      count -= places_.count({store::queue_key(prefix_, static_cast<Queue>(queue)), key_.value()});
    return count;
  }

  AccountKey key_;
  std::string prefix_;
  std::map<std::string, std::string> fields_, owners_;
  store::Parts parts_;
  std::map<Place, std::int64_t> places_;  ///< the scores of sorted sets' members, by set and member
  store::Footprint before_;
};

}  // namespace billd::test
