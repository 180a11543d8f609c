// Operations on the payment sources of a customer; /cards is another name of /sources.
#include <algorithm>

#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/new_source.hpp"
#include "net/api/stripe/operations.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array<std::string_view, 1> kinds = {"card"};

constexpr std::array create_table = {
    text_or_map("source", card_rules),
    text_or_map("card", card_rules),
    metadata(),
    list("expand"),
};
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array update_table = {
    text("name").clearable(),
    integer("exp_month", 1, 12),
    integer("exp_year", 1970, 2099),
    text("address_line1").clearable(),
    text("address_line2").clearable(),
    text("address_city").clearable(),
    text("address_state").clearable(),
    text("address_zip").clearable(),
    text("address_country").clearable(),
    metadata(),
    list("expand"),
};
constexpr std::array delete_table = {list("expand")};
constexpr std::array list_table = page_rules + std::array{choice("object", kinds), choice("type", kinds)};

/// The source among the customer's, as the path names both.
Result<const Source*> find_source(const Account& account, const Call& call) {
  const std::string& id = call.variable("id");
  const Source* source = account.find(SourceId(id));
  if (source == nullptr) return no_such("source", id);
  return source;
}

Show show_source(std::string id) {
  return [id = std::move(id)](Presenter& present, const Transition& after) -> Shown {
    const SourceId name(id.empty() ? after.subject : id);
    const Source* source = after.account.find(name);
    if (source == nullptr) return render_error(no_such("source", name.value()));
    return &present.card(*source, after.account.customer.id);
  };
}

}  // namespace

constinit const std::span<const Rule> create_source_rules = create_table;
constinit const std::span<const Rule> retrieve_source_rules = retrieve_table;
constinit const std::span<const Rule> update_source_rules = update_table;
constinit const std::span<const Rule> delete_source_rules = delete_table;
constinit const std::span<const Rule> list_sources_rules = list_table;

awaitable<Result<Outcome>> create_source(Services& services, Call call) {
  std::string parameter = new_source_parameter(call.arguments());
  if (parameter.empty()) co_return Failure{Errc::missing_parameter, "Missing required param: source.", "source"};
  Task task;
  auto account = co_await load_live_customer(services, call.mode, *task.known, call.variable("customer"), "customer");
  if (!account) co_return account.error();
  auto source = co_await describe_new_source(services, call, std::move(parameter));
  if (!source) co_return source.error();
  task.account = (*account)->key;
  task.command = AddSource{std::move(*source), false};
  task.show = show_source("");
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> retrieve_source(Services& services, Call call) {
  Reply reply(services, call);
  auto account = co_await load_live_customer(services, call.mode, reply.known, call.variable("customer"), "customer");
  if (!account) co_return account.error();
  auto source = find_source(**account, call);
  if (!source) co_return source.error();
  co_return co_await reply.answer(reply.present.card(**source, (*account)->customer.id));
}

awaitable<Result<Outcome>> update_source(Services& services, Call call) {
  Task task;
  auto account = co_await load_live_customer(services, call.mode, *task.known, call.variable("customer"), "customer");
  if (!account) co_return account.error();
  auto source = find_source(**account, call);
  if (!source) co_return source.error();
  const Arguments arguments = call.arguments();
  UpdateSource command;
  command.source = (*source)->id;
  command.name = arguments.text("name");
  if (auto month = arguments.integer("exp_month")) command.exp_month = static_cast<std::int32_t>(*month);
  if (auto year = arguments.integer("exp_year")) command.exp_year = static_cast<std::int32_t>(*year);
  Address address = card_address(arguments, (*source)->address);
  if (address != (*source)->address) command.address = std::move(address);
  if (arguments.has("metadata")) {
    auto metadata = arguments.metadata_over((*source)->metadata);
    if (!metadata) co_return metadata.error();
    command.metadata = std::move(*metadata);
  }
  task.account = (*account)->key;
  task.show = show_source((*source)->id.value());
  task.command = std::move(command);
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> delete_source(Services& services, Call call) {
  Task task;
  auto account = co_await load_live_customer(services, call.mode, *task.known, call.variable("customer"), "customer");
  if (!account) co_return account.error();
  auto source = find_source(**account, call);
  if (!source) co_return source.error();
  task.account = (*account)->key;
  task.command = RemoveSource{(*source)->id};
  task.show = [id = (*source)->id.value()](Presenter& present, const Transition&) -> Shown {
    return &present.deleted(id, "card");
  };
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> list_sources(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  Reply reply(services, call);
  auto account = co_await load_live_customer(services, call.mode, reply.known, call.variable("customer"), "customer");
  if (!account) co_return account.error();
  std::vector<std::string> newest_first;
  for (const Source& source : (*account)->sources) newest_first.push_back(source.id.value());
  std::ranges::reverse(newest_first);
  auto page = cut_page(std::move(newest_first), *query, "source");
  if (!page) co_return page.error();
  co_return co_await answer_page(services, call, reply, Kind::card, std::move(*page), call.path);
}

}  // namespace billd::api::stripe
