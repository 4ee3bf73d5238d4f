#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What signals do to the program, also those that come before it has begun."""

import itertools
import json
import os
import resource
import signal
import subprocess
import threading

from support import program
from support.program import INTERRUPTED, IO_ERROR, OPTIONS, FurrowTest, furrow

# Nothing here takes longer than a few seconds; a program that does not hear would take for ever.
PATIENCE_SECONDS = 60


def preloaded(**variables):
    """An environment in which raise_at_load.c is loaded before the program."""
    return {**os.environ, "LD_PRELOAD": str(OPTIONS.preload), **variables}


class Signals(FurrowTest):
    def start_plot(self, **popen):
        """A plot that is in the middle of encoding. Its output is to be read, or drained."""
        process = subprocess.Popen(
            [str(part) for part in (OPTIONS.furrow, "plot", "--farm", self.folder / "farm",
                                    "--pieces", OPTIONS.store, "--pieces-in-sector", 2,
                                    "--sectors", 200, "--encoder", "cpu", "--progress", "json")],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            **popen)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        for line in process.stdout:
            if json.loads(line).get("state") == "encoding":
                break
        return process

    def drain(self, process):
        # A full pipe would hold the program up.
        reader = threading.Thread(target=process.stdout.read)
        reader.start()
        self.addCleanup(reader.join)

    def ends_with(self, process, code):
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            self.fail("the program does not hear the signal")
        self.assertEqual(process.returncode, code)

    def test_a_signal_before_main_does_not_kill(self):
        result = furrow("--version", env=preloaded(RAISE_AT_LOAD=f"{signal.SIGUSR2:d}"))
        self.assertEqual(result.code, 0, result)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            with self.subTest(signal=number):
                out = self.folder / "piece"
                result = self.fails(INTERRUPTED, ["interrupted"], "read", "--farm", OPTIONS.farm,
                                    "--sector", 0, "--offset", 0, "--out", out,
                                    env=preloaded(RAISE_AT_LOAD=f"{number:d}"))
                self.assertEqual(result.stdout, "")
                self.assert_absent(out)

    def test_processes_of_libraries_start_without_blocked_signals(self):
        report = self.folder / "report"
        self.succeeds("--version", env=preloaded(RAISE_AT_LOAD_REPORT=str(report)))
        self.assertEqual(report.read_text(), "end\n")

    def test_sigusr1_does_nothing(self):
        process = self.start_plot()
        self.drain(process)
        process.send_signal(signal.SIGUSR1)
        # Both are waited for by one thread; the one with the lower number would be taken first.
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGTERM)
        self.ends_with(process, INTERRUPTED)

    def test_a_hangup_ends_as_a_request_does(self):
        process = self.start_plot()
        self.drain(process)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGHUP)
        self.ends_with(process, INTERRUPTED)
        self.succeeds("scrub", "--farm", self.folder / "farm")

    def test_what_was_ignored_at_the_start_stays_ignored(self):
        def ignore():
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        process = self.start_plot(preexec_fn=ignore)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        # More sectors are begun than could be under way when the signals came.
        states = (json.loads(line).get("state") for line in process.stdout)
        begun = sum(1 for _ in itertools.islice(
            (state for state in states if state == "downloading"), 10))
        self.assertEqual(begun, 10)
        self.drain(process)
        process.send_signal(signal.SIGTERM)
        self.ends_with(process, INTERRUPTED)

    def test_a_command_without_anything_to_tidy_up_ends_at_once(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        with subprocess.Popen([OPTIONS.furrow, "vectors", fifo], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as process:
            writer = os.open(fifo, os.O_WRONLY)  # when the program has opened it, too
            process.send_signal(signal.SIGTERM)
            try:
                _, stderr = process.communicate(timeout=PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                self.fail("the program does not hear the signal")
            finally:
                os.close(writer)
        self.assertEqual(process.returncode, INTERRUPTED)
        self.assertEqual(stderr, "furrow: error: interrupted\n")

    def full_pipe(self):
        """The end of a pipe that takes nothing more, and whose reader does not read."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        os.set_blocking(writer, False)
        try:
            while os.write(writer, bytes(1 << 16)):
                pass
        except BlockingIOError:
            pass
        os.set_blocking(writer, True)
        return writer

    def test_a_reader_who_does_not_read_makes_nobody_deaf(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        for name, arguments in (("at work", ("vectors", fifo)),
                                ("failing", ("info", "--farm", self.folder / "absent"))):
            with self.subTest(name):
                process = subprocess.Popen([str(part) for part in (OPTIONS.furrow, *arguments)],
                                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                           stderr=self.full_pipe())
                self.addCleanup(process.kill)
                # Until it waits: for the fifo, or for somebody who takes its error.
                with self.assertRaises(subprocess.TimeoutExpired):
                    process.wait(1)
                process.send_signal(signal.SIGTERM)
                self.ends_with(process, INTERRUPTED)

    def test_a_limit_of_file_size_is_an_error(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        self.fails(IO_ERROR, ["File too large"], "archive", "--store", self.folder / "store",
                   OPTIONS.source, preexec_fn=limit)
        self.assert_absent(self.folder / "store")

    def test_a_pipe_whose_reader_is_gone_ends_no_work(self):
        reader, writer = os.pipe()
        os.close(reader)
        with subprocess.Popen([str(part) for part in (
                OPTIONS.furrow, "plot", "--farm", self.folder / "farm", "--pieces", OPTIONS.store,
                "--pieces-in-sector", 1, "--sectors", 1)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=writer, text=True) as process:
            os.close(writer)
            stdout, _ = process.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual(process.returncode, 0)
        self.assertIn("sector 0 finished", stdout)


def add_options(parser):
    parser.add_argument("--preload", required=True, help="the library made of raise_at_load.c")


if __name__ == "__main__":
    program.run_tests(__doc__, add_options)
