// Operations on the items of subscriptions.
#include <algorithm>

#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/settlement.hpp"
#include "net/api/stripe/subscription_parameters.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array common_rules = proration_rules + std::array{
                                                          text("plan"),
                                                          text("price"),
                                                          map("price_data", inline_recurring_price_rules),
                                                          integer("quantity", 0, quantity_max),
                                                          timestamp("proration_date"),
                                                          choice("payment_behavior", payment_behaviors),
                                                          boolean("off_session"),
                                                          list("tax_rates").clearable(),
                                                          metadata(),
                                                          list("expand"),
                                                      };
constexpr std::array create_table = common_rules + std::array{text("subscription").required()};
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array update_table = common_rules + std::array{boolean("clear_usage")};
constexpr std::array delete_table = proration_rules + std::array{
                                                          boolean("clear_usage"),
                                                          timestamp("proration_date"),
                                                          choice("payment_behavior", payment_behaviors),
                                                      };
constexpr std::array list_table = page_rules + std::array{text("subscription").required()};

/// The live subscription that has the item; not_found when there is none.
awaitable<Result<const Subscription*>> find_subscription_of(Services& services, const Call& call, Known& known) {
  const std::string& id = call.variable("item");
  std::vector<Named> wanted(1, Named{Kind::subscription_item, id});
  auto loaded = co_await load(services, call.mode, known, std::move(wanted));
  if (!loaded) co_return loaded.error();
  const Subscription* subscription = known.subscription_of_item(id);
  if (subscription == nullptr) co_return no_such("subscription_item", id);
  co_return subscription;
}

Result<UpdateSubscription> read_change(const Call& call, const SubscriptionId& subscription) {
  const Arguments arguments = call.arguments();
  UpdateSubscription command;
  command.subscription = subscription;
  auto proration = read_proration(arguments, ProrationBehavior::create_prorations);
  if (!proration) return proration.error();
  command.proration = *proration;
  command.proration_date = arguments.timestamp("proration_date");
  command.payment_behavior = change_payment_behavior(call);
  return command;
}

Show show_item(std::string id) {
  return [id = std::move(id)](Presenter& present, const Transition&) -> Shown {
    if (Object* object = present.find(Kind::subscription_item, id)) return object;
    return render_error(no_such("subscription_item", id));
  };
}

/// The item that the command added: the last of its subscription.
Show show_new_item(SubscriptionId subscription) {
  return [id = std::move(subscription)](Presenter& present, const Transition& after) -> Shown {
    const Subscription* changed = after.account.find(id);
    if (changed == nullptr) return render_error(no_such("subscription", id.value()));
    return present.find(Kind::subscription_item, changed->items.back().id.value());
  };
}

Show show_deleted(std::string id) {
  return [id = std::move(id)](Presenter& present, const Transition&) -> Shown {
    return &present.deleted(id, "subscription_item");
  };
}

}  // namespace

constinit const std::span<const Rule> create_subscription_item_rules = create_table;
constinit const std::span<const Rule> retrieve_subscription_item_rules = retrieve_table;
constinit const std::span<const Rule> update_subscription_item_rules = update_table;
constinit const std::span<const Rule> delete_subscription_item_rules = delete_table;
constinit const std::span<const Rule> list_subscription_items_rules = list_table;

awaitable<Result<Outcome>> create_subscription_item(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  Task task;
  std::string id = arguments.text_or_empty("subscription");
  auto found = co_await load_subscription(services, call.mode, *task.known, id);
  if (!found || !(*found)->is_live()) {
    if (!found && found.error().code != Errc::not_found) co_return found.error();
    co_return no_such("subscription", id, "subscription");
  }
  auto item = read_item(arguments, "");
  if (!item) co_return item.error();
  auto command = read_change(call, (*found)->id);
  if (!command) co_return command.error();
  std::vector<GivenItem> items(1, std::move(*item));
  auto changes = co_await read_item_changes(services, call, *task.known, std::move(items));
  if (!changes) co_return changes.error();
  command->items = std::move(*changes);
  task.account = *AccountKey::of_id(id);
  task.show = unless_unpaid(**found, command->payment_behavior, show_new_item((*found)->id));
  task.command = std::move(*command);
  co_return co_await carry_out_with_prices(services, call, std::move(task));
}

awaitable<Result<Outcome>> retrieve_subscription_item(Services& services, Call call) {
  Reply reply(services, call);
  auto subscription = co_await find_subscription_of(services, call, reply.known);
  if (!subscription) co_return subscription.error();
  co_return co_await reply.answer(*reply.present.find(Kind::subscription_item, call.variable("item")));
}

awaitable<Result<Outcome>> update_subscription_item(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  Task task;
  auto subscription = co_await find_subscription_of(services, call, *task.known);
  if (!subscription) co_return subscription.error();
  auto item = read_item(arguments, "");
  if (!item) co_return item.error();
  item->id = SubscriptionItemId(call.variable("item"));
  auto command = read_change(call, (*subscription)->id);
  if (!command) co_return command.error();
  std::vector<GivenItem> items(1, std::move(*item));
  auto changes = co_await read_item_changes(services, call, *task.known, std::move(items));
  if (!changes) co_return changes.error();
  command->items = std::move(*changes);
  auto foreseen = co_await foresee(services, call, *task.known, Kind::subscription_item, call.variable("item"));
  if (!foreseen) co_return foreseen.error();
  task.account = *AccountKey::of_id(call.variable("item"));
  task.show = unless_unpaid(**subscription, command->payment_behavior, show_item(call.variable("item")));
  task.command = std::move(*command);
  co_return co_await carry_out_with_prices(services, call, std::move(task));
}

awaitable<Result<Outcome>> delete_subscription_item(Services& services, Call call) {
  Task task;
  auto subscription = co_await find_subscription_of(services, call, *task.known);
  if (!subscription) co_return subscription.error();
  auto command = read_change(call, (*subscription)->id);
  if (!command) co_return command.error();
  ItemChange change;
  change.item = SubscriptionItemId(call.variable("item"));
  change.deleted = true;
  change.clear_usage = call.arguments().boolean("clear_usage").value_or(false);
  command->items.push_back(std::move(change));
  task.account = *AccountKey::of_id(call.variable("item"));
  task.show = unless_unpaid(**subscription, command->payment_behavior, show_deleted(call.variable("item")));
  task.command = std::move(*command);
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> list_subscription_items(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  const std::string id = call.arguments().text_or_empty("subscription");
  Reply reply(services, call);
  auto found = co_await load_subscription(services, call.mode, reply.known, id);
  if (!found) {
    if (found.error().code != Errc::not_found) co_return found.error();
    co_return no_such("subscription", id, "subscription");
  }
  std::vector<std::string> ids;
  for (const SubscriptionItem& item : (*found)->items) ids.push_back(item.id.value());
  auto page = cut_page(std::move(ids), *query, "subscription_item");
  if (!page) co_return page.error();
  Array& data = reply.document.array(page->ids.size());
  for (const SubscriptionItem& item : (*found)->items)
    if (std::ranges::find(page->ids, item.id.value()) != page->ids.end())
      data.add(reply.present.subscription_item(item, **found));
  co_return co_await reply.answer(reply.present.list(call.path, data, page->has_more));
}

}  // namespace billd::api::stripe
