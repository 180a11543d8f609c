// Administrators and service users. Secrets are shown once, when they are made: afterwards billd itself knows only a
// hash.
#include <boost/json/serialize.hpp>
#include <cstdio>

#include "commands/commands.hpp"
#include "commands/session.hpp"
#include "jobs/clock.hpp"
#include "net/store/catalog.hpp"

namespace billd::commands {
namespace {

const char* role_name(StaffRole role) { return role == StaffRole::service ? "service" : "administrator"; }
std::string mode_name(Mode mode) { return std::string(name_of(mode)); }

boost::json::object to_json(const StaffMember& member) {
  boost::json::object object;
  object["name"] = member.name;
  object["mode"] = mode_name(member.mode);
  object["role"] = role_name(member.role);
  object["created"] = to_unix(member.created);
  return object;
}

std::string new_secret(Mode mode) {
  KeyRandomness randomness;
  secure_random(randomness);
  return make_key(mode, randomness, KeyKind::person);
}

void print_secret(const StaffMember& member, const std::string& secret, bool json) {
  if (json) {
    boost::json::object object = to_json(member);
    object["secret"] = secret;
    std::printf("%s\n", boost::json::serialize(object).c_str());
    return;
  }
  std::printf("%s\n", secret.c_str());
  std::fprintf(stderr, "This is the secret of %s in %s mode. Keep it now: it is shown this once only.\n",
               member.name.c_str(), mode_name(member.mode).c_str());
}

Failure no_such_user(const NamedUserOptions& options) {
  return {Errc::not_found, "there is no " + options.name + " in " + mode_name(options.mode) +
                               " mode; `billd users list` shows who there is"};
}

awaitable<Result<int>> create(Session& session, CreateUserOptions options) {
  if (!is_user_name(options.name))
    co_return Failure{Errc::invalid_parameter, "a name has 3 to 20 of A-Z, a-z, 0-9, _ and -"};
  StaffMember member;
  member.id = folded_user_name(options.name);
  member.name = options.name;
  member.mode = options.mode;
  member.role = options.role;
  member.created = jobs::system_now();
  const bool is_service_name = member.id.starts_with(service_prefix);
  if (is_service_name != (options.role == StaffRole::service))
    co_return Failure{Errc::invalid_parameter, "the name of a service user begins with api-, and no other one does"};
  const std::string secret = new_secret(options.mode);
  member.secret_hash = hash_key(secret);
  auto put = co_await session.catalog().put<StaffMember>(options.mode, member, std::nullopt);
  if (!put && put.error().code == Errc::already_exists)
    co_return Failure{Errc::already_exists, "there is a " + options.name +
                                                " already; `billd users rotate` renews the "
                                                "secret"};
  if (!put) co_return put.error();
  print_secret(member, secret, options.json);
  co_return 0;
}

awaitable<Result<int>> list(Session& session, bool json) {
  boost::json::array array;
  for (Mode mode : {Mode::test, Mode::live})
    for (const StaffMember& member : session.catalog().all<StaffMember>(mode)) {
      array.push_back(to_json(member));
      if (!json)
        std::printf("%-20s %-5s %-14s %s\n", member.name.c_str(), mode_name(member.mode).c_str(),
                    role_name(member.role), to_text(member.created).c_str());
    }
  if (json)
    std::printf("%s\n", boost::json::serialize(array).c_str());
  else if (array.empty())
    std::printf("There is nobody yet. Make one: billd users create admin --role administrator --mode test\n");
  co_return 0;
}

awaitable<Result<int>> rotate(Session& session, NamedUserOptions options) {
  const auto member = session.catalog().get<StaffMember>(options.mode, folded_user_name(options.name));
  if (!member) co_return no_such_user(options);
  const std::string secret = new_secret(options.mode);
  StaffMember renewed = *member;
  renewed.secret_hash = hash_key(secret);
  std::optional<StaffMember> before(*member);
  auto put = co_await session.catalog().put<StaffMember>(options.mode, renewed, std::move(before));
  if (!put) co_return put.error();
  print_secret(renewed, secret, options.json);
  co_return 0;
}

awaitable<Result<int>> remove(Session& session, NamedUserOptions options) {
  const auto member = session.catalog().get<StaffMember>(options.mode, folded_user_name(options.name));
  if (!member) co_return no_such_user(options);
  auto removed = co_await session.catalog().remove<StaffMember>(options.mode, *member);
  if (!removed) co_return removed.error();
  std::printf("Removed %s.\n", member->name.c_str());
  co_return 0;
}

}  // namespace

int create_user(const Settings& settings, const CreateUserOptions& options) {
  return run_with_session(settings, [&](Session& session) { return create(session, options); });
}

int list_users(const Settings& settings, bool json) {
  return run_with_session(settings, [json](Session& session) { return list(session, json); });
}

int rotate_user(const Settings& settings, const NamedUserOptions& options) {
  return run_with_session(settings, [&](Session& session) { return rotate(session, options); });
}

int remove_user(const Settings& settings, const NamedUserOptions& options) {
  return run_with_session(settings, [&](Session& session) { return remove(session, options); });
}

}  // namespace billd::commands
