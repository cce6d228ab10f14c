# Everything that comes from outside, in one place. The packages are named in tools/install.

find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(tl-expected REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(prometheus-cpp REQUIRED)

# Debian ships no CMake configuration for these.
function(onceward_find_plain target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "HEADER;LIBRARY" "")
  find_path(${target}_INCLUDE_DIR ${arg_HEADER} REQUIRED)
  find_library(${target}_LIBRARY ${arg_LIBRARY} REQUIRED)
  mark_as_advanced(${target}_INCLUDE_DIR ${target}_LIBRARY)
  add_library(${target} INTERFACE)
  target_include_directories(${target} SYSTEM INTERFACE ${${target}_INCLUDE_DIR})
  target_link_libraries(${target} INTERFACE ${${target}_LIBRARY})
endfunction()

onceward_find_plain(onceward_xxhash HEADER xxhash.h LIBRARY xxhash)
onceward_find_plain(onceward_re2 HEADER re2/re2.h LIBRARY re2)
onceward_find_plain(onceward_libpq HEADER postgresql/libpq-fe.h LIBRARY pq)

if(ONCEWARD_TESTS)
  find_package(GTest 1.12 REQUIRED)
endif()
if(ONCEWARD_BENCH)
  find_package(benchmark REQUIRED)
endif()
