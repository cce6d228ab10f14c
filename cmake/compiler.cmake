# How every file of ours is compiled: the language, the checks that stay on in each build, and what the options add.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

# Checked indexing in the standard library stays on everywhere: what is wrong in release is wrong with real data.
add_compile_definitions(_GLIBCXX_ASSERTIONS)

if(ONCEWARD_SANITIZE)
  add_compile_options(-fsanitize=${ONCEWARD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ONCEWARD_SANITIZE})
endif()

if(ONCEWARD_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "ONCEWARD_FUZZ needs clang: libFuzzer is part of it")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(ONCEWARD_LTO)
  include(CheckIPOSupported)
  check_ipo_supported(LANGUAGES CXX)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # CMake asks for one serial link; let it use the cores that there are.
    set(CMAKE_CXX_COMPILE_OPTIONS_IPO -flto=auto -fno-fat-lto-objects)
  endif()
else()
  # lld links several times faster; it does not read GCC's LTO objects.
  include(CheckLinkerFlag)
  check_linker_flag(CXX -fuse-ld=lld ONCEWARD_HAS_LLD)
  if(ONCEWARD_HAS_LLD)
    add_link_options(-fuse-ld=lld)
  endif()
endif()

# docs/decisions/0018: what tools/train records in a build of one folder is used in the build of another.
if(ONCEWARD_TRAINING)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    message(FATAL_ERROR "ONCEWARD_TRAINING needs GCC")
  endif()
  set(records ${CMAKE_SOURCE_DIR}/build/training-records)
  if(ONCEWARD_TRAINING STREQUAL "record")
    set(training -fprofile-generate=${records} -fprofile-update=atomic)
    add_link_options(${training})
  elseif(NOT EXISTS ${records})
    message(FATAL_ERROR "${records} is not there: `make bench` and `make release` make it, by way of tools/train")
  else()
    # A source that was edited since is compiled as if it had no records.
    set(training -fprofile-use=${records} -Wno-missing-profile -Wno-error=coverage-mismatch)
  endif()
  add_compile_options(${training} -fprofile-prefix-path=${CMAKE_BINARY_DIR})
endif()

find_program(ONCEWARD_CCACHE ccache)
if(ONCEWARD_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # By what the compiler says it read: otherwise each source that is new to it is preprocessed twice.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_DEPEND=1 ${ONCEWARD_CCACHE})
endif()

include(warnings)
