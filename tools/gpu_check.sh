#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything that a machine with a CUDA card is needed for, in one command and under nine minutes.
set -uo pipefail

usage() {
  cat <<'TEXT'
usage: tools/gpu_check.sh [--build DIR] [--out FILE] [--quick]

Builds Furrow for the card in this machine, runs the CUDA test suites, the golden vectors and
compute-sanitizer on small grids, and measures kernels, records and sectors. Writes everything to
one JSON file and prints a short table. Each step has a time limit; a step that fails does not keep
the others from running, but makes the exit code 1.

  --build DIR   use the programs in DIR/bin instead of building
  --out FILE    where the JSON goes (default: gpu_check.json)
  --quick       without benchmarks
TEXT
}

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly root
readonly total_seconds=525
suites=(test_device_kernels test_device_proof_tables test_device_records)
readonly suites
vectors=(pos.json record_encoding.json sector.json)
readonly vectors
# Tests on small grids, which finish under compute-sanitizer too. No two words of one pattern.
readonly small_grids='CudaErasure.Every*:CudaErasure.Random*:CudaErasure.Small*:CudaHashMany.Every*:CudaHashMany.Small*:CudaSectorAssembly.TooFewProofs:CudaMatchPair.Sizes*'

work=""
results=""
bin=""
build_folder=""
failed=no

say() {
  printf '\n== %s\n' "$*"
}

# record NAME STATUS SECONDS: remembers how a step ended; STATUS is passed, failed or skipped.
record() {
  printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"${results}"
  if [[ "$2" == failed ]]; then
    failed=yes
  fi
}

# step NAME LIMIT COMMAND...: runs a command with a time limit, output to a log of its own.
step() {
  local name="$1" limit="$2" start left status=0
  shift 2
  left=$((total_seconds - SECONDS))
  if ((left < limit)); then
    limit=${left}
  fi
  if ((limit <= 0)); then
    say "${name}: no time left"
    record "${name}" failed 0
    return
  fi
  say "${name} (at most ${limit} s)"
  start=${SECONDS}
  timeout --kill-after=5 "${limit}" "$@" >"${work}/${name}.log" 2>&1 || status=$?
  tail -n 4 "${work}/${name}.log"
  case "${status}" in
    0) record "${name}" passed $((SECONDS - start)) ;;
    77)
      # The suites' way to say that there is no device: with a card that is a failure.
      record "${name}" failed $((SECONDS - start))
      ;;
    124 | 137)
      printf '%s: not finished after %s s\n' "${name}" "${limit}"
      record "${name}" failed $((SECONDS - start))
      ;;
    *)
      printf '%s: exit code %s, log %s\n' "${name}" "${status}" "${work}/${name}.log"
      record "${name}" failed $((SECONDS - start))
      ;;
  esac
}

skip() {
  say "$1: skipped, $2"
  record "$1" skipped 0
}

# Its log is what the report reads about the card.
describe_card() {
  local fields=name,uuid,driver_version,compute_cap,memory.total,clocks.max.sm,clocks.max.memory
  fields+=,clocks.sm,clocks.mem,power.limit,temperature.gpu
  step card 20 nvidia-smi --id=0 --query-gpu="${fields}" --format=csv,nounits
}

build() {
  local architecture
  architecture="$(nvidia-smi --id=0 --query-gpu=compute_cap --format=csv,noheader | tr -d '. ')"
  step configure 60 cmake -S "${root}" -B "${build_folder}" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DFURROW_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES="${architecture:-native}"
  step build 240 cmake --build "${build_folder}" --parallel "$(nproc)" \
    --target furrow_cli bench_cuda bench_encoder "${suites[@]}"
}

run_suites() {
  local suite
  for suite in "${suites[@]}"; do
    step "${suite}" 60 "${bin}/${suite}" --gtest_output="json:${work}/${suite}.json"
  done
}

run_vectors() {
  local file
  for file in "${vectors[@]}"; do
    step "vectors.${file%.json}" 40 \
      "${bin}/furrow" vectors --encoder cuda "${root}/tests/golden/${file}"
  done
}

run_sanitizer() {
  local tool sanitizer
  sanitizer="$(command -v compute-sanitizer || true)"
  if [[ -z "${sanitizer}" && -x /usr/local/cuda/bin/compute-sanitizer ]]; then
    sanitizer=/usr/local/cuda/bin/compute-sanitizer
  fi
  for tool in memcheck racecheck; do
    if [[ -z "${sanitizer}" ]]; then
      skip "${tool}" "compute-sanitizer is not installed"
    else
      step "${tool}" 60 "${sanitizer}" --tool "${tool}" --error-exitcode 1 \
        "${bin}/test_device_kernels" --gtest_filter="${small_grids}"
    fi
  done
}

run_benchmarks() {
  step bench_cuda 120 "${bin}/bench_cuda" --benchmark_repetitions=3 \
    --benchmark_out="${work}/bench_cuda.json" --benchmark_out_format=json
  step bench_encoder 40 "${bin}/bench_encoder" --benchmark_min_time=0.2 \
    '--benchmark_filter=proofs|erasure_extend|record/threads:1|blake3|sector_layout' \
    --benchmark_out="${work}/bench_encoder.json" --benchmark_out_format=json
}

main() {
  local out=gpu_check.json quick=no built=no
  build_folder="${root}/build/gpu_check"
  while (($# > 0)); do
    case "$1" in
      --build | --out)
        if (($# < 2)); then
          printf 'gpu_check.sh: %s needs a value\n' "$1" >&2
          return 2
        fi
        if [[ "$1" == --build ]]; then
          build_folder="$2"
          built=yes
        else
          out="$2"
        fi
        shift
        ;;
      --quick) quick=yes ;;
      -h | --help)
        usage
        return 0
        ;;
      *)
        printf 'gpu_check.sh: unknown argument: %s\n' "$1" >&2
        usage >&2
        return 2
        ;;
    esac
    shift
  done

  work="$(mktemp -d)"
  results="${work}/steps.tsv"
  bin="${build_folder}/bin"
  : >"${results}"

  describe_card
  if [[ "${built}" == no ]]; then
    build
  fi
  run_suites
  run_vectors
  run_sanitizer
  if [[ "${quick}" == no ]]; then
    run_benchmarks
  fi

  say "Results"
  local commit
  commit="$(git -C "${root}" describe --always --dirty 2>/dev/null || printf unknown)"
  if ! python3 -B "${root}/tools/gpu_check_report.py" --work "${work}" --commit "${commit}" \
    --out "${out}"; then
    failed=yes
  fi
  printf '\nEverything in %s, logs in %s\n' "${out}" "${work}"
  [[ "${failed}" == no ]]
}

main "$@"
