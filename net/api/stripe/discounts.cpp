// Operations on the discounts of customers and of their subscriptions.
#include <array>

#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/reply.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array retrieve_table = {list("expand")};
constexpr std::array delete_table = retrieve_table;

Failure none_of(std::string_view object, const std::string& id) {
  return {Errc::not_found, "No active discount for " + std::string(object) + ": " + id};
}

struct FoundDiscount {
  const Account* account = nullptr;
  const Subscription* subscription = nullptr;  ///< whose it is; nullptr: the customer's
  const Discount* discount = nullptr;
};

/// The discount of the subscription that the path names, or else of the customer.
awaitable<Result<FoundDiscount>> find_discount(Services& services, const Call& call, Known& known) {
  const std::string subscription_id = call.variable_or_empty("subscription");
  const std::string customer_id = call.variable_or_empty("customer");
  FoundDiscount found;
  if (!customer_id.empty()) {
    auto account = co_await load_live_customer(services, call.mode, known, customer_id, "customer");
    if (!account) co_return account.error();
    found.account = *account;
  }
  if (subscription_id.empty()) {
    if (!found.account->customer.discount) co_return none_of("customer", customer_id);
    found.discount = &*found.account->customer.discount;
    co_return found;
  }
  auto subscription = co_await load_subscription(services, call.mode, known, subscription_id);
  if (!subscription) co_return subscription.error();
  const Account* owner = known.account_of(subscription_id);
  if (found.account != nullptr && found.account != owner) co_return no_such("subscription", subscription_id);
  if (!(*subscription)->discount) co_return none_of("subscription", subscription_id);
  found = {owner, *subscription, &*(*subscription)->discount};
  co_return found;
}

}  // namespace

constinit const std::span<const Rule> retrieve_discount_rules = retrieve_table;
constinit const std::span<const Rule> delete_discount_rules = delete_table;

awaitable<Result<Outcome>> retrieve_discount(Services& services, Call call) {
  Reply reply(services, call);
  auto found = co_await find_discount(services, call, reply.known);
  if (!found) co_return found.error();
  co_return co_await reply.answer(reply.present.discount(*found->discount, found->account->customer.id));
}

awaitable<Result<Outcome>> delete_discount(Services& services, Call call) {
  Task task;
  auto found = co_await find_discount(services, call, *task.known);
  if (!found) co_return found.error();
  task.account = found->account->key;
  if (found->subscription != nullptr) {
    UpdateSubscription command;
    command.subscription = found->subscription->id;
    command.discount = std::optional<Redemption>();
    task.command = std::move(command);
  } else {
    UpdateCustomer command;
    command.discount = std::optional<Redemption>();
    task.command = std::move(command);
  }
  task.show = [discount = *found->discount, customer = found->account->customer.id](Presenter& present,
                                                                                    const Transition&) -> Shown {
    Object& object = present.discount(discount, customer);
    object.set("deleted", true);
    return &object;
  };
  co_return co_await carry_out(services, call, std::move(task));
}

}  // namespace billd::api::stripe
