// Whether a name and a secret are those of a staff member.
#pragma once

#include <optional>

#include "config/staff.hpp"
#include "net/api/authorization.hpp"
#include "net/api/services.hpp"

namespace billd::api {

/// The staff member whose name and secret these are; the secret says the mode. In development `admin` and `api-demo`
/// with the secret `ps_test_demo` are members, too. Empty: nobody.
std::optional<StaffMember> find_staff(const FaceServices& services, const BasicCredentials& credentials);

}  // namespace billd::api
