// Operations on a customer's tax IDs.
#include <algorithm>

#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/tax_id_types.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array create_table = new_tax_id_rules + std::array{list("expand")};
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array<Rule, 0> delete_table = {};
constexpr std::array list_table = page_rules;

/// The one that the path names, of the customer that it names.
awaitable<Result<const TaxIdentifier*>> find_tax_id(Services& services, const Call& call, Known& known) {
  auto account = co_await load_live_customer(services, call.mode, known, call.variable("customer"), "customer");
  if (!account) co_return account.error();
  const auto& all = (*account)->customer.tax_identifiers;
  const auto at = std::ranges::find(all, TaxIdentifierId(call.variable("id")), &TaxIdentifier::id);
  if (at == all.end()) co_return no_such("tax_id", call.variable("id"));
  co_return &*at;
}

Shown show_tax_id(Presenter& present, const Transition& after) {
  if (Object* object = present.find(Kind::tax_id, after.subject)) return object;
  return render_error({Errc::internal, "the tax ID " + after.subject + " was added, but is not there"});
}

}  // namespace

constinit const std::span<const Rule> create_tax_id_rules = create_table;
constinit const std::span<const Rule> retrieve_tax_id_rules = retrieve_table;
constinit const std::span<const Rule> delete_tax_id_rules = delete_table;
constinit const std::span<const Rule> list_tax_ids_rules = list_table;

awaitable<Result<Outcome>> create_tax_id(Services& services, Call call) {
  Task task;
  auto account = co_await load_live_customer(services, call.mode, *task.known, call.variable("customer"), "customer");
  if (!account) co_return account.error();
  auto foreseen = co_await foresee_new(services, call, *task.known, (*account)->customer.test_clock);
  if (!foreseen) co_return foreseen.error();
  const Arguments arguments = call.arguments();
  task.account = (*account)->key;
  task.command = AddTaxIdentifier{{arguments.text_or_empty("type"), arguments.text_or_empty("value")}};
  task.show = show_tax_id;
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> retrieve_tax_id(Services& services, Call call) {
  Reply reply(services, call);
  auto identifier = co_await find_tax_id(services, call, reply.known);
  if (!identifier) co_return identifier.error();
  co_return co_await reply.answer(*reply.present.find(Kind::tax_id, (*identifier)->id.value()));
}

awaitable<Result<Outcome>> delete_tax_id(Services& services, Call call) {
  Task task;
  auto identifier = co_await find_tax_id(services, call, *task.known);
  if (!identifier) co_return identifier.error();
  task.account = *AccountKey::of_id((*identifier)->id.value());
  task.command = RemoveTaxIdentifier{(*identifier)->id};
  task.show = [id = (*identifier)->id.value()](Presenter& present, const Transition&) -> Shown {
    return &present.deleted(id, "tax_id");
  };
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> list_tax_ids(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  Reply reply(services, call);
  auto account = co_await load_live_customer(services, call.mode, reply.known, call.variable("customer"), "customer");
  if (!account) co_return account.error();
  std::vector<std::string> newest_first;
  for (const TaxIdentifier& each : (*account)->customer.tax_identifiers) newest_first.push_back(each.id.value());
  std::ranges::reverse(newest_first);
  auto page = cut_page(std::move(newest_first), *query, "tax_id");
  if (!page) co_return page.error();
  co_return co_await answer_page(services, call, reply, Kind::tax_id, std::move(*page), call.path);
}

}  // namespace billd::api::stripe
