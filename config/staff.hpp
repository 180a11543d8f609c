// People and programs that work with an API without being a customer: administrators and service users.
#pragma once

#include <string>
#include <string_view>

#include "engine/account.hpp"

namespace billd {

enum class StaffRole : std::uint8_t {
  administrator,  ///< of the funding sources API: may act for every user
  service,        ///< of the Management API; the name begins with "api-"
};

struct StaffMember {
  std::string id;    ///< the name in lower case
  std::string name;  ///< 3 to 20 of [A-Za-z0-9_-]; case does not count
  Mode mode = Mode::test;
  StaffRole role = StaffRole::administrator;
  std::string secret_hash;  ///< hash_key() of the secret
  Timestamp created;

  bool operator==(const StaffMember&) const = default;
};

inline constexpr std::string_view service_prefix = "api-";
/// Good in development, in test mode, with any of the two names.
inline constexpr std::string_view development_administrator = "admin";
inline constexpr std::string_view development_service = "api-demo";
inline constexpr std::string_view development_secret = "ps_test_demo";

/// 3 to 20 of [A-Za-z0-9_-]: what users and staff may be called.
bool is_user_name(std::string_view name);
/// The name in lower case: two names that differ in case only are the same.
std::string folded_user_name(std::string_view name);

}  // namespace billd
