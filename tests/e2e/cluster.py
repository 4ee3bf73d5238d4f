#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A whole cluster of furrow processes: two farms, a piece node, three plotters, and a NATS server.

    cluster.py --furrow PROGRAM --work DIR --fixtures DIR [--sectors N] [--minutes M]

With --minutes everything is killed and started again at random for that long.
"""

import filecmp
import json
import random
import shutil
import signal
import time

from support import program
from support.cluster import run_tests
from support.restartable import RestartableCluster
from support.program import BAD_ARGUMENTS, INTERRUPTED, IO_ERROR, OPTIONS, SUCCESS, UNAVAILABLE, FurrowTest

PIECES_IN_SECTOR = 2


class WholeCluster(FurrowTest):
    def setUp(self):
        super().setUp()
        self.cluster = RestartableCluster(self)
        self.cluster.wait_for_server()
        self.farms = [self.folder / f"farm-{i}" for i in range(2)]

    def start_pieces(self):
        pieces = self.cluster.join("cluster-pieces", "cluster-pieces", "--store", OPTIONS.store)
        pieces.wait_for_text("serving")
        return pieces

    def start_plotters(self, n):
        plotters = [self.cluster.join(f"plotter-{i}", "plotter", "--encoder", "cpu", "--threads", 1,
                                      "--max-pieces-in-sector", PIECES_IN_SECTOR) for i in range(n)]
        for plotter in plotters:
            plotter.wait_for_text("at a time")
        return plotters

    def farm_options(self, farm, sectors, *more):
        return ("cluster-farm", "--farm", farm, "--sectors", sectors, "--pieces-in-sector", PIECES_IN_SECTOR,
                "--in-flight", 3, *more)

    def begin_farms(self):
        """Their keys, each with one sector by the plotters, and a copy of each."""
        for farm in self.farms:
            self.succeeds(*self.farm_options(farm, 1), "--nats-server", self.cluster.url)
            shutil.copytree(farm, self.local_of(farm))

    def local_of(self, farm):
        return farm.with_name(farm.name + "-local")

    def check_farms(self, sectors):
        """So many in each, clean, and to the byte what the same key gets on one machine."""
        for farm, n in zip(self.farms, sectors):
            self.succeeds("scrub", "--farm", farm)
            local = self.local_of(farm)
            self.succeeds("plot", "--farm", local, "--pieces", OPTIONS.store, "--sectors", n, "--encoder", "cpu")
            for name in ("plot.bin", "metadata.bin", "single_disk_farm.json", "identity.bin"):
                self.assertTrue(filecmp.cmp(farm / name, local / name, shallow=False), name)

    def test_plots_what_one_machine_plots(self):
        pieces = self.start_pieces()
        plotters = self.start_plotters(3)
        self.begin_farms()
        farms = [self.cluster.join(f"cluster-farm-{i}", *self.farm_options(farm, OPTIONS.sectors))
                 for i, farm in enumerate(self.farms)]
        for farm in farms:
            self.assertEqual(farm.process.wait(timeout=program.TIMEOUT_SECONDS), SUCCESS, farm.text())
        delivered = 0
        for plotter in plotters:
            self.assertEqual(plotter.end(), SUCCESS, plotter.text())
            last = plotter.text().splitlines()[-1]
            self.assertIn("delivered", last)
            delivered += int(last.split()[1])
        self.assertEqual(delivered, 2 * OPTIONS.sectors, "nobody's work was thrown away")
        self.assertEqual(pieces.end(), SUCCESS, pieces.text())
        self.check_farms([OPTIONS.sectors] * 2)

    def test_two_farms_of_one_process(self):
        self.start_pieces()
        self.start_plotters(1)
        options = self.farm_options(self.farms[0], 2)
        result = self.succeeds(*options, "--farm", self.farms[1], "--json", "--nats-server", self.cluster.url)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([event["event"] for event in events[:3]], ["farm", "farm", "begin"])
        summary = events[-1]
        self.assertEqual((summary["event"], summary["unverified_records"]), ("summary", 0))
        self.assertEqual([(farm["sectors"], farm["sectors_plotted"]) for farm in summary["farms"]], [(2, 2), (2, 2)])
        for farm in self.farms:
            self.succeeds("scrub", "--farm", farm)
        # Nothing is missing, so nothing is asked for.
        result = self.succeeds(*options, "--json", "--nats-server", self.cluster.url)
        self.assertEqual(json.loads(result.stdout.splitlines()[-1])["farms"][0]["sectors_plotted"], 0)

    def test_a_farm_that_goes_away_ends_alone(self):
        self.start_pieces()
        options = self.farm_options(self.farms[0], 2)
        process = self.cluster.join("cluster-farm", *options, "--farm", self.farms[1])
        process.wait_for_text("at a time")
        self.farms[0].rename(self.folder / "elsewhere")
        process.wait_for_text("removed, replaced or unmounted")
        self.start_plotters(1)
        self.assertEqual(process.process.wait(timeout=program.TIMEOUT_SECONDS), program.CHECK_FAILED, process.text())
        self.succeeds("scrub", "--farm", self.farms[1])

    def test_no_plotter_and_a_signal(self):
        self.start_pieces()
        process = self.cluster.join("cluster-farm", *self.farm_options(self.farms[0], 1))
        process.wait_for_text("no plotter")
        self.assertEqual(process.end(signal.SIGINT, timeout=30), INTERRUPTED, process.text())

    def test_what_it_cannot_do(self):
        url = ("--nats-server", self.cluster.url)
        farm = self.farms[0]
        self.fails(BAD_ARGUMENTS, ["--farm"], "cluster-farm", *url)
        pieces = self.start_pieces()
        self.fails(BAD_ARGUMENTS, ["--sectors"], "cluster-farm", *url, "--farm", farm)
        self.fails(program.MISMATCH, ["genesis root"], *self.farm_options(farm, 1), *url, "--genesis-root", "ab" * 32)
        self.fails(IO_ERROR, ["absent"], *self.farm_options(self.folder / "absent" / "farm", 1), *url)
        self.fails(BAD_ARGUMENTS, ["twice"], *self.farm_options(farm, 1), *url, "--farm", f"{self.folder}/./{farm.name}")
        pieces.end()
        self.assert_absent(farm)

    def test_nobody_knows_the_chain(self):
        self.fails(UNAVAILABLE, ["farmer-app-info", "nobody is subscribed"],
                   *self.farm_options(self.farms[0], 1), "--nats-server", self.cluster.url)
        self.assert_absent(self.farms[0])

    def test_a_server_that_comes_back_with_too_small_messages(self):
        pieces = self.start_pieces()
        self.cluster.server.kill()
        self.cluster.configure("max_payload: 1MB\n")
        self.cluster.server.start()
        pieces.wait_for_text("put `max_payload: 2MB` into its configuration")
        self.cluster.server.kill()
        self.cluster.configure("max_payload: 2MB\n")
        self.cluster.server.start()
        pieces.wait_for_text("connected to the cluster again", times=2)
        self.start_plotters(1)
        self.succeeds(*self.farm_options(self.farms[0], 1), "--nats-server", self.cluster.url)
        self.assertEqual(pieces.text().count("max_payload"), 2, "said once, in one line that names it twice")

    def test_help(self):
        text = self.succeeds("cluster-farm", "--help").stdout
        for option in ("--nats-server URL", "--farm DIR", "--sectors N", "--in-flight N", "--verify-records N", "--json"):
            self.assertIn(option, text)

    def test_kills(self):
        if OPTIONS.minutes == 0:
            self.skipTest("without --minutes nothing is killed")
        seed = OPTIONS.seed or random.randrange(1 << 32)
        print(f"seed {seed}", flush=True)
        dice = random.Random(seed)
        pieces = self.start_pieces()
        plotters = self.start_plotters(3)
        self.begin_farms()
        sectors = [OPTIONS.sectors, OPTIONS.sectors]
        farms = [self.cluster.join(f"cluster-farm-{i}", *self.farm_options(farm, sectors[i]))
                 for i, farm in enumerate(self.farms)]
        victims = [self.cluster.server, pieces, *plotters, *farms]
        kills = {victim.name: 0 for victim in victims}
        looks = {victim.name: [] for victim in victims}
        deadline = time.monotonic() + 60 * OPTIONS.minutes
        while time.monotonic() < deadline:
            next_kill = time.monotonic() + dice.uniform(1, 20)
            while time.monotonic() < next_kill:
                time.sleep(0.5)
                for victim in victims:
                    looks[victim.name].append(victim.look())
                for i, farm in enumerate(farms):
                    if not farm.is_running():
                        if farm.process.returncode == SUCCESS:  # more to do
                            sectors[i] += 5
                            farm.command[farm.command.index("--sectors") + 1] = str(sectors[i])
                        farm.start()  # else it could not do without whoever was away
                for victim in (pieces, *plotters):
                    if not victim.is_running():
                        victim.start()  # a server that was away when it started
            victim = dice.choice(victims)
            victim.end(dice.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
            kills[victim.name] += 1
            time.sleep(dice.choice([0, 0.5, 3]))
            victim.start()
        print(f"kills: {kills}", flush=True)
        for i, farm in enumerate(farms):
            while not (farm.process.wait(timeout=program.TIMEOUT_SECONDS) == SUCCESS):
                farm.start()
            print(f"{self.farms[i].name}: {sectors[i]} sectors", flush=True)
        for victim in victims:
            seen = [look for look in looks[victim.name] if look is not None]
            print(f"{victim.name}: at most {victim.most_kib >> 10} MiB, {victim.most_descriptors} descriptors; at the end "
                  f"{seen[-1][0] >> 10} MiB, {seen[-1][1]}", flush=True)
        self.check_farms(sectors)


def add_options(parser):
    parser.add_argument("--sectors", type=int, default=4, help="of each of the two farms")
    parser.add_argument("--minutes", type=float, default=0, help="for which processes are killed")
    parser.add_argument("--seed", type=int, default=0, help="of what is killed when")


if __name__ == "__main__":
    run_tests(__doc__, add_options)
