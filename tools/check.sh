#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds Furrow and runs its tests, from a bare clone to ctest's summary.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: tools/check.sh [--preset NAME] [--quick | --long] [--sanitizers]

Installs missing packages, builds a preset, and runs all of its tests but those labelled `long` or `manual`.

  --preset NAME   what to build and test: release (default), debug, cpu, asan or tsan
  --quick         also without the tests labelled `slow`
  --long          also those labelled `long`, which take minutes each and find what changes seldom
  --sanitizers    afterwards also the unit, C interface and harness tests under asan and tsan, from builds of
                  their own
TEXT
}

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly root
jobs="$(nproc)"
readonly jobs

say() {
  printf '\n== %s\n' "$*"
}

# Runs a command that starts instrumented programs. ThreadSanitizer of GCC 12 cannot place its memory
# where the kernel randomises more address bits than it expects, so these run without randomisation
# where that is allowed.
run_instrumented() {
  local preset="$1" machine
  shift
  machine="$(uname -m)"
  if [[ "${preset}" == tsan ]] && setarch "${machine}" -R true 2>/dev/null; then
    setarch "${machine}" -R "$@"
  else
    "$@"
  fi
}

# check PRESET CTEST_OPTION...
check() {
  local preset="$1"
  shift
  say "Configuring and building ${preset} with ${jobs} jobs"
  cmake --preset "${preset}"
  run_instrumented "${preset}" cmake --build --preset "${preset}" --parallel "${jobs}"
  say "Testing ${preset}"
  run_instrumented "${preset}" ctest --preset "${preset}" --parallel "${jobs}" \
    --no-tests=error "$@"
}

main() {
  local preset=release sanitizers=no excluded='manual|long'
  while (($# > 0)); do
    case "$1" in
      --preset)
        if (($# < 2)); then
          printf 'check.sh: --preset needs a name\n' >&2
          return 2
        fi
        preset="$2"
        shift
        ;;
      --quick) excluded='manual|long|slow' ;;
      --long) excluded=manual ;;
      --sanitizers) sanitizers=yes ;;
      -h | --help)
        usage
        return 0
        ;;
      *)
        printf 'check.sh: unknown argument: %s\n' "$1" >&2
        usage >&2
        return 2
        ;;
    esac
    shift
  done

  cd "${root}"
  tools/install-deps.sh --test
  check "${preset}" --label-exclude "^(${excluded})$"
  if [[ "${sanitizers}" == yes ]]; then
    check asan --label-regex '^(unit|capi|simt)$' --label-exclude '^(manual|long|slow|e2e)$'
    check tsan --label-regex '^(unit|capi|simt)$' --label-exclude '^(manual|long|slow|e2e)$'
  fi
}

main "$@"
