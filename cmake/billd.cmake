# Options and third-party libraries shared by every folder.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(OpenSSL 3 REQUIRED)
find_package(spdlog REQUIRED)
find_package(PkgConfig REQUIRED)
if(BUILD_TESTING)
  find_package(GTest REQUIRED)
endif()
pkg_check_modules(hiredis REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(pugixml REQUIRED IMPORTED_TARGET pugixml)
if(NOT BILLD_SANITIZE)
  pkg_check_modules(jemalloc REQUIRED IMPORTED_TARGET jemalloc)
endif()

add_library(billd_options INTERFACE)
target_include_directories(billd_options INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_options(billd_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wimplicit-fallthrough
  $<$<BOOL:${BILLD_WERROR}>:-Werror>)
# Not as a generator expression: the list of sanitizers has a comma.
if(BILLD_SANITIZE)
  target_compile_options(billd_options INTERFACE
    -fsanitize=${BILLD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  target_link_options(billd_options INTERFACE -fsanitize=${BILLD_SANITIZE})
endif()

# Asio's and Beast's non-template code is compiled once, in this library. The definitions are PUBLIC: every user
# must see the same declarations, or the linker finds two different versions of one function.
add_library(boost_sources STATIC "${PROJECT_SOURCE_DIR}/cmake/boost_sources.cpp")
target_compile_definitions(boost_sources PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(boost_sources
  PUBLIC Boost::boost Boost::json Boost::url OpenSSL::SSL OpenSSL::Crypto Threads::Threads
  PRIVATE billd_options)

# Sources that are compiled several at a time: in less than half of the processor's time in all, but all of them again
# when one changes. So it is for what is built and seldom edited. What one file calls its own another may call so, too.
function(billd_together target)
  target_compile_options(${target} PRIVATE -Wno-shadow)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 5)
endfunction()

# billd_library(NAME [PLAIN] [TOGETHER] SOURCES... DEPENDS libraries...): the one static library of a folder, sources in
# reading order. PLAIN: it does without Asio. TOGETHER: with sanitizers several sources are compiled at a time.
function(billd_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "PLAIN;TOGETHER" "" "SOURCES;DEPENDS")
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC billd_options ${arg_DEPENDS})
  billd_precompiled(${name} "${arg_PLAIN}" "")
  if(arg_TOGETHER AND BILLD_SANITIZE)
    billd_together(${name})
  endif()
endfunction()

# billd_test(NAME [PLAIN] [TOGETHER] SOURCES... DEPENDS libraries... LABELS unit|integration|simulation): one test
# executable of a folder. TOGETHER: several sources are compiled at a time.
function(billd_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "PLAIN;TOGETHER" "TIMEOUT" "SOURCES;DEPENDS;LABELS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE billd_options ${arg_DEPENDS} GTest::gmock GTest::gtest_main)
  billd_precompiled(${name} "${arg_PLAIN}" "_test")
  if(arg_TOGETHER)
    billd_together(${name})
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
endfunction()
