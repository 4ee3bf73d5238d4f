#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libfurrow inside of another project (add_subdirectory), built by each compiler that is here, in a folder whose
name has a space: without a warning, and the programs that use it run.

    subproject.py --furrow PROGRAM --work DIR --tree DIR --cmake PROGRAM
"""

import os
import pathlib
import shutil
import subprocess

from support import examples, program
from support.program import OPTIONS, FurrowTest


def output_of(*command):
    done = subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


class Subproject(FurrowTest):
    def built_by(self, c_compiler, cxx_compiler):
        if shutil.which(cxx_compiler) is None:
            self.skipTest(f"{cxx_compiler} is not installed")
        project = self.folder / "outer project"
        project.mkdir()
        text, programs = examples.cmake_project(OPTIONS.tree, f'add_subdirectory("{OPTIONS.tree}" furrow)')
        (project / "CMakeLists.txt").write_text(text, encoding="utf-8")
        output_of(OPTIONS.cmake, "-S", project, "-B", project / "build", "-DCMAKE_BUILD_TYPE=Release",
                  f"-DCMAKE_C_COMPILER={c_compiler}", f"-DCMAKE_CXX_COMPILER={cxx_compiler}", "-DFURROW_CUDA=OFF")
        said = output_of(OPTIONS.cmake, "--build", project / "build", "--parallel", str(os.cpu_count()))
        self.assertNotIn("warning:", said)
        for example, name in programs:
            with self.subTest(example=name):
                compiled = next(path for path in (project / "build").rglob(name) if path.is_file())
                self.assertIn(example.says, output_of(compiled, *example.arguments))

    def test_gcc(self):
        self.built_by("gcc", "g++")

    def test_clang(self):
        self.built_by("clang", "clang++")


def add_options(parser):
    parser.add_argument("--tree", type=pathlib.Path, required=True, help="the repository")
    parser.add_argument("--cmake", type=pathlib.Path, required=True, help="the program cmake")


if __name__ == "__main__":
    program.run_tests(__doc__, add_options)
