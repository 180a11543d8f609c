// `billd explain`: why a customer, subscription, schedule or invoice is as it is, in plain sentences.
#include <cstdio>

#include "commands/commands.hpp"
#include "commands/session.hpp"
#include "jobs/clock.hpp"
#include "jobs/explanation.hpp"
#include "net/api/operators/status_json.hpp"
#include "net/store/aliases.hpp"

namespace billd::commands {
namespace {

awaitable<Result<int>> explain_session(Session& session, Rules rules, ExplainOptions options) {
  const Timestamp now = jobs::system_now();
  auto explained = co_await jobs::explain(session.store(), session.catalog(), options.id, now, std::move(rules));
  if (!explained) co_return explained.error();
  std::string text = options.json ? api::operators::to_json(options.id, *explained) + "\n" : billd::to_text(*explained);
  auto told = co_await session.store().aliases().to_foreign(std::move(text));
  if (!told) co_return told.error();
  std::printf("%s", told->c_str());
  co_return 0;
}

}  // namespace

int explain(const Settings& settings, const ExplainOptions& options) {
  const Rules rules = billing_rules(settings.billing);
  return run_with_session(settings, [&](Session& session) { return explain_session(session, rules, options); });
}

}  // namespace billd::commands
