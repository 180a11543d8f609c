#include "net/api/stripe/inline_prices.hpp"

#include "engine/decide.hpp"
#include "engine/one_time.hpp"
#include "net/api/random_id.hpp"
#include "net/api/stripe/errors.hpp"

namespace billd::api::stripe {
namespace {

/// Names the parameter as the request does.
Failure at(const std::string& path, Failure failure) {
  failure.parameter = failure.parameter.empty() ? path : path + "[" + failure.parameter + "]";
  return failure;
}

std::string below(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "[" + name + "]";
}

Failure both_given(const std::string& first, const std::string& second) {
  return {Errc::invalid_parameter,
          "Received both " + first + " and " + second + " parameters. Please pass in only one.", first};
}

/// Whether the command would be carried out on the account as it is now.
awaitable<Result<void>> try_out(Services& services, const Call& call, const Task& task) {
  auto loaded = co_await services.store.load(call.mode, task.account);
  if (!loaded) co_return loaded.error();
  auto now = co_await account_time(services, loaded->account);
  if (!now) co_return now.error();
  auto decided = decide(std::move(loaded->account), task.command, *now, services.billing.rules());
  if (!decided) co_return decided.error();
  co_return Result<void>();
}

}  // namespace

Result<PlanId> describe_price(const Services& services, const Call& call, Known& known, const Arguments& described,
                              const std::string& path) {
  auto plan = read_price(described);
  if (!plan) return at(path, plan.error());
  const std::string product_id = described.text_or_empty("product");
  const auto product = services.catalog.get<Product>(call.mode, product_id);
  if (product == nullptr || product->deleted) return no_such("product", product_id, below(path, "product"));
  plan->id = random_price_id();
  plan->created = services.billing.now();
  plan->product = product->id;
  plan->product_name = product->name;
  plan->active = false;
  PlanId id = plan->id;
  known.put_new(std::move(*plan));
  return id;
}

awaitable<Result<const Plan*>> load_one_time_price(Services& services, const Call& call, Known& known,
                                                   Arguments arguments, std::string path) {
  const std::string price = below(path, "price"), data = below(path, "price_data");
  if (const auto described = arguments.map("price_data")) {
    if (arguments.has("price")) co_return both_given(price, data);
    auto id = describe_price(services, call, known, *described, data);
    if (!id) co_return id.error();
    co_return known.plan(*id);
  }
  if (!arguments.has_value("price")) co_return nullptr;
  auto plan = co_await load_plan(services, call.mode, known, arguments.text_or_empty("price"), price);
  if (!plan) co_return plan;
  if (!(*plan)->active)
    co_return Failure{Errc::invalid_parameter,
                      "The price specified is inactive. This field only accepts active prices.", price};
  if (!(*plan)->one_time) co_return recurring_price_refused(price);
  co_return plan;
}

awaitable<Result<std::vector<OneTimeItem>>> read_one_time_items(Services& services, const Call& call, Known& known,
                                                                Arguments arguments, std::string name) {
  std::vector<OneTimeItem> items;
  const http::Parameter* list = arguments.find(name);
  if (list == nullptr) co_return items;
  for (const http::Parameter& each : list->children()) {
    const Arguments given(each);
    auto plan = co_await load_one_time_price(services, call, known, given, each.path());
    if (!plan) co_return plan.error();
    if (*plan == nullptr)
      co_return Failure{Errc::missing_parameter, "Missing required param: " + each.path() + "[price].",
                        each.path() + "[price]"};
    OneTimeItem& item = items.emplace_back();
    item.price = (*plan)->price();
    item.quantity = given.integer("quantity").value_or(1);
    item.description = (*plan)->product_name;
  }
  co_return items;
}

awaitable<Result<Outcome>> carry_out_with_prices(Services& services, const Call& call, Task task) {
  const std::vector<Plan>& described = task.known->new_plans();
  if (!described.empty()) {
    auto allowed = co_await try_out(services, call, task);
    if (!allowed) co_return allowed.error();
    store::CatalogChange change(call.mode);
    for (const Plan& plan : described) change.put(plan);
    auto put = co_await services.catalog.commit(std::move(change));
    if (!put) co_return put.error();
  }
  co_return co_await carry_out(services, call, std::move(task));
}

}  // namespace billd::api::stripe
