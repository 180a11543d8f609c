# What nearly every file includes, and is slow to read, is compiled once: a file of net/ then takes about half the time.
# Two of these headers, since what does not link Asio must not see it; each again for tests, since GoogleTest's flags
# are part of what a precompiled header is valid for. -DBILLD_PRECOMPILE=OFF shows whether a file includes what it uses.
# The engine's and the store's contracts are among them: what changes them concerns nearly every file anyway.
option(BILLD_PRECOMPILE "Compile what most files include only once" ON)
if(NOT BILLD_PRECOMPILE)
  function(billd_precompiled)
  endfunction()
  return()
endif()

set(CMAKE_PCH_INSTANTIATE_TEMPLATES ON)

set(standard_headers
  <algorithm> <array> <charconv> <chrono> <compare> <cstdint> <functional> <map> <memory> <optional> <set> <span>
  <string> <string_view> <unordered_map> <utility> <variant> <vector> "${PROJECT_SOURCE_DIR}/engine/decide.hpp")
set(asynchronous_headers
  <boost/asio/as_tuple.hpp> <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp> <boost/asio/deferred.hpp>
  <boost/asio/experimental/parallel_group.hpp> <boost/asio/io_context.hpp> <boost/asio/post.hpp>
  <boost/asio/steady_timer.hpp> <boost/asio/this_coro.hpp> <boost/json.hpp> <boost/system/result.hpp>
  <spdlog/spdlog.h> "${PROJECT_SOURCE_DIR}/net/store/store.hpp")

function(billd_precompiled_header name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "HEADERS;DEPENDS")
  add_library(${name} OBJECT "${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp")
  target_link_libraries(${name} PRIVATE billd_options ${arg_DEPENDS})
  target_precompile_headers(${name} PRIVATE ${standard_headers} ${arg_HEADERS})
endfunction()

set(asynchronous_libraries boost_sources spdlog::spdlog PkgConfig::hiredis)
billd_precompiled_header(precompiled_plain)
billd_precompiled_header(precompiled_asynchronous
  HEADERS ${asynchronous_headers} DEPENDS ${asynchronous_libraries})
if(BUILD_TESTING)
  billd_precompiled_header(precompiled_plain_test HEADERS <gmock/gmock.h> DEPENDS GTest::gmock)
  billd_precompiled_header(precompiled_asynchronous_test
    HEADERS ${asynchronous_headers} <gmock/gmock.h> DEPENDS ${asynchronous_libraries} GTest::gmock)
endif()

# billd_precompiled(TARGET IS_PLAIN SUFFIX): which of them a target uses.
function(billd_precompiled target is_plain suffix)
  if(is_plain)
    target_precompile_headers(${target} REUSE_FROM precompiled_plain${suffix})
  else()
    target_precompile_headers(${target} REUSE_FROM precompiled_asynchronous${suffix})
  endif()
endfunction()
