#include "net/api/stripe/foreign_ids.hpp"

#include "net/store/aliases.hpp"

namespace billd::api::stripe {
namespace {

void collect(http::Parameter& parameter, std::vector<http::Parameter*>& found) {
  if (parameter.is_text() && store::is_foreign(parameter.text())) found.push_back(&parameter);
  if (parameter.name() == "metadata") return;
  for (http::Parameter& child : parameter.children()) collect(child, found);
}

}  // namespace

awaitable<Result<void>> take_native_ids(Services& services, Call& call) {
  std::vector<http::Parameter*> parameters;
  collect(call.parameters, parameters);
  std::vector<std::string*> variables;
  for (auto& [name, value] : call.variables)
    if (store::is_foreign(value)) variables.push_back(&value);
  if (parameters.empty() && variables.empty()) co_return Result<void>();
  std::vector<std::string> texts;
  for (const std::string* variable : variables) texts.push_back(*variable);
  for (const http::Parameter* parameter : parameters) texts.push_back(parameter->text());
  auto natives = co_await services.store.aliases().to_native(call.mode, std::move(texts));
  if (!natives) co_return natives.error();
  auto native = natives->begin();
  for (std::string* variable : variables) *variable = std::move(*native++);
  for (http::Parameter* parameter : parameters) parameter->set_text(std::move(*native++));
  co_return Result<void>();
}

}  // namespace billd::api::stripe
