# SPDX-License-Identifier: Apache-2.0
# Debian packages, one for each component of FurrowInstall.cmake: `cpack` in a build folder makes them. What
# the shared library and the program need is found by dpkg-shlibdeps.
set(FURROW_PACKAGE_CONTACT "The Furrow authors <furrow@localhost>" CACHE STRING
    "Who makes the packages, and answers for them")

set(packages runtime:libfurrow1 development:libfurrow-dev)
if(FURROW_PROGRAMS)
  list(APPEND packages tools:furrow)
endif()
set(CPACK_COMPONENTS_ALL)
foreach(pair IN LISTS packages)
  string(REPLACE ":" ";" pair ${pair})
  list(GET pair 0 component)
  list(GET pair 1 package)
  list(APPEND CPACK_COMPONENTS_ALL ${component})
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/copyright
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component})
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${package})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PACKAGE_VENDOR "The Furrow authors")
set(CPACK_PACKAGE_CONTACT "${FURROW_PACKAGE_CONTACT}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian_files.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(version ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})

# A program that was linked with this version does not start with an older one, which may lack what it uses.
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/debian/triggers CONTENT "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/debian/triggers)
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION
    "plotting engine for proof-of-archival-storage farms, library
Encodes records, plots sectors and farms on NVIDIA GPUs and CPUs, behind a C
interface. It needs neither CUDA nor a driver where there is no card.")

# Users of the static library link what is behind the comma, too.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "libfurrow1 (= ${version}), libhwy-dev, libsodium-dev, libzstd-dev, libfmt-dev")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION
    "plotting engine for proof-of-archival-storage farms, to build with
The C headers of libfurrow, its static library, a CMake package and furrow.pc.")

set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_TOOLS_DESCRIPTION
    "plotting engine for proof-of-archival-storage farms, program
Archives files into pieces, plots them into farms on NVIDIA GPUs and CPUs,
reads them back, and serves pieces over HTTP.")

# For debian_files.cmake.
set(CPACK_FURROW_SOURCE ${PROJECT_SOURCE_DIR})
set(CPACK_FURROW_VERSION ${version})
set(CPACK_FURROW_BINDIR ${CMAKE_INSTALL_BINDIR})
set(CPACK_FURROW_DATADIR ${CMAKE_INSTALL_DATADIR})
include(CPack)
