#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program with a CUDA device, which is the one of the harness: what the plan says of it, limits of its
memory, and a farm that it plots."""

import json
import os
import signal
import subprocess
import time

from support import formats, program
from support.program import BAD_ARGUMENTS, INTERRUPTED, OPTIONS, UNAVAILABLE, FurrowTest

MIB = 1 << 20
# What the harness takes for the launches of a trial, and less than it takes for two.
AFTER_THE_TRIAL = 17
# A signal ends a plot that waits for a card within a second; the rest is for a busy machine.
SOON = 3


def cards(*words):
    """The environment of a program that sees such cards (tests/simt/fake_cuda.hpp)."""
    return dict(os.environ, FURROW_SIMT_CARDS=",".join(words))


class Device(FurrowTest):
    def plan(self, *options):
        return json.loads(self.succeeds("plan", "--json", "--no-measure", "--pieces-in-sector", 10, *options).stdout)

    def least(self, option):
        """The least that the program says an encoder takes, when it is allowed 1 byte."""
        refused = self.fails(BAD_ARGUMENTS, ["CUDA device 0 takes at least", "allowed are 1"],
                             "plan", "--no-measure", option, 1)
        return int(refused.stderr.split("takes at least ")[1].split()[0])

    def test_the_plan_names_the_device(self):
        plan = self.plan()
        self.assertEqual(plan["devices"], 1)
        [device] = plan["device_memory"]
        self.assertEqual((device["device"], device["lanes"], device["batch"]), (0, 3, 4))
        self.assertGreaterEqual(device["bytes"], 12 * (device["least_bytes"] - MIB))
        # The pinned memory is the host's, and in its plan.
        [pinned] = [item["bytes"] for item in plan["items"] if "pinned memory" in item["what"]]
        self.assertGreater(pinned, device["pinned_bytes"])
        self.assertGreaterEqual(device["pinned_bytes"], 12 * MIB)
        text = self.succeeds("plan", "--no-measure").stdout.splitlines()
        self.assertEqual([line for line in text if "CUDA device 0 (" in line], text[-1:])

    def test_limits_are_kept(self):
        least = self.least("--vram-limit")
        [device] = self.plan("--vram-limit", least)["device_memory"]
        self.assertEqual((device["lanes"], device["batch"]), (1, 1))
        self.assertEqual(device["bytes"], least)
        [device] = self.plan("--vram-limit", 7 * least)["device_memory"]
        self.assertLessEqual(device["bytes"], 7 * least)
        least_pinned = self.least("--pinned-limit")
        [device] = self.plan("--pinned-limit", 3 * least_pinned)["device_memory"]
        self.assertEqual(device["pinned_bytes"], 3 * least_pinned)

    def test_without_the_device_nothing_is_said_of_it(self):
        plan = self.plan("--encoder", "cpu")
        self.assertNotIn("device_memory", plan)
        self.assertEqual(plan["devices"], 0)
        self.assertNotIn("CUDA", self.succeeds("plan", "--no-measure", "--encoder", "cpu").stdout)
        self.fails((BAD_ARGUMENTS, UNAVAILABLE), ["'7'"], "plan", "--no-measure", "--device", 7)

    def test_a_limit_that_is_too_low_creates_no_farm(self):
        farm = self.folder / "farm"
        self.fails(BAD_ARGUMENTS, ["device memory limit", "allowed are 1048576"], "plot", "--farm", farm,
                   "--pieces", OPTIONS.store, "--sectors", 1, "--vram-limit", "1MiB")
        self.assert_absent(farm)

    def test_plotting_with_it(self):
        farm = self.folder / "farm"
        result = self.succeeds("plot", "--farm", farm, "--pieces", OPTIONS.store, "--sectors", 1,
                               "--pieces-in-sector", 2, "--encoder", "cuda", "--vram-limit", "200MiB",
                               "--progress", "json")
        events = [json.loads(line) for line in result.stdout.splitlines()]
        [device] = events[0]["device_memory"]
        self.assertLessEqual(device["bytes"], 200 * MIB)
        self.assertEqual(events[-1]["plotted_now"], 1)
        limit = [event for event in events if event["event"] == "limit"][-1]
        # It copies: how long depends, but never longer than it was busy.
        self.assertGreater(limit["busy"]["encoder"], 0)
        self.assertGreaterEqual(limit["busy"]["transfer"], 0)
        self.assertLessEqual(limit["busy"]["encoder"] + limit["busy"]["transfer"], 1.01)
        [encoder] = [event for event in events if event["event"] == "progress"][-1]["encoders"]
        self.assertTrue(encoder["name"].startswith("cuda 0 ("), encoder)
        self.assertGreaterEqual(encoder["transfer_seconds"], 0)  # two records: less than a millisecond, as a rule
        self.succeeds("scrub", "--farm", farm)


class Misbehaving(FurrowTest):
    """Cards whose calls all succeed, and which do something else."""

    def plot_command(self, farm, *options):
        return ("plot", "--farm", farm, "--pieces", OPTIONS.store, "--sectors", 1, "--pieces-in-sector", 2,
                *options)

    def plotted(self, name, *options, env=None):
        """What is said while a farm is plotted, and its sector; all have the same key."""
        farm = self.folder / name
        formats.begin_farm_with_key_of(OPTIONS.farm, farm)
        result = self.succeeds(*self.plot_command(farm, *options), env=env)
        return result.stderr, (farm / "plot.bin").read_bytes()[:formats.sector_size(2)]

    def test_each_card_is_checked(self):
        result = self.succeeds("devices", "--check", env=cards("well", "well"))
        self.assertEqual([line.rsplit(": ", 1)[1] for line in result.stdout.splitlines()], ["passed"] * 2)
        result = self.fails(UNAVAILABLE, ["2 of 3 CUDA devices failed the check"], "devices", "--check",
                            env=cards("idles", "well", "flips"))
        lines = result.stdout.splitlines()
        self.assertIn("device 0: Furrow SIMT harness: failed: it does not encode a known record", lines[0])
        self.assertIn("passed", lines[1])
        self.assertIn("device 2: Furrow SIMT harness: failed: it encodes a known record wrongly", lines[2])
        checked = json.loads(self.fails(UNAVAILABLE, [], "devices", "--check", "--json",
                                        env=cards("well", "idles")).stdout)
        self.assertEqual([(device["check"], device["supported"]) for device in checked["devices"]],
                         [("passed", True), ("failed", False)])

    def test_one_that_does_nothing_is_refused_at_start(self):
        _, expected = self.plotted("cpu", "--encoder", "cpu")
        said, sector = self.plotted("auto", env=cards("idles"))
        self.assertEqual(said.count("CUDA device 0 (Furrow SIMT harness) cannot be used: it does not encode"), 1,
                         said)
        self.assertEqual(sector, expected)
        farm = self.folder / "refused"
        for options in (("--encoder", "cuda"), ("--device", 0)):
            self.fails(UNAVAILABLE, ["it does not encode a known record"],
                       *self.plot_command(farm, *options), env=cards("idles"))
            self.assert_absent(farm)

    def test_the_others_go_on_without_one_that_is_refused(self):
        _, expected = self.plotted("cpu", "--encoder", "cpu")
        said, sector = self.plotted("cuda", "--encoder", "cuda", env=cards("well", "idles"))
        self.assertEqual(said.count("CUDA device 1 (Furrow SIMT harness) cannot be used: it does not encode"), 1,
                         said)
        self.assertEqual(sector, expected)
        plan = json.loads(self.succeeds("plan", "--json", "--no-measure", "--encoder", "cuda",
                                        env=cards("well", "idles")).stdout)
        self.assertEqual([device["device"] for device in plan["device_memory"]], [0])
        self.fails(UNAVAILABLE, ["CUDA device 1", "it does not encode a known record"],
                   *self.plot_command(self.folder / "named", "--device", 0, "--device", 1),
                   env=cards("well", "idles"))

    def test_one_that_flips_a_bit_now_and_then_is_not_used_again(self):
        _, expected = self.plotted("cpu", "--encoder", "cpu")
        said, sector = self.plotted("flips", "--verify-records", 2, env=cards("flips:2"))
        self.assertEqual(said.count("is quarantined"), 1, said)
        self.assertIn("no device is left", said)
        self.assertEqual(sector, expected)

    def test_one_that_begins_to_hang_is_done_without(self):
        _, expected = self.plotted("cpu", "--encoder", "cpu")
        said, sector = self.plotted("hangs", env=cards(f"hangs:{AFTER_THE_TRIAL}"))
        self.assertIn("is lost and used no more: ", said)
        self.assertIn("the device has not done what it was given", said)
        self.assertEqual(sector, expected)

    def interrupted(self, env, *arguments, made=None):
        """Starts the program, and sends SIGINT when it waits for a card: after `made` is there."""
        process = subprocess.Popen([str(part) for part in (OPTIONS.furrow, *arguments)], env=env,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True)
        try:
            while made is not None and not made.exists():
                self.assertIsNone(process.poll())
                time.sleep(0.1)
            time.sleep(3)  # it takes less to get to the card, and would wait for much longer
            self.assertIsNone(process.poll())
            start = time.monotonic()
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=60)
            self.assertLess(time.monotonic() - start, SOON, output)
        finally:
            process.kill()
        self.assertEqual(process.returncode, INTERRUPTED, output)

    def test_a_signal_ends_the_wait_for_one_that_hangs(self):
        farm = self.folder / "farm"
        self.interrupted(cards("hangs"), "devices", "--check")
        self.interrupted(cards("hangs"), *self.plot_command(farm))
        self.assert_absent(farm)  # it came to nothing yet
        # In mid-run, too: the farm is there, and its sector is not.
        self.interrupted(cards(f"hangs:{AFTER_THE_TRIAL}"), *self.plot_command(farm, "--verify-records", 0),
                         made=farm / "plot.bin")
        self.assertEqual(json.loads(self.succeeds("info", "--farm", farm, "--json").stdout)["sectors_plotted"], 0)


if __name__ == "__main__":
    program.run_tests(__doc__)
