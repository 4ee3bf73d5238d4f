#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that tools/cubin.py reads what ptxas says, and that tools/kernel_table.py complains of it.

    cubin_test.py --nvcc PROGRAM --tools FOLDER
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ARCHITECTURES = (75, 90, 120)
ENTRY = re.compile(r"Compiling entry function '(\S+)' for 'sm_(\d+)\w?'")
STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
REGISTERS = re.compile(r"Used (\d+) registers")
SHARED = re.compile(r"(\d+) bytes smem")


def said_by_ptxas(text):
    """Registers, shared memory, stack, bytes of spill stores and loads, by symbol and architecture."""
    result = {}
    for line in text.splitlines():
        if match := ENTRY.search(line):
            key = match[1], int(match[2])
        elif match := STACK.search(line):
            local = [int(number) for number in match.groups()]
        elif match := REGISTERS.search(line):
            shared = SHARED.search(line)
            result[key] = [int(match[1]), int(shared[1]) if shared else 0, *local]
    return result


class CubinTest(unittest.TestCase):
    """The probes are compiled once, into one object."""

    nvcc = ""
    table = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.object = pathlib.Path(cls.folder.name) / "probe.o"
        codes = [f"-gencode=arch=compute_{one},code=sm_{one}" for one in ARCHITECTURES]
        source = pathlib.Path(__file__).with_name("cubin_probe.cu")
        done = subprocess.run([cls.nvcc, "-std=c++20", "-O3", "--no-compress", "-Xptxas", "-v", *codes,
                               "-c", "-o", str(cls.object), str(source)],
                              check=True, stderr=subprocess.PIPE, text=True)
        cls.said = said_by_ptxas(done.stderr)
        cls.usages = {(usage.symbol, usage.architecture): usage
                      for usage in cls.table.usages_of(cls.object)}

    def test_agrees_with_ptxas(self):
        self.assertEqual(len(self.said), 4 * len(ARCHITECTURES))
        self.assertEqual(self.usages.keys(), self.said.keys())
        for key, (registers, shared, stack, stores, loads) in self.said.items():
            with self.subTest(key=key):
                usage = self.usages[key]
                self.assertEqual((usage.registers, usage.shared, usage.stack),
                                 (registers, shared, stack))
                self.assertGreaterEqual(usage.local_stores > 0, stores > 0)
                self.assertGreaterEqual(usage.local_loads > 0, loads > 0)

    def test_complains_about_spills_and_stack(self):
        bad = "\n".join(self.table.complaints(self.usages.values(), ARCHITECTURES))
        for architecture in ARCHITECTURES:
            self.assertIn(f"probe_stack on sm_{architecture}: ", bad)
            self.assertIn(f"probe_spill on sm_{architecture}: ", bad)
        self.assertNotIn("probe_plain", bad)
        self.assertNotIn("probe_shared", bad)

    def test_complains_about_what_is_missing(self):
        clean = [usage for usage in self.usages.values() if usage.is_clean()]
        self.assertEqual(list(self.table.complaints(clean, [75, 100])), ["no kernel for sm_100"])
        self.assertEqual(list(self.table.complaints([], [])), ["no kernel at all"])

    def test_writes_one_row_for_each_kernel_and_architecture(self):
        lines = list(self.table.table(self.usages.values()))
        self.assertEqual(len(lines), 2 + len(self.usages))

    def test_files_without_code_are_refused(self):
        path = pathlib.Path(self.folder.name) / "other.o"
        whole = self.object.read_bytes()
        for content in (b"", b"text" * 100, whole[:len(whole) // 2], whole.replace(b".text.", b".next.")):
            path.write_bytes(content)
            with self.assertRaises(self.table.cubin.CubinError):
                self.table.usages_of(path)

    def test_names_a_kernel_whatever_its_namespace(self):
        shorten = self.table.sass_counts.shorten
        self.assertEqual(shorten("furrow::(anonymous namespace)::do_nothing()"), "do_nothing")
        self.assertEqual(shorten("void furrow::cuda::make_table<20u, 2u>(int)"), "make_table<20, 2>")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--nvcc", required=True)
    parser.add_argument("--tools", required=True)
    arguments, rest = parser.parse_known_args()
    sys.path.insert(0, arguments.tools)
    CubinTest.table = __import__("kernel_table")
    CubinTest.nvcc = arguments.nvcc
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
