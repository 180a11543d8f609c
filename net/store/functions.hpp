// The function library that billd loads into Redis (functions.lua), under a name that carries its version.
#pragma once

#include <string>
#include <string_view>

#include "net/redis/client.hpp"

namespace billd::store {

/// "billd_3f9c2a1b_" + name, as FCALL takes it.
const std::string& function_name(std::string_view name);

/// Loads the library, or finds it loaded already.
awaitable<Result<void>> load_functions(redis::Connection& connection);
awaitable<Result<void>> load_functions(redis::Client& client);

/// Whether a call failed, and did nothing, because the library is gone: somebody flushed the functions.
bool is_library_missing(const Failure& failure);

/// Calls a function of the library; when that is gone, loads it and calls once more.
awaitable<Result<redis::Reply>> call_function(redis::Client& client, redis::Command command);

}  // namespace billd::store
