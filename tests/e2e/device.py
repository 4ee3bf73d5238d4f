#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program with a CUDA device, which is the one of the harness: what the plan says of it, limits of its
memory, and a farm that it plots."""

import json

from support import program
from support.program import BAD_ARGUMENTS, OPTIONS, UNAVAILABLE, FurrowTest

MIB = 1 << 20


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
        self.assertGreater(device["layout_bytes"], 20 * MIB)
        # The pinned memory is the host's, and in its plan.
        [pinned] = [item["bytes"] for item in plan["items"] if "pinned memory" in item["what"]]
        self.assertGreater(pinned, device["pinned_bytes"])
        self.assertGreaterEqual(device["pinned_bytes"], 12 * MIB)
        text = self.succeeds("plan", "--no-measure").stdout.splitlines()
        self.assertEqual([line for line in text if "CUDA device 0 (" in line], text[-2:])

    def test_limits_are_kept(self):
        least = self.least("--vram-limit")
        [device] = self.plan("--vram-limit", least)["device_memory"]
        self.assertEqual((device["lanes"], device["batch"], device["layout_bytes"]), (1, 1, 0))
        self.assertEqual(device["bytes"], least)
        [device] = self.plan("--vram-limit", 7 * least)["device_memory"]
        self.assertLessEqual(device["bytes"] + device["layout_bytes"], 7 * least)
        self.assertGreater(device["layout_bytes"], 0)
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
        self.assertGreater(encoder["transfer_seconds"], 0)
        self.succeeds("scrub", "--farm", farm)


if __name__ == "__main__":
    program.run_tests(__doc__)
