# The warnings that our own targets are compiled with. Linked privately: users of the library choose their own.

add_library(onceward_warnings INTERFACE)
target_compile_options(onceward_warnings INTERFACE
  -Wall
  -Wextra
  -Wpedantic
  -Wconversion
  -Wsign-conversion
  -Wshadow
  -Wold-style-cast
  -Wnon-virtual-dtor
  -Woverloaded-virtual
  -Wextra-semi
  -Wimplicit-fallthrough)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(onceward_warnings INTERFACE
    -Wduplicated-cond
    -Wlogical-op
    # GCC 12 reports std::string's own operator+ (GCC bug 105329).
    -Wno-restrict)
  if(ONCEWARD_SANITIZE)
    # The instrumentation hides initialisations from GCC's flow analysis; other builds keep the warning.
    target_compile_options(onceward_warnings INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()

if(ONCEWARD_WERROR)
  target_compile_options(onceward_warnings INTERFACE -Werror)
endif()
