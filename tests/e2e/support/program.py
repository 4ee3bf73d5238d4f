# SPDX-License-Identifier: Apache-2.0
"""Running the furrow program, and what every end-to-end test does around it."""

import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import unittest

# Exit codes of the program (docs/manual/common.md).
SUCCESS = 0
CHECK_FAILED = 1
BAD_ARGUMENTS = 2
IO_ERROR = 3
CORRUPT = 4
MISMATCH = 5
UNAVAILABLE = 6
INTERRUPTED = 130

# Far above what anything here takes: a hang must end the test.
TIMEOUT_SECONDS = 600


class Options:
    """The command line of a test: see parse_options."""

    furrow = pathlib.Path()
    work = pathlib.Path()
    source = pathlib.Path()
    store = None
    farm = None


OPTIONS = Options()


def parse_options(description, add=None):
    """Fills OPTIONS from the command line and returns what unittest is to get of it. `add` may declare
    more options."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--furrow", type=pathlib.Path, required=True, help="the program to test")
    parser.add_argument("--work", type=pathlib.Path, required=True,
                        help="folder for files of the test; emptied at the start")
    parser.add_argument("--fixtures", type=pathlib.Path, help="folder that make_fixtures.py filled")
    if add is not None:
        add(parser)
    arguments, rest = parser.parse_known_args()
    for name, value in vars(arguments).items():
        setattr(OPTIONS, name, value)
    OPTIONS.furrow = arguments.furrow.resolve()
    OPTIONS.work = arguments.work.resolve()
    if arguments.fixtures is not None:
        OPTIONS.source = arguments.fixtures.resolve() / "source"
        OPTIONS.store = arguments.fixtures.resolve() / "store"
        OPTIONS.farm = arguments.fixtures.resolve() / "farm"
    remove_tree(OPTIONS.work)
    OPTIONS.work.mkdir(parents=True)
    return [sys.argv[0], *rest]


def run_tests(description, add=None, keep_files=False):
    """Main function of a test script; its files are removed when everything passed, unless they are
    to be kept."""
    # A shell that starts this in the background has it ignore SIGINT, and so would all programs.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    program = unittest.main(argv=parse_options(description, add), exit=False, verbosity=2)
    if program.result.wasSuccessful() and not keep_files:
        remove_tree(OPTIONS.work)
    sys.exit(0 if program.result.wasSuccessful() else 1)


def remove_tree(path):
    """Removes a folder, also one that holds folders without permissions."""
    if path.is_dir() and not path.is_symlink():
        for folder, _, _ in os.walk(path, onerror=None):
            os.chmod(folder, 0o700)
        shutil.rmtree(path)


class Result:
    def __init__(self, command, code, stdout, stderr):
        self.command = command
        self.code = code
        self.stdout = stdout
        self.stderr = stderr

    def __str__(self):
        command = " ".join(str(part) for part in self.command)
        return f"{command}\nexit code {self.code}\nstdout: {self.stdout}\nstderr: {self.stderr}"


def furrow(*arguments, prefix=(), **popen):
    """Runs the program to its end. `prefix` is a command to run it under."""
    command = [*prefix, OPTIONS.furrow, *arguments]
    answer = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True,
                            errors="replace", timeout=TIMEOUT_SECONDS, **popen)
    return Result(command, answer.returncode, answer.stdout, answer.stderr)


class FurrowTest(unittest.TestCase):
    """A test case with a folder of its own and assertions about runs of the program."""

    def setUp(self):
        self.folder = OPTIONS.work / self.id().split(".", 1)[-1]
        remove_tree(self.folder)
        self.folder.mkdir(parents=True)

    def succeeds(self, *arguments, **options):
        result = furrow(*arguments, **options)
        self.assertEqual(result.code, SUCCESS, result)
        return result

    def fails(self, codes, mentions, *arguments, **options):
        """Asserts that the run ends with one of `codes` (a number or several) and with exactly one
        line of error, the last one, that mentions each of `mentions`."""
        result = furrow(*arguments, **options)
        allowed = (codes,) if isinstance(codes, int) else codes
        self.assertIn(result.code, allowed, result)
        lines = result.stderr.splitlines()
        errors = [line for line in lines if line.startswith("furrow: error: ")]
        self.assertEqual(len(errors), 1, result)
        self.assertEqual(lines[-1], errors[0], result)
        for text in mentions:
            self.assertIn(str(text), errors[0], result)
        return result

    def assert_absent(self, path):
        self.assertFalse(os.path.lexists(path), f"{path} was left behind")

    def assert_empty(self, folder):
        self.assertEqual(sorted(os.listdir(folder)), [], f"left behind in {folder}")
