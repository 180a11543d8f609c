// GET /v1/customers/search: as far as an index knows the answer, which is by email.
#include <algorithm>
#include <charconv>

#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/reply.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array search_table = {
    text("query", 1000).required(),
    integer("limit", 1, 100),
    text("page"),
    list("expand"),
};

/// field:"value", metadata["key"]:"value", created>value.
struct Clause {
  std::string field;
  std::string key;  ///< of metadata
  std::string comparison;
  std::string value;
};

Failure malformed(std::string_view rest) {
  return {Errc::invalid_parameter,
          "We were unable to parse your search query near `" + std::string(rest.substr(0, 40)) +
              "`: clauses are field:\"value\", metadata[\"key\"]:\"value\" or created>value, joined by AND.",
          "query"};
}

/// Reads a query from its beginning on; each function takes what it reads off the rest.
class QueryReader {
 public:
  explicit QueryReader(std::string_view query) : rest_(query) {}

  Result<std::vector<Clause>> read() {
    std::vector<Clause> clauses;
    for (;;) {
      Clause clause;
      if (!read_clause(clause)) return malformed(rest_);
      clauses.push_back(std::move(clause));
      skip_spaces();
      if (rest_.empty()) return clauses;
      if (!take("AND ") && !take("and ")) return malformed(rest_);
    }
  }

 private:
  bool read_clause(Clause& clause) {
    skip_spaces();
    clause.field = word();
    if (clause.field.empty()) return false;
    if (take("[") && (!quoted(clause.key) || !take("]"))) return false;
    for (std::string_view sign : {":", ">=", "<=", ">", "<"}) {
      if (!take(sign)) continue;
      clause.comparison = sign;
      if (quoted(clause.value)) return true;
      clause.value = word();
      return !clause.value.empty();
    }
    return false;
  }

  void skip_spaces() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  }
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  std::string word() {
    const auto end = std::ranges::find_if(rest_, [](char character) {
      const bool is_letter = (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
      return !is_letter && character != '_' && !(character >= '0' && character <= '9');
    });
    std::string word(rest_.begin(), end);
    rest_.remove_prefix(word.size());
    return word;
  }
  /// Between quotes of either kind; a backslash takes the next character as it is.
  bool quoted(std::string& text) {
    if (!rest_.starts_with('"') && !rest_.starts_with('\'')) return false;
    const char quote = rest_.front();
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == quote) {
        rest_.remove_prefix(i + 1);
        return true;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      text += rest_[i];
    }
    return false;
  }

  std::string_view rest_;
};

std::optional<std::int64_t> number(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<void> check_clause(const Clause& clause) {
  const auto refuse = [](std::string sentence) {
    return Failure{Errc::invalid_parameter, std::move(sentence), "query"};
  };
  if (clause.field == "created") {
    if (!number(clause.value)) return refuse("`created` is compared with a number of seconds.");
    return {};
  }
  constexpr std::array<std::string_view, 4> texts = {"email", "name", "phone", "metadata"};
  if (std::ranges::find(texts, clause.field) == texts.end())
    return refuse("Field `" + clause.field + "` cannot be searched: email, name, phone, metadata and created can.");
  if ((clause.field == "metadata") != !clause.key.empty())
    return refuse("A key in brackets is for metadata, and metadata needs one: metadata[\"key\"]:\"value\".");
  if (clause.comparison != ":") return refuse("`" + clause.field + "` can only be compared by a colon.");
  return {};
}

bool holds(const Clause& clause, const Customer& customer) {
  if (clause.field == "email") return customer.email == clause.value;
  if (clause.field == "name") return customer.name == clause.value;
  if (clause.field == "phone") return customer.phone == clause.value;
  if (clause.field == "metadata") {
    const std::pair wanted(clause.key, clause.value);
    return std::ranges::find(customer.metadata, wanted) != customer.metadata.end();
  }
  const std::int64_t created = to_unix(customer.created), bound = *number(clause.value);
  if (clause.comparison == ">") return created > bound;
  if (clause.comparison == ">=") return created >= bound;
  if (clause.comparison == "<") return created < bound;
  if (clause.comparison == "<=") return created <= bound;
  return created == bound;
}

Result<std::vector<Clause>> read_query(const std::string& query) {
  auto clauses = QueryReader(query).read();
  if (!clauses) return clauses.error();
  for (const Clause& clause : *clauses) {
    auto fine = check_clause(clause);
    if (!fine) return fine.error();
  }
  if (std::ranges::find(*clauses, "email", &Clause::field) == clauses->end())
    return Failure{Errc::invalid_parameter,
                   "Customers are found by their email only: add email:\"…\" to the query; other fields narrow it.",
                   "query"};
  return clauses;
}

}  // namespace

constinit const std::span<const Rule> search_customers_rules = search_table;

awaitable<Result<Outcome>> search_customers(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  auto clauses = read_query(arguments.text_or_empty("query"));
  if (!clauses) co_return clauses.error();
  std::string email = std::ranges::find(*clauses, "email", &Clause::field)->value;
  auto keys = co_await services.store.find_by_email(call.mode, std::move(email));
  if (!keys) co_return keys.error();
  auto loaded = co_await services.store.load_all(call.mode, std::move(*keys));
  if (!loaded) co_return loaded.error();
  std::vector<const Account*> found;
  for (const store::Loaded& each : *loaded) {
    const Customer& customer = each.account.customer;
    const auto holds_here = [&](const Clause& clause) { return holds(clause, customer); };
    if (!customer.deleted && std::ranges::all_of(*clauses, holds_here)) found.push_back(&each.account);
  }
  std::ranges::sort(found, std::ranges::greater(),
                    [](const Account* each) { return std::pair(each->customer.created, each->customer.id); });
  std::vector<std::string> ids;
  for (const Account* account : found) ids.push_back(account->customer.id.value());

  // A page begins behind the customer that the one before it ended with.
  auto begin = found.begin();
  if (const auto page = arguments.text("page")) {
    const auto at = std::ranges::find(ids, *page);
    if (at == ids.end()) co_return Failure{Errc::invalid_parameter, "Invalid page: " + *page, "page"};
    begin += at - ids.begin() + 1;
  }
  const auto limit = static_cast<std::ptrdiff_t>(arguments.integer("limit").value_or(10));
  const bool has_more = found.end() - begin > limit;
  const auto end = has_more ? begin + limit : found.end();
  Reply reply(services, call);
  Array& data = reply.document.array();
  for (auto each = begin; each != end; ++each) data.add(reply.present.customer(**each));
  Object& result = reply.document.object(5);
  result.add("object", "search_result");
  result.add("data", data);
  result.add("has_more", has_more);
  result.add("next_page", has_more ? reply.document.text((*(end - 1))->customer.id.value()) : Value());
  result.add("url", reply.document.text(call.path));
  co_return co_await reply.answer(result);
}

}  // namespace billd::api::stripe
