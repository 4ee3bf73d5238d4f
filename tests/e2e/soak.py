#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One long run of `furrow plot` while everything around it fails: pieces that are refused, missing, late,
damaged, cut short or of another index, servers that are killed and come back, a source that does not
answer for stretches, pauses. The run has to end well; memory, descriptors and threads of the plotter
and of the server that lives as long must not grow; and the farm has to be the one that a run without
faults makes.

samples.csv in the work folder has what the processes took, every two seconds."""

import collections
import csv
import hashlib
import json
import os
import pathlib
import random
import signal
import statistics
import subprocess
import threading
import time

from support import formats, program
from support.piece_network import FAULTS, FaultyProxy, Server
from support.program import INTERRUPTED, OPTIONS, SUCCESS, FurrowTest
from support.trees import describe, differences

PIECES_IN_SECTOR = 3
BYTES_OF_SECTOR = formats.sector_size(PIECES_IN_SECTOR) + formats.SLOT_SIZE
# Sectors that are plotted without faults to see how fast this machine is.
MEASURED_SECTORS = 8
# What the run is planned for of that speed. Faults take of the rest what they take, pauses all of it, so
# that it lasts as long as wanted.
SHARE_OF_SPEED = 0.22
SAMPLE_SECONDS = 2
SAMPLE_SECTORS = 24
# So many draw more than half of a segment, all but surely; a run of two minutes may make fewer.
SECTORS_WITH_ALL_FILES = 120
# How much higher the median of the last quarter may be than the higher one of the first two: how much is
# asked of the sources, and how fast, differs from one to the next. Memory: a farm takes 46 bytes more
# for each sector of this size, and RocksDB fills its buffer; a server keeps a pool of 8 MiB for each
# request that was ever under way at the same time, and pieces touch ever more of them.
ALLOWANCE = {"plot": {"rss_kib": 16 << 10, "descriptors": 8, "threads": 4},
             "server 0": {"rss_kib": 40 << 10, "descriptors": 8, "threads": 4}}


class Source:
    """A piece server behind a proxy that spoils a share of its answers, and at times does not answer."""

    def __init__(self, seed, server, share):
        self.rng = random.Random(seed)
        self.share = share
        self.bad_until = self.silent_until = 0
        self.counts = collections.Counter()
        self.lock = threading.Lock()
        self.proxy = FaultyProxy(server.url, self.fault)

    def fault(self, _index, _before):
        now = time.monotonic()
        with self.lock:
            share = 0.8 if now < self.bad_until else self.share
            name = ("silent" if now < self.silent_until else
                    self.rng.choice(FAULTS) if self.rng.random() < share else None)
            self.counts[name or "passed on"] += 1
            return name


class Plotter:
    """The plotting process, and what it has said so far."""

    def __init__(self, folder, farm, sectors, sources):
        arguments = [part for source in sources for part in ("--pieces", source)]
        self.err = open(folder / "plot.err", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [str(part) for part in (OPTIONS.furrow, "plot", "--farm", farm, *arguments, "--manifest",
                                    OPTIONS.store / "manifest.json", "--sectors", sectors,
                                    "--threads", OPTIONS.threads, "--encoder", "cpu", "--in-flight",
                                    16, "--piece-seconds", 4, "--progress", "json")],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.err, text=True)
        self.finished = set()
        self.last = {}  # event -> the last one of it
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            event = json.loads(line)
            if event.get("state") == "finished":
                self.finished.add(event["sector"])
            self.last[event["event"]] = event

    def end(self):
        """Exit code and standard error of the process, which has ended."""
        self.reader.join()
        self.process.stdout.close()
        with self.err:
            self.err.seek(0)
            return self.process.wait(), self.err.read()


class Mortal:
    """A piece server that is not always there, but always at the same port."""

    def __init__(self, start_server):
        self.start_server = start_server
        self.server = start_server()
        self.back_at = None  # None while it is there

    def come_back(self):
        self.server = self.start_server(listen=f"127.0.0.1:{self.server.port}")
        self.back_at = None


class Samples:
    """What processes take, from /proc."""

    def __init__(self, path):
        self.start = time.monotonic()
        self.file = open(path, "w", newline="", encoding="utf-8")
        self.table = csv.writer(self.file)
        self.table.writerow(("seconds", "process", "pid", "rss_kib", "hwm_kib", "descriptors",
                             "threads", "sectors", "paused"))
        self.rows = collections.defaultdict(list)

    def take(self, name, pid, sectors, paused):
        try:
            status = dict(line.split(":", 1) for line in
                          pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines())
            row = {"rss_kib": int(status["VmRSS"].split()[0]),
                   "hwm_kib": int(status["VmHWM"].split()[0]),
                   "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
                   "threads": int(status["Threads"])}
        except (FileNotFoundError, ProcessLookupError, KeyError):
            return  # it has just ended
        self.rows[name].append(row)
        self.table.writerow((f"{time.monotonic() - self.start:.1f}", name, pid, *row.values(),
                             sectors, int(paused)))
        self.file.flush()

    def medians(self, name, key):
        """Of each quarter of the run."""
        values = [row[key] for row in self.rows[name]]
        quarter = len(values) // 4
        return [statistics.median(values[i * quarter:(i + 1) * quarter]) for i in range(4)]

    def highest(self, name, key):
        return max(row[key] for row in self.rows[name])


class Soak(FurrowTest):
    def setUp(self):
        super().setUp()
        self.rng = random.Random(OPTIONS.seed)
        self.farm = self.folder / "farm"
        self.servers = []
        self.plotter = None
        self.done = collections.Counter()  # what was done to whom
        self.samples = Samples(OPTIONS.work / "samples.csv")

    def tearDown(self):
        if self.plotter is not None:
            self.plotter.process.kill()
            self.plotter.process.wait()
        for server in self.servers:
            server.kill()
        self.samples.file.close()

    def start_server(self, **options):
        self.servers.append(Server(**options))
        return self.servers[-1]

    def planned_sectors(self):
        """As many as this machine plots within the time, as far as the disk may be filled."""
        start = time.monotonic()
        self.succeeds("plot", "--farm", self.farm, "--pieces", OPTIONS.store, "--sectors",
                      MEASURED_SECTORS, "--pieces-in-sector", PIECES_IN_SECTOR, "--threads",
                      OPTIONS.threads, "--encoder", "cpu")
        speed = MEASURED_SECTORS / (time.monotonic() - start)
        sectors = MEASURED_SECTORS + min(int(SHARE_OF_SPEED * speed * 60 * OPTIONS.minutes),
                                         OPTIONS.disk_gb * 10**9 // BYTES_OF_SECTOR)
        print(f"seed {OPTIONS.seed}, {speed:.2f} sectors/s without faults, {sectors} sectors of "
              f"{PIECES_IN_SECTOR} pieces in {OPTIONS.minutes:g} minutes", flush=True)
        return sectors

    def go_wrong(self, sources, mortals, ahead_seconds):
        """One thing that goes wrong, or a pause; returns how long to pause."""
        what = self.rng.choice(("kill", "stop", "silence", "bad time", "pause", "pause"))
        if what in ("kill", "stop"):
            mortal = self.rng.choice(mortals)
            if mortal.back_at is not None:
                return 0  # down already
            if what == "kill":
                mortal.server.kill()
            else:
                code, _, stderr = mortal.server.stop(self.rng.choice((signal.SIGINT, signal.SIGTERM)))
                self.assertEqual((code, stderr), (SUCCESS, ""))
            mortal.back_at = time.monotonic() + self.rng.uniform(0, 30)
        elif what == "silence":
            self.rng.choice(sources).silent_until = time.monotonic() + self.rng.uniform(2, 20)
        elif what == "bad time":
            until = time.monotonic() + self.rng.uniform(2, 10)
            for source in self.rng.sample(sources, self.rng.randint(1, len(sources))):
                source.bad_until = until
        self.done[what] += 1
        # One that is behind its time is paused, too, but not for long.
        return max(self.rng.uniform(0.1, 2), min(ahead_seconds, 20)) if what == "pause" else 0

    def run_with_faults(self, sectors):
        """Returns the exit code, standard error, and whether the run was told to stop."""
        steady = self.start_server()
        mortals = [Mortal(self.start_server) for _ in range(2)]
        sources = [Source(self.rng.random(), steady, 0.15),
                   Source(self.rng.random(), mortals[1].server, 0.2)]
        plotter = self.plotter = Plotter(
            self.folder, self.farm, sectors,
            [sources[0].proxy.url, mortals[0].server.url, sources[1].proxy.url])
        process = plotter.process
        start = time.monotonic()
        total = 60 * OPTIONS.minutes
        next_sample, next_fault, paused_until = start, start + 3, None
        told_to_stop = False
        while process.poll() is None:
            now = time.monotonic()
            if now >= next_sample:
                next_sample += SAMPLE_SECONDS
                paused = paused_until is not None
                self.samples.take("plot", process.pid, len(plotter.finished), paused)
                for number, server in enumerate([steady, *(mortal.server for mortal in mortals)]):
                    self.samples.take(f"server {number}", server.process.pid, 0, paused)
            if paused_until is not None and now >= paused_until:
                process.send_signal(signal.SIGUSR2)
                paused_until = None
            for mortal in mortals:
                if mortal.back_at is not None and now >= mortal.back_at:
                    mortal.come_back()
            if now >= next_fault:
                next_fault = now + self.rng.uniform(0.5, 6)
                expected = sectors * (now - start) / total
                pause = self.go_wrong(sources, mortals,
                                      (len(plotter.finished) - expected) * total / sectors)
                if pause and paused_until is None:
                    process.send_signal(signal.SIGUSR2)
                    paused_until = now + pause
            if now >= start + 1.05 * total and not told_to_stop:
                # Others have had this machine for themselves. What is there counts.
                told_to_stop = True
                process.send_signal(signal.SIGINT)
            time.sleep(0.1)
        seconds = time.monotonic() - start
        code, stderr = plotter.end()
        self.assertEqual(steady.stop()[0], SUCCESS)
        for source in sources:
            source.proxy.stop()
        for mortal in mortals:
            if mortal.back_at is None:
                self.assertEqual(mortal.server.stop()[0], SUCCESS)
        counts = sum((source.counts for source in sources), collections.Counter())
        print(f"{seconds:.0f} s, exit code {code}, {len(plotter.finished)} sectors; done: "
              f"{dict(self.done)}; answers of the proxies: {dict(counts)}; in the log: "
              f"{stderr.count('rebuilding it from the rest')} pieces rebuilt, "
              f"{stderr.count('trying again in')} downloads tried again", flush=True)
        for name in FAULTS:
            self.assertGreater(counts[name], 0, f"no answer was {name}")
        return code, stderr, told_to_stop

    def check_processes(self):
        plan = self.plotter.last["plan"]["memory_bytes"]
        peak = self.samples.highest("plot", "hwm_kib") * 1024
        print(f"plan {plan >> 20} MiB, peak {peak >> 20} MiB", flush=True)
        self.assertLessEqual(peak, plan)
        for name, allowances in ALLOWANCE.items():
            for key, allowance in allowances.items():
                medians = self.samples.medians(name, key)
                print(f"{name}: {key}: medians of the quarters {medians}, highest "
                      f"{self.samples.highest(name, key)}", flush=True)
                with self.subTest(process=name, key=key):
                    self.assertLessEqual(medians[3], max(medians[:2]) + allowance)

    def check_farm(self, sectors):
        self.assertEqual(formats.plotted_sector_count(self.farm), sectors)
        self.assertEqual(formats.lost_sectors(self.farm), set())
        self.succeeds("scrub", "--farm", self.farm)
        # Some sectors are plotted once more, from the store and without faults.
        sample = sorted(self.rng.sample(range(sectors), min(SAMPLE_SECTORS, sectors)))
        before = [formats.sector_and_slot(self.farm, PIECES_IN_SECTOR, index) for index in sample]
        formats.mark_lost(self.farm, PIECES_IN_SECTOR, sample)
        self.assertEqual(formats.lost_sectors(self.farm), set(sample))
        self.succeeds("plot", "--farm", self.farm, "--pieces", OPTIONS.store, "--sectors", sectors)
        for index, made in zip(sample, before):
            self.assertEqual(formats.sector_and_slot(self.farm, PIECES_IN_SECTOR, index), made,
                             f"sector {index} is not that of a run without faults")
        pieces = formats.piece_indexes(OPTIONS.store)
        out = self.folder / "piece"
        for index in sample:
            self.succeeds("read", "--farm", self.farm, "--sector", index, "--offset",
                          self.rng.randrange(PIECES_IN_SECTOR), "--out", out)
            self.assertIn(hashlib.sha256(out.read_bytes()).digest(), pieces)
            out.unlink()

    def check_files(self):
        out = self.folder / "out"
        self.succeeds("extract", "--farm", self.farm, "--manifest", OPTIONS.store / "manifest.json",
                      "--out", out)
        self.assertEqual(differences(describe(OPTIONS.source), describe(out / OPTIONS.source.name)), [])

    def test_soak(self):
        sectors = self.planned_sectors()
        code, stderr, told_to_stop = self.run_with_faults(sectors)
        self.assertEqual(code, INTERRUPTED if told_to_stop else SUCCESS, stderr)
        if told_to_stop:
            sectors = formats.plotted_sector_count(self.farm)
            self.assertLessEqual(self.plotter.finished, set(range(sectors)))
            # What was overtaken is missing.
            self.succeeds("plot", "--farm", self.farm, "--pieces", OPTIONS.store, "--sectors", sectors)
        else:
            self.assertEqual(self.plotter.finished, set(range(MEASURED_SECTORS, sectors)))
        self.check_farm(sectors)
        if sectors >= SECTORS_WITH_ALL_FILES:
            self.check_files()
        self.check_processes()
        program.remove_tree(self.folder)  # samples.csv stays


def add_options(parser):
    parser.add_argument("--minutes", type=float, default=60, help="how long to plot, at least 2 (60)")
    parser.add_argument("--disk-gb", type=int, default=15, help="most space for the farm, in GB (15)")
    parser.add_argument("--threads", type=int, default=1, help="that encode (1)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32),
                        help="of the faults; drawn when not given")


if __name__ == "__main__":
    os.environ.pop("http_proxy", None)
    program.run_tests(__doc__, add_options, keep_files=True)
