#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A cluster over a bad line, between two network namespaces: delay, packets that are lost, a minute and a half of
nothing. Whoever is at the far end, farmer or plotter, sectors arrive, and are those of a plotter beside its farmer.

    cluster_line.py --furrow PROGRAM --work DIR --fixtures DIR [--seed N] ClusterLine | FarmOverALine | Throughput
"""

import json
import pathlib
import random
import shutil
import subprocess
import sys
import threading
import time

from support import cluster, formats, line
from support.cluster import ClusterTest
from support.program import OPTIONS

ROUND_TRIP_MS = 100
LOSS = 0.01
PARTITION_SECONDS = 90
ABANDONED = "nobody takes it any more"
# A server closes a connection that does not take what it has for it within ten seconds, unless it is told
# otherwise: over this line two messages of two megabytes take half a minute.
CONFIGURATION = 'max_payload: 2MB\nwrite_deadline: "60s"\n'
# Of the two congestion controls that are found everywhere the one that takes each loss for a full line; and the one
# that does not, where the system lets a namespace have it.
RENO, BBR = "reno", "bbr"
MESSAGE_BYTES = 1_887_436  # of a sector, at most


class Farmer:
    """A process that farms sectors of a cluster: what is known of it from outside."""

    def __init__(self, test, namespace, server, folder, pieces, first=0, sectors=1):
        self.folder = folder
        self.events = []
        self.process = subprocess.Popen(
            [*namespace.prefix, *self.command(server.url, folder, pieces, first, sectors)],
            stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        test.addCleanup(self.wait)
        test.addCleanup(self.process.kill)

    @staticmethod
    def command(url, folder, pieces, first, sectors):
        farmer = pathlib.Path(__file__).with_name("plain_farmer.py")
        return [str(word) for word in (sys.executable, "-B", farmer, "--nats-server", url, "--out", folder,
                                       "--pieces-in-sector", pieces, "--first-sector", first, "--sectors", sectors)]

    def read(self):
        with self.process.stdout as lines:
            for text in lines:
                self.events.append({**json.loads(text), "at": time.monotonic()})

    def of(self, event):
        return [known for known in self.events if known["event"] == event]

    def wait(self):
        code = self.process.wait(timeout=1200)
        self.reader.join()
        return code

    def files(self):
        """Bytes of sectors and of their metadata, by name."""
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}


class OverALine(ClusterTest):
    def setUp(self):
        super().setUp()
        self.line = line.Line(OPTIONS.seed)
        self.addCleanup(self.line.close)
        self.use(RENO)
        self.server = self.start_server(CONFIGURATION, address=self.line.left.address, prefix=self.line.left.prefix)

    def use(self, congestion_control):
        for namespace in (self.line.left, self.line.right):
            namespace.setting("tcp_congestion_control", congestion_control)

    def start_plotter_at(self, namespace, pieces):
        return self.start_plotter(self.server, most_pieces=pieces, prefix=namespace.prefix)

    def start_farmer_at(self, namespace, name, pieces, **options):
        return Farmer(self, namespace, self.server, self.folder / name, pieces, **options)

    def farm_at(self, namespace, name, pieces, **options):
        farmer = self.start_farmer_at(namespace, name, pieces, **options)
        self.assertEqual(farmer.wait(), 0)
        return farmer


class ClusterLine(OverALine):
    def sector_over_the_line(self, farmer_at, plotter_at):
        """Two dozen pieces, with delay and loss."""
        pieces = 24
        plotter = self.start_plotter_at(plotter_at, pieces)
        expected = self.farm_at(farmer_at, "expected", pieces).files()
        self.line.change(delay_ms=ROUND_TRIP_MS / 2, loss=LOSS)
        farmer = self.farm_at(farmer_at, "farmer", pieces)
        self.assertTrue(farmer.files() == expected)
        self.assertEqual(len(expected["sector-0"]), formats.sector_size(pieces))
        counts = self.end_node(plotter)
        have = farmer.of("have")[0]
        print(f"{pieces} pieces, {ROUND_TRIP_MS} ms, {LOSS:.0%} lost: {have['seconds']:.0f} s; "
              f"{rate(have):.3f} MB/s of chunks; asked {len(farmer.of('asked'))} times; {self.line.close()}", flush=True)
        self.assertEqual(farmer.of("lost"), [])
        self.assertEqual((counts["delivered"], counts["abandoned"]), (2, 0))

    def test_the_farmer_is_far(self):
        self.sector_over_the_line(self.line.right, self.line.left)

    def test_the_plotter_is_far(self):
        self.sector_over_the_line(self.line.left, self.line.right)

    def partition(self, farmer_at, plotter_at):
        """In the middle of the first of two sectors."""
        pieces = 8
        plotter = self.start_plotter_at(plotter_at, pieces)
        expected = self.farm_at(farmer_at, "expected", pieces, sectors=2).files()
        self.line.change(delay_ms=ROUND_TRIP_MS / 2, loss=LOSS)
        farmer = self.start_farmer_at(farmer_at, "farmer", pieces, sectors=2)
        self.wait_until(lambda: farmer.of("finished"), "the sector is under way")
        cut = time.monotonic()
        self.line.change(is_cut=True)
        self.wait_until(lambda: farmer.of("lost"), "the farmer waits no longer", PARTITION_SECONDS)
        self.wait_until(lambda: ABANDONED in plotter.said(), "the plotter waits no longer", PARTITION_SECONDS)
        gave_up = time.monotonic() - cut
        time.sleep(max(0, cut + PARTITION_SECONDS - time.monotonic()))
        self.line.change(is_cut=False)
        self.assertEqual(farmer.wait(), 0)
        self.assertTrue(farmer.files() == expected)
        counts = self.end_node(plotter)
        asked = farmer.of("asked")
        self.assertEqual([event["sector"] for event in asked], [0] * (len(asked) - 1) + [1])
        self.assertGreater(len(asked), 2, "the first one again")
        print(f"cut for {PARTITION_SECONDS} s: given up by both after {gave_up:.0f} s; asked again "
              f"{asked[1]['at'] - cut:.0f} s after the cut, first sector there after "
              f"{farmer.of('have')[0]['at'] - cut:.0f} s, the next one after {farmer.of('have')[1]['at'] - cut:.0f} s; "
              f"{[event['reason'] for event in farmer.of('lost')]}; {self.line.close()}", flush=True)
        self.assertEqual(counts["delivered"], 4)
        self.assertGreaterEqual(counts["abandoned"], 1)

    def test_the_farmer_is_cut_off(self):
        self.partition(self.line.right, self.line.left)

    def test_the_plotter_is_cut_off(self):
        self.partition(self.line.left, self.line.right)


class FarmOverALine(OverALine):
    """A farm of ours at the far end, and the rest of its cluster at the other."""

    PIECES = 8
    SECTORS = 3

    def start_farm(self, sectors):
        return subprocess.Popen(
            [str(word) for word in (*self.line.right.prefix, OPTIONS.furrow, "cluster-farm", "--nats-server",
                                    self.server.url, "--farm", self.farm, "--sectors", sectors, "--pieces-in-sector",
                                    self.PIECES, "--in-flight", 1, "--json")], stdout=subprocess.PIPE, text=True)

    def test_a_farm_is_plotted_through_a_partition(self):
        self.farm, local = self.folder / "farm", self.folder / "local"
        self.start_node("cluster-pieces", self.server, "--store", OPTIONS.store, prefix=self.line.left.prefix)
        plotter = self.start_plotter(self.server, pieces=(), most_pieces=self.PIECES, prefix=self.line.left.prefix)
        first = self.start_farm(1)
        first.communicate()
        self.assertEqual(first.returncode, 0)
        shutil.copytree(self.farm, local)
        self.line.change(delay_ms=ROUND_TRIP_MS / 2, loss=LOSS)
        farm = self.start_farm(self.SECTORS)
        self.addCleanup(farm.kill)
        began, states = time.monotonic(), []
        self.addCleanup(farm.stdout.close)
        for text in farm.stdout:
            event = json.loads(text)
            if event["event"] == "sector":
                states.append(event["state"])
                print(f"{time.monotonic() - began:.0f} s: sector {event['sector']} {event['state']}", flush=True)
                if states.count("encoded") == 1 and event["state"] == "encoded":
                    time.sleep(10)  # its bytes are on the way
                    self.line.change(is_cut=True)
                    time.sleep(PARTITION_SECONDS)
                    self.line.change(is_cut=False)
        self.assertEqual(farm.wait(timeout=600), 0)
        self.assertGreaterEqual(states.count("trying_again"), 1, "the sector that was cut off was asked for again")
        self.assertIn(ABANDONED, plotter.said())
        self.succeeds("scrub", "--farm", self.farm)
        self.succeeds("plot", "--farm", local, "--pieces", OPTIONS.store, "--sectors", self.SECTORS, "--encoder", "cpu")
        for name in ("plot.bin", "metadata.bin"):
            self.assertEqual((self.farm / name).read_bytes(), (local / name).read_bytes(), name)


class Throughput(OverALine):
    """Asserts only that sectors arrive: the figures are for who reads them."""

    PIECES = 40
    PIECES_WITH_LOSS = 16  # or it takes all day

    def test_throughput(self):
        plotter = self.start_plotter_at(self.line.left, self.PIECES)
        print("\nround trip, loss, congestion control: chunks of a sector; what two messages a round trip allow",
              flush=True)
        for control in (RENO, BBR):
            try:
                self.use(control)
            except subprocess.CalledProcessError:
                print(f"{control}: no namespace may have it here", flush=True)
                continue
            for round_trip_ms, loss in ((0, 0), (1, 0), (10, 0), (50, 0), (100, 0), (200, 0), (100, 0.001),
                                        (100, 0.01), (200, 0.01)):
                self.line.change(delay_ms=round_trip_ms / 2, loss=loss)
                farmer = self.farm_at(self.line.right, "farmer", self.PIECES_WITH_LOSS if loss else self.PIECES)
                allowed = "no limit" if round_trip_ms == 0 else f"{2 * MESSAGE_BYTES / round_trip_ms / 1000:.1f} MB/s"
                print(f"{round_trip_ms} ms, {loss:.1%}, {control}: {rate(farmer.of('have')[0]):.3f} MB/s; {allowed}",
                      flush=True)
                shutil.rmtree(farmer.folder)
        self.end_node(plotter)


def rate(have):
    return have["streamed_bytes"] / have["streamed_seconds"] / 1e6


def add_options(parser):
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32),
                        help="of the packets that are lost; drawn when not given")


if __name__ == "__main__":
    if line.why_not():
        print(f"SKIPPED: {line.why_not()}")
        sys.exit(cluster.SKIPPED)
    cluster.run_tests(__doc__, add_options)
