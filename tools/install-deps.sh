#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what Furrow needs to be built, and on request to be tested and changed: packages of Debian 12,
# nothing else. Does nothing, and needs neither network nor root, when everything is there already.
set -euo pipefail

# What cmake/FurrowDependencies.cmake looks for, and what the build and the scripts run.
readonly build_packages=(
  g++
  cmake
  ninja-build
  pkg-config
  python3
  libhwy-dev
  libsodium-dev
  libzstd-dev
  libfmt-dev
  libspdlog-dev
  libcli11-dev
  nlohmann-json3-dev
  libcpp-httplib-dev
  libcurl4-openssl-dev
  libssl-dev
  libnats-dev
  librocksdb-dev # paged store, and what benchmarks compare with
)
# What tests and benchmarks need besides.
readonly test_packages=(
  libgtest-dev
  libgmock-dev # the CMake files of libgtest-dev refer to it
  libbenchmark-dev
  libboost-context-dev # fibers of the CUDA harness
  zstd                 # decompresses frames in end-to-end tests
  clang                # reads what locks guard (lint.thread_safety)
  cargo                # builds and tests bindings/rust
  rustc
  doxygen              # reads the comments of the C headers (lint.doxygen)
  openssl              # certificates, and keys of accounts (e2e.network, e2e.logins)
  iproute2             # the ends of a bad line (e2e.cluster_line)
  mmdebstrap           # a Debian to install packages into (e2e.packages)
)
# The server of a cluster, for its tests and tools/cluster_demo.sh.
readonly cluster_packages=(nats-server)
# For those who change Furrow.
readonly developer_packages=(
  b3sum # the unit of bench/encoder_table.py
  clang-format
  clang-tidy
  libclang-rt-14-dev # libFuzzer
  rust-clippy
  rustfmt
  lintian # looks at packages (e2e.packages)
  shellcheck
)

usage() {
  cat <<'TEXT'
usage: tools/install-deps.sh [--cluster] [--test] [--dev] [--list]

  --cluster  also the server of a cluster
  --test     also what the tests and benchmarks need, and what --cluster adds
  --dev      also clang-format, clang-tidy and shellcheck, and what --test adds
  --list     print the packages, one a line, and install nothing
TEXT
}

is_installed() {
  [[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

main() {
  local wanted=("${build_packages[@]}") cluster=no test=no dev=no list=no argument package
  for argument in "$@"; do
    case "${argument}" in
      --cluster) cluster=yes ;;
      --test) test=yes ;;
      --dev) dev=yes ;;
      --list) list=yes ;;
      -h | --help)
        usage
        return 0
        ;;
      *)
        printf 'install-deps.sh: unknown argument: %s\n' "${argument}" >&2
        usage >&2
        return 2
        ;;
    esac
  done
  if [[ "${test}" == yes || "${dev}" == yes ]]; then
    wanted+=("${test_packages[@]}")
    cluster=yes
  fi
  if [[ "${cluster}" == yes ]]; then
    wanted+=("${cluster_packages[@]}")
  fi
  if [[ "${dev}" == yes ]]; then
    wanted+=("${developer_packages[@]}")
  fi
  if [[ "${list}" == yes ]]; then
    printf '%s\n' "${wanted[@]}"
    return 0
  fi
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    printf 'install-deps.sh: no apt-get here; install what these Debian packages hold yourself:\n' >&2
    printf '  %s\n' "${wanted[@]}" >&2
    return 1
  fi

  local missing=()
  for package in "${wanted[@]}"; do
    is_installed "${package}" || missing+=("${package}")
  done
  if ((${#missing[@]} == 0)); then
    printf 'All %d packages are installed.\n' "${#wanted[@]}"
    return 0
  fi

  local as_root=()
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      printf 'install-deps.sh: needs root to install: %s\n' "${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  printf 'Installing: %s\n' "${missing[*]}"
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "${missing[@]}"
}

main "$@"
