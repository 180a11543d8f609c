// Operations on the payment sources of a customer: /sources, and by their kind /cards and /bank_accounts.
#include <algorithm>
#include <charconv>

#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/new_source.hpp"
#include "net/api/stripe/operations.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array<std::string_view, 4> kinds = {"card", "bank_account", "source", "all"};

constexpr std::array create_table = new_source_rules + std::array{metadata(), list("expand")};
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
    text("account_holder_name").clearable(),
    choice("account_holder_type", holder_types).clearable(),
    metadata(),
    list("expand"),
};
constexpr std::array delete_table = {list("expand")};
constexpr std::array list_table = page_rules + std::array{choice("object", kinds), choice("type", kinds)};
constexpr std::array verify_table = {list("amounts"), list("expand")};

/// Below /cards there are only cards, below /bank_accounts only bank accounts, below /sources both. What the newer API
/// made has routes of its own.
bool belongs(const Source& source, std::string_view kind) {
  if (source.is_payment_method()) return false;
  return kind == "all" || kind.empty() || object_name(source.means) == kind;
}

std::string_view kind_of_path(const Call& call) {
  if (call.path.find("/cards") != std::string::npos) return "card";
  if (call.path.find("/bank_accounts") != std::string::npos) return "bank_account";
  return "all";
}

/// The source among the customer's, as the path names both.
Result<const Source*> find_source(const Account& account, const Call& call) {
  const std::string& id = call.variable("id");
  const Source* source = account.find(SourceId(id));
  if (source == nullptr || !belongs(*source, kind_of_path(call))) return no_such("source", id);
  return source;
}

/// The two deposits that the customer saw.
Result<gateways::MicroDeposits> read_deposits(const Arguments& arguments) {
  const std::vector<std::string> texts = arguments.texts("amounts");
  if (texts.empty()) return Failure{Errc::missing_parameter, "Missing required param: amounts.", "amounts"};
  gateways::MicroDeposits deposits = {};
  if (texts.size() != deposits.size())
    return Failure{Errc::invalid_parameter, "Exactly two amounts are needed, in cents.", "amounts"};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string& text = texts[i];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), deposits[i]);
    if (error != std::errc() || end != text.data() + text.size() || deposits[i] < 0)
      return Failure{Errc::invalid_parameter, "Invalid integer: " + text, "amounts[" + std::to_string(i) + "]"};
  }
  return deposits;
}

Failure unknown_to_kind(std::string parameter) {
  return {Errc::unknown_parameter, "Received unknown parameter: " + parameter, std::move(parameter)};
}

Show show_source(std::string id) {
  return [id = std::move(id)](Presenter& present, const Transition& after) -> Shown {
    const SourceId name(id.empty() ? after.subject : id);
    const Source* source = after.account.find(name);
    if (source == nullptr) return render_error(no_such("source", name.value()));
    return &present.source(*source, after.account.customer.id);
  };
}

}  // namespace

constinit const std::span<const Rule> create_source_rules = create_table;
constinit const std::span<const Rule> retrieve_source_rules = retrieve_table;
constinit const std::span<const Rule> update_source_rules = update_table;
constinit const std::span<const Rule> delete_source_rules = delete_table;
constinit const std::span<const Rule> list_sources_rules = list_table;
constinit const std::span<const Rule> verify_source_rules = verify_table;

awaitable<Result<Outcome>> create_source(Services& services, Call call) {
  std::string parameter = new_source_parameter(call.arguments());
  if (parameter.empty()) co_return Failure{Errc::missing_parameter, "Missing required param: source.", "source"};
  const std::string_view kind = kind_of_path(call);
  Task task;
  auto account = co_await load_live_customer(services, call.mode, *task.known, call.variable("customer"), "customer");
  if (!account) co_return account.error();
  auto source = co_await describe_new_source(services, call, parameter);
  if (!source) co_return source.error();
  if (kind != "all" && object_name(source->means) != kind)
    co_return Failure{Errc::invalid_parameter, "This is no " + std::string(kind) + ".", std::move(parameter)};
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
  co_return co_await reply.answer(reply.present.source(**source, (*account)->customer.id));
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
  const bool is_bank_account = (*source)->bank_account() != nullptr;
  command.name = arguments.text(is_bank_account ? "account_holder_name" : "name");
  command.holder_type = arguments.text("account_holder_type");
  const bool is_processor_account = object_name((*source)->means) == "source";
  for (const char* member : {"exp_month", "exp_year"})
    if (is_processor_account && arguments.has(member)) co_return unknown_to_kind(member);
  if (is_bank_account ? arguments.has("name") : arguments.has("account_holder_name"))
    co_return unknown_to_kind(is_bank_account ? "name" : "account_holder_name");
  if (auto month = arguments.integer("exp_month")) command.exp_month = static_cast<std::int32_t>(*month);
  if (auto year = arguments.integer("exp_year")) command.exp_year = static_cast<std::int32_t>(*year);
  const Address before = is_bank_account ? Address() : (*source)->card()->address;
  Address address = card_address(arguments, before);
  if (address != before) command.address = std::move(address);
  command.metadata = arguments.metadata_patch();
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
  task.show = [id = (*source)->id.value(), kind = object_name((*source)->means)](
                  Presenter& present, const Transition&) -> Shown { return &present.deleted(id, kind); };
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> list_sources(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  Reply reply(services, call);
  auto account = co_await load_live_customer(services, call.mode, reply.known, call.variable("customer"), "customer");
  if (!account) co_return account.error();
  std::vector<std::string> newest_first;
  const Arguments arguments = call.arguments();
  const std::string object = arguments.text_or_empty("object"), type = arguments.text_or_empty("type");
  for (const Source& source : (*account)->sources) {
    if (!belongs(source, kind_of_path(call)) || !belongs(source, object) || !belongs(source, type)) continue;
    newest_first.push_back(source.id.value());
  }
  std::ranges::reverse(newest_first);
  auto page = cut_page(std::move(newest_first), *query, "source");
  if (!page) co_return page.error();
  co_return co_await answer_page(services, call, reply, Kind::card, std::move(*page), call.path);
}

awaitable<Result<Outcome>> verify_source(Services& services, Call call) {
  Task task;
  auto account = co_await load_live_customer(services, call.mode, *task.known, call.variable("customer"), "customer");
  if (!account) co_return account.error();
  auto source = find_source(**account, call);
  if (!source) co_return source.error();
  if ((*source)->bank_account() == nullptr)
    co_return Failure{Errc::invalid_state, "Only bank accounts are verified; this source is none.", "id"};
  auto deposits = read_deposits(call.arguments());
  if (!deposits) co_return deposits.error();
  gateways::Gateway* gateway = services.gateways.find((*source)->gateway);
  if (gateway == nullptr) co_return Failure{Errc::bad_configuration, "no gateway " + (*source)->gateway};
  auto match = co_await gateway->verify_bank_account(call.mode, (*source)->reference, *deposits);
  if (!match) co_return match.error();
  task.account = (*account)->key;
  task.command = VerifySource{(*source)->id, *match};
  task.show = show_source((*source)->id.value());
  if (!*match)
    task.show = [](Presenter&, const Transition&) -> Shown {
      return render_error({Errc::invalid_parameter,
                           "The amounts provided do not match the amounts that were sent to the bank account.",
                           "amounts"});
    };
  co_return co_await carry_out(services, call, std::move(task));
}

}  // namespace billd::api::stripe
