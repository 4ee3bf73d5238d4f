#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a plotter takes while nobody takes its sectors: farmers that stop acknowledging, that are stopped for a
minute, or that never come back, as many as the plotter has places. Its memory has to stay within its plan, its
places have to be free again, and the next farmer has to get his sector.

    slow_receiver.py --furrow PROGRAM --work DIR --fixtures DIR
"""

import concurrent.futures
import hashlib
import json
import pathlib
import signal
import subprocess
import sys
import time

from support import cluster, formats
from support.cluster import ClusterTest
from support.farmer import CHUNK, Answer, request

# One sector more in memory than planned is more than what the plan has to spare.
PIECES_IN_SECTOR = 60
# Part of each plan, and not needed here: no piece is missing.
REBUILDING_BYTES = 448 << 20
ACKNOWLEDGEMENT_TIMEOUT = 60
ABANDONED = "nobody takes it any more"
FARMER = pathlib.Path(__file__).with_name("plain_farmer.py")


class Trial:
    """A server, a plotter, and what that took before anybody wanted a large sector."""

    def __init__(self, test, name):
        self.test = test
        self.name = name
        self.server = test.start_server()
        self.plotter = test.start_plotter(self.server, "--threads", 1, "--in-flight", 8,
                                          most_pieces=PIECES_IN_SECTOR)
        self.id = self.plotter.beginning["plotter"]
        self.places = self.plotter.beginning["places"]
        self.farmer = test.new_farmer(self.server)
        test.free_instance(self.farmer)
        # As many at once as there are places: threads of the encoder stay when they are there.
        farmers = [test.new_farmer(self.server) for _ in range(self.places)]
        with concurrent.futures.ThreadPoolExecutor() as threads:
            for answer in threads.map(lambda farmer: farmer.plot(self.id, request(1, 4)), farmers):
                test.assertEqual(answer.error, "")
        self.idle = self.usage_when_idle()

    def usage_when_idle(self):
        """A thread may end a moment after its sector."""
        usage = self.plotter.usage()
        while True:
            time.sleep(2)
            before, usage = usage, self.plotter.usage()
            if (before["threads"], before["descriptors"]) == (usage["threads"], usage["descriptors"]):
                return usage

    def wait_until_abandoned(self, n):
        self.test.wait_until(lambda: self.plotter.said().count(ABANDONED) >= n, f"{self.name}: {n} sectors abandoned")

    def finish(self, abandoned, delivered):
        """What has to hold in the end; the bytes of one more sector."""
        test = self.test
        farmer = test.new_farmer(self.server)  # the other one has not answered the server for minutes
        test.assertEqual(test.free_instance(farmer), self.id)
        sector = farmer.plot(self.id, request(9, PIECES_IN_SECTOR)).sector
        test.assertEqual(len(sector), formats.sector_size(PIECES_IN_SECTOR))
        usage = self.usage_when_idle()
        plan = self.plotter.beginning["memory_bytes"] - REBUILDING_BYTES
        print(f"{self.name}: {self.places} places; peak {usage['peak'] >> 20} MiB, planned {plan >> 20} MiB and "
              f"{REBUILDING_BYTES >> 20} MiB for rebuilding pieces; idle before and after: memory "
              f"{self.idle['rss'] >> 20} and {usage['rss'] >> 20} MiB, descriptors {self.idle['descriptors']} and "
              f"{usage['descriptors']}, threads {self.idle['threads']} and {usage['threads']}; slow consumers of the "
              f"server: {self.server.log.read_text().count('Slow Consumer')}", flush=True)
        test.assertLess(usage["peak"], plan)
        test.assertLess(usage["rss"], self.idle["rss"] + len(sector), "no sector is kept")
        test.assertLessEqual(usage["descriptors"], self.idle["descriptors"])
        test.assertLessEqual(usage["threads"], self.idle["threads"])
        counts = test.end_node(self.plotter)
        test.assertEqual([counts[name] for name in ("abandoned", "delivered", "failed", "unfinished")],
                         [abandoned, delivered + self.places + 1, 0, 0], self.plotter.said())
        return hashlib.sha256(sector).hexdigest()


class SlowReceiver(ClusterTest):
    def ask_for_all_places(self, trial):
        """Farmers who have not got anything yet but a first message."""
        farmers = []
        for index in range(trial.places):
            farmer = self.new_farmer(trial.server)
            farmer.begin(trial.id, request(10 + index, PIECES_IN_SECTOR))
            farmer.take(Answer())
            farmers.append(farmer)
        self.assertIsNone(trial.farmer.free_instance(), "all places are taken")
        return farmers

    def stops_acknowledging(self):
        """They go on receiving, too, which leaves nothing with the server."""
        trial = Trial(self, "not acknowledged")

        def take(farmer):
            farmer.take_until(CHUNK)
            # Of a window of two messages, the second may be on its way, and one more behind the last acknowledgement.
            with self.assertRaises(TimeoutError):
                for _ in range(3):
                    self.assertFalse(farmer.next(ACKNOWLEDGEMENT_TIMEOUT + 5).is_last)

        with concurrent.futures.ThreadPoolExecutor() as threads:
            for done in [threads.submit(take, farmer) for farmer in self.ask_for_all_places(trial)]:
                done.result()
        trial.wait_until_abandoned(trial.places)
        return trial.finish(abandoned=trial.places, delivered=0)

    def is_stopped(self):
        trial = Trial(self, "stopped")
        farmers = []
        for index in range(trial.places):
            # For some the server has to keep the two messages that are on their way. It closes their connections.
            buffer = ("--receive-buffer", "8192") if index % 2 == 0 else ()
            farmers.append(subprocess.Popen(
                [sys.executable, "-B", FARMER, "--nats-server", trial.server.url, "--out", self.folder / "stopped",
                 "--first-sector", str(10 + index), "--pieces-in-sector", str(PIECES_IN_SECTOR), "--stop-at-chunk",
                 *buffer],
                stdout=subprocess.PIPE, text=True))
            self.addCleanup(farmers[-1].communicate)
            self.addCleanup(farmers[-1].kill)

        def wake(farmer):
            """When it has been stopped for as long as takes to lose its sector; what it told."""
            events = []
            while not events or events[-1]["event"] != "stopped":
                events.append(json.loads(farmer.stdout.readline()))
            time.sleep(ACKNOWLEDGEMENT_TIMEOUT + 5)
            farmer.send_signal(signal.SIGCONT)
            events += map(json.loads, farmer.stdout.read().splitlines())
            self.assertEqual(farmer.wait(), 0)
            return [event["event"] for event in events]

        with concurrent.futures.ThreadPoolExecutor() as threads:
            for told in threads.map(wake, farmers):
                self.assertIn("lost", told)
                self.assertEqual(told[-1], "have", told)
        self.assertIn("Slow Consumer", trial.server.log.read_text())
        return trial.finish(abandoned=trial.places, delivered=trial.places)

    def never_comes_back(self):
        trial = Trial(self, "gone")
        farmers = self.ask_for_all_places(trial)
        farmers.pop().close()  # its sector is made for nobody
        with concurrent.futures.ThreadPoolExecutor() as threads:
            def take(farmer):
                farmer.take_until(CHUNK)
                farmer.close()
            for done in [threads.submit(take, farmer) for farmer in farmers]:
                done.result()
        trial.wait_until_abandoned(trial.places)
        return trial.finish(abandoned=trial.places, delivered=0)

    def test_receivers(self):
        """All at once: they wait most of the time."""
        with concurrent.futures.ThreadPoolExecutor() as threads:
            trials = [threads.submit(trial) for trial in
                      (self.stops_acknowledging, self.is_stopped, self.never_comes_back)]
            concurrent.futures.wait(trials)
        sectors = set()
        for trial in trials:
            with self.subTest():
                sectors.add(trial.result())
        self.assertEqual(len(sectors), 1, "the same sector of each plotter")


if __name__ == "__main__":
    cluster.run_tests(__doc__)
