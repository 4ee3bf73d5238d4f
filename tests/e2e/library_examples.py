#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples, as somebody has them who installed libfurrow: built from the installed folder by CMake and by the
line at the head of each, and run.

    library_examples.py --furrow PROGRAM --work DIR --fixtures DIR --build DIR --cmake PROGRAM --golden DIR
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess

from support import program
from support.examples import line_at_the_head
from support.program import (BAD_ARGUMENTS, CHECK_FAILED, INTERRUPTED, IO_ERROR, MISMATCH, OPTIONS, SUCCESS,
                             FurrowTest, Result)

WARNINGS = "-Wall -Wextra -Wconversion -Wshadow -pedantic -Werror"
# Nothing here takes longer than a few seconds; a program that does not hear would take for ever.
PATIENCE_SECONDS = 60
PIECES_IN_SECTOR = 2


def run(*command, **options):
    words = [str(word) for word in command]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          timeout=program.TIMEOUT_SECONDS, **options)
    return Result(words, done.returncode, done.stdout, done.stderr)


def must(*command, **options):
    result = run(*command, **options)
    if result.code != SUCCESS:
        raise AssertionError(str(result))
    return result


class LibraryExamples(FurrowTest):
    @classmethod
    def setUpClass(cls):
        prefix = OPTIONS.work / "installed"  # no space, which the shell would split the flags at
        must(OPTIONS.cmake, "--install", OPTIONS.build, "--prefix", prefix)
        cls.sources = prefix / "share/doc/libfurrow-dev/examples"
        for kind in ("shared", "static"):
            must(OPTIONS.cmake, "-S", cls.sources, "-B", OPTIONS.work / kind, f"-DCMAKE_PREFIX_PATH={prefix}",
                 f"-DSTATIC_FURROW={'ON' if kind == 'static' else 'OFF'}", f"-DCMAKE_C_FLAGS={WARNINGS}",
                 f"-DCMAKE_CXX_FLAGS={WARNINGS}")
            must(OPTIONS.cmake, "--build", OPTIONS.work / kind, "--parallel", 2)
        cls.by_line = OPTIONS.work / "by the line"
        shutil.copytree(cls.sources, cls.by_line)
        packages = next(prefix.glob("lib*/**/furrow.pc")).parent
        cls.libraries = {**os.environ, "LD_LIBRARY_PATH": str(packages.parent)}
        for source in ("encode_record.c", "mini_daemon.cpp"):
            must("sh", "-c", line_at_the_head(cls.sources / source), cwd=cls.by_line,
                 env={**os.environ, "PKG_CONFIG_PATH": str(packages)})

    def everywhere(self, name):
        """Each way to build a program of this name, with the environment that it runs in."""
        return ((OPTIONS.work / "shared" / name, None), (OPTIONS.work / "static" / name, None),
                (self.by_line / name, self.libraries))

    def daemon(self, farm, store, sectors, pieces_in_sector=PIECES_IN_SECTOR):
        return run(OPTIONS.work / "shared/mini_daemon", farm, store, sectors, pieces_in_sector)

    def sectors_of(self, farm):
        """How many there are, when all of them are right."""
        self.succeeds("scrub", "--farm", farm)
        return json.loads(self.succeeds("info", "--json", "--farm", farm).stdout)["sectors_plotted"]

    def test_encode_record_gives_the_golden_bytes(self):
        cases = json.loads((OPTIONS.golden / "record_encoding.json").read_text(encoding="utf-8"))["cases"]
        for compiled, environment in self.everywhere("encode_record"):
            with self.subTest(compiled=compiled):
                result = run(compiled, env=environment)
                self.assertEqual(result.code, SUCCESS, result)
                self.assertEqual(result.stdout.strip(), cases[0]["encoded_record_blake3"])
        case = next(case for case in cases if case["piece_offset"] == 999)
        arguments = [case["sector_id_seed"], case["record_seed"], case["piece_offset"]]
        compiled = OPTIONS.work / "shared/encode_record"
        result = run(compiled, *arguments, case["encoded_record_blake3"])
        self.assertEqual(result.code, SUCCESS, result)
        result = run(compiled, *arguments, cases[0]["encoded_record_blake3"])
        self.assertEqual(result.code, CHECK_FAILED, result)

    def test_encode_record_says_what_is_wrong(self):
        result = run(OPTIONS.work / "shared/encode_record", 1, 2, 70000, "00")
        self.assertEqual(result.code, BAD_ARGUMENTS, result)
        for text in ("FURROW_INVALID_ARGUMENT", "FURROW_ERROR_ARGUMENT", "70000"):
            self.assertIn(text, result.stderr)

    def test_mini_daemon_plots_a_farm(self):
        for compiled, environment in self.everywhere("mini_daemon"):
            with self.subTest(compiled=compiled):
                farm = self.folder / compiled.parent.name
                result = run(compiled, farm, OPTIONS.store, 2, PIECES_IN_SECTOR, env=environment)
                self.assertEqual(result.code, SUCCESS, result)
                self.assertIn("sector 1: finished", result.stderr)
                self.assertEqual(self.sectors_of(farm), 2)
        result = self.daemon(self.folder / "shared", OPTIONS.store, 2)
        self.assertEqual(result.code, SUCCESS, result)
        self.assertIn("2 sectors in the farm, 0 pieces taken", result.stdout)

    def test_mini_daemon_ends_by_ctrl_c_and_goes_on(self):
        sectors = 16
        farm = self.folder / "farm"
        command = [OPTIONS.work / "shared/mini_daemon", farm, OPTIONS.store, sectors, PIECES_IN_SECTOR]
        with subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as process:
            self.addCleanup(process.kill)
            for line in process.stderr:
                if "records encoded" in line:
                    break
            process.send_signal(signal.SIGINT)
            try:
                _, errors = process.communicate(timeout=PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                self.fail("the daemon does not hear the signal")
        self.assertEqual(process.returncode, INTERRUPTED, errors)
        self.assertIn("interrupted", errors)
        self.assertLess(self.sectors_of(farm), sectors)
        result = self.daemon(farm, OPTIONS.store, sectors)
        self.assertEqual(result.code, SUCCESS, result)
        self.assertEqual(self.sectors_of(farm), sectors)

    def test_mini_daemon_tells_what_is_wrong(self):
        farm = self.folder / "farm"
        result = self.daemon(farm, self.folder / "absent", 1)
        self.assertEqual(result.code, IO_ERROR, result)
        self.assertIn("FURROW_ERROR_IO", result.stderr)
        self.assert_absent(farm)
        result = self.daemon(OPTIONS.farm, OPTIONS.store, 1, PIECES_IN_SECTOR + 1)
        self.assertEqual(result.code, MISMATCH, result)
        self.assertIn("FURROW_ERROR_FARM_MISMATCH", result.stderr)
        self.assertEqual(self.daemon(farm, OPTIONS.store, 1, 100000).code, BAD_ARGUMENTS)


def add_options(parser):
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build folder to install")
    parser.add_argument("--cmake", type=pathlib.Path, required=True, help="the program cmake")
    parser.add_argument("--golden", type=pathlib.Path, required=True, help="folder of the golden vectors")


if __name__ == "__main__":
    program.run_tests(__doc__, add_options)
