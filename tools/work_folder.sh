# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For scripts that show Furrow at work in a folder of their own, to be sourced: what they say, and that folder, which
# only a script that has made it removes. Their name and the folder are `script` and `work`.

say() {
  printf '\n== %s\n' "$*"
}

fail() {
  printf '\n%s: error: %s\n' "${script:?}" "$*" >&2
  exit 1
}

# prepare_work VARIABLE LEAST: makes the folder anew, with so many bytes of space. VARIABLE is what names another one.
prepare_work() {
  local variable="$1" least="$2" available
  local marker=".made-by-furrow-${script%.sh}"
  if [[ -e "${work:?}" || -L "${work}" ]]; then
    [[ -f "${work}/${marker}" ]] ||
      fail "${work} exists and was not made by this script; remove it or set ${variable}"
    rm -rf -- "${work}"
  fi
  mkdir -p -- "${work}"
  work="$(cd "${work}" && pwd)"
  touch -- "${work}/${marker}"
  available="$(df --output=avail -B1 "${work}" | tail -n 1)"
  ((available >= least)) || fail "${work} has ${available} bytes of free space, ${least} are needed"
}
