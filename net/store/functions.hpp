// The function library that billd loads into Redis (functions.lua), under a name that carries its version.
#pragma once

#include <string>
#include <string_view>

#include "net/redis/connection.hpp"

namespace billd::store {

/// "billd_3f9c2a1b_" + name, as FCALL takes it.
const std::string& function_name(std::string_view name);

/// Loads the library, or finds it loaded already.
awaitable<Result<void>> load_functions(redis::Connection& connection);

}  // namespace billd::store
