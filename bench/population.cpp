#include "bench/population.hpp"

#include <iterator>
#include <string>
#include <utility>

#include "engine/decide.hpp"
#include "net/api/gather.hpp"

namespace billd::bench {
namespace {

/// Enough for full batches in every partition.
constexpr std::size_t accounts_at_once = 2048;

/// What both transitions do together, for one commit.
void append(Transition& whole, Transition next) {
  const auto shift = static_cast<std::uint32_t>(whole.snapshots.size());
  for (Event event : next.events) {
    event.snapshot += shift;
    if (event.previous) *event.previous += shift;
    whole.events.push_back(event);
  }
  std::ranges::move(next.snapshots, std::back_inserter(whole.snapshots));
  std::ranges::move(next.settled, std::back_inserter(whole.settled));
  whole.effects = std::move(next.effects);
  whole.account = std::move(next.account);
  whole.changed = true;
}

class Writer {
 public:
  Writer(store::Store& store, gateways::Gateway& gateway, PopulationSettings settings)
      : store_(store), gateway_(gateway), settings_(std::move(settings)) {}

  awaitable<Result<void>> run() {
    auto card = co_await gateway_.describe_source(Mode::test, "tok_visa");
    if (!card) co_return card.error();
    card_ = std::move(*card);
    std::vector<awaitable<Result<void>>> workers;
    for (std::size_t i = 0; i < std::min(accounts_at_once, settings_.accounts); ++i) workers.push_back(work());
    auto results = co_await api::gather(std::move(workers));
    for (Result<void>& result : results)
      if (!result) co_return result.error();
    co_return Result<void>();
  }

 private:
  awaitable<Result<void>> work() {
    while (next_ < settings_.accounts) {
      auto written = co_await write(settings_.first + next_++);
      if (!written) {
        next_ = settings_.accounts;
        co_return written.error();
      }
      ++written_;
      if (settings_.on_progress) settings_.on_progress(written_);
    }
    co_return Result<void>();
  }

  awaitable<Result<void>> write(std::size_t number) {
    const Timestamp now = settings_.subscribed_at ? settings_.subscribed_at(number) : settings_.plan.created;
    auto transition = subscribe(number, now);
    if (!transition) co_return transition.error();
    for (const Effect& each : transition->effects) {
      const CollectCharge& effect = std::get<CollectCharge>(each);
      gateways::ChargeRequest request = charge_request(transition->account, effect);
      ChargeOutcome outcome = co_await gateway_.charge(std::move(request));
      const Command record = RecordChargeOutcome{effect.invoice, effect.charge, std::move(outcome)};
      auto recorded = decide(transition->account, record, now, rules_);
      if (!recorded) co_return recorded.error();
      append(*transition, std::move(*recorded));
      break;  // One subscription has one invoice and one charge, and its success asks for no further one.
    }
    store::CommitRequest request;
    request.transition = std::move(*transition);
    request.now = now;
    auto committed = co_await store_.commit(std::move(request));
    if (!committed) co_return committed.error();
    if (committed->status != store::CommitStatus::committed)
      co_return Failure{Errc::already_exists, "account " + std::to_string(number) + " is there already"};
    co_return Result<void>();
  }

  Result<Transition> subscribe(std::size_t number, Timestamp now) const {
    const std::string name = "Customer " + std::to_string(number);
    Account account;
    account.key = numbered_account(number);
    CreateCustomer create;
    create.name = name;
    create.email = "customer-" + std::to_string(number) + "@example.com";
    create.source = card_;
    auto transition = decide(std::move(account), create, now, rules_);
    if (!transition) return transition;
    Subscribe subscribe;
    subscribe.items.push_back({settings_.plan.price(), 1, {}});
    auto subscribed = decide(transition->account, subscribe, now, rules_);
    if (!subscribed) return subscribed;
    append(*transition, std::move(*subscribed));
    return transition;
  }

  static gateways::ChargeRequest charge_request(const Account& account, const CollectCharge& effect) {
    const Invoice* invoice = account.find(effect.invoice);
    BILLD_CHECK(invoice != nullptr && invoice->unresolved_charge() != nullptr, "an effect is journaled in the account");
    const Charge& charge = *invoice->unresolved_charge();
    return {account.mode,   account.key, charge.id.value(),        charge.gateway_source, charge.amount,
            charge.created, invoice->id, charge.gateway_reference, charge.created};
  }

  store::Store& store_;
  gateways::Gateway& gateway_;
  const PopulationSettings settings_;
  const Rules rules_;
  NewSource card_;
  std::size_t next_ = 0, written_ = 0;
};

}  // namespace

AccountKey numbered_account(std::size_t number) {
  const std::string text = std::to_string(number);
  return AccountKey::from_bits(fnv1a("account " + text), fnv1a("again " + text));
}

awaitable<Result<void>> populate(store::Store& store, gateways::Gateway& gateway, PopulationSettings settings) {
  Writer writer(store, gateway, std::move(settings));
  co_return co_await writer.run();
}

}  // namespace billd::bench
