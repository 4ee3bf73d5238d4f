#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A cluster on this machine: a NATS server, a piece node, two plotters and a farm that they plot. Shows what
# each says, verifies the farm, and ends all of them.
set -euo pipefail
export LC_ALL=C

usage() {
  cat <<'TEXT'
usage: tools/cluster_demo.sh [FILE...]

Builds Furrow, makes a store of the given files (regular files or directories; some random bytes if none
are given), and lets two plotters of a cluster plot a farm of it. Two processors need about two minutes,
and the work directory 500 MB.

  FURROW_DEMO_DIR   work directory, default build/cluster-demo; one that an earlier run made is replaced, any
                    other is left alone
TEXT
}

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly root
readonly script=cluster_demo.sh
# shellcheck source=tools/work_folder.sh
source "${root}/tools/work_folder.sh"
work="${FURROW_DEMO_DIR:-${root}/build/cluster-demo}"
readonly furrow="${root}/build/release/bin/furrow"
readonly sectors=6
readonly pieces_in_sector=4
readonly random_bytes=130000000
readonly least_space=500000000

# Of the processes of the cluster, in the order in which they were started.
names=()
pids=()

# start NAME COMMAND...: in the background; what it says goes to its file.
start() {
  local name="$1"
  shift
  printf '  %s: %s\n' "${name}" "$*"
  "$@" >"${work}/${name}.log" 2>&1 </dev/null &
  names+=("${name}")
  pids+=("$!")
}

# wait_for NAME TEXT: until the process has said so.
wait_for() {
  local name="$1" text="$2" i
  for ((i = 0; i < 600; ++i)); do
    if grep -qs -- "${text}" "${work}/${name}.log"; then
      return 0
    fi
    kill -0 "${pids[-1]}" 2>/dev/null || break
    sleep 0.1
  done
  cat -- "${work}/${name}.log" >&2
  fail "${name} has not said '${text}'"
}

# Ends the cluster, the server last; says how each process ended unless that was well.
stop_all() {
  local i code
  for ((i = ${#pids[@]} - 1; i >= 0; --i)); do
    kill -TERM "${pids[i]}" 2>/dev/null || true
    code=0
    wait "${pids[i]}" || code=$?
    # The server ends by the signal or with 1, as it likes.
    if ((code != 0)) && [[ "${names[i]}" != nats-server ]]; then
      printf 'cluster_demo.sh: %s ended with exit code %s\n' "${names[i]}" "${code}" >&2
    fi
  done
  names=()
  pids=()
}

on_exit() {
  local code="$1"
  trap '' INT TERM
  stop_all
  if ((code != 0)); then
    printf '\ncluster_demo.sh: FAILED with exit code %s; what there is lies in %s\n' "${code}" "${work}" >&2
  fi
}

start_server() {
  local port
  port="$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')"
  # Two megabytes for a message, which holds a piece, are twice what the server takes as it comes.
  printf 'listen: "127.0.0.1:%s"\nmax_payload: 2MB\n' "${port}" >"${work}/nats.conf"
  start nats-server nats-server -c "${work}/nats.conf"
  wait_for nats-server 'Server is ready'
  server="nats://127.0.0.1:${port}"
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
  PATH="${PATH}:/usr/sbin" # where Debian has the server
  trap 'on_exit $?' EXIT
  trap 'exit 130' INT TERM
  say 'Build'
  "${root}/tools/install-deps.sh" --cluster
  "${root}/tools/build_program.sh"
  prepare_work FURROW_DEMO_DIR "${least_space}"

  say 'A store of pieces'
  if (($# == 0)); then
    mkdir -- "${work}/source"
    head -c "${random_bytes}" /dev/urandom >"${work}/source/random"
    set -- "${work}/source"
  fi
  "${furrow}" archive --store "${work}/store" "$@"

  say 'The cluster'
  start_server
  start cluster-pieces "${furrow}" cluster-pieces --nats-server "${server}" --store "${work}/store"
  wait_for cluster-pieces 'serving'
  local i threads=$((($(nproc) + 1) / 2))
  for i in 1 2; do
    start "plotter-${i}" "${furrow}" plotter --nats-server "${server}" --threads "${threads}" \
      --max-pieces-in-sector "${pieces_in_sector}"
    wait_for "plotter-${i}" 'at a time'
  done

  say 'A farm, plotted by the two'
  "${furrow}" cluster-farm --nats-server "${server}" --farm "${work}/farm" --sectors "${sectors}" \
    --pieces-in-sector "${pieces_in_sector}"

  say 'The end of the cluster'
  stop_all
  tail -n 1 -- "${work}/cluster-pieces.log" "${work}/plotter-1.log" "${work}/plotter-2.log"

  say 'The farm'
  "${furrow}" scrub --farm "${work}/farm"
  printf '\nWhat each process said is in %s/*.log. Look further:\n' "${work}"
  printf '  %s info --farm %s\n' "${furrow}" "${work}/farm"
}

main "$@"
