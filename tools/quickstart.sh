#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole of Furrow on real files: archive them, plot the archive into a farm, delete everything but the
# farm and the manifest, get the files back from the farm alone, and compare.
set -euo pipefail
export LC_ALL=C

usage() {
  cat <<'TEXT'
usage: tools/quickstart.sh [FILE...]

Builds Furrow and takes the given files (regular files or directories) through archive, plot and extract.
Without arguments it chooses about 160 MB of files of this machine itself. Two processors need some
minutes, and the work directory about 2 GB.

  FURROW_QUICKSTART_DIR   work directory, default build/quickstart; one that an earlier run made is
                          replaced, any other is left alone
TEXT
}

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly root
readonly script=quickstart.sh
# shellcheck source=tools/work_folder.sh
source "${root}/tools/work_folder.sh"
work="${FURROW_QUICKSTART_DIR:-${root}/build/quickstart}"
# A record costs the same in sectors of any size; small ones show more often how far it is.
readonly pieces_in_sector=16
# What is chosen must fill more than one segment of 128 MiB.
readonly wanted_bytes=160000000
readonly least_bytes=150000000
readonly least_space=2000000000
readonly furrow="${root}/build/release/bin/furrow"

owns_work=no
running=
store_size=
stage_names=()
stage_seconds=()

# Runs a command or function in a process group of its own, so that an interruption ends all of it at
# once.
run() {
  set -m
  "$@" </dev/null &
  running=$!
  set +m
  wait "${running}"
  running=
}

# Runs a command as a stage of the summary.
stage() {
  local name="$1" start="${EPOCHREALTIME}"
  shift
  say "${name}"
  run "$@"
  stage_names+=("${name}")
  stage_seconds+=("$(awk -v a="${start}" -v b="${EPOCHREALTIME}" 'BEGIN { printf "%.1f", b - a }')")
}

# Interrupted: end what runs and leave nothing half-made.
on_interrupt() {
  trap '' INT TERM
  printf '\n' >&2
  if [[ -n "${running}" ]]; then
    kill -TERM -- "-${running}" 2>/dev/null || true
    wait "${running}" || true
  fi
  printf 'quickstart.sh: interrupted' >&2
  if [[ "${owns_work}" == yes ]]; then
    rm -rf -- "${work}"
    printf '; %s is removed' "${work}" >&2
  fi
  printf '\n' >&2
  exit 130
}

on_exit() {
  local code="$1"
  if ((code != 0 && code != 130)); then
    printf '\nquickstart.sh: FAILED with exit code %s' "${code}" >&2
    if [[ "${owns_work}" == yes ]]; then
      printf '; what there is lies in %s' "${work}" >&2
    fi
    printf '\n' >&2
  fi
}

# Prints a deterministic choice of this machine's files, relative to /, a zero byte behind each: of all
# readable regular files of moderate size, sorted by path, every n-th, so that small and large ones of all
# kinds are among them.
choose_files() {
  python3 - "${wanted_bytes}" "${least_bytes}" <<'PYTHON'
import os
import stat
import sys

wanted, least = int(sys.argv[1]), int(sys.argv[2])
files = []
for top in ("/usr/bin", "/usr/share", "/usr/lib", "/usr/include"):
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            if not stat.S_ISREG(status.st_mode) or status.st_size > 32_000_000:
                continue
            try:
                path.encode("utf-8")
            except UnicodeEncodeError:
                continue
            if os.access(path, os.R_OK):
                files.append((path, status.st_size))
files.sort()
total = sum(size for _, size in files)
if total < least:
    sys.exit(f"quickstart.sh: this machine has only {total} bytes of suitable files in /usr; "
             "name some files yourself")
for step in range(max(1, total // wanted), 0, -1):
    chosen = files[::step]
    n_bytes = sum(size for _, size in chosen)
    if n_bytes >= least:
        break
# Where large files happen to sit at the chosen places, it is too much: leave the first ones out.
for path, size in chosen:
    if n_bytes > 1.2 * wanted and n_bytes - size >= least:
        n_bytes -= size
    else:
        sys.stdout.buffer.write(os.fsencode(path[1:]) + b"\0")
PYTHON
}

# All regular files among and below the given paths, as choose_files prints them.
list_given_files() {
  local path absolute
  for path in "$@"; do
    absolute="$(realpath -e -- "${path}")" || fail "cannot find ${path}"
    find "${absolute}" -type f -print0
  done | sed -z 's|^/||' | sort -z -u
}

# Sums, and modification times with sizes, of the listed files below a directory: the same two lists for
# equal files.
describe_files() {
  local below="$1" name="$2"
  cd "${below}"
  xargs -0 -a "${work}/files" sha256sum -- >"${work}/sha256.${name}"
  xargs -0 -a "${work}/files" stat --printf '%.9Y %s %n\n' -- >"${work}/times.${name}"
}

# Copies the files with their full paths below one directory, so that equal names in different
# directories stay apart.
collect() {
  if (($# > 0)); then
    list_given_files "$@" >"${work}/files"
  else
    choose_files >"${work}/files"
  fi
  [[ -s "${work}/files" ]] || fail 'there is no regular file among the given ones'
  mkdir -- "${work}/source"
  (cd / && xargs -0 -a "${work}/files" \
    cp --parents --preserve=mode,timestamps -t "${work}/source" --)
  describe_files / original
  awk '{ bytes += $2; if (NR == 1 || $2 < least) least = $2; if ($2 > most) most = $2 }
       END { printf "Chosen: %d files, %.1f MB; the smallest has %d bytes, the largest %d\n",
                    NR, bytes / 1e6, least, most }' "${work}/times.original"
  tr '\0' '\n' <"${work}/files" |
    awk -F / '{ count[$1 "/" $2]++ } END { for (d in count) print "  /" d ": " count[d] " files" }' |
    sort | awk 'NR <= 20'
  printf 'All of them are listed in %s/sha256.original.\n' "${work}"
}

# From here on there is only the farm and the manifest.
remove_store() {
  mv -- "${work}/store/manifest.json" "${work}/manifest.json"
  rm -r -- "${work}/store" "${work}/source"
  printf 'The store with all pieces and the copies of the files are gone; left are the farm and %s.\n' \
    "${work}/manifest.json"
}

compare() {
  describe_files "${work}/extracted/source" extracted
  local list
  for list in sha256 times; do
    cmp -- "${work}/${list}.original" "${work}/${list}.extracted" || {
      diff -- "${work}/${list}.original" "${work}/${list}.extracted" | head -n 20 || true
      fail "extracted files differ from the originals (${list})"
    }
  done
  local listed found
  listed="$(tr -cd '\0' <"${work}/files" | wc -c)"
  found="$(find "${work}/extracted" -type f -printf x | wc -c)"
  ((listed == found)) || fail "expected ${listed} extracted files, actual ${found}"
  printf 'All %s files have the SHA-256 sums and modification times of the originals.\n' "${listed}"
}

size_of() {
  du -sb --apparent-size -- "$1" | awk '{ printf "%.1f MB", $1 / 1e6 }'
}

summarise() {
  local i n_files farm="${work}/farm"
  n_files="$(tr -cd '\0' <"${work}/files" | wc -c)"
  say 'Summary'
  printf '%s files went into a farm and came back from the farm alone, bit for bit.\n\n' "${n_files}"
  for i in "${!stage_names[@]}"; do
    printf '  %8s s  %s\n' "${stage_seconds[i]}" "${stage_names[i]}"
  done
  printf '\n  files      %s\n' "$(size_of "${work}/extracted")"
  printf '  store      %s (removed before the files were extracted)\n' "${store_size}"
  printf '  farm       %s in %s\n' "$(size_of "${farm}")" "${farm}"
  printf '  manifest   %s in %s\n' "$(size_of "${work}/manifest.json")" "${work}/manifest.json"
  printf '  extracted  %s\n' "${work}/extracted"
  cat <<TEXT

Look further:
  ${furrow} info --farm ${farm}
  ${furrow} scrub --farm ${farm}
  ${furrow} read --farm ${farm} --sector 0 --offset 0 --out ${work}/piece
  ${furrow} --help
TEXT
}

main() {
  if (($# > 0)) && [[ "$1" == -h || "$1" == --help ]]; then
    usage
    return 0
  fi
  local path
  for path in "$@"; do
    [[ -e "${path}" ]] || fail "cannot find ${path}"
  done
  trap on_interrupt INT TERM
  trap 'on_exit $?' EXIT
  "${root}/tools/install-deps.sh" # in the foreground: sudo may ask for a password
  stage 'Build' "${root}/tools/build_program.sh"
  prepare_work FURROW_QUICKSTART_DIR "${least_space}"
  owns_work=yes
  stage 'Collect files' collect "$@"
  stage 'Archive them into a store of pieces' \
    "${furrow}" archive --store "${work}/store" "${work}/source"
  store_size="$(size_of "${work}/store")"
  stage 'Plot a farm that holds the whole history' \
    "${furrow}" plot --farm "${work}/farm" --pieces "${work}/store" --until-covered \
    --pieces-in-sector "${pieces_in_sector}"
  stage 'Verify the farm' "${furrow}" scrub --farm "${work}/farm"
  stage 'Remove the store' remove_store
  stage 'Extract the files from the farm alone' \
    "${furrow}" extract --farm "${work}/farm" --manifest "${work}/manifest.json" \
    --out "${work}/extracted"
  stage 'Compare with the originals' compare
  summarise
}

main "$@"
