#include "net/api/stripe/lists.hpp"

#include <algorithm>

#include "net/api/stripe/errors.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::size_t looked_at_max = 50'000;
constexpr std::size_t filtered_batch = 200;

/// What a list over all accounts needs to know of its kind.
struct Listing {
  Kind kind;
  store::Index index;
  std::string_view prefix;
  std::string_view object;
};

constexpr std::array listings = {
    Listing{Kind::customer, store::Index::customers, CustomerKind::prefix, "customer"},
    Listing{Kind::subscription, store::Index::subscriptions, SubscriptionKind::prefix, "subscription"},
    Listing{Kind::invoice, store::Index::invoices, InvoiceKind::prefix, "invoice"},
    Listing{Kind::charge, store::Index::charges, ChargeKind::prefix, "charge"},
    Listing{Kind::payment_intent, store::Index::invoices, InvoiceKind::prefix, "payment_intent"},
    Listing{Kind::invoice_item, store::Index::invoice_items, InvoiceItemKind::prefix, "invoiceitem"},
    Listing{Kind::refund, store::Index::refunds, RefundKind::prefix, "refund"},
    Listing{Kind::credit_note, store::Index::credit_notes, CreditNoteKind::prefix, "credit_note"},
    Listing{Kind::schedule, store::Index::schedules, ScheduleKind::prefix, "subscription_schedule"},
};

const Listing& listing_of(Kind kind) {
  const auto at = std::ranges::find(listings, kind, &Listing::kind);
  BILLD_CHECK(at != listings.end(), "this kind has no index");
  return *at;
}

/// What messages call an object of the kind.
std::string_view object_of(Kind kind) {
  return kind == Kind::balance_transaction ? "customer_balance_transaction" : listing_of(kind).object;
}

std::optional<Timestamp> created_of(const Known& known, Kind kind, const std::string& id) {
  if (kind == Kind::customer) {
    const Account* account = known.account_of(id);
    if (account != nullptr && account->customer.id.value() == id) return account->customer.created;
  } else if (kind == Kind::subscription) {
    if (const Subscription* subscription = known.subscription(id)) return subscription->created;
  } else if (kind == Kind::invoice) {
    if (const Invoice* invoice = known.invoice(id)) return invoice->created;
  } else if (kind == Kind::payment_intent) {
    if (const Invoice* invoice = known.payment(id)) return invoice->created;
  } else if (kind == Kind::invoice_item) {
    if (const auto found = known.invoice_item(id)) return found->item.created;
  } else if (kind == Kind::charge) {
    if (const Invoice* invoice = known.invoice_of_charge(id))
      for (const Charge& charge : invoice->charges)
        if (charge.id.value() == id) return charge.created;
  } else if (kind == Kind::refund) {
    if (const Invoice* invoice = known.invoice_of_refund(id))
      for (const Charge& charge : invoice->charges)
        for (const Refund& refund : charge.refunds)
          if (refund.id.value() == id) return refund.created;
  } else if (kind == Kind::credit_note) {
    if (const Invoice* invoice = known.invoice_of_credit_note(id))
      for (const CreditNote& note : invoice->credit_notes)
        if (note.id.value() == id) return note.created;
  } else if (kind == Kind::schedule) {
    if (const Schedule* schedule = known.schedule(id)) return schedule->created;
  } else if (kind == Kind::balance_transaction) {
    if (const BalanceTransaction* transaction = known.balance_transaction(id)) return transaction->created;
  }
  return std::nullopt;
}

template <class Of>
std::string member_of(const std::string& id) {
  return store::encode_reference(*AccountKey::of_id(id), Id<Of>(id));
}

/// How the index names the object.
std::string member_of(Kind kind, const std::string& id) {
  switch (kind) {
    case Kind::subscription:
      return member_of<SubscriptionKind>(id);
    case Kind::invoice:
    case Kind::payment_intent:
      return member_of<InvoiceKind>(id);
    case Kind::charge:
      return member_of<ChargeKind>(id);
    case Kind::invoice_item:
      return member_of<InvoiceItemKind>(id);
    case Kind::refund:
      return member_of<RefundKind>(id);
    case Kind::credit_note:
      return member_of<CreditNoteKind>(id);
    case Kind::schedule:
      return member_of<ScheduleKind>(id);
    default:
      return member_of<CustomerKind>(id);
  }
}

std::int64_t score(Timestamp time) { return time.time_since_epoch().count(); }

/// As what it is stored: lists of PaymentIntents name them by their invoices.
Kind stored_kind(Kind kind) { return kind == Kind::payment_intent ? Kind::invoice : kind; }

/// The place of the cursor's object in the index.
awaitable<Result<std::pair<std::int64_t, std::string>>> place_of(Services& services, Mode mode, Known& known, Kind kind,
                                                                 std::string id, std::string parameter) {
  std::vector<Named> wanted(1, Named{stored_kind(kind), id});
  auto loaded = co_await load(services, mode, known, std::move(wanted));
  if (!loaded) co_return loaded.error();
  const auto created = created_of(known, kind, id);
  if (!created) co_return no_such(listing_of(kind).object, id, parameter);
  co_return std::pair(score(*created), member_of(kind, id));
}

Result<std::vector<std::string>> ids_of(const std::vector<store::ListedMember>& members, std::string_view prefix) {
  std::vector<std::string> ids;
  for (const store::ListedMember& member : members) {
    auto reference = store::decode_reference(member.member, prefix);
    if (!reference) return reference.error();
    ids.push_back(std::move(reference->id));
  }
  return ids;
}

std::vector<Named> all_named(Kind kind, const std::vector<std::string>& ids) {
  std::vector<Named> names;
  for (const std::string& id : ids) names.push_back({stored_kind(kind), id});
  return names;
}

}  // namespace

Result<PageQuery> page_query(const Call& call) {
  const Arguments arguments = call.arguments();
  PageQuery query;
  query.limit = static_cast<std::size_t>(arguments.integer("limit").value_or(10));
  query.starting_after = arguments.text_or_empty("starting_after");
  query.ending_before = arguments.text_or_empty("ending_before");
  query.created = arguments.range("created");
  for (const std::string& included : arguments.texts("include")) {
    if (included != "total_count")
      return Failure{Errc::invalid_parameter, "Lists can include total_count, but not " + included + ".", "include"};
    query.wants_total = true;
  }
  if (!query.starting_after.empty() && !query.ending_before.empty())
    return Failure{Errc::invalid_parameter,
                   "Received both starting_after and ending_before parameters. Please pass in only one.",
                   "starting_after"};
  return query;
}

Result<Page> cut_page(std::vector<std::string> newest_first, const PageQuery& query, std::string_view object) {
  const bool backwards = !query.ending_before.empty();
  const std::string& cursor = backwards ? query.ending_before : query.starting_after;
  auto from = newest_first.begin(), until = newest_first.end();
  if (!cursor.empty()) {
    const auto at = std::ranges::find(newest_first, cursor);
    if (at == newest_first.end()) return no_such(object, cursor, backwards ? "ending_before" : "starting_after");
    if (backwards)
      until = at;
    else
      from = at + 1;
  }
  Page page;
  if (query.wants_total) page.total = newest_first.size();
  const auto size = static_cast<std::size_t>(until - from);
  page.has_more = size > query.limit;
  if (page.has_more) {
    if (backwards)
      from = until - static_cast<std::ptrdiff_t>(query.limit);
    else
      until = from + static_cast<std::ptrdiff_t>(query.limit);
  }
  page.ids.assign(std::make_move_iterator(from), std::make_move_iterator(until));
  return page;
}

awaitable<Result<Page>> page_of_all(Services& services, const Call& call, Known& known, Kind kind, PageQuery query,
                                    Filter filter) {
  const Listing& listing = listing_of(kind);
  const bool backwards = !query.ending_before.empty();
  if (query.wants_total && filter)
    co_return Failure{Errc::invalid_parameter, "total_count is not known of a list with this filter.", "include"};
  store::Page part;
  part.limit = filter ? std::max(query.limit, filtered_batch) : query.limit;
  if (query.created.min) part.score_min = score(*query.created.min);
  if (query.created.max) part.score_max = score(*query.created.max);
  if (!query.starting_after.empty() || backwards) {
    std::string cursor = backwards ? query.ending_before : query.starting_after;
    std::string parameter = backwards ? "ending_before" : "starting_after";
    auto place = co_await place_of(services, call.mode, known, kind, std::move(cursor), std::move(parameter));
    if (!place) co_return place.error();
    (backwards ? part.before : part.after) = *place;
  }

  // Nearest to the cursor first, until there is one more than fits.
  std::vector<std::string> found;
  for (std::size_t looked_at = 0; found.size() <= query.limit;) {
    auto members = co_await services.store.list(call.mode, listing.index, part);
    if (!members) co_return members.error();
    if (members->empty()) break;
    const bool has_more = members->size() > part.limit;
    if (backwards) std::ranges::reverse(*members);
    if (has_more) (backwards ? part.before : part.after) = std::pair(members->back().score, members->back().member);
    auto ids = ids_of(*members, listing.prefix);
    if (!ids) co_return ids.error();
    auto loaded = co_await load(services, call.mode, known, all_named(kind, *ids));
    if (!loaded) co_return loaded.error();
    for (std::string& id : *ids)
      if (found.size() <= query.limit && created_of(known, kind, id) && (!filter || filter(known, id)))
        found.push_back(std::move(id));
    looked_at += members->size();
    if (!has_more) break;
    if (looked_at > looked_at_max)
      co_return Failure{
          Errc::limit_exceeded,
          "This filter would have to look at more than 50,000 objects; narrow it by customer or created."};
  }
  Page page;
  page.has_more = found.size() > query.limit;
  if (page.has_more) found.pop_back();
  if (backwards) std::ranges::reverse(found);
  page.ids = std::move(found);
  if (query.wants_total) {
    auto total = co_await services.store.count(call.mode, listing.index, part.score_min, part.score_max);
    if (!total) co_return total.error();
    page.total = static_cast<std::size_t>(*total);
  }
  co_return page;
}

awaitable<Result<Page>> page_of_account(Services& services, const Call& call, Known& known, AccountKey key, Kind kind,
                                        PageQuery query, Filter filter) {
  auto ids = co_await list_history(services, call.mode, known, key, kind);
  if (!ids) co_return ids.error();
  const bool backwards = !query.ending_before.empty();
  const std::string& cursor = backwards ? query.ending_before : query.starting_after;
  // Nearest to the cursor first: only what may be on the page is read.
  if (backwards) std::ranges::reverse(*ids);
  auto at = ids->begin();
  if (!cursor.empty()) {
    at = std::ranges::find(*ids, cursor);
    if (at == ids->end()) co_return no_such(object_of(kind), cursor, backwards ? "ending_before" : "starting_after");
    ++at;
  }
  Page page;
  const std::size_t batch = filter ? std::max(query.limit + 1, filtered_batch) : query.limit + 1;
  while (at != ids->end() && page.ids.size() <= query.limit) {
    std::vector<std::string> some;
    for (; at != ids->end() && some.size() < batch; ++at) some.push_back(std::move(*at));
    auto loaded = co_await load(services, call.mode, known, all_named(kind, some));
    if (!loaded) co_return loaded.error();
    for (std::string& id : some) {
      const auto created = created_of(known, kind, id);
      if (!created || !query.created.holds(*created) || (filter && !filter(known, id))) continue;
      if (page.ids.size() <= query.limit) page.ids.push_back(std::move(id));
    }
  }
  page.has_more = page.ids.size() > query.limit;
  if (page.has_more) page.ids.pop_back();
  if (backwards) std::ranges::reverse(page.ids);
  co_return page;
}

const InvoiceLine* find_line(const Invoice& invoice, std::string_view id) {
  if (id.empty()) return nullptr;
  const auto is_called_so = [&](const InvoiceLine& line) {
    return line.id.value() == id ||
           (line.is_recurring() ? invoice.subscription.value() == id : line.invoice_item.value() == id);
  };
  const auto line = std::ranges::find_if(invoice.lines, is_called_so);
  return line == invoice.lines.end() ? nullptr : &*line;
}

Result<Object*> page_of_lines(Reply& reply, const Invoice& invoice, const PageQuery& query, std::string_view url) {
  const std::vector<const InvoiceLine*> lines = shown_lines(invoice);
  std::vector<std::string> ids;
  PageQuery by_line = query;
  for (std::string* cursor : {&by_line.starting_after, &by_line.ending_before})
    if (const InvoiceLine* line = find_line(invoice, *cursor)) *cursor = line->id.value();
  for (const InvoiceLine* line : lines) ids.push_back(line->id.value());
  auto page = cut_page(std::move(ids), by_line, "invoice line item");
  if (!page) return page.error();
  Array& data = reply.document.array(page->ids.size());
  for (const InvoiceLine* line : lines)
    if (std::ranges::find(page->ids, line->id.value()) != page->ids.end()) data.add(reply.present.line(*line, invoice));
  return &reply.present.list(url, data, page->has_more, invoice.lines.size());
}

awaitable<Result<Outcome>> answer_page(Services&, const Call&, Reply& reply, Kind kind, Page page, std::string url) {
  Array& data = reply.document.array(page.ids.size());
  for (const std::string& id : page.ids)
    if (Object* object = reply.present.find(kind, id)) data.add(*object);
  return reply.answer(reply.present.list(url, data, page.has_more, page.total));
}

}  // namespace billd::api::stripe
