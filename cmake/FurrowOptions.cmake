# SPDX-License-Identifier: Apache-2.0
# What the options of the build mean, and that nothing else is taken for one of them. Runs in scripts
# as well, for its test.

# Makes AUTO, ON or OFF of any spelling that CMake has for them: off, 0, No, ... Further values are named
# behind the option.
function(furrow_auto_on_off name)
  string(TOUPPER "${${name}}" value)
  if(value MATCHES "^(ON|YES|TRUE|Y|1)$")
    set(value ON)
  elseif(value MATCHES "^(OFF|NO|FALSE|N|0|IGNORE|NOTFOUND|.*-NOTFOUND|)$")
    set(value OFF)
  elseif(NOT value IN_LIST ARGN AND NOT value STREQUAL "AUTO")
    list(JOIN ARGN ", " further)
    if(further)
      string(PREPEND further ", ")
    endif()
    message(FATAL_ERROR "${name}: expected AUTO, ON or OFF${further}, actual '${${name}}'")
  endif()
  set(${name} ${value} PARENT_SCOPE)
endfunction()

function(furrow_check_sanitizer)
  if(NOT "${FURROW_SANITIZER}" MATCHES "^(address|thread|fuzzer|)$")
    message(FATAL_ERROR "FURROW_SANITIZER: expected address, thread, fuzzer or nothing, actual "
                        "'${FURROW_SANITIZER}'")
  endif()
  if("${FURROW_SANITIZER}" STREQUAL "fuzzer" AND NOT "${CMAKE_CXX_COMPILER_ID}" MATCHES "Clang")
    message(FATAL_ERROR "FURROW_SANITIZER=fuzzer: expected Clang, actual "
                        "'${CMAKE_CXX_COMPILER_ID}'; the preset fuzz takes it")
  endif()
endfunction()

# Without a preset, and without a build type, CMake does not optimise: hundreds of times slower.
macro(furrow_default_build_type)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
  endif()
endmacro()

# The library alone has neither tests nor benchmarks, which run and link what is left out.
macro(furrow_check_programs)
  if(NOT FURROW_PROGRAMS)
    set(FURROW_TESTS OFF)
    set(FURROW_BENCH OFF)
    set(FURROW_HTTP OFF)
    set(FURROW_NATS OFF)
  endif()
endmacro()
