#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The plotting pipeline from outside: progress as JSON, the memory plan against what the program takes,
limits of memory, rebuilt pieces within the plan, pause."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from support import formats, program
from support.piece_network import Server
from support.program import BAD_ARGUMENTS, CHECK_FAILED, OPTIONS, FurrowTest

PIECES_IN_SECTOR = 8
# Runs a command and writes the most memory that it had, in KiB, to a file. A process of its own, because
# what Linux counts of a program begins with the memory of the process that started it.
MEASURE = """
import os, sys
_, status, usage = os.wait4(os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ), 0)
open(sys.argv[1], "w").write(str(usage.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
"""
STATES = ["downloading", "downloaded", "encoding", "encoded", "writing", "finished"]


def plot_command(farm, *options, store=None):
    return [str(part) for part in (OPTIONS.furrow, "plot", "--farm", farm, "--pieces",
                                   store or OPTIONS.store, "--pieces-in-sector", PIECES_IN_SECTOR,
                                   "--encoder", "cpu", "--progress", "json", *options)]


def processor_seconds(process):
    """What all threads of a running process took so far."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Pipeline(FurrowTest):
    def plot(self, farm, *options, code=0, store=None):
        """Runs a plot; returns its JSON lines and the most memory that it had, in bytes."""
        with open(self.folder / "out", "w+", encoding="utf-8") as out, \
                open(self.folder / "err", "w+", encoding="utf-8") as err:
            peak = self.folder / "peak"
            done = subprocess.run([sys.executable, "-c", MEASURE, peak,
                                   *plot_command(farm, *options, store=store)], check=False,
                                  stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            err.seek(0)
            self.assertEqual(done.returncode, code, err.read())
            out.seek(0)
            return [json.loads(line) for line in out], int(peak.read_text()) * 1024

    @staticmethod
    def of_kind(events, kind):
        return [event for event in events if event["event"] == kind]

    def test_events(self):
        events, _ = self.plot(self.folder / "farm", "--sectors", 4)
        self.assertEqual(events[0]["event"], "plan")
        self.assertEqual(events[-1]["event"], "summary")
        self.assertEqual(events[-1]["plotted_now"], 4)
        sectors = {}
        for event in self.of_kind(events, "sector"):
            sectors.setdefault(event["sector"], []).append(event["state"])
        self.assertEqual(sectors, {sector: STATES for sector in range(4)})
        last = self.of_kind(events, "progress")[-1]
        self.assertEqual((last["sectors"], last["sectors_total"]), (4, 4))
        self.assertEqual((last["records"], last["records_total"]), (32, 32))
        self.assertEqual(len(last["encoders"]), 1)
        limit = self.of_kind(events, "limit")[-1]
        # A local store and a local disk: nothing is slower than encoding.
        self.assertEqual(limit["limited_by"], "encoder", limit)
        self.assertEqual(set(limit["busy"]), {"pieces", "encoder", "transfer", "layout", "disk"})
        # The CPU copies nothing to a device.
        self.assertEqual((limit["busy"]["transfer"], limit["waited"]["transfer"]),
                         (0, round(1 - limit["gate"], 3)))
        self.assertEqual(last["encoders"][0]["transfer_seconds"], 0)

    def test_the_plan_is_an_upper_bound(self):
        plan = json.loads(self.succeeds("plan", "--json", "--no-measure", "--encoder", "cpu", "--pieces-in-sector",
                                        PIECES_IN_SECTOR, "--in-flight", 8).stdout)
        self.assertEqual(plan["memory_bytes"], sum(item["bytes"] for item in plan["items"]))
        events, peak = self.plot(self.folder / "farm", "--sectors", 6)
        self.assertEqual(events[0]["memory_bytes"], plan["memory_bytes"])
        self.assertEqual(events[0]["items"], plan["items"])
        print(f"plan {plan['memory_bytes'] >> 20} MiB, peak {peak >> 20} MiB", flush=True)
        self.assertLessEqual(peak, plan["memory_bytes"])
        # Half of it is for what happens seldom; the rest should not be far off.
        self.assertGreaterEqual(peak, plan["memory_bytes"] / 8)

    def test_rebuilding_is_in_the_plan(self):
        # The damaged half is asked of a server, whose pieces are all under way at the same time.
        store = self.folder / "store"
        formats.copy_store(OPTIONS.store, store)
        formats.flip_byte_of_pieces(store, *range(0, formats.PIECES_IN_SEGMENT, 2))
        server = Server(store=store)
        try:
            # What is damaged elsewhere is not ours to report.
            for name, source, code in (("local", store, CHECK_FAILED), ("remote", server.url, 0)):
                with self.subTest(source=name):
                    events, peak = self.plot(self.folder / name, "--sectors", 2, "--in-flight", 64,
                                             store=source, code=code)
                    planned = events[0]["memory_bytes"]
                    print(f"{name}: plan {planned >> 20} MiB, peak {peak >> 20} MiB", flush=True)
                    self.assertLessEqual(peak, planned)
                    self.assertEqual(events[-1]["plotted_now"], 2)
        finally:
            server.kill()

    def test_limits_are_kept(self):
        low = self.fails(BAD_ARGUMENTS, ["memory limit", "takes at least", "allowed are 1048576"],
                         "plot", "--farm", self.folder / "farm", "--pieces", OPTIONS.store,
                         "--sectors", 1, "--pieces-in-sector", PIECES_IN_SECTOR, "--encoder", "cpu",
                         "--ram-limit", "1MiB")
        self.assert_absent(self.folder / "farm")
        least = int(low.stderr.split("takes at least ")[1].split()[0])
        events, peak = self.plot(self.folder / "farm", "--sectors", 3, "--ram-limit", least)
        self.assertEqual(events[0]["memory_bytes"], least)
        self.assertLessEqual(peak, least)
        self.assertEqual(events[-1]["plotted_now"], 3)

    def test_a_pause_lasts_until_the_next_signal(self):
        farm = self.folder / "farm"
        process = subprocess.Popen(plot_command(farm, "--sectors", 40), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            for line in process.stdout:  # until it encodes
                if json.loads(line).get("state") == "encoding":
                    break
            process.send_signal(signal.SIGUSR2)
            before = self.records_when_it_rests(process)
            for _ in range(4):  # one line of progress a second
                self.assertEqual(before, self.records_of_next_progress(process),
                                 "records were encoded behind a closed gate")
            self.assertIsNone(process.poll())
            process.send_signal(signal.SIGUSR2)
            stdout, stderr = process.communicate(timeout=program.TIMEOUT_SECONDS)
            self.assertEqual(process.returncode, 0, stderr)
            events = [json.loads(line) for line in stdout.splitlines()]
            self.assertEqual(events[-1]["plotted_now"], 40)
            self.assertGreater(self.of_kind(events, "limit")[-1]["gate"], 0)
        finally:
            process.kill()
            process.communicate()
        self.succeeds("scrub", "--farm", farm)

    def records_when_it_rests(self, process):
        """Reads lines of progress until the program took next to no processor time between two of them."""
        deadline = time.monotonic() + program.TIMEOUT_SECONDS
        self.records_of_next_progress(process)
        then, taken = time.monotonic(), processor_seconds(process)
        while time.monotonic() < deadline:
            records = self.records_of_next_progress(process)
            passed = time.monotonic() - then
            if passed < 0.5:  # lines that lay in the pipe
                continue
            if processor_seconds(process) - taken < 0.1 * passed:
                return records
            then, taken = time.monotonic(), processor_seconds(process)
        self.fail("the program goes on working behind a closed gate")
        return None

    def records_of_next_progress(self, process):
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "progress":
                return event["records"]
        self.fail("the program has ended")
        return None


if __name__ == "__main__":
    program.run_tests(__doc__)
