#include "net/api/staff.hpp"

#include "config/keys.hpp"

namespace billd::api {

std::optional<StaffMember> find_staff(const FaceServices& services, const BasicCredentials& credentials) {
  const std::string name = folded_user_name(credentials.user);
  if (services.settings.development && credentials.password == development_secret) {
    if (name == development_administrator) return StaffMember{name, name, Mode::test, StaffRole::administrator, {}, {}};
    if (name == development_service) return StaffMember{name, name, Mode::test, StaffRole::service, {}, {}};
  }
  const auto mode = mode_of(credentials.password);
  if (!mode || kind_of(credentials.password) != KeyKind::person || !is_user_name(name)) return std::nullopt;
  const auto member = services.catalog.get<StaffMember>(*mode, name);
  if (!member || !equals_in_constant_time(member->secret_hash, hash_key(credentials.password))) return std::nullopt;
  return *member;
}

}  // namespace billd::api
