#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything that a machine with a CUDA card is needed for, in one command and under nine minutes: in a
# folder made by gpu_bundle.sh, or in the sources, where it builds first.
#
# Made to be cut off: the most valuable steps come first, and what is there so far is put together
# whenever the script ends.
set -uo pipefail

usage() {
  cat <<'TEXT'
usage: gpu_check.sh [--build DIR] [--out DIR] [--only quick]
       gpu_check.sh --compare DIR2 [--build DIR] [--out DIR]

Says whether Furrow is right on the card of this machine, and how fast: the card proves itself, proof
tables, records, golden vectors, benchmarks with clocks and power beside them, a profile, all suites,
compute-sanitizer. In a bundle (gpu_bundle.sh) it uses the programs of the bundle; elsewhere it builds
Furrow for the card first. Each step has a time limit; one that fails does not keep the others from
running, but makes the exit code 1. Logs, raw results and gpu_check.json come into one folder, and all of
it into an archive beside it, also when the script is interrupted.

  --build DIR     use the programs in DIR/bin
  --out DIR       where results go (default: gpu_check_DATE here); the archive is DIR.tar.gz
  --only quick    what is worth most, in two minutes
  --compare DIR2  run the benchmarks of this bundle and of DIR2 by turns, and print their ratios

Exit code: 0 all is well, 1 something failed, 2 wrong usage, 77 not possible here: no card, or the
programs have no code for it.
TEXT
}

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
readonly here
readonly not_possible=77
readonly errors_found=99  # by compute-sanitizer, which else ends like the program
readonly suites=(test_device_proof_tables test_device_records test_device_kernels)
readonly programs=(furrow bench_cuda bench_encoder "${suites[@]}")
readonly most_archive_bytes=$((16 * 1000 * 1000))
# One whole record of a small K, and grids that finish under racecheck. No two words of one pattern.
readonly small_record='CudaSmallRecord.*'
readonly small_grids='CudaErasure.Every*:CudaErasure.Random*:CudaErasure.Small*:CudaMatchPair.Sizes*'

# For the script's own test, which has no minute for a program that hangs.
readonly most_step_seconds="${GPU_CHECK_MOST_STEP_SECONDS:-600}"

total_seconds=525
work=""
bin=""
golden=""
commit=unknown
failed=no
child=""

say() {
  printf '\n== %s\n' "$*"
}

# record NAME STATUS SECONDS: remembers how a step ended: passed, failed, skipped, or not_possible.
record() {
  printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"${work}/steps.tsv"
  if [[ "$2" == failed ]]; then
    failed=yes
  fi
  write_json
}

# What there is without Python: steps and card. gpu_check_report.py puts more in its place in the end.
write_json() {
  local name status seconds separator=""
  {
    printf '{"commit": "%s", "partial": true, "steps": [' "${commit}"
    while IFS=$'\t' read -r name status seconds; do
      printf '%s\n {"step": "%s", "status": "%s", "seconds": %s}' "${separator}" "${name}" "${status}" \
        "${seconds}"
      separator=,
    done <"${work}/steps.tsv"
    printf ']}\n'
  } >"${work}/gpu_check.json"
}

# run_limited SECONDS LOG COMMAND...: in the background, so that a signal to this script is heard at once.
run_limited() {
  local limit="$1" log="$2" status=0
  shift 2
  timeout --kill-after=5 "${limit}" "$@" >"${log}" 2>&1 &
  child=$!
  wait "${child}" || status=$?
  child=""
  return "${status}"
}

# The limit of a step that may take $1 seconds: no more than is left.
seconds_for() {
  local limit="$1" left=$((total_seconds - SECONDS))
  limit=$((left < limit ? left : limit))
  printf '%s\n' "$((most_step_seconds < limit ? most_step_seconds : limit))"
}

# step NAME LIMIT COMMAND...: runs a command with a time limit, output to a log of its own. The exit code
# is the command's, 124 or 137 when it was not finished.
step() {
  local name="$1" limit start status=0
  limit="$(seconds_for "$2")"
  shift 2
  if ((limit <= 0)); then
    say "${name}: no time left"
    record "${name}" failed 0
    return 124
  fi
  say "${name} (at most ${limit} s)"
  start=${SECONDS}
  run_limited "${limit}" "${work}/${name}.log" "$@" || status=$?
  tail -n 4 "${work}/${name}.log"
  # The suites say by 77 that there is no device: with a card that is a failure.
  if ((status == 0)); then
    record "${name}" passed $((SECONDS - start))
  elif [[ "${is_tool:-no}" == yes ]] && ((status != 124 && status != 137)); then
    printf '%s: not possible here, log %s\n' "${name}" "${work}/${name}.log"
    record "${name}" not_possible $((SECONDS - start))
  else
    if ((status == 124 || status == 137)); then
      printf '%s: not finished after %s s\n' "${name}" "${limit}"
    else
      printf '%s: exit code %s, log %s\n' "${name}" "${status}" "${work}/${name}.log"
    fi
    record "${name}" failed $((SECONDS - start))
  fi
  return "${status}"
}

# A step with a tool that may be unable to run here: without the right to read counters, say, or on a card
# or a driver that it does not know. That is nothing that Furrow could mend.
tool_step() {
  local is_tool=yes
  step "$@"
}

not_possible_here() {
  say "$1: not possible here: $2"
  record "$1" not_possible 0
}

# Where a tool of the CUDA toolkit is; nothing when it is not installed.
find_tool() {
  command -v "$1" || { [[ -x "/usr/local/cuda/bin/$1" ]] && printf '%s\n' "/usr/local/cuda/bin/$1"; }
}

# --- Before anything else: can it be done here? ---

# Ends the script unless all programs are there with all their libraries.
require_libraries() {
  local program found status=passed
  say libraries
  for program in "${programs[@]}"; do
    if ! found="$(timeout 20 ldd "${bin}/${program}" 2>&1)" || grep -q 'not found' <<<"${found}"; then
      printf '%s: %s\n' "${program}" "$(grep -v '=> /' <<<"${found}")"
      status=failed
    fi
    printf '%s\n%s\n' "${program}" "${found}" >>"${work}/libraries.log"
  done
  if ! found="$(timeout 20 "${bin}/furrow" --version 2>&1)"; then
    printf 'furrow does not start: %s\n' "${found}"
    status=failed
  fi
  record libraries "${status}" 0
  if [[ "${status}" == failed ]]; then
    finish 1
  fi
}

# Capabilities of the cards, such as 90, a line each; nothing when there is none.
capabilities() {
  timeout --kill-after=5 60 "${bin}/furrow" devices --json 2>/dev/null |
    grep -o '"compute_capability":"[0-9.]*"' | tr -d -c '0-9\n'
}

# What the programs were compiled for, such as 90, a line each; nothing when that cannot be known.
architectures() {
  if [[ -f "${bin}/../architectures" ]]; then
    cat "${bin}/../architectures"
  elif [[ -f "${bin}/../CMakeCache.txt" ]]; then
    sed -n 's/^CMAKE_CUDA_ARCHITECTURES:[A-Z]*=//p' "${bin}/../CMakeCache.txt" | tr ';' '\n'
  fi | sed 's/-.*//'
}

# Whether the programs have code, not PTX, for a card of capability $1: that of its own architecture, or
# an older one of the same generation. Of programs for many cards the tests are PTX alone.
have_code_for() {
  local card="$1" built
  built="$(architectures)"
  if [[ -z "${built}" ]]; then
    printf 'what the programs were compiled for is not known\n'
    return 0
  fi
  if [[ "$(wc -l <<<"${built}")" -gt 1 ]]; then
    printf 'the programs are for several architectures, so the tests would run what the driver makes of PTX\n'
    return 1
  fi
  printf 'the programs are for sm_%s, the card is sm_%s\n' "${built}" "${card}"
  [[ "${built%?}" == "${card%?}" ]] && ((built <= card))
}

# Its log is what the report reads about the card.
describe_card() {
  local fields=name,uuid,driver_version,compute_cap,memory.total,clocks.max.sm,clocks.max.memory
  fields+=,clocks.sm,clocks.mem,power.limit,temperature.gpu
  if [[ -z "$(find_tool nvidia-smi)" ]]; then
    not_possible_here card "nvidia-smi is not installed"
    return
  fi
  step card 20 nvidia-smi --id=0 --query-gpu="${fields}" --format=csv,nounits
}

# Ends the script when there is nothing to be done here.
require_card() {
  local found why
  found="$(capabilities | head -n 1)"
  if [[ -z "${found}" ]]; then
    "${bin}/furrow" devices 2>&1 | tail -n 2
    not_possible_here device "no CUDA card can be seen"
    finish "${not_possible}"
  fi
  describe_card
  if ! why="$(have_code_for "${found}")"; then
    not_possible_here code "${why}"
    finish "${not_possible}"
  fi
  if ! step device 60 "${bin}/furrow" devices --check; then
    finish 1
  fi
}

# --- The steps ---

build() {
  local architecture root
  root="$(dirname "${here}")"
  architecture="$(nvidia-smi --id=0 --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | tr -d '. ')"
  if [[ -z "${architecture}" ]]; then
    not_possible_here build "nvidia-smi shows no card to build for"
    finish "${not_possible}"
  fi
  step configure 60 cmake -S "${root}" -B "${bin%/bin}" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DFURROW_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES="${architecture}"
  step build 240 cmake --build "${bin%/bin}" --parallel "$(nproc)" \
    --target furrow_cli bench_cuda bench_encoder "${suites[@]}"
}

run_suite() {
  step "$1" 60 "${bin}/$1" --gtest_output="json:${work}/$1.json"
}

run_vectors() {
  step "vectors.$1" 40 "${bin}/furrow" vectors --encoder cuda "${golden}/$1.json"
}

# run_with_clocks NAME LIMIT COMMAND...: a step with clocks and power logged beside it, five times a second.
run_with_clocks() {
  local logger=""
  if [[ -n "$(find_tool nvidia-smi)" ]]; then
    nvidia-smi --id=0 --loop-ms=200 --format=csv,nounits \
      --query-gpu=timestamp,clocks.sm,clocks.mem,power.draw,temperature.gpu \
      >"${work}/clocks.$1.csv" 2>&1 &
    logger=$!
  fi
  step "$@"
  if [[ -n "${logger}" ]]; then
    kill "${logger}" 2>/dev/null
    wait "${logger}" 2>/dev/null
  fi
}

# run_bench NAME LIMIT PROGRAM FILTER REPETITIONS
run_bench() {
  run_with_clocks "$1" "$2" "${bin}/$3" --benchmark_filter="$4" --benchmark_repetitions="$5" \
    --benchmark_out="${work}/$1.json" --benchmark_out_format=json
}

run_profile() {
  local ncu
  ncu="$(find_tool ncu)"
  if [[ -z "${ncu}" ]]; then
    not_possible_here profile "ncu is not installed"
    return
  fi
  tool_step profile 60 "${ncu}" --kernel-name 'regex:make_table' --launch-count 6 --set full \
    --export "${work}/make_table" --force-overwrite \
    "${bin}/bench_cuda" '--benchmark_filter=^record/batch:1/streams:1'
}

# Whether a tool of compute-sanitizer can run a program at all: it may not know the card or the driver.
can_sanitize() {
  local limit
  limit="$(seconds_for 30)"
  # Without time its steps say so.
  ((limit <= 0)) || run_limited "${limit}" "${work}/$1.probe.log" "${sanitizer}" --tool "$1" \
    --error-exitcode "${errors_found}" "${bin}/furrow" devices
}

run_sanitizer() {
  local tool sanitizer
  sanitizer="$(find_tool compute-sanitizer)"
  for tool in memcheck racecheck synccheck; do
    if [[ -z "${sanitizer}" ]]; then
      not_possible_here "${tool}" "compute-sanitizer is not installed"
    elif ! can_sanitize "${tool}"; then
      not_possible_here "${tool}" "compute-sanitizer cannot run a program, see ${work}/${tool}.probe.log"
    else
      sanitize "${tool}" record test_device_records "${small_record}"
      sanitize "${tool}" kernels test_device_kernels "${small_grids}"
    fi
  done
}

# sanitize TOOL WHAT SUITE FILTER
sanitize() {
  step "$1.$2" 60 "${sanitizer}" --tool "$1" --error-exitcode "${errors_found}" "${bin}/$3" \
    --gtest_filter="$4"
}

run_all() {
  run_suite test_device_proof_tables
  run_suite test_device_records
  run_vectors pos
  if [[ "$1" == quick ]]; then
    run_bench bench_cuda 40 bench_cuda '^(record/batch:8/streams:3|sector)' 1
    return
  fi
  run_bench bench_cuda 90 bench_cuda '^(record|sector)/' 3
  run_profile
  run_suite test_device_kernels
  run_vectors record_encoding
  run_vectors sector
  run_bench bench_cuda_kernels 60 bench_cuda '^(kernel|transfer)/' 3
  run_bench bench_encoder 40 bench_encoder \
    'proofs|erasure_extend|record/threads:1|blake3|sector_layout' 1
  run_sanitizer
}

# --- Two bundles ---

# Median of each figure of bundle $1 in all rounds: name, value.
medians() {
  cat "${work}/compare.$1."*.csv | awk -F, '
    $1 ~ /^"/ && $3 + 0 > 0 { name = $1; gsub(/"/, "", name); n[name]++; v[name, n[name]] = $3 + 0 }
    END {
      for (name in n) {
        for (i = 2; i <= n[name]; i++) {
          for (j = i; j > 1 && v[name, j] < v[name, j - 1]; j--) {
            t = v[name, j]; v[name, j] = v[name, j - 1]; v[name, j - 1] = t
          }
        }
        print name "\t" v[name, int((n[name] + 1) / 2)]
      }
    }' | sort
}

compare() {
  local other="$1" round bundle
  for round in 1 2 3; do
    for bundle in a b; do
      local programs_of="${bin}"
      [[ "${bundle}" == b ]] && programs_of="${other}/bin"
      step "compare.${bundle}.${round}" 80 "${programs_of}/bench_cuda" \
        '--benchmark_filter=^(record|sector|kernel)/' \
        --benchmark_out="${work}/compare.${bundle}.${round}.csv" --benchmark_out_format=csv
    done
  done
  say "Ratios: the time of ${other} by the time of ${bin%/bin}"
  join -t $'\t' <(medians a) <(medians b) |
    awk -F '\t' '{ printf "%-42s %12.4f %12.4f %8.3f\n", $1, $2, $3, $3 / $2 }' | tee "${work}/ratios.txt"
}

# --- The end ---

# One archive, without the largest files when it would be too large.
pack() {
  local folder name largest
  folder="$(dirname "${work}")"
  name="$(basename "${work}")"
  tar -C "${folder}" -czf "${work}.tar.gz" "${name}"
  while (($(stat -c %s "${work}.tar.gz") > most_archive_bytes)); do
    largest="$(find "${work}" -type f ! -name '*.left_out' -size +0 -printf '%s\t%p\n' | sort -n | tail -n 1 |
      cut -f 2)"
    printf '%s is not in the archive\n' "${largest}"
    mv "${largest}" "${largest}.left_out"
    tar -C "${folder}" --exclude='*.left_out' -czf "${work}.tar.gz" "${name}"
  done
}

# finish CODE: puts everything together and ends the script, with 1 in place of 0 when a step failed.
finish() {
  trap - EXIT INT TERM HUP
  if [[ -n "${child}" ]]; then
    kill "${child}" 2>/dev/null
    failed=yes
  fi
  say "Results"
  if ! command -v python3 >/dev/null; then
    printf 'without Python there is no table; gpu_check.json names the steps\n'
    cat "${work}/steps.tsv"
  elif ! python3 -B "${here}/gpu_check_report.py" --work "${work}" --commit "${commit}" \
    --out "${work}/gpu_check.json"; then
    failed=yes
  fi
  pack
  printf '\nEverything in %s and %s.tar.gz\n' "${work}" "${work}"
  if (($1 != 0)); then
    exit "$1"
  fi
  if [[ "${failed}" == yes ]]; then
    exit 1
  fi
  exit 0
}

# The programs of a bundle lie beside the script, those of the sources in a build folder.
find_programs() {
  local build_folder="$1" root
  root="$(dirname "${here}")"
  if [[ -f "${here}/architectures" ]]; then
    golden="${here}/golden"
    commit="$(cat "${here}/commit")"
    bin="${here}/bin"
  else
    golden="${root}/tests/golden"
    commit="$(git -C "${root}" describe --always --dirty 2>/dev/null || printf unknown)"
    bin="${root}/build/gpu_check/bin"
  fi
  if [[ -n "${build_folder}" ]]; then
    bin="${build_folder}/bin"
  elif [[ ! -f "${here}/architectures" ]]; then
    build
  fi
}

make_work_folder() {
  work="${1:-gpu_check_$(date +%Y%m%d_%H%M%S)_$$}"
  if ! mkdir -p "${work}" || [[ -e "${work}/steps.tsv" ]]; then
    printf 'gpu_check.sh: %s has to be a new folder\n' "${work}" >&2
    exit 2
  fi
  work="$(cd "${work}" && pwd)"
  : >"${work}/steps.tsv"
  printf 'Results go to %s\n' "${work}"
}

wrong_usage() {
  printf 'gpu_check.sh: %s\n' "$1" >&2
  usage >&2
  exit 2
}

main() {
  local out="" only=all other="" build_folder=""
  while (($# > 0)); do
    case "$1" in
      -h | --help)
        usage
        return 0
        ;;
      --build | --out | --only | --compare)
        (($# >= 2)) || wrong_usage "$1 needs a value"
        ;;&
      --build) build_folder="$2" ;;
      --out) out="$2" ;;
      --only)
        [[ "$2" == quick ]] || wrong_usage "--only: expected quick, actual $2"
        only=quick
        ;;
      --compare) other="$2" ;;
      *) wrong_usage "unknown argument: $1" ;;
    esac
    shift 2
  done
  if [[ -n "${other}" && ! -x "${other}/bin/bench_cuda" ]]; then
    wrong_usage "--compare: there is no ${other}/bin/bench_cuda"
  fi
  if [[ "${only}" == quick ]]; then
    total_seconds=110
  fi

  make_work_folder "${out}"
  trap 'failed=yes; finish 1' INT TERM HUP
  trap 'finish 0' EXIT
  find_programs "${build_folder}"
  require_libraries
  require_card
  if [[ -n "${other}" ]]; then
    compare "${other}"
  else
    run_all "${only}"
  fi
}

main "$@"
