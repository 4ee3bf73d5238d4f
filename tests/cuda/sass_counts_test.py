#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks tools/sass_counts.py against kernels whose instructions are known (sass_probe.cu).

    sass_counts_test.py --nvcc PROGRAM --tools FOLDER --architectures 86,90

A probe that was compiled with 16 more of an operation must show 16 more of it; what else a probe
needs for that is not looked at.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import unittest

COUNT = 16
# Probe, name of the operation, how many of it for each step of the probe.
EXPECTED = (("lop3", "LOP3", 2), ("prmt", "PRMT", 1), ("shf", "SHF", 1), ("imad", "IMAD", 1),
            ("popc", "POPC", 1), ("shfl", "SHFL", 1), ("lds", "LDS", 1), ("ldg", "LDG", 1))
# Loads of the operands of a step, which a probe without steps does not need.
SLACK = {"LDG": 3, "IMAD": 3, "LOP3": 1}


class SassCountsTest(unittest.TestCase):
    """One compilation for each architecture, made once."""

    nvcc = ""
    architectures = ()
    sass_counts = None
    kernels = {}

    @classmethod
    def setUpClass(cls):
        source = pathlib.Path(__file__).with_name("sass_probe.cu")
        with tempfile.TemporaryDirectory() as folder:
            for architecture in cls.architectures:
                cubin = pathlib.Path(folder) / f"probe.{architecture}.cubin"
                subprocess.run([cls.nvcc, "-std=c++20", "-O3", "-cubin", f"-arch=sm_{architecture}",
                                "-o", str(cubin), str(source)], check=True)
                found = cls.sass_counts.read_kernels(cubin)
                names = cls.sass_counts.short_names([kernel.name for kernel in found])
                cls.kernels[architecture] = {names[kernel.name]: kernel for kernel in found}

    def test_known_operations(self):
        for architecture, kernels in self.kernels.items():
            for probe, operation, per_step in EXPECTED:
                with self.subTest(architecture=architecture, probe=probe):
                    none = kernels[f"probe_{probe}<0>"].operations[operation]
                    many = kernels[f"probe_{probe}<{COUNT}>"].operations[operation]
                    self.assertGreaterEqual(many - none, per_step * COUNT)
                    self.assertLessEqual(many - none, per_step * COUNT + SLACK.get(operation, 0))

    def test_loops_and_their_nesting(self):
        for architecture, kernels in self.kernels.items():
            with self.subTest(architecture=architecture):
                loops = kernels["probe_loops"].loops
                self.assertEqual([loop.depth for loop in loops], [1, 2])
                self.assertGreaterEqual(loops[1].operations["LOP3"], 20)
                self.assertLessEqual(loops[1].operations["LOP3"], 21)
                self.assertLess(loops[0].first, loops[1].first)
                self.assertLess(loops[1].last, loops[0].last)

    def test_nothing_is_unknown(self):
        for architecture, kernels in self.kernels.items():
            for name, kernel in kernels.items():
                with self.subTest(architecture=architecture, kernel=name):
                    self.assertEqual(kernel.architecture, architecture)
                    self.assertEqual(self.sass_counts.by_pipe(kernel.operations)["other"], 0)

    def test_other_files_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "no.cubin"
            for content in (b"", b"\x7fELF\x01" + bytes(100), b"text" * 100):
                path.write_bytes(content)
                with self.assertRaises(self.sass_counts.CubinError):
                    self.sass_counts.read_kernels(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--nvcc", required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--architectures", required=True)
    arguments, rest = parser.parse_known_args()
    sys.path.insert(0, arguments.tools)
    SassCountsTest.sass_counts = __import__("sass_counts")
    SassCountsTest.nvcc = arguments.nvcc
    SassCountsTest.architectures = tuple(map(int, arguments.architectures.split(",")))
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
