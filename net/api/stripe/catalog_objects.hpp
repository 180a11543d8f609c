// Operations on objects of the catalog: how all of them are made, changed, shown and listed.
#pragma once

#include <string>
#include <utility>

#include "net/api/stripe/catalog_answers.hpp"
#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"

namespace billd::api::stripe {

/// How an object is shown.
template <class Of>
using ShowObject = Object& (*)(Presenter& present, const Services& services, Mode mode, const Of& object);

template <class Of>
awaitable<Result<Outcome>> answer_object(Services& services, const Call& call, Of object, ShowObject<Of> show,
                                         std::vector<Plan> prices = {}) {
  Reply reply(services, call);
  for (Plan& price : prices) reply.known.put(std::move(price));
  co_return co_await reply.answer(show(reply.present, services, call.mode, object));
}

/// The object of that identifier; not_found, naming the parameter, when there is none.
template <class Of>
awaitable<Result<std::shared_ptr<const Of>>> find_object(Services& services, const Call& call, std::string id,
                                                         std::string parameter) {
  auto found = co_await services.catalog.find<Of>(call.mode, id);
  if (!found && found.error().code == Errc::not_found) co_return no_such(store::CatalogKind<Of>::name, id, parameter);
  co_return found;
}

template <class Of>
awaitable<Result<Outcome>> retrieve_object(Services& services, Call call, std::string id, std::string parameter,
                                           ShowObject<Of> show) {
  auto found = co_await find_object<Of>(services, call, std::move(id), std::move(parameter));
  if (!found) co_return found.error();
  co_return co_await answer_object<Of>(services, call, **found, show);
}

/// Writes a new object together with what else the change holds, the prices that the answer may show among it, and
/// answers with the object. A name that is taken is already_exists.
template <class Of>
awaitable<Result<Outcome>> create_object(Services& services, Call call, Of object, store::CatalogChange change,
                                         ShowObject<Of> show, std::vector<Plan> prices = {}) {
  const std::string& id = store::CatalogKind<Of>::field(object);
  const std::shared_ptr<const Of> taken = services.catalog.get<Of>(call.mode, id);
  std::string name(store::CatalogKind<Of>::name);
  name.front() = static_cast<char>(name.front() - 'a' + 'A');
  const Failure exists{Errc::already_exists, name + " already exists.", "id"};
  if (taken != nullptr && !store::is_deleted(*taken)) co_return exists;
  change.put(object, taken.get());
  auto outcome = co_await answer_object<Of>(services, call, object, show, std::move(prices));
  if (!outcome) co_return outcome;
  auto idempotency = saved_with(call, *outcome);
  auto put = co_await services.catalog.commit(std::move(change), std::move(idempotency));
  if (put) co_return outcome;
  if (put.error().code == Errc::conflict) co_return exists;
  co_return co_await answer_refusal(services, call, put.error());
}

/// Changes the object of that identifier by `apply` (Result<Of>(Of before)), again when another writer was first, and
/// answers with it.
template <class Of, class Apply>
awaitable<Result<Outcome>> change_object(Services& services, Call call, std::string id, std::string parameter,
                                         Apply apply, ShowObject<Of> show) {
  for (int attempt = 0;; ++attempt) {
    auto before = co_await find_object<Of>(services, call, id, parameter);
    if (!before) co_return before.error();
    Result<Of> after = apply(**before);
    if (!after) co_return after.error();
    auto outcome = co_await answer_object<Of>(services, call, *after, show);
    if (!outcome) co_return outcome;
    store::CatalogChange change(call.mode);
    change.put(*after, before->get());
    auto idempotency = saved_with(call, *outcome);
    auto put = co_await services.catalog.commit(std::move(change), std::move(idempotency));
    if (put) co_return outcome;
    if (put.error().code == Errc::conflict && attempt < conflicts_max) continue;
    co_return co_await answer_refusal(services, call, put.error());
  }
}

/// Marks the object as deleted: what shows it may go on doing so.
template <class Of>
awaitable<Result<Outcome>> delete_object(Services& services, Call call, std::string id, std::string parameter) {
  for (int attempt = 0;; ++attempt) {
    auto before = co_await find_object<Of>(services, call, id, parameter);
    if (!before) co_return before.error();
    Of after = **before;
    after.deleted = true;
    store::CatalogChange change(call.mode);
    change.put(after, before->get());
    auto put = co_await services.catalog.commit(std::move(change));
    if (!put && put.error().code == Errc::conflict && attempt < conflicts_max) continue;
    if (!put) co_return put.error();
    Reply reply(services, call);
    co_return co_await reply.answer(reply.present.deleted(id, store::CatalogKind<Of>::name));
  }
}

/// The page of those for which `belongs` (bool(const Of&)) holds.
template <class Of, class Belongs>
awaitable<Result<Outcome>> list_objects(Services& services, Call call, Belongs belongs, ShowObject<Of> show) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  std::vector<std::string> newest_first;
  for (const Of& object : services.catalog.all<Of>(call.mode))
    if (!store::is_deleted(object) && query->created.holds(object.created) && belongs(object))
      newest_first.push_back(store::CatalogKind<Of>::field(object));
  auto page = cut_page(std::move(newest_first), *query, store::CatalogKind<Of>::name);
  if (!page) co_return page.error();
  Reply reply(services, call);
  Array& data = reply.document.array(page->ids.size());
  for (const std::string& id : page->ids)
    if (const auto object = services.catalog.get<Of>(call.mode, id))
      data.add(show(reply.present, services, call.mode, *object));
  co_return co_await reply.answer(reply.present.list(call.path, data, page->has_more));
}

}  // namespace billd::api::stripe
