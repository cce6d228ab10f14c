# For programs that want many runs: what ships, compiled once more, optimised and without sanitizers.

# Compiles and links the target so, and links what ships behind it. A source of the target's own that is a copy of one
# that ships, or stands in for it, takes its place.
function(onceward_optimise target)
  target_compile_options(${target} PRIVATE -O2 -fno-sanitize=all)
  target_link_libraries(${target} PRIVATE onceward_optimised)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE")
    target_link_options(${target} PRIVATE -fno-sanitize=all)
  endif()
endfunction()

# The stores that need no server, and the gateway without what reads a configuration or prints its metrics.
foreach(folder IN ITEMS base http core memory_store journal io gateway)
  get_target_property(files onceward_${folder} SOURCES)
  get_target_property(path onceward_${folder} SOURCE_DIR)
  list(TRANSFORM files PREPEND ${path}/)
  list(APPEND optimised ${files})
endforeach()
list(FILTER optimised EXCLUDE REGEX "/(config(_[^f][a-z_]*)?|metrics|secret_file)\\.cc$")

add_library(onceward_optimised STATIC ${optimised} ${PROJECT_SOURCE_DIR}/src/net/asio_impl.cc)
target_include_directories(onceward_optimised PUBLIC ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(onceward_optimised PUBLIC $<TARGET_PROPERTY:onceward_net,INTERFACE_COMPILE_DEFINITIONS>)
target_compile_options(onceward_optimised PRIVATE -O2 -fno-sanitize=all)
target_link_libraries(onceward_optimised
  PUBLIC
    onceward_api onceward_xxhash onceward_re2
    Boost::headers OpenSSL::Crypto Threads::Threads fmt::fmt nlohmann_json::nlohmann_json spdlog::spdlog
  PRIVATE onceward_warnings)
