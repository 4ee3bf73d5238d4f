# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where. By component, each of which is a Debian package (FurrowPackages.cmake):
#
#   runtime      the shared library
#   development  headers for C and C++, the static library, the CMake package, furrow.pc, examples,
#                specification
#   tools        the program, its manual pages and completions, a unit for a server of pieces
if(EXISTS /etc/debian_version AND CMAKE_LIBRARY_ARCHITECTURE AND NOT DEFINED CMAKE_INSTALL_LIBDIR)
  # Where Debian has libraries, and looks for those in /usr/local.
  set(CMAKE_INSTALL_LIBDIR lib/${CMAKE_LIBRARY_ARCHITECTURE} CACHE PATH "Folder of libraries below the prefix")
endif()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/furrow)
get_property(beside GLOBAL PROPERTY FURROW_BESIDE_STATIC)

install(TARGETS furrow EXPORT furrow_targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development)
install(FILES ${CMAKE_ARCHIVE_OUTPUT_DIRECTORY}/libfurrow.a
  DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(FILES ${PROJECT_SOURCE_DIR}/include/furrow/furrow.h ${PROJECT_SOURCE_DIR}/include/furrow/furrow.hpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/furrow COMPONENT development)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/furrow/c ${PROJECT_SOURCE_DIR}/include/furrow/cpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/furrow COMPONENT development)
set(examples ${PROJECT_SOURCE_DIR}/examples)
install(FILES ${examples}/CMakeLists.txt ${examples}/encode_record.c ${examples}/mini_daemon.cpp
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libfurrow-dev/examples COMPONENT development)
# Where comments of the headers point to, and how the library is used.
set(docs ${PROJECT_SOURCE_DIR}/docs)
install(DIRECTORY ${docs}/spec
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libfurrow-dev/docs COMPONENT development)
install(FILES ${docs}/manual/library.md ${docs}/manual/library-rust.md ${docs}/manual/damaged-farm.md
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libfurrow-dev/docs/manual COMPONENT development)
install(EXPORT furrow_targets NAMESPACE furrow:: FILE furrow-targets.cmake
  DESTINATION ${package_folder} COMPONENT development)

# Both find the folder that they were installed in by where they stand, so that it can be moved.
list(TRANSFORM beside PREPEND "-l" OUTPUT_VARIABLE beside_flags)
list(JOIN beside_flags " " beside_flags)
file(RELATIVE_PATH from_pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${PROJECT_SOURCE_DIR}/cmake/furrow.pc.in ${PROJECT_BINARY_DIR}/furrow.pc @ONLY)
configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/furrow-config.cmake.in ${PROJECT_BINARY_DIR}/furrow-config.cmake
  INSTALL_DESTINATION ${package_folder} PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/furrow-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/furrow-config.cmake ${PROJECT_BINARY_DIR}/furrow-config-version.cmake
  DESTINATION ${package_folder} COMPONENT development)
install(FILES ${PROJECT_BINARY_DIR}/furrow.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

if(FURROW_PROGRAMS)
  # Manual pages and completions are made from the program's own help.
  set(pages ${PROJECT_BINARY_DIR}/share)
  add_custom_command(OUTPUT ${pages}/man/furrow.1
    COMMAND ${CMAKE_COMMAND} -DFURROW=$<TARGET_FILE:furrow_cli> -DOUT=${pages}
            -P ${PROJECT_SOURCE_DIR}/cmake/help_pages.cmake
    DEPENDS furrow_cli ${PROJECT_SOURCE_DIR}/cmake/help_pages.cmake VERBATIM)
  add_custom_target(furrow_help_pages ALL DEPENDS ${pages}/man/furrow.1)
  install(TARGETS furrow_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
  install(DIRECTORY ${pages}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT tools)
  install(FILES ${pages}/completions/furrow
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT tools)
  install(FILES ${pages}/completions/_furrow
    DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions COMPONENT tools)
  set(units)
  if(FURROW_HTTP_ENABLED)
    list(APPEND units furrow-serve-pieces)
  endif()
  if(FURROW_NATS_ENABLED)
    list(APPEND units furrow-plotter)
  endif()
  foreach(unit IN LISTS units)
    # The prefix may be another one than when this was configured.
    install(CODE "
      set(bin \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
      configure_file(\"${PROJECT_SOURCE_DIR}/cmake/${unit}.service.in\"
                     \"${PROJECT_BINARY_DIR}/${unit}.service\" @ONLY)" COMPONENT tools)
    install(FILES ${PROJECT_BINARY_DIR}/${unit}.service DESTINATION lib/systemd/system COMPONENT tools)
  endforeach()
endif()

include(FurrowPackages)
