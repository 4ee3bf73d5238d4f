#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles every header of the project alone, with the project's warnings as errors, so that none
depends on what somebody includes before it. Those that are installed are read by the compilers of others:
include/furrow/c and furrow.h as C11, include/furrow/cpp and furrow.hpp as C++17, with -pedantic, and also
by Clang where there is one.

A header that passed is not compiled again until it, a header it includes, the compiler or the options
change: the stamp is a hash of all of these.
"""

import argparse
import concurrent.futures
import hashlib
import pathlib
import subprocess
import sys

import source_tree

# .cuh headers are compiled with the kernels.
_ENDINGS = (".h", ".hpp")
# Headers of these see CUDA as the harness shows it, which knows no #pragma unroll.
_ON_HARNESS = ("cuda/", "tests/cuda/", "tests/simt/")
_WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
_C_INTERFACE = ("include/furrow/furrow.h", "include/furrow/c/")
_CPP_INTERFACE = ("include/furrow/furrow.hpp", "include/furrow/cpp/")


class Job:
    def __init__(self, header, language, compiler, options):
        self.header = header
        self.language = language
        self.command = [*compiler, *_WARNINGS, *options, "-fsyntax-only", "-x",
                        "c" if language == "C" else "c++", "-"]

    def stamp(self, root, cache, versions):
        digest = hashlib.sha256()
        digest.update("\0".join([*self.command, *versions]).encode())
        for path in source_tree.closure(root, self.header, cache):
            digest.update(f"\0{path}\0".encode())
            digest.update((root / path).read_bytes())
        return digest.hexdigest()

    def run(self, root):
        """The compiler's complaints, empty when there are none. Included twice: the second time must
        add nothing."""
        name = (root / self.header).as_posix()
        program = f'#include "{name}"\n#include "{name}"\n'
        answer = subprocess.run(self.command, input=program, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, check=False)
        if answer.returncode == 0:
            return ""
        return answer.stdout or f"{self.command[0]} ended with {answer.returncode}\n"


def jobs_for(root, arguments):
    paths = [f"-I{root / 'include'}", f"-I{root}", f"-I{root / 'tests'}"]
    paths += [f"-isystem{folder}" for folder in arguments.system_include if folder]
    result = []
    for header in source_tree.source_files(root):
        if not header.endswith(_ENDINGS):
            continue
        options = ["-std=c++20", *paths]
        if header.startswith(_ON_HARNESS):
            options += [f"-I{root / 'tests'}", "-Wno-unknown-pragmas"]
        result.append(Job(header, "C++", [arguments.cxx], options))
        if header.startswith(_C_INTERFACE) and header.endswith(".h"):
            result.append(Job(header, "C", [arguments.cc], ["-std=c11", "-pedantic", *paths]))
        if header.startswith(_CPP_INTERFACE):
            for compiler in filter(None, (arguments.cxx, arguments.clang)):
                result.append(Job(header, "C++", [compiler], ["-std=c++17", "-pedantic", *paths]))
    return result


def version_of(compiler):
    return subprocess.run([compiler, "--version"], text=True, stdout=subprocess.PIPE,
                          check=True).stdout


def main():
    parser = argparse.ArgumentParser(description="Compiles every header alone.")
    parser.add_argument("--root", type=pathlib.Path, required=True, help="the repository")
    parser.add_argument("--stamps", type=pathlib.Path, required=True, help="folder for the stamps")
    parser.add_argument("--cxx", required=True, help="C++ compiler")
    parser.add_argument("--cc", required=True, help="C compiler")
    parser.add_argument("--clang", help="Clang's C++ compiler, for the headers that are installed")
    parser.add_argument("--system-include", action="append", default=[], help="folder; repeatable")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    arguments.stamps.mkdir(parents=True, exist_ok=True)

    jobs = jobs_for(root, arguments)
    if not jobs:
        print(f"no headers found under {root}")
        return 1
    versions = [version_of(compiler) for compiler in (arguments.cxx, arguments.cc, arguments.clang) if compiler]
    cache = {}
    stamps = {job: job.stamp(root, cache, versions) for job in jobs}
    waiting = [job for job in jobs if not (arguments.stamps / stamps[job]).exists()]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for job, complaint in zip(waiting, pool.map(lambda job: job.run(root), waiting)):
            if complaint:
                failed += 1
                print(f"{job.header} does not compile alone as {job.language}:\n{complaint}")
            else:
                (arguments.stamps / stamps[job]).touch()
    for stamp in arguments.stamps.iterdir():
        if stamp.name not in stamps.values():
            stamp.unlink()
    print(f"{len(jobs)} headers: {len(waiting)} compiled, {len(jobs) - len(waiting)} unchanged, "
          f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
