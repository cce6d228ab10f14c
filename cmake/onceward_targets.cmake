# How a folder becomes targets. The suffix of a file says what it is, so a new file needs no edit here or in its folder:
#
#   foo.cc        part of the folder's library
#   foo_test.cc   part of the folder's one test program
#   foo_fuzz.cc   a fuzz target of its own, `foo_fuzz`
#   foo_bench.cc  a benchmark program of its own, `foo_bench`

# Adds a folder if it is there and has something to build.
function(onceward_add_folder folder)
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt)
    add_subdirectory(${folder})
  endif()
endfunction()

# onceward_library(<name> [LINKS …] [PRIVATE_LINKS …] [TEST_LINKS …] [TEST_LABELS …] [TEST_TIMEOUT <s>] [EXCLUDE …])
#
# Makes the static library onceward_<name> of the calling folder, its test program onceward_<name>_test, its fuzz
# targets and its benchmarks. LINKS is the folder's row of the dependency table; PRIVATE_LINKS are used in .cc files
# only. A folder that has headers alone becomes an interface library. A test program that starts threads is labelled
# `threads` and runs under TSan too.
function(onceward_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TEST_TIMEOUT" "LINKS;PRIVATE_LINKS;TEST_LINKS;TEST_LABELS;EXCLUDE")
  set(target onceward_${name})

  onceward_files(sources tests fuzzers benches)
  list(REMOVE_ITEM sources ${arg_EXCLUDE})

  if(sources)
    add_library(${target} STATIC ${sources})
    target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(${target} PUBLIC ${arg_LINKS} PRIVATE ${arg_PRIVATE_LINKS} onceward_warnings)
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(${target} INTERFACE ${arg_LINKS})
  endif()

  if(tests)
    onceward_test_program(${target}_test
      SOURCES ${tests}
      LINKS ${target} ${arg_PRIVATE_LINKS} ${arg_TEST_LINKS}
      LABELS ${arg_TEST_LABELS}
      TIMEOUT ${arg_TEST_TIMEOUT})
  endif()
  foreach(source IN LISTS fuzzers)
    onceward_fuzz_target(${source} LINKS ${target})
  endforeach()
  foreach(source IN LISTS benches)
    onceward_bench_program(${source} LINKS ${target})
  endforeach()
endfunction()

# Sorts the .cc files of the calling folder by suffix into four variables.
function(onceward_files sources_out tests_out fuzzers_out benches_out)
  file(GLOB all CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.cc)
  foreach(kind IN ITEMS test fuzz bench)
    set(${kind} ${all})
    list(FILTER ${kind} INCLUDE REGEX "_${kind}\\.cc$")
  endforeach()
  list(FILTER all EXCLUDE REGEX "_(test|storetest|fuzz|bench)\\.cc$")
  set(${sources_out} ${all} PARENT_SCOPE)
  set(${tests_out} ${test} PARENT_SCOPE)
  set(${fuzzers_out} ${fuzz} PARENT_SCOPE)
  set(${benches_out} ${bench} PARENT_SCOPE)
endfunction()

# Lets a test find files beside it under ONCEWARD_SOURCE_DIR, the repository's root, and headers from there on:
# "tests/support/….h".
function(onceward_find_files target)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${target} PRIVATE ONCEWARD_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endfunction()

# With sanitizers the compiler takes twice as long for a test that it optimises as for the same test as it is written.
# What is tested is compiled as always.
function(onceward_compile_quickly target)
  if(ONCEWARD_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()

# onceward_test_objects(<target> SOURCES … [LINKS …])
#
# Tests that several programs link, compiled once. As objects: GoogleTest finds a test only where the linker keeps it.
function(onceward_test_objects target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
  add_library(${target} OBJECT ${arg_SOURCES})
  onceward_compile_quickly(${target})
  onceward_find_files(${target})
  target_link_libraries(${target} PUBLIC ${arg_LINKS} GTest::gmock PRIVATE onceward_warnings)
endfunction()

# onceward_test_program(<target> [SOURCES …] [LINKS …] [LABELS …] [TIMEOUT <seconds>] [LAUNCHER <program> …])
#
# One GoogleTest program and one ctest entry for it, run by LAUNCHER where the program needs a server. Without SOURCES:
# every .cc file of the calling folder.
# Programs labelled `threads` make up the target thread_tests, which is all that TSan needs.
function(onceward_test_program target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LINKS;LABELS;LAUNCHER")
  if(NOT ONCEWARD_TESTS)
    return()
  endif()
  if(NOT arg_SOURCES)
    file(GLOB arg_SOURCES CONFIGURE_DEPENDS *.cc)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_executable(${target} ${arg_SOURCES})
  onceward_compile_quickly(${target})
  onceward_find_files(${target})
  target_link_libraries(${target} PRIVATE ${arg_LINKS} onceward_warnings GTest::gmock GTest::gtest_main)
  add_test(NAME ${target} COMMAND ${arg_LAUNCHER} $<TARGET_FILE:${target}> --gtest_brief=1)
  set_tests_properties(${target} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
  if("threads" IN_LIST arg_LABELS)
    add_dependencies(thread_tests ${target})
  endif()
endfunction()

# onceward_fuzz_target(<source> [LINKS …])
#
# A fuzz target, named as its file, with its corpus in tests/fuzz/corpus/<target>/. Under ONCEWARD_FUZZ it is linked
# with libFuzzer; in every other build with a driver that replays the corpus. Either way ctest replays the corpus, and a
# target without one fails: a fuzz target starts with at least one seed.
function(onceward_fuzz_target source)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINKS")
  if(NOT ONCEWARD_TESTS AND NOT ONCEWARD_FUZZ)
    return()
  endif()
  get_filename_component(target ${source} NAME_WE)
  add_executable(${target} ${source})
  target_link_libraries(${target} PRIVATE ${arg_LINKS} onceward_warnings)
  if(ONCEWARD_FUZZ)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    set(arguments -runs=0 -timeout=10 -rss_limit_mb=1024)
  else()
    target_link_libraries(${target} PRIVATE onceward_fuzz_replay)
    set(arguments)
  endif()
  add_test(NAME ${target} COMMAND ${target} ${arguments} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${target})
  set_tests_properties(${target} PROPERTIES LABELS fuzz TIMEOUT 120)
endfunction()

# onceward_bench_program(<source> [LINKS …])
function(onceward_bench_program source)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINKS")
  if(NOT ONCEWARD_BENCH)
    return()
  endif()
  get_filename_component(target ${source} NAME_WE)
  add_executable(${target} ${source})
  target_link_libraries(${target} PRIVATE ${arg_LINKS} onceward_warnings benchmark::benchmark_main)
endfunction()

add_custom_target(thread_tests)

# The replay driver, for every build without libFuzzer.
if(ONCEWARD_TESTS AND NOT ONCEWARD_FUZZ)
  add_library(onceward_fuzz_replay OBJECT ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cc)
  target_link_libraries(onceward_fuzz_replay PRIVATE onceward_warnings)
endif()
