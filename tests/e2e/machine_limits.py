#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Limits of the machine: threads that the system does not start, processors that may not be used, and the
plan, which says before what plotting takes."""

import json
import os
import unittest

from support import program
from support.program import BAD_ARGUMENTS, IO_ERROR, MISMATCH, OPTIONS, SUCCESS, FurrowTest, furrow

SMALL = ("--pieces-in-sector", 1, "--encoder", "cpu")


class FewThreads(FurrowTest):
    def run_with(self, most, *arguments):
        """Runs the program where only so many threads run at the same time."""
        environment = dict(os.environ, LD_PRELOAD=str(OPTIONS.few_threads), MOST_THREADS=str(most))
        return furrow(*arguments, env=environment)

    def test_plotting_works_with_fewer_or_fails_before_anything_is_made(self):
        farm = self.folder / "farm"
        codes = []
        for most in (*range(11), 12, 40):
            with self.subTest(most=most):
                result = self.run_with(most, "plot", "--farm", farm, "--pieces", OPTIONS.store,
                                       "--sectors", 1, "--threads", 2, *SMALL)
                codes.append(result.code)
                if result.code == SUCCESS:
                    self.succeeds("scrub", "--farm", farm)
                    for name in farm.iterdir():  # so that the next one makes it again
                        program.remove_tree(name) if name.is_dir() else name.unlink()
                    farm.rmdir()
                else:
                    self.assertEqual(result.code, IO_ERROR, result)
                    self.assertIn("thread", result.stderr.splitlines()[-1])
                    self.assert_absent(farm)
        # Enough is enough, and once it is, more do no harm.
        self.assertEqual((codes[0], codes[-1]), (IO_ERROR, SUCCESS))
        self.assertEqual(codes, sorted(codes, reverse=True))

    def test_a_warning_says_that_there_are_fewer(self):
        result = self.run_with(10, "plot", "--farm", self.folder / "farm", "--pieces", OPTIONS.store,
                               "--sectors", 1, "--threads", 4, *SMALL)
        self.assertEqual(result.code, SUCCESS, result)
        self.assertRegex(result.stderr, r"the system starts no more than \d+ threads")

    def test_archive_and_extract(self):
        out = self.folder / "out"
        for most in (0, 1, 2, 3, 4):
            store = self.folder / f"store-{most}"
            small = self.folder / "small"
            small.write_bytes(b"small")
            result = self.run_with(most, "extract", "--pieces", OPTIONS.store, "--out", out)
            self.assertIn(result.code, (SUCCESS, IO_ERROR), result)
            if result.code == SUCCESS:
                break
            self.assert_absent(out)
            if most < 2:  # what the signals and one thread take
                result = self.run_with(most, "archive", "--store", store, small)
                self.assertEqual(result.code, IO_ERROR, result)
                self.assert_absent(store)
        self.assertEqual(result.code, SUCCESS, result)

    def test_too_many_wanted(self):
        farm = self.folder / "farm"
        for wanted in (100000, 4 * os.cpu_count() + 1):
            for arguments in (("plot", "--farm", farm, "--pieces", OPTIONS.store, "--sectors", 1),
                              ("plan", "--no-measure"),
                              ("archive", "--store", farm, OPTIONS.store / "manifest.json"),
                              ("extract", "--pieces", OPTIONS.store, "--out", farm)):
                with self.subTest(wanted=wanted, command=arguments[0]):
                    self.fails(BAD_ARGUMENTS, ["threads", wanted, 4 * os.cpu_count()], *arguments,
                               "--threads", wanted)
                    self.assert_absent(farm)

    @unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "there is one processor only")
    def test_affinity(self):
        one = {min(os.sched_getaffinity(0))}
        result = furrow("plan", "--no-measure", "--json", *SMALL,
                        preexec_fn=lambda: os.sched_setaffinity(0, one))
        self.assertEqual(json.loads(result.stdout)["threads"], 1)
        self.assertIn("CPU affinity", result.stderr)


class Plan(FurrowTest):
    def plan(self, *options):
        return json.loads(self.succeeds("plan", "--json", "--no-measure", *SMALL, *options).stdout)

    def test_plan_and_plot_say_the_same_with_the_same_options(self):
        farm = self.folder / "farm"
        options = ("--farm", farm, "--pieces", OPTIONS.store, "--sectors", 2, "--in-flight", 64,
                   "--threads", 1, "--verify-records", 1, "--ram-limit", "4G", "--vram-limit", "4G",
                   "--pinned-limit", "1G", "--piece-cache", self.folder / "cache", "--piece-cache-size",
                   "1G", "--piece-seconds", 60, "--progress", "json")
        before = self.plan(*options)
        self.assert_absent(farm)
        self.assert_absent(self.folder / "cache")
        self.assertEqual((before["disk"]["sectors"], before["disk"]["sectors_plotted"]), (2, 0))
        plotted = self.succeeds("plot", *SMALL, *options).stdout.splitlines()
        said = json.loads(plotted[0])
        self.assertEqual(said["event"], "plan")
        self.assertEqual((said["memory_bytes"], said["items"]),
                         (before["memory_bytes"], before["items"]))
        taken = sum(file.stat().st_blocks * 512 for file in farm.rglob("*"))
        self.assertLessEqual(taken, before["disk"]["needed_bytes"])
        after = self.plan(*options)
        self.assertEqual(after["disk"]["sectors_plotted"], 2)
        self.assertEqual(after["disk"]["farm_bytes"], before["disk"]["farm_bytes"])
        self.assertLess(after["disk"]["needed_bytes"], before["disk"]["needed_bytes"])
        more = self.plan("--farm", farm, "--sectors", 5)
        self.assertEqual((more["disk"]["sectors"], more["disk"]["sectors_plotted"]), (5, 2))
        self.assertGreater(more["disk"]["farm_bytes"], after["disk"]["farm_bytes"])
        covered = self.plan("--farm", farm, "--pieces", OPTIONS.store, "--until-covered")
        self.assertGreater(covered["disk"]["sectors"], 128)  # of one piece each, for half of 256
        of_manifest = self.plan("--farm", farm, "--manifest", OPTIONS.store / "manifest.json",
                                "--until-covered")
        self.assertEqual(of_manifest["disk"]["sectors"], covered["disk"]["sectors"])
        self.fails(BAD_ARGUMENTS, ["--manifest"], "plan", "--no-measure", "--farm", farm,
                   "--until-covered")

    def test_plan_refuses_what_plot_refuses(self):
        farm = self.folder / "farm"
        plot = ("plot", "--pieces", OPTIONS.store)
        for command in (plot, ("plan", "--no-measure")):
            self.fails(IO_ERROR, ["no farm"], *command, "--farm", farm, "--create", "never",
                       *SMALL, "--sectors", 2)
            self.fails(IO_ERROR, ["--create=parents"], *command, "--farm", farm / "below", *SMALL,
                       "--sectors", 2)
            self.fails(BAD_ARGUMENTS, ["piece cache"], *command, "--farm", farm, *SMALL,
                       "--sectors", 2, *plot[1:], "--piece-cache", farm / "cache")
            self.assert_absent(farm)
        self.succeeds(*plot, "--farm", farm, *SMALL, "--sectors", 3)
        for command in (plot, ("plan", "--no-measure")):
            self.fails(BAD_ARGUMENTS, ["--shrink"], *command, "--farm", farm, "--size", "5MB")
            self.fails(MISMATCH, ["pieces"], *command, "--farm", farm, "--pieces-in-sector", 2,
                       "--sectors", 3)
        kept = self.plan("--farm", farm, "--sectors", 1)["disk"]
        fewer = self.plan("--farm", farm, "--sectors", 1, "--shrink")["disk"]
        self.assertLess(fewer["farm_bytes"], kept["farm_bytes"])
        self.assertEqual((fewer["sectors"], fewer["sectors_plotted"]), (1, 1))

    def test_a_refused_farm_leaves_no_cache(self):
        cache = self.folder / "cache"
        self.fails(IO_ERROR, ["--create=parents"], "plot", "--pieces", OPTIONS.store, *SMALL,
                   "--farm", self.folder / "absent" / "farm", "--sectors", 1,
                   "--piece-cache", cache)
        self.assert_absent(cache)

    def test_time_is_measured(self):
        options = ("--threads", 1, "--farm", self.folder / "farm", "--sectors", 10)
        self.assertNotIn("time", self.plan(*options))
        time = json.loads(self.succeeds("plan", "--json", *SMALL, *options).stdout)["time"]
        self.assertGreater(time["records_per_second"], 0)
        self.assertAlmostEqual(time["seconds"], 10 / time["records_per_second"], places=3)
        self.assert_absent(self.folder / "farm")

    def test_sizes(self):
        farm = ("--farm", self.folder / "farm")
        for text, size in (("1g", 10**9), ("1GB", 10**9), ("1Gi", 1 << 30), ("1gib", 1 << 30),
                           ("1.5 G", 15 * 10**8)):
            self.assertEqual(self.plan(*farm, "--size", text)["disk"]["farm_bytes"], size, text)
        self.fails(BAD_ARGUMENTS, ["'99999999999T' is too large"], "plan", "--no-measure", *farm,
                   "--size", "99999999999T")
        self.fails(BAD_ARGUMENTS, ["not a size: '5X'"], "plan", "--no-measure", *farm, "--size", "5X")

    def test_what_shall_stay_free(self):
        farm = ("--farm", self.folder / "farm")
        # Others use the disk as well, so these are no more than in the right place.
        disk = self.plan(*farm, "--size", "all")["disk"]
        self.assertLess(disk["farm_bytes"], 1.1 * disk["free_bytes"])
        self.assertGreater(disk["farm_bytes"], 0.6 * disk["free_bytes"])
        half = disk["free_bytes"] // 2
        disk = self.plan(*farm, "--size", f"all-{half}")["disk"]
        self.assertLess(disk["farm_bytes"], 0.7 * disk["free_bytes"])
        self.assertGreater(disk["farm_bytes"], 0.2 * disk["free_bytes"])
        for command in (("plan", "--no-measure"), ("plot", "--pieces", OPTIONS.store)):
            self.fails(BAD_ARGUMENTS, ["nothing is left of that"], *command, *farm, "--size", "all-1000P")
            self.fails(BAD_ARGUMENTS, ["'allx'"], *command, *farm, "--size", "allx")
            self.assert_absent(self.folder / "farm")


def add_options(parser):
    parser.add_argument("--few-threads", help="library to preload, none in builds with a sanitizer")


if __name__ == "__main__":
    program.run_tests(__doc__, add_options)
