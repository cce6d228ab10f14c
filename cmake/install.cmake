# What a stranger's project gets from `cmake --install`: the public headers, one archive with everything that one
# transaction needs, and a package configuration. The programs are installed by packages, not from here.

set(parts onceward_base onceward_http onceward_core onceward_server_desk onceward_postgres_store onceward_transaction)
list(TRANSFORM parts REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
add_library(onceward_installed STATIC ${objects})
set_target_properties(onceward_installed PROPERTIES OUTPUT_NAME onceward_transaction LINKER_LANGUAGE CXX)

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/onceward)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/onceward-config.cmake.in onceward-config.cmake
  INSTALL_DESTINATION ${package} PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(onceward-config-version.cmake COMPATIBILITY SameMinorVersion)

install(TARGETS onceward_installed ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(DIRECTORY include/onceward DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library)
install(
  FILES ${CMAKE_CURRENT_BINARY_DIR}/onceward-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/onceward-config-version.cmake
  DESTINATION ${package} COMPONENT library)
