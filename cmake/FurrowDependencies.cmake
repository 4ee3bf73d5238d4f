# SPDX-License-Identifier: Apache-2.0
# Every dependency is a Debian 12 package that tools/install-deps.sh installs. A missing one is named
# together with its package.

find_package(PkgConfig QUIET)
if(NOT PkgConfig_FOUND)
  message(FATAL_ERROR "Missing dependency: pkg-config (Debian package pkg-config). "
                      "tools/install-deps.sh installs what a build needs, with --test what tests need, too.")
endif()

function(furrow_missing name package)
  message(FATAL_ERROR "Missing dependency: ${name} (Debian package ${package}). "
                      "tools/install-deps.sh installs what a build needs, with --test what tests need, too.")
endfunction()

macro(furrow_find_package name package)
  find_package(${name} QUIET ${ARGN})
  if(NOT ${name}_FOUND)
    furrow_missing(${name} ${package})
  endif()
endmacro()

macro(furrow_find_pkgconfig prefix module package)
  pkg_check_modules(${prefix} QUIET IMPORTED_TARGET ${module})
  if(NOT ${prefix}_FOUND)
    furrow_missing(${module} ${package})
  endif()
endmacro()

find_package(Threads REQUIRED)
furrow_find_pkgconfig(HWY libhwy libhwy-dev)
furrow_find_pkgconfig(SODIUM libsodium libsodium-dev)
furrow_find_pkgconfig(ZSTD libzstd libzstd-dev)
furrow_find_package(fmt libfmt-dev)
furrow_find_package(nlohmann_json nlohmann-json3-dev)
if(FURROW_PROGRAMS)
  furrow_find_pkgconfig(ROCKSDB rocksdb librocksdb-dev)
  furrow_find_package(spdlog libspdlog-dev)
  furrow_find_package(CLI11 libcli11-dev)
endif()
if(FURROW_TESTS)
  furrow_find_package(GTest libgtest-dev)
  furrow_find_package(Python3 python3 COMPONENTS Interpreter)
  furrow_find_package(Boost libboost-context-dev COMPONENTS context)
endif()
if(FURROW_BENCH)
  furrow_find_package(benchmark libbenchmark-dev)
endif()
