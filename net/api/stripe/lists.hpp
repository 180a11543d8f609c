// Lists: Stripe's cursors over one account's objects and over all accounts.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "net/api/stripe/reply.hpp"

namespace billd::api::stripe {

/// The parameters that every list takes.
inline constexpr std::array page_rules = {
    integer("limit", 1, 100), text("starting_after"), text("ending_before"), list("expand"), list("include"),
};
inline constexpr std::array filtered_page_rules = page_rules + std::array{range("created")};

struct PageQuery {
  std::size_t limit = 10;
  std::string starting_after, ending_before;  ///< at most one of them
  TimeRange created;
  bool wants_total = false;  ///< include[]=total_count
};
Result<PageQuery> page_query(const Call& call);

/// Identifiers of one kind, newest first.
struct Page {
  std::vector<std::string> ids;
  bool has_more = false;
  std::optional<std::size_t> total = std::nullopt;  ///< of the whole list, if it was wanted
};

/// The page of all of these, which are newest first; a cursor that is none of them is refused.
Result<Page> cut_page(std::vector<std::string> newest_first, const PageQuery& query, std::string_view object);

/// Whether the object of that identifier, which is known by then, belongs into the list.
using Filter = std::function<bool(const Known& known, const std::string& id)>;

/// The page over all accounts, read from the index. With a filter, up to 50,000 objects are looked at; more is refused
/// with limit_exceeded, for want of an index that knows the answer.
awaitable<Result<Page>> page_of_all(Services& services, const Call& call, Known& known, Kind kind, PageQuery query,
                                    Filter filter);

/// The page over what one account has and had.
awaitable<Result<Page>> page_of_account(Services& services, const Call& call, Known& known, AccountKey key, Kind kind,
                                        PageQuery query, Filter filter);

/// The invoice's line of that identifier, or of what named it before lines had identifiers of their own: its invoice
/// item, or the subscription. nullptr: there is none.
const InvoiceLine* find_line(const Invoice& invoice, std::string_view id);

/// The invoice's lines as a list, in Stripe's order.
Result<Object*> page_of_lines(Reply& reply, const Invoice& invoice, const PageQuery& query, std::string_view url);

/// Shows the page's objects as a list.
awaitable<Result<Outcome>> answer_page(Services& services, const Call& call, Reply& reply, Kind kind, Page page,
                                       std::string url);

}  // namespace billd::api::stripe
