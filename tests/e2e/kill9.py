#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ends `furrow plot` at random instants, by SIGKILL, by Ctrl-C or by Ctrl-C twice, and checks each time
that

  * every sector that it had reported as finished is counted, has its checksums, and gives back pieces
    of the store,
  * every sector that the farm counts is whole: nothing half-written is taken for finished,
  * nothing that was finished is plotted again or changes later,
  * the next run goes on, and in the end the farm is complete.

Another test does so while the farm comes into being. Upon one Ctrl-C the program has to end by itself and
say so. `furrow archive` gets SIGKILL and SIGINT, too: there is no store without the whole of it.
"""

import collections
import hashlib
import random
import re
import signal
import subprocess
import time

from support import formats, program
from support.program import INTERRUPTED, IO_ERROR, OPTIONS, SUCCESS, FurrowTest, furrow

SECTORS = 12
PIECES_IN_SECTOR = 1
KILL, CTRL_C, CTRL_C_TWICE = "kill -9", "Ctrl-C", "Ctrl-C twice"
_FINISHED = re.compile(r"sector (\d+) finished \((\d+) of (\d+)\), (\d+) pieces?, [0-9.]+ s")


class Run:
    """One `furrow plot` in the background."""

    def __init__(self, farm):
        self.process = subprocess.Popen(
            [OPTIONS.furrow, "plot", "--farm", farm, "--pieces", OPTIONS.store, "--sectors",
             str(SECTORS), "--pieces-in-sector", str(PIECES_IN_SECTOR)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def send_after(self, seconds, number, again_after=None):
        """Sends a signal, and perhaps a second one, unless the run ended by itself before; returns what
        it had printed."""
        for delay in (seconds, again_after):
            try:
                if delay is not None:
                    self.process.wait(delay)
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
    full_seconds = None

    def setUp(self):
        super().setUp()
        self.rng = random.Random(OPTIONS.seed)
        self.pieces = formats.piece_indexes(OPTIONS.store)
        self.assertGreaterEqual(len(self.pieces), formats.PIECES_IN_SEGMENT // 2)
        self.n_farms = 0
        self.ended = collections.Counter()  # by what, and with which code
        self.new_farm()

    def new_farm(self):
        program.remove_tree(self.folder / f"farm {self.n_farms}")
        self.n_farms += 1
        self.farm = self.folder / f"farm {self.n_farms}"
        self.reported = set()
        self.digests = {}

    def seconds_of_a_run(self):
        """How long a run without interruption takes, start included."""
        if Interruption.full_seconds is None:
            start = time.monotonic()
            stdout, stderr = Run(self.farm).process.communicate(timeout=program.TIMEOUT_SECONDS)
            self.assertEqual(sorted(finished_sectors(stdout)), list(range(SECTORS)), stderr)
            Interruption.full_seconds = time.monotonic() - start
            self.new_farm()
        return Interruption.full_seconds

    def seconds_of_creation(self):
        """How long it takes until a new farm is there, start of the program included."""
        start = time.monotonic()
        run = Run(self.farm)
        info = self.farm / "single_disk_farm.json"
        while not info.exists() or info.stat().st_size == 0:
            self.assertIsNone(run.process.poll(), "ended without a farm")
            time.sleep(0.001)
        seconds = time.monotonic() - start
        run.send_after(0, signal.SIGKILL)
        self.new_farm()
        return seconds

    def end_after(self, run, seconds):
        """Ends a run in a random way; returns that way and what the run had printed."""
        way = self.rng.choice((KILL, KILL, CTRL_C, CTRL_C_TWICE))
        again_after = self.rng.uniform(0, 0.1) if way == CTRL_C_TWICE else None
        stdout, stderr = run.send_after(seconds, signal.SIGKILL if way == KILL else signal.SIGINT,
                                        again_after)
        code = run.process.returncode
        # SIGINT kills a program that has not come to watching for it yet.
        ends = (-signal.SIGKILL,) if way == KILL else (INTERRUPTED, -signal.SIGINT)
        self.assertIn(code, (SUCCESS, *ends), stderr)
        if way == CTRL_C and code == INTERRUPTED:
            self.assertRegex(stderr.splitlines()[-1], "^furrow: error: interrupted")
        self.ended[f"{way}: {code}"] += 1
        return way, stdout

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
        # A sector that another one has overtaken counts as lost until it is there.
        lost = formats.lost_sectors(self.farm)
        self.assertFalse(self.reported & lost, "reported, but lost")
        self.assertEqual(
            formats.damage_of_counted_sectors(self.farm, PIECES_IN_SECTOR, lost), [])
        scrub = furrow("scrub", "--farm", self.farm)
        self.assertEqual(scrub.code, SUCCESS, scrub)
        self.assertIn(f" 0 broken, {len(lost)} lost;", scrub.stdout)
        for sector in set(range(count)) - lost:
            digest = self.read_back(sector)
            self.assertIn(digest, self.pieces, f"sector {sector} holds no piece of the store")
            self.assertEqual(self.digests.setdefault(sector, digest), digest,
                             f"sector {sector} has changed")

    def read_back(self, sector):
        out = self.folder / "piece"
        self.succeeds("read", "--farm", self.farm, "--sector", sector, "--offset", "0", "--out", out,
                      "--force")
        return hashlib.sha256(out.read_bytes()).digest()

    def complete_farm(self):
        result = self.succeeds("plot", "--farm", self.farm, "--pieces", OPTIONS.store, "--sectors",
                               SECTORS, "--pieces-in-sector", PIECES_IN_SECTOR)
        self.note_finished(result.stdout)
        self.assertEqual(formats.plotted_sector_count(self.farm), SECTORS)
        self.check_farm()
        self.assertEqual(len(self.digests), SECTORS)

    def test_kill(self):
        print(f"seed {OPTIONS.seed}, {OPTIONS.kills} ends", flush=True)
        full = self.seconds_of_a_run()
        early = overtaken = aborted = 0
        while aborted < OPTIONS.kills:
            delay = self.rng.uniform(0, full / 2)
            run = Run(self.farm)
            way, stdout = self.end_after(run, delay)
            self.note_finished(stdout)
            self.check_farm()
            count = formats.plotted_sector_count(self.farm)
            is_aborted = run.process.returncode != SUCCESS
            aborted += is_aborted
            print(f"{aborted if is_aborted else 'too late'}, {way}: after {delay:.3f} s, "
                  f"{len(self.reported)} reported, {count} counted of {SECTORS}", flush=True)
            early += is_aborted and count == 0
            overtaken += bool(formats.lost_sectors(self.farm))
            if not is_aborted or count == SECTORS:
                self.complete_farm()
                self.new_farm()
        self.complete_farm()
        print(f"{aborted} ends: {early} before the first sector, {overtaken} with a sector overtaken; "
              f"{dict(self.ended)}")

    def test_kill_during_creation(self):
        print(f"seed {OPTIONS.seed}, {OPTIONS.kills} kills", flush=True)
        span = 1.2 * self.seconds_of_creation()
        found = {}
        for number in range(OPTIONS.kills):
            delay = self.rng.uniform(0, span)
            self.end_after(Run(self.farm), delay)
            files = {path.name: path.stat().st_size for path in self.farm.glob("*")}
            state = ("no folder" if not self.farm.exists() else
                     "complete" if files.get("single_disk_farm.json") else
                     f"{len(files)} files, nothing in the info file")
            found[state] = found.get(state, 0) + 1
            with self.subTest(kill=number + 1, delay=delay, files=files):
                self.succeeds("plot", "--farm", self.farm, "--pieces", OPTIONS.store, "--sectors",
                              "1", "--pieces-in-sector", PIECES_IN_SECTOR)
                self.assertEqual(formats.plotted_sector_count(self.farm), 1)
                self.check_farm()
            self.new_farm()
        print(f"{OPTIONS.kills} ends within {span:.3f} s: {found}; {dict(self.ended)}")

    def test_interrupted_creation_is_taken_up(self):
        """What a kill between the creation of the info file and its text leaves: the mark of a creation
        under way, and an info file without text."""
        self.farm.mkdir()
        (self.farm / ".furrow-creating").touch()
        (self.farm / "single_disk_farm.json").touch()
        self.succeeds("plot", "--farm", self.farm, "--pieces", OPTIONS.store, "--sectors", "1",
                      "--pieces-in-sector", PIECES_IN_SECTOR)
        self.check_farm()

    def test_interrupt(self):
        full = self.seconds_of_a_run()
        run = Run(self.farm)
        stdout, stderr = run.send_after(full / 2, signal.SIGINT)
        self.assertEqual(run.process.returncode, INTERRUPTED, stderr)
        self.assertRegex(stderr.splitlines()[-1], "^furrow: error: interrupted")
        self.note_finished(stdout)
        self.check_farm()
        self.complete_farm()


class ArchiveInterruption(FurrowTest):
    """The source of the prepared store is archived again."""

    def setUp(self):
        super().setUp()
        self.rng = random.Random(OPTIONS.seed)
        self.store = self.folder / "store"
        start = time.monotonic()
        self.succeeds("archive", "--store", self.folder / "first", OPTIONS.source)
        self.full_seconds = time.monotonic() - start
        program.remove_tree(self.folder / "first")

    def interrupted_run(self, seconds, number):
        process = subprocess.Popen(
            [OPTIONS.furrow, "archive", "--store", self.store, OPTIONS.source],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        _, stderr = process.communicate(timeout=program.TIMEOUT_SECONDS)
        return process.returncode, stderr

    def check_whole_store(self):
        files = [path for path in OPTIONS.store.rglob("*") if path.is_file()]
        for path in files:
            copy = self.store / path.relative_to(OPTIONS.store)
            self.assertEqual(copy.read_bytes(), path.read_bytes(), copy)

    def test_kill(self):
        print(f"seed {OPTIONS.seed}, {OPTIONS.kills} kills", flush=True)
        whole = 0
        for number in range(OPTIONS.kills):
            delay = self.rng.uniform(0, 1.1 * self.full_seconds)
            code, stderr = self.interrupted_run(delay, signal.SIGKILL)
            self.assertIn(code, (-signal.SIGKILL, SUCCESS), stderr)
            with self.subTest(kill=number + 1, delay=delay):
                if (self.store / "manifest.json").exists():
                    self.check_whole_store()
                    program.remove_tree(self.store)
                    whole += 1
                else:
                    self.assertNotEqual(code, SUCCESS)
                    self.fails(IO_ERROR, ["manifest.json"], "extract", "--pieces", self.store,
                               "--out", self.folder / "out")
        self.succeeds("archive", "--store", self.store, OPTIONS.source)
        self.check_whole_store()
        print(f"{OPTIONS.kills} kills within {1.1 * self.full_seconds:.3f} s: {whole} of them too late")

    def test_interrupt(self):
        code, stderr = self.interrupted_run(self.full_seconds / 3, signal.SIGINT)
        self.assertEqual(code, INTERRUPTED, stderr)
        self.assertRegex(stderr.splitlines()[-1], "^furrow: error: interrupted")
        self.assert_absent(self.store)


def add_options(parser):
    parser.add_argument("--kills", type=int, default=50, help="how many times to end a run (50)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32),
                        help="of the instants; drawn when not given")


if __name__ == "__main__":
    program.run_tests(__doc__, add_options)
