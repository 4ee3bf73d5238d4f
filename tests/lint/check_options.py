#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what the options of the build do, by configuring the library alone: which is quick, and nothing
is compiled. docs/manual/building.md lists the options."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile


class Checks:
    def __init__(self, arguments, build):
        self.arguments = arguments
        self.build = build
        self.n_failed = 0

    def expect(self, condition, what):
        if not condition:
            print(f"FAILED: {what}")
            self.n_failed += 1

    def configure(self, *options, path=None):
        """`path` is looked through for programs first."""
        environment = dict(os.environ)
        if path is not None:
            environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
        return subprocess.run(
            [self.arguments.cmake, "-S", self.arguments.root, "-B", self.build, "-G", "Ninja",
             f"-DCMAKE_CXX_COMPILER={self.arguments.cxx}", f"-DCMAKE_C_COMPILER={self.arguments.cc}",
             "-DFURROW_PROGRAMS=OFF", *options],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            env=environment)

    def commands(self):
        """Compiler commands by the path of the file in the repository."""
        entries = json.loads((self.build / "compile_commands.json").read_text())
        root = pathlib.Path(self.arguments.root).resolve()
        return {str(pathlib.Path(entry["file"]).resolve().relative_to(root)): entry["command"]
                for entry in entries}

    def run(self):
        plain = self.configure("-DFURROW_CUDA=off")
        self.expect(plain.returncode == 0, f"the library alone is configured:\n{plain.stdout}")
        if plain.returncode != 0:
            return
        self.expect("CUDA: left out (FURROW_CUDA=OFF)" in plain.stdout, "FURROW_CUDA=off leaves CUDA out")
        commands = self.commands()
        self.expect("host/capi/encoder.cpp" in commands, "the library is built")
        outside = [file for file in commands if not file.startswith("host/")]
        self.expect(not outside, f"nothing else is: {outside}")
        self.expect("host/store/paged_store/rocksdb_backend.cpp" not in commands, "nor what needs RocksDB")
        cache = (self.build / "CMakeCache.txt").read_text()
        for name in ("ROCKSDB_", "CLI11_DIR", "spdlog_DIR", "CURL_", "HTTPLIB_", "GTest_DIR",
                     "benchmark_DIR"):
            self.expect(f"\n{name}" not in cache, f"{name}... is not looked for")
        one = commands.get("host/capi/encoder.cpp", "")
        self.expect(" -O3 " in one, f"without a preset it is optimised: {one}")
        self.expect(" -Werror " in one, f"warnings are errors: {one}")

        lax = self.configure("-DFURROW_CUDA=0", "-DFURROW_WERROR=OFF", "-DCMAKE_BUILD_TYPE=Debug")
        self.expect(lax.returncode == 0 and "CUDA: left out" in lax.stdout,
                    f"FURROW_CUDA=0 leaves CUDA out:\n{lax.stdout}")
        one = self.commands().get("host/capi/encoder.cpp", "")
        self.expect("-Werror" not in one, f"warnings are no errors when they shall not be: {one}")
        self.expect(" -g " in one and "-O3" not in one, f"a build type that is given stays: {one}")

        self.cards_here()

        for option, said in (("-DFURROW_SANITIZER=memory", "expected address, thread, fuzzer or nothing"),
                             ("-DFURROW_CUDA=maybe", "expected AUTO, ON or OFF, HERE"),
                             ("-DFURROW_HTTP=here", "expected AUTO, ON or OFF"),
                             ("-DFURROW_NATS=here", "expected AUTO, ON or OFF")):
            refused = self.configure("-UFURROW_SANITIZER", "-UFURROW_HTTP", "-UFURROW_NATS", "-DFURROW_CUDA=OFF", option)
            self.expect(refused.returncode != 0 and said in " ".join(refused.stdout.split()),
                        f"{option} is refused:\n{refused.stdout}")

    def cards_here(self):
        """FURROW_CUDA=HERE, with cards as nvidia-smi would name them."""
        with tempfile.TemporaryDirectory() as folder:
            smi = pathlib.Path(folder) / "nvidia-smi"
            for says, used in (("echo 6.1", False), ("exit 9", False), ("echo 6.1; echo 8.9; echo 8.9", True)):
                smi.write_text(f"#!/bin/sh\n{says}\n")
                smi.chmod(0o755)
                here = self.configure("-DFURROW_CUDA=here", path=folder)
                self.expect(here.returncode == 0 and ("no card of this machine" in here.stdout) != used,
                            f"cards of which nvidia-smi says '{says}':\n{here.stdout}")
                if "architectures" in here.stdout:
                    self.expect(here.stdout.split("architectures ")[1].split("\n")[0] == "89-real",
                                f"each that can be used, once:\n{here.stdout}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", required=True)
    parser.add_argument("--cmake", default="cmake")
    parser.add_argument("--cxx", default="c++")
    parser.add_argument("--cc", default="cc")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as build:
        checks = Checks(arguments, pathlib.Path(build))
        checks.run()
    print("failed" if checks.n_failed else "ok")
    return 1 if checks.n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
