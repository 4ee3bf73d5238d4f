#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A CUDA driver that hangs in its first call, and one that cannot be loaded: what devices and plot make of
it. Needs a build with CUDA, and no card."""

import os
import pathlib
import signal
import subprocess

from support import program
from support.program import OPTIONS, SUCCESS, UNAVAILABLE, FurrowTest

SILENT = "the NVIDIA driver does not answer"


class Driver(FurrowTest):
    def start(self, driver, *arguments):
        environment = dict(os.environ, LD_LIBRARY_PATH=str(driver))
        return subprocess.Popen([str(part) for part in (OPTIONS.furrow, *arguments)],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, env=environment)

    def test_one_that_hangs(self):
        farm = ("--farm", self.folder / "farm", "--pieces", OPTIONS.store, "--sectors", 1,
                "--pieces-in-sector", 1)
        # All wait at the same time.
        devices = self.start(OPTIONS.driver, "devices")
        on_cpu = self.start(OPTIONS.driver, "plot", *farm)
        cuda = self.start(OPTIONS.driver, "plot", "--encoder", "cuda", "--farm", self.folder / "other",
                          *farm[2:])
        for process, code in ((devices, SUCCESS), (on_cpu, SUCCESS), (cuda, UNAVAILABLE)):
            output, _ = process.communicate(timeout=120)
            self.assertEqual(process.returncode, code, output)
            self.assertIn(SILENT, output)
        self.assert_absent(self.folder / "other")

    def test_a_signal_ends_the_wait(self):
        waiting = self.start(OPTIONS.driver, "devices")
        try:
            # It has begun when the driver is in its memory.
            while "libcuda" not in pathlib.Path(f"/proc/{waiting.pid}/maps").read_text():
                self.assertIsNone(waiting.poll())
            waiting.send_signal(signal.SIGTERM)
            output, _ = waiting.communicate(timeout=120)
            self.assertNotIn(SILENT, output)
        finally:
            waiting.kill()

    def test_one_that_cannot_be_loaded(self):
        (self.folder / "libcuda.so.1").write_bytes(b"\x7fELF and no more")
        devices = self.start(self.folder, "devices")
        output, _ = devices.communicate(timeout=120)
        self.assertEqual(devices.returncode, SUCCESS, output)
        self.assertIn("no NVIDIA driver is installed that can be loaded: ", output)
        self.assertIn("libcuda.so.1", output)


if __name__ == "__main__":
    program.run_tests(__doc__, lambda parser: parser.add_argument("--driver", required=True))
