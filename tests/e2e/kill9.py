#!/usr/bin/env python3
"""Kills `furrow plot` with SIGKILL at random instants and checks each time that

  * every sector that it had reported as finished is counted, has its checksums, and gives back pieces
    of the store,
  * every sector that the farm counts is whole: nothing half-written is taken for finished,
  * nothing that was finished is plotted again or changes later,
  * the next run goes on, and in the end the farm is complete.

A second test does the same with SIGINT, upon which the program has to end by itself.
"""

import hashlib
import random
import re
import signal
import subprocess
import time

from support import formats, program
from support.program import INTERRUPTED, OPTIONS, SUCCESS, FurrowTest, furrow

SECTORS = 12
PIECES_IN_SECTOR = 1
_FINISHED = re.compile(r"sector (\d+) finished \((\d+) of (\d+)\), (\d+) pieces, [0-9.]+ s")


class Run:
    """One `furrow plot` in the background."""

    def __init__(self, farm):
        self.process = subprocess.Popen(
            [OPTIONS.furrow, "plot", "--farm", farm, "--pieces", OPTIONS.store, "--sectors",
             str(SECTORS), "--pieces-in-sector", str(PIECES_IN_SECTOR)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def send_after(self, seconds, number):
        """Sends a signal, unless the run ended by itself before; returns what it had printed."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(number)
        return self.process.communicate(timeout=program.TIMEOUT_SECONDS)


def finished_sectors(stdout):
    """Sectors that complete lines of the output call finished, in the order of the output."""
    result = []
    for line in stdout.split("\n")[:-1]:
        match = _FINISHED.fullmatch(line)
        if match:
            result.append(int(match.group(1)))
    return result


class Interruption(FurrowTest):
    def setUp(self):
        super().setUp()
        self.rng = random.Random(OPTIONS.seed)
        self.pieces = formats.piece_indexes(OPTIONS.store)
        self.assertGreaterEqual(len(self.pieces), formats.PIECES_IN_SEGMENT // 2)
        self.n_farms = 0
        self.new_farm()

    def new_farm(self):
        program.remove_tree(self.folder / f"farm {self.n_farms}")
        self.n_farms += 1
        self.farm = self.folder / f"farm {self.n_farms}"
        self.reported = set()
        self.digests = {}

    def seconds_of_a_run(self):
        """How long a run without interruption takes, start included."""
        start = time.monotonic()
        stdout, stderr = Run(self.farm).process.communicate(timeout=program.TIMEOUT_SECONDS)
        self.assertEqual(sorted(finished_sectors(stdout)), list(range(SECTORS)), stderr)
        seconds = time.monotonic() - start
        self.new_farm()
        return seconds

    def note_finished(self, stdout):
        finished = finished_sectors(stdout)
        again = self.reported.intersection(finished)
        self.assertFalse(again, f"plotted again although finished: {again}")
        self.assertEqual(len(finished), len(set(finished)), stdout)
        self.reported.update(finished)

    def check_farm(self):
        count = formats.plotted_sector_count(self.farm)
        self.assertLessEqual(self.reported, set(range(count)), "reported, but not counted")
        if count == 0:
            return  # there may be no farm yet
        self.assertEqual(formats.damage_of_counted_sectors(self.farm, PIECES_IN_SECTOR), [])
        scrub = furrow("scrub", "--farm", self.farm)
        self.assertEqual(scrub.code, SUCCESS, scrub)
        for sector in range(count):
            digest = self.read_back(sector)
            self.assertIn(digest, self.pieces, f"sector {sector} holds no piece of the store")
            self.assertEqual(self.digests.setdefault(sector, digest), digest,
                             f"sector {sector} has changed")

    def read_back(self, sector):
        out = self.folder / "piece"
        self.succeeds("read", "--farm", self.farm, "--sector", sector, "--offset", "0", "--out", out)
        return hashlib.sha256(out.read_bytes()).digest()

    def complete_farm(self):
        result = self.succeeds("plot", "--farm", self.farm, "--pieces", OPTIONS.store, "--sectors",
                               SECTORS, "--pieces-in-sector", PIECES_IN_SECTOR)
        self.note_finished(result.stdout)
        self.assertEqual(formats.plotted_sector_count(self.farm), SECTORS)
        self.check_farm()
        self.assertEqual(len(self.digests), SECTORS)

    def test_kill(self):
        print(f"seed {OPTIONS.seed}, {OPTIONS.kills} kills", flush=True)
        full = self.seconds_of_a_run()
        early = counted = 0
        for number in range(OPTIONS.kills):
            # One in four at the very start, where the farm comes into being.
            span = 0.15 if self.rng.random() < 0.25 else full / 2
            delay = self.rng.uniform(0, span)
            run = Run(self.farm)
            stdout, stderr = run.send_after(delay, signal.SIGKILL)
            code = run.process.returncode
            self.assertIn(code, (-signal.SIGKILL, SUCCESS), stderr)
            self.note_finished(stdout)
            self.check_farm()
            count = formats.plotted_sector_count(self.farm)
            print(f"kill {number + 1}: after {delay:.3f} s, {len(self.reported)} reported, {count} "
                  f"counted of {SECTORS}", flush=True)
            early += count == 0
            counted += count > 0
            if code == SUCCESS or count == SECTORS:
                self.complete_farm()
                self.new_farm()
        self.complete_farm()
        print(f"{OPTIONS.kills} kills: {early} before the first sector, {counted} later")

    def test_interrupt(self):
        full = self.seconds_of_a_run()
        run = Run(self.farm)
        stdout, stderr = run.send_after(full / 2, signal.SIGINT)
        self.assertEqual(run.process.returncode, INTERRUPTED, stderr)
        self.assertRegex(stderr.splitlines()[-1], "^furrow: error: interrupted")
        self.note_finished(stdout)
        self.check_farm()
        self.complete_farm()


def add_options(parser):
    parser.add_argument("--kills", type=int, default=50, help="how many times to kill (50)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32),
                        help="of the instants; drawn when not given")


if __name__ == "__main__":
    program.run_tests(__doc__, add_options)
