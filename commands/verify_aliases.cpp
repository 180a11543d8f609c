#include "commands/verify_aliases.hpp"

#include <algorithm>
#include <utility>

#include "net/store/aliases.hpp"
#include "net/store/encoding.hpp"
#include "net/store/keys.hpp"

namespace billd::commands {
namespace {

constexpr std::size_t fields_per_page = 200;

/// Fields and values of a hash, page by page.
awaitable<Result<std::vector<std::pair<std::string, std::string>>>> next_page(store::Store& store, std::string key,
                                                                              std::string& cursor) {
  redis::Command scan("HSCAN", std::move(key), cursor, "COUNT", fields_per_page);
  auto page = co_await store.client().execute(std::move(scan));
  if (!page) co_return page.error();
  std::vector<redis::Reply> parts = page->take_elements();
  cursor = parts.at(0).take_text();
  std::vector<redis::Reply> elements = parts.at(1).take_elements();
  std::vector<std::pair<std::string, std::string>> fields;
  for (std::size_t i = 0; i + 1 < elements.size(); i += 2)
    fields.emplace_back(elements[i].take_text(), elements[i + 1].take_text());
  co_return fields;
}

/// What is wrong with what an account's objects are called.
awaitable<Result<std::vector<Violation>>> check_account_aliases(store::Store& store, Mode mode, std::string key,
                                                                AccountKey account, std::vector<store::Alias> aliases) {
  std::vector<Violation> found;
  const auto wrong = [&](std::string what, std::string expected) {
    found.push_back({Rule::aliases, key + " " + account.value(), std::move(what), std::move(expected)});
  };
  auto loaded = co_await store.load(mode, account);
  if (!loaded && is_transient(loaded.error().code)) co_return loaded.error();
  if (!loaded) {
    // One that cannot be read is told of elsewhere.
    if (loaded.error().code == Errc::not_found) wrong("names of an account that does not exist", "the account");
    co_return found;
  }
  std::vector<redis::Command> questions;
  for (const store::Alias& alias : aliases)
    questions.emplace_back("HGET", store.aliases().directory_of(mode, alias.foreign), alias.foreign);
  auto answers = co_await store.client().execute_all(std::move(questions));
  for (std::size_t i = 0; i < aliases.size(); ++i) {
    const store::Alias& alias = aliases[i];
    const auto number = object_number(account, id_body(alias.native).substr(account_key_length));
    if (!number || *number > loaded->account.objects)
      wrong(alias.foreign + " is " + alias.native + ", which was never drawn", "one of the account's objects");
    if (std::ranges::count(aliases, alias.foreign, &store::Alias::foreign) > 1)
      wrong(alias.foreign + " names two objects", "one");
    if (alias.foreign.starts_with(CustomerKind::prefix)) {
      if (store::adopted_key(mode, alias.foreign) != account)
        wrong(alias.foreign + " is another account's customer", "the account's");
      continue;
    }
    if (!answers[i] && is_transient(answers[i].error().code)) co_return answers[i].error();
    if (!answers[i] || !answers[i]->is_text() || answers[i]->text() != account.value())
      wrong(alias.foreign + " does not lead to the account", "it does");
  }
  co_return found;
}

}  // namespace

awaitable<Result<AliasReport>> check_aliases(store::Store& store, Mode mode, std::uint32_t partition, int readings,
                                             Milliseconds pause) {
  AliasReport report;
  const std::string key = store::aliases_key(store::prefix(mode, partition));
  std::string cursor = "0";
  do {
    auto page = co_await next_page(store, key, cursor);
    if (!page) co_return page.error();
    for (const auto& [name, bytes] : *page) {
      const auto account = AccountKey::parse(name);
      auto aliases = account ? store::decode_aliases(*account, bytes) : Result<std::vector<store::Alias>>(Failure{});
      if (!aliases || store.partition_of(*account) != partition) {
        report.violations.push_back({Rule::readable, key, "names that cannot be read", "those of an account"});
        continue;
      }
      report.aliases += aliases->size();
      for (int reading = 1;; ++reading) {
        std::vector<store::Alias> again = *aliases;
        auto found = co_await check_account_aliases(store, mode, key, *account, std::move(again));
        if (!found) co_return found.error();
        if (found->empty()) break;
        if (reading < readings) {
          co_await sleep_for(pause);
          continue;
        }
        std::ranges::move(*found, std::back_inserter(report.violations));
        break;
      }
    }
  } while (cursor != "0");
  co_return report;
}

awaitable<Result<std::vector<Violation>>> check_directory(store::Store& store, Mode mode, std::string directory,
                                                          int readings, Milliseconds pause) {
  std::vector<Violation> violations;
  std::string cursor = "0";
  do {
    auto page = co_await next_page(store, directory, cursor);
    if (!page) co_return page.error();
    for (const auto& [foreign, value] : *page) {
      const auto account = AccountKey::parse(value);
      if (!store::is_foreign(foreign) || !account || store.aliases().directory_of(mode, foreign) != directory) {
        violations.push_back(
            {Rule::readable, directory, "an identifier that cannot be read", "one that is looked for"});
        continue;
      }
      for (int reading = 1;; ++reading) {
        auto aliases = co_await store.aliases().of_account(*account);
        if (!aliases) co_return aliases.error();
        if (std::ranges::find(**aliases, foreign, &store::Alias::foreign) != (*aliases)->end()) break;
        if (reading < readings) {
          co_await sleep_for(pause);
          continue;
        }
        violations.push_back({Rule::aliases, directory,
                              foreign + " leads to " + account->value() + ", which does not know it",
                              "an account's object; an import that was broken off is to be run again"});
        break;
      }
    }
  } while (cursor != "0");
  co_return violations;
}

}  // namespace billd::commands
