#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lets Clang look for what is touched without the lock that guards it (-Wthread-safety), and looks for
locks that it cannot judge: host and tools lock by host/base/mutex.hpp alone.

The sources of a folder that have to do with locks are looked at together, as the preset `release`
compiles them; headers count as what includes them.
"""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys

import source_tree

LOCKS = "host/base/mutex.hpp"
_FOLDERS = ("host/", "tools/")
_UNANNOTATED = re.compile(
    r"\bstd::((recursive_|timed_|shared_|recursive_timed_|shared_timed_)?mutex|condition_variable(_any)?|"
    r"(unique|shared|scoped)_lock|lock_guard)\b")
_OPTIONS = ["-std=c++20", "-fsyntax-only", "-Wno-everything", "-Wthread-safety", "-Wthread-safety-beta",
            "-Werror=thread-safety", "-Werror=thread-safety-beta"]


def unannotated_locks(root, path):
    """Complaints about standard locks in a file."""
    if path == LOCKS or path.startswith("host/furrow/"):  # which lies below it
        return []
    lines = (root / path).read_text(encoding="utf-8").splitlines()
    return [f"{path}:{number}: {match.group(0)}: lock by {LOCKS}, which can be checked"
            for number, line in enumerate(lines, 1)
            for match in [_UNANNOTATED.search(line.split("//")[0])] if match]


def rooms(root):
    """{folder: sources} of those that have to do with locks."""
    cache = {}
    result = {}
    for path in source_tree.source_files(root):
        if path.startswith(_FOLDERS) and path.endswith(".cpp"):
            if LOCKS in source_tree.closure(root, path, cache):
                result.setdefault(str(pathlib.PurePosixPath(path).parent), []).append(path)
    return result


def check_room(root, clang, options, sources):
    """Clang's complaints about the sources of one folder, empty when there are none."""
    program = "".join(f'#include "{(root / path).as_posix()}"\n' for path in sources)
    answer = subprocess.run(
        [clang, *_OPTIONS, f"-I{root / 'include'}", f"-I{root}", *options, "-x", "c++", "-"],
        input=program, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if answer.returncode == 0:
        return ""
    return answer.stdout or f"{clang} ended with {answer.returncode}\n"


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Checks what locks guard.")
    parser.add_argument("--root", type=pathlib.Path, required=True, help="the repository")
    parser.add_argument("--clang", required=True, help="clang++")
    parser.add_argument("--option", action="append", default=[], help="of the compiler; repeatable")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args(arguments)
    root = arguments.root.resolve()

    complaints = []
    for path in source_tree.source_files(root):
        if path.startswith(_FOLDERS):
            complaints += unannotated_locks(root, path)
    found = rooms(root)
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        complaints += [answer for answer in pool.map(
            lambda room: check_room(root, arguments.clang, arguments.option, found[room]),
            sorted(found)) if answer]
    print("\n".join(complaints))
    print(f"{sum(map(len, found.values()))} sources of {len(found)} folders, "
          f"{len(complaints)} complaints")
    return 1 if complaints or not found else 0


if __name__ == "__main__":
    sys.exit(main())
