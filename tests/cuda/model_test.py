#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests bench/model.py on made-up kernels whose times are known, and on counts that it once wrote
tables from.

    tests/cuda/model_test.py --bench bench
"""

import argparse
import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

KERNEL = {"kernel": "furrow::cuda::clear_tables", "blocks": 132 * 8, "threads": 64, "registers": 32,
          "shared_bytes": 1024, "executed": 132 * 8 * 2 * 1000, "lanes": 0,
          "pipes": {"alu": 132 * 8 * 2 * 600, "fma": 0, "xu": 0, "lsu": 0}, "shuffles": 0,
          "shared_requests": 0, "shared_wavefronts": 0, "least_wavefronts": 0, "global_requests": 0,
          "global_sectors": 0, "global_lines": 0, "cycles_alone": 132 * 8 * 20000}


class Queue(unittest.TestCase):
    def test_one_customer_takes_as_long_as_alone(self):
        self.assertAlmostEqual(1 / model.throughput({"issue": 10, "alu": 30}, 60, 1), 100)

    def test_many_customers_are_held_up_by_the_fullest_station(self):
        self.assertAlmostEqual(1 / model.throughput({"issue": 10, "alu": 30}, 60, 500), 30, places=3)

    def test_more_customers_are_never_slower(self):
        rates = [model.throughput({"issue": 10, "alu": 30}, 60, n) for n in range(1, 50)]
        self.assertEqual(rates, sorted(rates))


class Kernels(unittest.TestCase):
    card = None

    def setUp(self):
        self.card = model.CARDS["H200"]

    def test_limit_is_counts_over_rates(self):
        clock = 1 / (132 * 1.98e9)
        self.assertAlmostEqual(model.limits(KERNEL, self.card)["alu"] / clock, 132 * 8 * 2 * 300)
        self.assertAlmostEqual(model.limits(KERNEL, self.card)["issue"] / clock, 132 * 8 * 2 * 250)

    def test_one_block_takes_its_time_alone(self):
        alone = dict(KERNEL, blocks=1, threads=32, executed=1000, cycles_alone=20000,
                     pipes=dict(KERNEL["pipes"], alu=600))
        self.assertAlmostEqual(model.seconds_with_stalls(alone, self.card) * 1.98e9, 20000)

    def test_stalls_only_add(self):
        for waits in (0, 1000, 10 ** 5):
            kernel = dict(KERNEL, cycles_alone=132 * 8 * waits)
            self.assertGreaterEqual(model.seconds_with_stalls(kernel, self.card),
                                    max(model.limits(kernel, self.card).values()))

    def test_fewer_blocks_at_once_are_slower(self):
        times = [model.seconds_with_stalls(dict(KERNEL, shared_bytes=shared), self.card)
                 for shared in (1024, 64 << 10, 200 << 10)]
        self.assertEqual(times, sorted(times))
        self.assertLess(times[0], times[2])

    def test_blocks_at_once(self):
        def blocks(architecture, threads, registers, shared):
            return model.PROCESSORS[architecture].blocks_of(
                dict(KERNEL, threads=threads, registers=registers, shared_bytes=shared))
        self.assertEqual(blocks(90, 288, 56, 30000), 4)    # registers
        self.assertEqual(blocks(86, 288, 56, 30000), 3)    # shared memory
        self.assertEqual(blocks(75, 288, 40, 1024), 3)     # warps
        self.assertEqual(blocks(90, 32, 16, 0), 32)        # places for blocks


class WholeProgram(unittest.TestCase):
    def test_counts_of_old(self):
        results = pathlib.Path(arguments.bench) / "results"
        for path in sorted(results.glob("counts-*.json")):
            with self.subTest(path=path.name):
                self.expect_report_of(model.Counts(path))

    def expect_report_of(self, counts):
        text = "\n".join(model.report(counts, counts))
        for step in ("fill_table1", "make_table 7", "erasure extend", "encode_chunks"):
            self.assertIn(f"| {step} |", text)
        self.assertIn("| 1.000 |", text)
        for card in model.CARDS.values():
            for step in counts.record(card.architecture):
                compute = {name: time for name, time in step.limits(card).items() if name != "memory"}
                self.assertGreater(step.with_stalls(card) * (1 + 1e-9), max(compute.values()),
                                   step.name)

    def test_counts_of_other_kernels_are_an_error(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "counts.json"
            path.write_text('[{"architecture": 90, "record": []}]',
                            encoding="utf-8")
            said = io.StringIO()
            sys.argv = ["model.py", "--counts", str(path)]
            with contextlib.redirect_stderr(said):
                self.assertEqual(model.main(), 1)
            self.assertIn("no kernel for", said.getvalue())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--bench", required=True, help="the folder of model.py")
    arguments = parser.parse_args()
    sys.path.insert(0, arguments.bench)
    import model
    unittest.main(argv=[sys.argv[0]])
