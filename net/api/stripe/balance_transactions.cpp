// Operations on the changes of a customer's balance.
#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/operations.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::string_view object_name = "customer_balance_transaction";
constexpr std::int64_t description_length_max = 350;

constexpr std::array create_table = {
    integer("amount", -999'999'999'999, 999'999'999'999).required(),
    currency("currency").required(),
    text("description", description_length_max).clearable(),
    metadata(),
    list("expand"),
};
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array update_table = {
    text("description", description_length_max).clearable(),
    metadata(),
    list("expand"),
};
constexpr std::array list_table = filtered_page_rules;

/// The transaction that the path names, of the customer that it names.
awaitable<Result<const BalanceTransaction*>> find_transaction(Services& services, const Call& call, Known& known) {
  auto account = co_await load_customer(services, call.mode, known, call.variable("customer"), "customer");
  if (!account) co_return account.error();
  const std::string& id = call.variable("transaction");
  const Failure unknown = no_such(object_name, id, "transaction");
  if (!id.starts_with(BalanceTransactionKind::prefix) || known.account_of(id) != *account) co_return unknown;
  std::vector<Named> wanted(1, Named{Kind::balance_transaction, id});
  auto loaded = co_await load(services, call.mode, known, std::move(wanted));
  if (!loaded) co_return loaded.error();
  const BalanceTransaction* transaction = known.balance_transaction(id);
  if (transaction == nullptr) co_return unknown;
  co_return transaction;
}

Shown show_transaction(Presenter& present, const Transition& after) {
  if (Object* object = present.find(Kind::balance_transaction, after.subject)) return object;
  return render_error({Errc::internal, "the balance transaction " + after.subject + " was written, but is not there"});
}

}  // namespace

constinit const std::span<const Rule> create_balance_transaction_rules = create_table;
constinit const std::span<const Rule> retrieve_balance_transaction_rules = retrieve_table;
constinit const std::span<const Rule> update_balance_transaction_rules = update_table;
constinit const std::span<const Rule> list_balance_transactions_rules = list_table;

awaitable<Result<Outcome>> create_balance_transaction(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  Task task;
  auto account = co_await load_live_customer(services, call.mode, *task.known, call.variable("customer"), "customer");
  if (!account) co_return account.error();
  AdjustBalance command;
  command.amount = Money{*arguments.integer("amount"), *Currency::parse(arguments.text_or_empty("currency"))};
  command.description = arguments.text_or_empty("description");
  auto metadata = arguments.metadata_over({});
  if (!metadata) co_return metadata.error();
  command.metadata = std::move(*metadata);
  auto foreseen = co_await foresee_new(services, call, *task.known, (*account)->customer.test_clock);
  if (!foreseen) co_return foreseen.error();
  task.account = (*account)->key;
  task.command = std::move(command);
  task.show = show_transaction;
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> retrieve_balance_transaction(Services& services, Call call) {
  Reply reply(services, call);
  auto transaction = co_await find_transaction(services, call, reply.known);
  if (!transaction) co_return transaction.error();
  co_return co_await reply.answer(*reply.present.find(Kind::balance_transaction, (*transaction)->id.value()));
}

awaitable<Result<Outcome>> update_balance_transaction(Services& services, Call call) {
  Task task;
  auto transaction = co_await find_transaction(services, call, *task.known);
  if (!transaction) co_return transaction.error();
  const Arguments arguments = call.arguments();
  UpdateBalanceTransaction command;
  command.recalled = **transaction;
  command.description = arguments.text("description");
  command.metadata = arguments.metadata_patch();
  const std::string id = command.recalled.id.value();
  auto foreseen = co_await foresee(services, call, *task.known, Kind::balance_transaction, id);
  if (!foreseen) co_return foreseen.error();
  task.account = *AccountKey::of_id(id);
  task.command = std::move(command);
  task.show = show_transaction;
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> list_balance_transactions(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  Reply reply(services, call);
  auto account = co_await load_live_customer(services, call.mode, reply.known, call.variable("customer"), "customer");
  if (!account) co_return account.error();
  auto page = co_await page_of_account(services, call, reply.known, (*account)->key, Kind::balance_transaction,
                                       std::move(*query), Filter());
  if (!page) co_return page.error();
  co_return co_await answer_page(services, call, reply, Kind::balance_transaction, std::move(*page), call.path);
}

}  // namespace billd::api::stripe
