// Operations on what was used of metered items.
#include <algorithm>
#include <limits>

#include "net/api/random_id.hpp"
#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/operations.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array<std::string_view, 2> actions = {"increment", "set"};

constexpr std::array create_table = {
    integer("quantity", 0, std::numeric_limits<std::int64_t>::max()).required(),
    timestamp_or_now("timestamp"),
    choice("action", actions),
    list("expand"),
};
constexpr std::array list_table = page_rules;

struct FoundItem {
  const Subscription* subscription = nullptr;
  const SubscriptionItem* item = nullptr;
};

/// The item that the path names, of a live subscription.
awaitable<Result<FoundItem>> find_item(Services& services, const Call& call, Known& known) {
  const std::string& id = call.variable("item");
  std::vector<Named> wanted(1, Named{Kind::subscription_item, id});
  auto loaded = co_await load(services, call.mode, known, std::move(wanted));
  if (!loaded) co_return loaded.error();
  FoundItem found;
  found.subscription = known.subscription_of_item(id);
  if (found.subscription == nullptr) co_return no_such("subscription_item", id);
  found.item = &*std::ranges::find(found.subscription->items, SubscriptionItemId(id), &SubscriptionItem::id);
  co_return found;
}

/// What was used in each period, the latest first; of the current one also nothing.
std::vector<Usage> summaries_of(const FoundItem& found) {
  std::vector<Usage> all = found.item->usage;
  const bool has_current = std::ranges::any_of(all, [](const Usage& usage) { return usage.invoice.is_empty(); });
  if (!has_current) all.emplace_back().period = found.subscription->current_period;
  std::ranges::reverse(all);
  return all;
}

}  // namespace

constinit const std::span<const Rule> create_usage_record_rules = create_table;
constinit const std::span<const Rule> list_usage_summaries_rules = list_table;

awaitable<Result<Outcome>> create_usage_record(Services& services, Call call) {
  Task task;
  auto found = co_await find_item(services, call, *task.known);
  if (!found) co_return found.error();
  const Account& account = *task.known->account_of(call.variable("item"));
  const Arguments arguments = call.arguments();
  auto now = co_await account_time(services, account);
  if (!now) co_return now.error();
  RecordUsage command;
  command.item = found->item->id;
  command.quantity = *arguments.integer("quantity");
  command.timestamp = arguments.timestamp("timestamp");
  if (arguments.text_or_empty("action") == "set") command.action = UsageAction::set;
  const Timestamp time = command.timestamp.value_or(*now);
  task.account = account.key;
  task.show = [id = "mbur_" + random_code() + random_code() + random_code(), command, time](
                  Presenter& present, const Transition&) -> Shown { return &present.usage_record(id, command, time); };
  task.command = std::move(command);
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> list_usage_summaries(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  Reply reply(services, call);
  auto found = co_await find_item(services, call, reply.known);
  if (!found) co_return found.error();
  if (!found->item->price.is_metered())
    co_return Failure{
        Errc::invalid_parameter,
        "The subscription item " + found->item->id.value() + " has no usage records because its price is not metered.",
        "subscription_item"};
  const std::vector<Usage> all = summaries_of(*found);
  std::vector<std::string> ids;
  for (const Usage& usage : all) ids.push_back(usage_summary_id(usage, *found->item));
  auto page = cut_page(std::move(ids), *query, "usage_record_summary");
  if (!page) co_return page.error();
  Array& data = reply.document.array(page->ids.size());
  for (const Usage& usage : all)
    if (std::ranges::find(page->ids, usage_summary_id(usage, *found->item)) != page->ids.end())
      data.add(reply.present.usage_summary(usage, *found->item));
  co_return co_await reply.answer(reply.present.list(call.path, data, page->has_more));
}

}  // namespace billd::api::stripe
