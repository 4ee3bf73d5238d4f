#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the program says to a terminal, to a log and to programs: progress that fits, terminals that go
away, names that are no text."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import urllib.parse

from support import program
from support.program import MISMATCH, BAD_ARGUMENTS, IO_ERROR, OPTIONS, FurrowTest

PATIENCE_SECONDS = 300
ERASE = "\r\x1b[K"
# A name that no terminal should see and no JSON can hold.
BAD_NAME = os.fsdecode(b"f\xffarm\x1b]0;title\x07\n")


def plot_command(farm, sectors, *options):
    return ["plot", "--farm", farm, "--pieces", OPTIONS.store, "--pieces-in-sector", 2, "--sectors",
            sectors, "--encoder", "cpu", *options]


class OnTerminal:
    """A plot whose standard error is a terminal of so many columns. It is paused as soon as it has begun,
    so that there is time to look."""

    def __init__(self, command, columns, environment=None):
        self.master, slave = pty.openpty()
        self.resize(columns)
        self.text = ""
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            [str(part) for part in (OPTIONS.furrow, *command)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=slave, text=True,
            env={**os.environ, "TERM": "xterm", **(environment or {})})
        os.close(slave)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        self.process.stdout.readline()  # what is to be done
        self.process.send_signal(signal.SIGUSR2)

    def read(self):
        while True:
            try:
                data = os.read(self.master, 4096)
            except OSError:  # the other side is closed
                return
            with self.changed:
                self.text += data.decode("utf-8", "replace")
                self.changed.notify_all()
                if self.is_leaving and self.bars():
                    os.close(self.master)
                    self.has_left = True
                    self.changed.notify_all()
                    return

    is_leaving = False
    has_left = False

    def resize(self, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def wait_until(self, condition):
        with self.changed:
            if not self.changed.wait_for(condition, PATIENCE_SECONDS):
                raise AssertionError(f"waited in vain: {self.text!r}")

    def end(self):
        """Lets the plot go on, to its end."""
        self.process.send_signal(signal.SIGUSR2)
        stdout, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        self.reader.join()
        if not self.has_left:
            os.close(self.master)
        return stdout

    def bars(self):
        return [bar for bar in re.split(r"\r\x1b\[K|\r\n", self.text) if bar.startswith("plot ")]


class Terminal(FurrowTest):
    def test_a_bar_fits_the_terminal_as_it_changes(self):
        run = OnTerminal(plot_command(self.folder / "farm", 3), 80)
        for columns in (80, 60, 12):
            run.resize(columns)
            before = len(run.bars())
            # One may be on its way that was made for the width before.
            run.wait_until(lambda count=before + 2: len(run.bars()) >= count)
            bar = run.bars()[-1]
            self.assertLess(len(bar), columns)
            if columns > 12:
                self.assertRegex(bar, r"^plot \[[#.]+\] \d+ %, .*\d of 3 sectors, .*paused$")
            else:
                self.assertRegex(bar, r"^plot \d+ %$")
        run.end()
        self.assertEqual(run.process.returncode, 0, run.text)
        self.assertLess(max(len(bar) for bar in run.bars()), 80)
        self.assertTrue(run.text.endswith(ERASE), "the last bar is erased")

    def test_a_dumb_terminal_gets_lines(self):
        run = OnTerminal(plot_command(self.folder / "farm", 2), 80,
                         {"TERM": "dumb", "FURROW_PROGRESS_SECONDS": "0.1"})
        run.wait_until(lambda: "paused" in run.text)
        run.end()
        self.assertEqual(run.process.returncode, 0, run.text)
        self.assertNotIn("\x1b", run.text)
        self.assertNotIn("\r", run.text.replace("\r\n", "\n"))
        self.assertRegex(run.text, r"plot: \d+ %, \d of 2 sectors, \d of 4 pieces, .*paused\r\n")

    def test_a_terminal_that_goes_away_ends_no_work(self):
        farm = self.folder / "farm"
        run = OnTerminal(plot_command(farm, 3), 80)
        run.is_leaving = True
        run.wait_until(lambda: run.has_left)
        stdout = run.end()
        self.assertEqual(run.process.returncode, 0, stdout)
        self.assertIn("has 3 sectors", stdout)
        self.succeeds("scrub", "--farm", farm)

    def test_a_full_disk_behind_the_log_ends_no_work(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run(
                [str(part) for part in (OPTIONS.furrow, *plot_command(self.folder / "farm", 1))],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=full, check=False,
                env={**os.environ, "FURROW_PROGRESS_SECONDS": "0.05"})
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"sector 0 finished", done.stdout)

    def test_long_commands_say_that_they_are_alive(self):
        environment = {**os.environ, "FURROW_PROGRESS_SECONDS": "0.01"}
        small = self.folder / "small"
        small.write_bytes(b"small")
        result = self.succeeds("archive", "--store", self.folder / "store", small, env=environment)
        self.assertRegex(result.stderr, r"(?m)^archive: \d+ %, .* of 5 bytes, [01] of 1 file\b")
        result = self.succeeds("extract", "--pieces", OPTIONS.store, "--out", self.folder / "out",
                               env=environment)
        self.assertRegex(result.stderr, r"(?m)^extract: \d+ %, .* of .* MiB, \d+ of \d+ files\b")
        self.assertNotIn(" 0 s left", result.stderr)

    def test_an_error_is_one_line(self):
        result = self.fails(IO_ERROR, ["absent"], *plot_command(self.folder / "farm", 1)[:4],
                            self.folder / "absent", "--sectors", 1)
        self.assertEqual(result.stderr.count("\n"), 1, result)
        result = self.fails(BAD_ARGUMENTS, ["'none'"], "plan", "--ram-limit", "none")
        self.assertEqual(result.stderr.count("\n"), 1, result)

    def test_names_are_no_orders_to_a_terminal(self):
        farm = self.folder / BAD_NAME
        result = self.fails((IO_ERROR, MISMATCH, program.UNAVAILABLE),
                            [r"f\xFFarm\x1B]0;title\x07\n"], "info", "--farm", farm)
        self.assertNotIn("\x1b", result.stderr)
        result = self.succeeds(*plot_command(farm, 1))
        self.assertNotIn("\x1b", result.stdout + result.stderr)

    def test_json_is_valid_whatever_is_in_names(self):
        farm = self.folder / BAD_NAME
        lines = self.succeeds(*plot_command(farm, 1, "--progress", "json")).stdout.splitlines()
        events = [json.loads(line) for line in lines]
        self.assertEqual(events[-1]["event"], "summary")
        self.assertEqual(urllib.parse.unquote_to_bytes(events[-1]["farm_bytes"]), os.fsencode(farm))
        info = json.loads(self.succeeds("info", "--json", "--farm", farm).stdout)
        self.assertEqual(urllib.parse.unquote_to_bytes(info["directory_bytes"]), os.fsencode(farm))
        self.assertIn("f\ufffdarm", info["directory"])
        self.assertEqual(info["sectors_plotted"], 1)
        # A sound name has nothing beside it.
        info = json.loads(self.succeeds("info", "--json", "--farm", OPTIONS.farm).stdout)
        self.assertNotIn("directory_bytes", info)
        with open(farm / "plot.bin", "r+b") as file:
            file.write(b"damage")
        scrub = json.loads(self.fails_check("scrub", "--json", "--farm", farm).stdout)
        self.assertEqual(scrub["broken_sectors"], 1)

    def fails_check(self, *arguments):
        result = program.furrow(*arguments)
        self.assertEqual(result.code, program.CHECK_FAILED, result)
        return result


if __name__ == "__main__":
    program.run_tests(__doc__)
