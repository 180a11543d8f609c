// Making, listing and revoking API keys.
#include "config/keys.hpp"

#include <boost/json.hpp>
#include <cstdio>

#include "commands/commands.hpp"
#include "commands/session.hpp"
#include "jobs/clock.hpp"
#include "net/api/stripe/versions.hpp"

namespace billd::commands {
namespace {

std::string_view mode_name(Mode mode) { return mode == Mode::live ? "live" : "test"; }

boost::json::object to_json(const ApiKey& key) {
  boost::json::object object;
  object["id"] = key.id;
  object["mode"] = mode_name(key.mode);
  object["name"] = key.name;
  object["api_version"] = key.api_version.empty() ? "newest" : key.api_version;
  object["key"] = key.prefix + "…" + key.last4;
  object["created"] = to_unix(key.created);
  if (key.revoked)
    object["revoked"] = to_unix(*key.revoked);
  else
    object["revoked"] = nullptr;
  return object;
}

void print(const boost::json::value& value) { std::printf("%s\n", boost::json::serialize(value).c_str()); }

awaitable<Result<int>> create(Session& session, CreateKeyOptions options) {
  if (!options.api_version.empty()) {
    auto version = api::stripe::Version::parse(options.api_version);
    if (!version) co_return version.error();
  }
  KeyRandomness randomness;
  secure_random(randomness);
  const std::string secret = make_key(options.mode, randomness, options.api);
  ApiKey key;
  key.hash = hash_key(secret);
  key.id = "key_" + key.hash.substr(0, 12);
  key.mode = options.mode;
  key.name = options.name;
  key.api_version = options.api_version;
  key.prefix = prefix_of(secret);
  key.last4 = secret.substr(secret.size() - 4);
  key.created = jobs::system_now();
  auto put = co_await session.catalog().put<ApiKey>(Mode::test, key, std::nullopt);
  if (!put) co_return put.error();
  if (options.json) {
    boost::json::object object = to_json(key);
    object["secret"] = secret;
    print(std::move(object));
  } else {
    std::printf("%s\n", secret.c_str());
    std::fprintf(stderr, "Made %s for %s mode. Keep it now: it is shown this once only.\n", key.id.c_str(),
                 std::string(mode_name(key.mode)).c_str());
  }
  co_return 0;
}

awaitable<Result<int>> list(Session& session, bool json) {
  const auto keys = session.catalog().all<ApiKey>(Mode::test);
  if (json) {
    boost::json::array array;
    for (const ApiKey& key : keys) array.push_back(to_json(key));
    print(std::move(array));
    co_return 0;
  }
  if (keys.empty()) std::printf("There are no keys yet. Make one: billd keys create --mode test\n");
  for (const ApiKey& key : keys)
    std::printf("%-18s %-5s %-18s %-24s %s%s\n", key.id.c_str(), std::string(mode_name(key.mode)).c_str(),
                (key.prefix + "…" + key.last4).c_str(), to_text(key.created).c_str(), key.name.c_str(),
                key.revoked ? (" (revoked " + to_text(*key.revoked) + ")").c_str() : "");
  co_return 0;
}

awaitable<Result<int>> revoke(Session& session, std::string id) {
  const std::string hash = hash_key(id);
  const auto keys = session.catalog().all<ApiKey>(Mode::test);
  for (const ApiKey& key : keys) {
    if (key.id != id && key.hash != hash) continue;
    if (key.revoked) {
      std::printf("%s was revoked on %s.\n", key.id.c_str(), to_text(*key.revoked).c_str());
      co_return 0;
    }
    ApiKey revoked = key;
    revoked.revoked = jobs::system_now();
    auto put = co_await session.catalog().put<ApiKey>(Mode::test, revoked, key);
    if (!put) co_return put.error();
    std::printf("Revoked %s.\n", revoked.id.c_str());
    co_return 0;
  }
  co_return Failure{Errc::not_found, "there is no such key; `billd keys list` shows their ids"};
}

}  // namespace

int create_key(const Settings& settings, const CreateKeyOptions& options) {
  return run_with_session(settings, [&](Session& session) { return create(session, options); });
}

int list_keys(const Settings& settings, bool json) {
  return run_with_session(settings, [json](Session& session) { return list(session, json); });
}

int revoke_key(const Settings& settings, const std::string& id) {
  return run_with_session(settings, [&](Session& session) { return revoke(session, id); });
}

}  // namespace billd::commands
