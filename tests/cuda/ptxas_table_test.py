#!/usr/bin/env python3
"""Checks that tools/ptxas_table.py finds what ptxas complains about.

    ptxas_table_test.py --tools FOLDER
"""

import argparse
import sys
import unittest

# As ptxas writes it: two kernels for two architectures; the second spills on one of them.
LOG = """\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_Z5firstPj' for 'sm_86'
ptxas info    : Function properties for _Z5firstPj
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 40 registers, used 1 barriers, 4256 bytes smem, 432 bytes cmem[0]
ptxas info    : Compile time = 12.345 ms
ptxas info    : Compiling entry function '_Z6secondPj' for 'sm_86'
ptxas info    : Function properties for _Z6secondPj
    16 bytes stack frame, 12 bytes spill stores, 8 bytes spill loads
ptxas info    : Used 64 registers, used 0 barriers, 384 bytes cmem[0]
ptxas info    : Compiling entry function '_Z5firstPj' for 'sm_90a'
ptxas info    : Function properties for _Z5firstPj
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 38 registers, used 1 barriers, 4256 bytes smem
"""

# A function that is not inlined has properties of its own; its stack is the kernel's too.
CALL = """\
ptxas info    : Compiling entry function '_Z5outerPj' for 'sm_90'
ptxas info    : Function properties for _Z5outerPj
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 20 registers, used 0 barriers
ptxas info    : Function properties for _Z5innerj
    8 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
"""


class PtxasTableTest(unittest.TestCase):
    """`tool` is the module under test."""

    tool = None

    def test_reads_every_number(self):
        first, second, newer = self.tool.parse(LOG)
        self.assertEqual((first.symbol, first.architecture), ("_Z5firstPj", 86))
        self.assertEqual((first.registers, first.shared, first.stack), (40, 4256, 0))
        self.assertEqual((second.registers, second.shared), (64, 0))
        self.assertEqual((second.stack, second.spill_stores, second.spill_loads), (16, 12, 8))
        self.assertEqual((newer.architecture, newer.registers), (90, 38))

    def test_complains_about_spills_and_stack(self):
        usages = self.tool.parse(LOG)
        self.assertEqual(len(list(self.tool.complaints(usages, [86, 90]))), 1)
        self.assertEqual(list(self.tool.complaints([usages[0], usages[2]], [86, 90])), [])
        called = self.tool.parse(CALL)
        self.assertEqual(called[0].stack, 8)
        self.assertEqual(called[0].registers, 20)
        self.assertEqual(len(list(self.tool.complaints(called, []))), 1)

    def test_complains_about_what_is_missing(self):
        usages = self.tool.parse(LOG)
        self.assertIn("no kernel for sm_120",
                      list(self.tool.complaints([usages[0]], [86, 120])))
        self.assertEqual(list(self.tool.complaints([], [])), ["no kernel at all"])
        with self.assertRaises(self.tool.LogError):
            self.tool.parse("ptxas info    : Used 38 registers\n")
        with self.assertRaises(self.tool.LogError):
            self.tool.parse("\n".join(LOG.splitlines()[:4]))

    def test_writes_one_row_for_each_kernel_and_architecture(self):
        lines = list(self.tool.table(self.tool.parse(LOG)))
        self.assertEqual(len(lines), 2 + 3)
        self.assertIn("| sm_86 | 64 | 0 | 16 | 12 | 8 |", lines[4])

    def test_names_a_kernel_whatever_its_namespace(self):
        shorten = self.tool.sass_counts.shorten
        self.assertEqual(shorten("furrow::(anonymous namespace)::do_nothing()"), "do_nothing")
        self.assertEqual(shorten("void furrow::cuda::make_table<20u, 2u>(int)"), "make_table<20, 2>")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--tools", required=True)
    arguments, rest = parser.parse_known_args()
    sys.path.insert(0, arguments.tools)
    PtxasTableTest.tool = __import__("ptxas_table")
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
