# SPDX-License-Identifier: Apache-2.0
# What every program of the project has in common, whichever folder it is in.

# Gives all programs of a folder, and of those below, host/base/standard_descriptors_at_start.cpp. To be
# called when all targets are there.
function(furrow_open_standard_descriptors folder)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE")
      target_link_libraries(${target} PRIVATE furrow_standard_descriptors)
    endif()
  endforeach()
  get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(below IN LISTS folders)
    furrow_open_standard_descriptors(${below})
  endforeach()
endfunction()
