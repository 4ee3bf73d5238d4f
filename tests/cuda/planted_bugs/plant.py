#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants the bugs of bugs.py in a copy of the repository and sees which suites of the harness find them. All are built
at once, and FURROW_PLANTED chooses one. Writes a table; fails when fewer than 95 % are found. Takes a quarter of
an hour on two cores."""

import argparse
import concurrent.futures
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys

import bugs

CHOICE = """#pragma once
#include <cstdlib>
inline const int furrow_planted =
    std::getenv("FURROW_PLANTED") != nullptr ? std::atoi(std::getenv("FURROW_PLANTED")) : 0;
"""
CHECK = """inline void planted_check(bool ignores, cudaError_t status, const char* call = "",
                          const std::source_location& place = std::source_location::current()) {
  if (!ignores) {
    check(status, call, place);
  }
}

/// For destructors"""

# What continuous integration runs, in parts: a program and its tests.
SUITES = {
    "calls": ("test_cuda_encoder", "CudaEachCall.*"),
    "encoder": ("test_cuda_encoder", "CudaEncoder*:CudaRuntime.*"),
    "erasure": ("test_cuda_kernels", "CudaErasure.*"),
    "far": ("test_cuda_kernels", "CudaFarRecords.*:CudaLargestGrids.*"),
    "match": ("test_cuda_kernels", "CudaMatchPair.*"),
    "records": ("test_cuda_records", "CudaSmallRecord.*"),
    "tables": ("test_cuda_proof_tables", "CudaProofTables.*"),
    "tsan encoder": ("test_cuda_for_tsan", "CudaEncoderTest.Encodes*Order*:CudaEncoderTest.EncodesFrom*:CudaRuntime.*"),
    "tsan erasure": ("test_cuda_for_tsan", "CudaErasure.SmallGrids*"),
    "tsan match": ("test_cuda_for_tsan", "CudaMatchPair.EverySchedule:CudaMatchPair.EqualResidues"),
    "tsan tables": ("test_cuda_for_tsan", "CudaProofTables.CountsEntriesThatFindTheirBucketFull:"
                                          "CudaProofTables.EqualTheCpusForSeedsOfOneByteValue"),
}
# Which are tried for a file, in this order; the first word that its path contains counts.
SUITES_OF = (
    ("find_matches", ("match", "tsan match", "tables")),
    ("match_lines", ("match", "tsan match", "tables")),
    ("bucket_frame", ("match", "tsan match", "tables")),
    ("bit_planes", ("match", "tsan match", "tables")),
    ("match_rules", ("match", "tsan match", "tables")),
    ("warp_scan", ("match", "tsan match", "tables")),
    ("encode_chunks", ("far", "records")),
    ("kernels/erasure", ("erasure", "far", "tsan erasure")),
    ("kernels/", ("tsan tables", "tables", "far", "records")),
    ("erasure", ("erasure", "far")),
    ("pipeline", ("calls", "far", "records", "tables")),
    ("", ("encoder", "calls", "tsan encoder")),
)
TARGETS = sorted({program for program, _ in SUITES.values()})


def copy_tree(root, copy):
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, copy / name)


def replace_once(path, old, new):
    text = path.read_text(encoding="utf-8")
    if old not in text:
        sys.exit(f"plant.py: {path} has no '{old}'")
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def plant_all(copy):
    for number, bug in enumerate(bugs.BUGS, 1):
        replace_once(copy / bug.path, bug.old, bug.new.replace("PLANTED", f"(furrow_planted == {number})"))
    replace_once(copy / "cuda/runtime/cuda_api.hpp", "#pragma once\n", CHOICE)
    replace_once(copy / "cuda/runtime/check.hpp", "/// For destructors", CHECK)
    replace_once(copy / "tests/simt/CMakeLists.txt", "-Wno-unknown-pragmas", "-w")


def build(copy, jobs):
    subprocess.run(["cmake", "--preset", "cpu"], cwd=copy, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", "--preset", "cpu", "--parallel", str(jobs), "--target", *TARGETS],
                   cwd=copy, check=True, stdout=subprocess.DEVNULL)


def what_is_said(output):
    """The line of a failed test that says most."""
    for pattern in (r"runtime error: (.*)", r"SIMT harness: ([^,]*)", r"ThreadSanitizer: (.*?) \(pid", r"description \"(.*)",
                    r"what\(\):\s*(.*)", r"Failure\n(.*)"):
        match = re.search(pattern, output)
        if match:
            return match.group(1).strip()[:100]
    return ""


def try_suite(programs, number, suite):
    """None when nothing is found; otherwise the test that failed, and what it said."""
    program, tests = SUITES[suite]
    command = [str(programs / program), f"--gtest_filter={tests}", "--gtest_fail_fast"]
    if program == "test_cuda_for_tsan":
        command = ["setarch", platform.machine(), "-R", *command]
    environment = dict(os.environ, FURROW_PLANTED=str(number), TSAN_OPTIONS="halt_on_error=1:report_thread_leaks=0")
    try:
        result = subprocess.run(command, env=environment, text=True, errors="replace", timeout=600, check=False,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired:
        return "?", "time limit"
    if result.returncode == 0:
        return None
    failed = re.findall(r"\[  FAILED  \] (\S+)", result.stdout)
    begun = re.findall(r"\[ RUN      \] (\S+)", result.stdout)
    return (failed[:1] + begun[-1:] + ["?"])[0], what_is_said(result.stdout)


def find(programs, number, bug):
    for suite in next(suites for word, suites in SUITES_OF if word in bug.path):
        found = try_suite(programs, number, suite)
        if found is not None:
            return ("ThreadSanitizer, " if suite.startswith("tsan") else "") + found[0], found[1]
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True, help="where the copy is made; emptied first")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    shutil.rmtree(arguments.work, ignore_errors=True)
    copy_tree(arguments.root, arguments.work)
    plant_all(arguments.work)
    build(arguments.work, arguments.jobs)
    programs = arguments.work / "build/cpu/bin"
    for suite in SUITES:
        found = try_suite(programs, 0, suite)
        if found is not None:
            sys.exit(f"plant.py: without a bug {found[0]} fails: {found[1]}")

    print("| Kind | Bug | Found by | What it says |\n|---|---|---|---|")
    n_found = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        numbers = range(1, len(bugs.BUGS) + 1)
        for bug, found in zip(bugs.BUGS, pool.map(lambda n: find(programs, n, bugs.BUGS[n - 1]), numbers)):
            n_found += found is not None
            test, said = found or ("**nothing**", "")
            print(f"| {bug.kind} | {bug.name}, `{bug.path}` | {test} | {said.replace('|', '/')} |", flush=True)
    print(f"\n{n_found} of {len(bugs.BUGS)} were found.")
    return 0 if n_found >= 0.95 * len(bugs.BUGS) else 1


if __name__ == "__main__":
    sys.exit(main())
