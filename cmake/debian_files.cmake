# SPDX-License-Identifier: Apache-2.0
# What Debian wants of the files of a package beyond their places. cpack runs this when it has installed all
# components into folders of their own, and has not packed them yet.
cmake_minimum_required(VERSION 3.25)

function(compress)
  execute_process(COMMAND gzip -9n ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

set(ENV{LC_ALL} C)
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)  # of SOURCE_DATE_EPOCH, if that is set
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  set(prefix ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/${component}${CPACK_PACKAGING_INSTALL_PREFIX})
  set(share ${prefix}/${CPACK_FURROW_DATADIR})
  string(TOUPPER ${component} upper)
  set(documents ${share}/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  configure_file(${CPACK_FURROW_SOURCE}/cmake/debian_changelog.in ${documents}/changelog.Debian @ONLY)
  configure_file(${CPACK_FURROW_SOURCE}/CHANGELOG.md ${documents}/changelog COPYONLY)
  file(GLOB units ${prefix}/lib/systemd/system/*.service)
  foreach(unit IN LISTS units)  # names the program where it is installed for now
    set(bin ${CPACK_PACKAGING_INSTALL_PREFIX}/${CPACK_FURROW_BINDIR})
    cmake_path(GET unit FILENAME name)
    configure_file(${CPACK_FURROW_SOURCE}/cmake/${name}.in ${unit} @ONLY)
  endforeach()
  file(GLOB pages ${share}/man/man*/*.[0-9])
  compress(${documents}/changelog.Debian ${documents}/changelog ${pages})
endforeach()
