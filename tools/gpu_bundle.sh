#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes a folder that tests and measures Furrow on a machine with a card: on a machine without one.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: tools/gpu_bundle.sh [--architecture NUMBER] [--build DIR | --built DIR] [--jobs N] DIR

Builds Furrow for one kind of card and puts into DIR what tools/gpu_check.sh needs: programs, the shared
libraries that they need beside those of the C library, vectors, scripts. DIR runs on any x86-64 Linux
whose glibc is not older than this machine's, with nothing installed but the NVIDIA driver: DIR/gpu_check.sh

  --architecture NUMBER  compute capability without its point (default: 90)
  --build DIR            where to build (default: build/gpu_bundle)
  --built DIR            builds nothing: the programs are in DIR/bin, for that architecture
  --jobs N               compilers at a time (default: one for each processor)
TEXT
}

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly root
readonly most_bytes=$((48 * 1000 * 1000))
readonly suites=(test_device_proof_tables test_device_records test_device_kernels)
readonly programs=(furrow bench_cuda bench_encoder "${suites[@]}")
# Of the machine that it runs on: the C library, which the kernel's loader belongs to, and the driver.
readonly of_the_machine='^(ld-linux.*|lib(c|m|pthread|dl|rt|resolv|util|anl|mvec|nsl|nss_.*|thread_db|BrokenLocale)|libcuda|libnvidia-.*)[.]so'

wrong_usage() {
  printf 'gpu_bundle.sh: %s\n' "$1" >&2
  usage >&2
  exit 2
}

# The programs look for libraries beside themselves, and so do those libraries: for that it has to be the
# old kind of path (DT_RPATH).
build() {
  local architecture="$1" folder="$2" jobs="$3"
  cmake -S "${root}" -B "${folder}" -G Ninja -DCMAKE_BUILD_TYPE=Release -DFURROW_CUDA=ON \
    -DFURROW_HTTP=OFF -DFURROW_NATS=OFF -DCMAKE_CUDA_ARCHITECTURES="${architecture}-real" \
    -DCMAKE_BUILD_RPATH="\$ORIGIN/../lib" -DCMAKE_EXE_LINKER_FLAGS=-Wl,--disable-new-dtags
  cmake --build "${folder}" --parallel "${jobs}" \
    --target furrow_cli bench_cuda bench_encoder "${suites[@]}"
}

# Paths of all shared libraries that a program needs and that have to come along.
libraries_of() {
  local name path
  ldd "$1" | sed -n 's/^[[:space:]]*\([^ ]*\) => \(\/[^ ]*\).*/\1 \2/p' | while read -r name path; do
    if [[ ! "${name}" =~ ${of_the_machine} ]]; then
      printf '%s\t%s\n' "${name}" "${path}"
    fi
  done
}

copy_programs() {
  local built="$1" to="$2" program
  mkdir -p "${to}/bin" "${to}/lib"
  for program in "${programs[@]}"; do
    if ldd "${built}/${program}" | grep 'not found'; then
      printf 'gpu_bundle.sh: %s lacks libraries here\n' "${program}" >&2
      return 1
    fi
    strip -o "${to}/bin/${program}" "${built}/${program}"
  done
}

copy_libraries() {
  local built="$1" to="$2" program name path
  for program in "${programs[@]}"; do
    libraries_of "${built}/${program}"
  done | sort -u | while IFS=$'\t' read -r name path; do
    strip --strip-unneeded -o "${to}/lib/${name}" "${path}"
  done
}

copy_rest() {
  local to="$1" architecture="$2" vectors
  mkdir -p "${to}/golden"
  for vectors in pos record_encoding sector; do
    cp "${root}/tests/golden/${vectors}.json" "${to}/golden/"
  done
  cp "${root}/tools/gpu_check.sh" "${root}/tools/gpu_check_report.py" "${to}/"
  printf '%s\n' "${architecture}" >"${to}/architectures"
  git -C "${root}" describe --always --dirty >"${to}/commit" 2>/dev/null ||
    printf 'unknown\n' >"${to}/commit"
}

main() {
  local architecture=90 folder="${root}/build/gpu_bundle" builds=yes jobs to="" n_bytes
  jobs="$(nproc)"
  while (($# > 0)); do
    case "$1" in
      -h | --help)
        usage
        return 0
        ;;
      --architecture | --build | --built | --jobs)
        (($# >= 2)) || wrong_usage "$1 needs a value"
        ;;&
      --architecture) architecture="$2" ;;
      --build) folder="$2" ;;
      --built)
        folder="$2"
        builds=no
        ;;
      --jobs) jobs="$2" ;;
      -*) wrong_usage "unknown argument: $1" ;;
      *)
        [[ -z "${to}" ]] || wrong_usage "expected one folder, actual ${to} and $1"
        to="$1"
        shift
        continue
        ;;
    esac
    shift 2
  done
  [[ -n "${to}" ]] || wrong_usage "needs a folder"
  [[ "${architecture}" =~ ^[0-9]+$ ]] || wrong_usage "--architecture: expected a number such as 90"
  if [[ -e "${to}" && -n "$(ls -A "${to}")" ]]; then
    wrong_usage "${to} has to be empty"
  fi

  if [[ "${builds}" == yes ]]; then
    build "${architecture}" "${folder}" "${jobs}"
  fi
  copy_programs "${folder}/bin" "${to}"
  copy_libraries "${folder}/bin" "${to}"
  copy_rest "${to}" "${architecture}"
  n_bytes="$(du -sb "${to}" | cut -f 1)"
  if ((n_bytes > most_bytes)); then
    printf 'gpu_bundle.sh: expected at most %s bytes, actual %s\n' "${most_bytes}" "${n_bytes}" >&2
    return 1
  fi
  printf '%s: %s bytes, for sm_%s; run %s/gpu_check.sh there\n' "${to}" "${n_bytes}" "${architecture}" \
    "${to}"
}

main "$@"
