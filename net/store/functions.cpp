// Naming and loading the function library.
#include "net/store/functions.hpp"

#include <cstdio>
#include <map>

#include "engine/ids.hpp"

namespace billd::store {

extern const std::string_view functions_source;

namespace {

const std::string& version() {
  static const std::string text = [] {
    char digits[9];
    std::snprintf(digits, sizeof digits, "%08x", static_cast<unsigned>(fnv1a(functions_source) >> 32));
    return std::string(digits);
  }();
  return text;
}

std::string versioned_source() {
  std::string source(functions_source);
  constexpr std::string_view mark = "VERSION";
  for (std::size_t at = source.find(mark); at != std::string::npos; at = source.find(mark, at)) {
    source.replace(at, mark.size(), version());
  }
  return source;
}

/// `service`: a Connection or a Client.
template <class Service>
awaitable<Result<void>> load_into(Service& service) {
  redis::Command command("FUNCTION", "LOAD", versioned_source());
  auto loaded = co_await service.execute(std::move(command));
  if (!loaded && loaded.error().detail.find("already exists") == std::string::npos) co_return loaded.error();
  co_return Result<void>();
}

}  // namespace

const std::string& function_name(std::string_view name) {
  static std::map<std::string, std::string, std::less<>> names;
  auto found = names.find(name);
  if (found == names.end())
    found = names.emplace(std::string(name), "billd_" + version() + "_" + std::string(name)).first;
  return found->second;
}

awaitable<Result<void>> load_functions(redis::Connection& connection) { return load_into(connection); }
awaitable<Result<void>> load_functions(redis::Client& client) { return load_into(client); }

bool is_library_missing(const Failure& failure) {
  return redis::classify(failure.detail).reaction == redis::Reaction::reload_functions;
}

awaitable<Result<redis::Reply>> call_function(redis::Client& client, redis::Command command) {
  auto reply = co_await client.execute(command);
  if (reply || !is_library_missing(reply.error())) co_return reply;
  auto loaded = co_await load_functions(client);
  if (!loaded) co_return loaded.error();
  co_return co_await client.execute(std::move(command));
}

}  // namespace billd::store
