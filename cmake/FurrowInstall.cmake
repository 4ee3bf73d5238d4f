# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where, and the Debian packages that cpack makes of it. By component:
#
#   runtime      the shared library
#   development  furrow.h and furrow.hpp, the static library, the CMake package, furrow.pc, examples
#   tools        the program, its manual pages and completions, a unit for a server of pieces
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
  if(FURROW_HTTP_ENABLED)
    configure_file(${PROJECT_SOURCE_DIR}/cmake/furrow-serve-pieces.service.in
                   ${PROJECT_BINARY_DIR}/furrow-serve-pieces.service @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/furrow-serve-pieces.service
      DESTINATION lib/systemd/system COMPONENT tools)
  endif()
endif()

foreach(component_and_package runtime:libfurrow1 development:libfurrow-dev tools:furrow-tools)
  string(REPLACE ":" ";" pair ${component_and_package})
  list(GET pair 0 component)
  list(GET pair 1 package)
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/copyright
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component})
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${package})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL runtime development)
if(FURROW_PROGRAMS)
  list(APPEND CPACK_COMPONENTS_ALL tools)
endif()
set(CPACK_PACKAGE_VENDOR "The Furrow authors")
set(CPACK_PACKAGE_CONTACT "The Furrow authors <furrow@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "libfurrow1 (= ${PROJECT_VERSION}), libhwy-dev, libsodium-dev, libzstd-dev, libfmt-dev")
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION
    "plotting engine for proof-of-archival-storage farms\n Encodes sectors on NVIDIA GPUs and CPUs: the shared library.")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION
    "plotting engine for proof-of-archival-storage farms\n Header, static library, CMake package and furrow.pc of libfurrow.")
set(CPACK_DEBIAN_TOOLS_DESCRIPTION
    "plotting engine for proof-of-archival-storage farms\n The program that archives files, plots farms and serves pieces.")
include(CPack)
