#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests bench/scale.py where the answer is known without it, and that docs/scale.md shows what it writes.

    tests/lint/scale_test.py --root .
"""

import argparse
import math
import pathlib
import sys
import unittest


class Messages(unittest.TestCase):
    def test_chunks_are_nine_tenths_of_a_message(self):
        self.assertEqual(scale.chunk_size(2_097_152), 1_887_436)
        self.assertEqual(math.ceil(scale.SECTOR / scale.chunk_size(2_097_152)), 561)

    def test_one_piece_for_each_message_of_two_megabytes(self):
        self.assertEqual(scale.pieces_in_messages(2 * scale.MIB), [1] * 1000)

    def test_what_overflows_goes_alone(self):
        messages = scale.pieces_in_messages(8 * scale.MIB)
        self.assertEqual(messages[:4], [7, 1, 7, 1])
        self.assertEqual(sum(messages), 1000)

    def test_no_message_is_too_large(self):
        for max_payload in (2 * scale.MIB, 3 * scale.MIB, 8 * scale.MIB, 64 * scale.MIB):
            self.assertLessEqual(max(scale.pieces_in_messages(max_payload)) * scale.PIECE_ELEMENT, max_payload)


class Streams(unittest.TestCase):
    def test_without_latency_as_measured(self):
        self.assertAlmostEqual(scale.stream_rate("sector", 0), scale.MEASURED.sector_stream, delta=1)
        self.assertAlmostEqual(scale.stream_rate("pieces", 0), scale.MEASURED.piece_stream)

    def test_over_a_long_line_a_window_for_each_round_trip(self):
        self.assertAlmostEqual(scale.stream_rate("sector", 100) * 100 / (2 * 1_887_436), 1, places=3)
        self.assertAlmostEqual(scale.stream_rate("pieces", 100) * 100 / (2 * 1_049_572), 1, places=3)

    def test_larger_messages_carry_more(self):
        for what in ("sector", "pieces"):
            self.assertGreater(scale.stream_rate(what, 0.1, 8 * scale.MIB), 3 * scale.stream_rate(what, 0.1))


class Sharing(unittest.TestCase):
    @staticmethod
    def flows(limit, count):
        flows = scale.Flows(limit)
        for plotter in range(count):
            flows.begin(1000, plotter)
        return flows

    def test_even_when_nobody_has_a_limit_of_his_own(self):
        one, two = self.flows(math.inf, 3), self.flows(math.inf, 2)
        scale.share(100, [one, two])
        self.assertEqual((one.rate, two.rate), (20, 20))

    def test_what_one_cannot_use_others_get(self):
        slow, fast = self.flows(5, 4), self.flows(math.inf, 2)
        scale.share(100, [fast, slow])
        self.assertEqual((slow.rate, fast.rate), (5, 40))

    def test_transfers_end_in_their_order(self):
        flows = scale.Flows(10)
        flows.rate = 10
        flows.begin(100, "first")
        flows.advance(6)
        flows.begin(30, "second")
        self.assertAlmostEqual(flows.time_left(), 3)
        flows.advance(3)
        self.assertEqual(flows.take(), "second")
        self.assertAlmostEqual(flows.time_left(), 1)


class Simulations(unittest.TestCase):
    plotter = None

    def setUp(self):
        self.plotter = scale.Plotter("made up", 10.0, 2, 10 * scale.GIB)

    def run_of(self, count, server, pieces_pass=True, round_trip=0.0):
        return scale.simulate(scale.Setup(self.plotter, count, server, pieces_pass, round_trip))

    def test_nothing_limits_but_the_encoders(self):
        outcome = self.run_of(20, 100 * scale.GIB)
        self.assertAlmostEqual(outcome.rate / (20 * self.plotter.own_rate()), 1, delta=0.02)
        self.assertGreater(outcome.encoders, 0.97)
        self.assertLess(outcome.server, 0.1)

    def test_a_full_server_limits(self):
        both = scale.SECTOR + scale.PIECES * scale.PIECE_ELEMENT
        outcome = self.run_of(100, 2 * scale.GIB)
        self.assertAlmostEqual(outcome.rate * both / (2 * scale.GIB), 1, delta=0.02)
        self.assertGreater(outcome.server, 0.99)
        beside = self.run_of(100, 2 * scale.GIB, pieces_pass=False)
        self.assertAlmostEqual(beside.rate * scale.SECTOR / (2 * scale.GIB), 1, delta=0.02)

    def test_windows_limit_over_a_long_line(self):
        outcome = self.run_of(1, 100 * scale.GIB, round_trip=0.2)
        limit = scale.stream_rate("pieces", 0.2) / (scale.PIECES * scale.PIECE_ELEMENT)
        self.assertAlmostEqual(outcome.rate / limit, 1, delta=0.02)
        self.assertLess(outcome.encoders, 0.2)

    def test_the_same_each_time(self):
        self.assertEqual(self.run_of(30, 2 * scale.GIB), self.run_of(30, 2 * scale.GIB))

    def test_more_plotters_never_deliver_less(self):
        rates = [self.run_of(count, 2 * scale.GIB).rate for count in (1, 3, 10, 30, 100)]
        for fewer, more in zip(rates, rates[1:]):
            self.assertGreater(more, 0.98 * fewer)


class Page(unittest.TestCase):
    def test_shows_what_the_program_writes(self):
        page = (arguments.root / "docs" / "scale.md").read_text(encoding="utf-8")
        self.assertEqual(scale.parts_of(page)[1], scale.written(), "bench/scale.py --write docs/scale.md")

    def test_without_marks_is_refused(self):
        with self.assertRaises(scale.NoMarks):
            scale.parts_of(f"{scale.MARKS[0]} and no end")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path, required=True, help="the repository")
    arguments = parser.parse_args()
    sys.path.insert(0, str(arguments.root / "bench"))
    import scale
    unittest.main(argv=[sys.argv[0]])
