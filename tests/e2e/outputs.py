#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where output goes: nothing that is there is replaced unasked, nothing is written among the files of a
farm, nothing is made on a disk that is not mounted, and output that does not arrive is told."""

import json
import os
import stat
import subprocess

from support import formats, program
from support.program import (BAD_ARGUMENTS, IO_ERROR, OPTIONS, SUCCESS, UNAVAILABLE, FurrowTest,
                             furrow)
from support.trees import describe, differences

# Descriptors 0 to 2, closed as some service managers do.
CLOSED = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")


def to_full_disk(*arguments):
    """Exit code and standard error of a run whose standard output takes nothing."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        answer = subprocess.run([OPTIONS.furrow, *map(str, arguments)], stdin=subprocess.DEVNULL,
                                stdout=full, stderr=subprocess.PIPE, check=False, text=True,
                                timeout=program.TIMEOUT_SECONDS)
    return answer.returncode, answer.stderr


class ReadOut(FurrowTest):
    """read --out and what the name may mean."""

    READ = ("read", "--sector", 0, "--offset", 0, "--farm")

    def setUp(self):
        super().setUp()
        self.out = self.folder / "piece"
        self.read = (*self.READ, OPTIONS.farm, "--out")

    def refuses(self, out, *mentions, options=()):
        before = sorted(os.listdir(self.folder))
        self.fails(BAD_ARGUMENTS, [out, *mentions], *self.read, out, *options)
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_files_are_replaced_with_force_only(self):
        neighbour = self.folder / "piece.tmp"
        neighbour.write_text("mine", encoding="utf-8")
        self.succeeds(*self.read, self.out)
        piece = self.out.read_bytes()
        self.assertEqual(len(piece), formats.PIECE_SIZE)
        self.out.write_text("mine", encoding="utf-8")
        self.refuses(self.out, "--force")
        self.assertEqual(self.out.read_text(encoding="utf-8"), "mine")
        self.succeeds(*self.read, self.out, "--force")
        self.assertEqual(self.out.read_bytes(), piece)
        self.assertEqual(neighbour.read_text(encoding="utf-8"), "mine")
        self.assertEqual(sorted(os.listdir(self.folder)), ["piece", "piece.tmp"])

    def test_symbolic_links_stay(self):
        self.out.write_text("mine", encoding="utf-8")
        link = self.folder / "link"
        link.symlink_to("piece")
        self.refuses(link)
        self.succeeds(*self.read, link, "--force")
        self.assertTrue(link.is_symlink())
        self.assertEqual(len(self.out.read_bytes()), formats.PIECE_SIZE)
        dangling = self.folder / "dangling"
        dangling.symlink_to("nowhere")
        self.refuses(dangling, options=["--force"])

    def test_fifos_and_devices_are_written_to(self):
        os.mkfifo(self.out)
        received = self.folder / "received"
        with open(received, "wb") as file, subprocess.Popen(["cat", self.out],
                                                            stdout=file) as reader:
            try:
                self.succeeds(*self.read, self.out)
                reader.wait(10)
            finally:
                reader.kill()
        self.assertEqual(received.stat().st_size, formats.PIECE_SIZE)
        self.assertTrue(stat.S_ISFIFO(os.lstat(self.out).st_mode))
        # Not the machine's own: a program that replaces devices would replace those.
        device = self.folder / "full"
        try:
            os.mknod(device, stat.S_IFCHR | 0o600, os.makedev(1, 7))
        except PermissionError:
            return  # only root makes devices
        self.fails(IO_ERROR, [device, "No space"], *self.read, device)
        self.assertTrue(stat.S_ISCHR(os.lstat(device).st_mode))

    def test_other_things_are_refused(self):
        self.refuses(self.folder, "a directory", options=["--force"])
        disk = self.folder / "disk"
        try:
            os.mknod(disk, stat.S_IFBLK | 0o600)
        except PermissionError:
            return  # only root makes devices
        self.refuses(disk, "a block device", options=["--force"])

    def test_standard_output(self):
        self.succeeds(*self.read, self.out)
        command = [OPTIONS.furrow, *map(str, self.read), "-"]
        answer = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                check=False, cwd=self.folder, timeout=program.TIMEOUT_SECONDS)
        self.assertEqual((answer.returncode, answer.stdout), (SUCCESS, self.out.read_bytes()))
        code, error = to_full_disk(*self.read, "-")
        self.assertEqual(code, IO_ERROR, error)
        self.assertIn("standard output", error)

    def test_a_reader_that_has_enough_is_no_error(self):
        command = [OPTIONS.furrow, *map(str, self.read), "-"]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, cwd=self.folder) as process:
            process.stdout.close()
            error = process.stderr.read()
            self.assert_empty(self.folder)
            self.assertEqual((process.wait(program.TIMEOUT_SECONDS), error), (SUCCESS, b""))


class Places(FurrowTest):
    """Nothing is written among the files of a farm, store or cache, whatever its path looks like."""

    def refuses(self, place, *arguments):
        before = describe(self.folder)
        self.fails(BAD_ARGUMENTS, ["lies in the", place], *arguments)
        self.assertEqual(differences(before, describe(self.folder)), [])

    def test_outputs(self):
        link = self.folder / "link"
        link.symlink_to(OPTIONS.farm)
        for inside in (OPTIONS.farm, OPTIONS.farm / "state", link, OPTIONS.store,
                       OPTIONS.store / "index"):
            place = OPTIONS.store if OPTIONS.store in (inside, *inside.parents) else OPTIONS.farm
            with self.subTest(inside=inside):
                self.refuses(place, *ReadOut.READ, OPTIONS.farm, "--out", inside / "new")
                self.refuses(place, "extract", "--pieces", OPTIONS.store, "--out", inside / "new")
                self.refuses(place, "archive", "--store", inside / "new", OPTIONS.source)
                self.assert_absent(inside / "new")

    def test_farms_and_caches(self):
        plot = ("plot", "--pieces", OPTIONS.store, "--sectors", 1, "--pieces-in-sector", 1)
        for inside in (OPTIONS.store, OPTIONS.farm):
            self.refuses(inside, *plot, "--farm", inside / "new")
            self.refuses(inside, *plot, "--farm", self.folder / "farm", "--piece-cache",
                         inside / "new")
            self.assert_absent(inside / "new")
        # Neither is there yet.
        farm = self.folder / "farm"
        self.fails(BAD_ARGUMENTS, ["piece cache", farm], *plot, "--farm", farm, "--piece-cache",
                   farm / "cache", "--create", "parents")
        self.assert_absent(farm)

    def test_an_unfinished_store_that_is_not_ours(self):
        store = self.folder / "store"
        store.mkdir()
        pack = store / "segment-0000000000.pack"
        pack.write_text("what I have kept", encoding="utf-8")
        self.fails(BAD_ARGUMENTS, [store, pack.name], "archive", "--store", store, OPTIONS.source)
        self.assertEqual(pack.read_text(encoding="utf-8"), "what I have kept")


class Create(FurrowTest):
    """--create=auto|parents|never."""

    def setUp(self):
        super().setUp()
        self.small = self.folder / "small"
        self.small.write_bytes(b"small")
        self.plot = ("plot", "--pieces", OPTIONS.store, "--sectors", 1, "--pieces-in-sector", 1)

    def test_stores(self):
        store = self.folder / "disk" / "store"
        archive = ("archive", self.small, "--store")
        self.fails(IO_ERROR, [store, store.parent, "--create=parents"], *archive, store)
        self.fails(IO_ERROR, [store], *archive, store, "--create=never")
        self.assert_absent(store.parent)
        self.fails(BAD_ARGUMENTS, ["--create"], *archive, store, "--create=perhaps")
        self.succeeds(*archive, store, "--create=parents")
        other = self.folder / "other"
        self.fails(IO_ERROR, [other], *archive, other, "--create=never")
        other.mkdir()
        self.succeeds(*archive, other, "--create=never")
        self.succeeds(*archive, self.folder / "third")

    def test_farms_and_caches(self):
        farm = self.folder / "disk" / "farm"
        cache = self.folder / "other" / "cache"
        self.fails(IO_ERROR, [farm, farm.parent], *self.plot, "--farm", farm)
        self.fails((IO_ERROR, UNAVAILABLE), [farm], *self.plot, "--farm", farm, "--create=never")
        self.assert_absent(farm.parent)
        farm.parent.mkdir()
        self.fails(IO_ERROR, [cache, cache.parent], *self.plot, "--farm", farm, "--piece-cache",
                   cache)
        self.assert_absent(farm)
        self.assert_absent(cache.parent)
        self.succeeds(*self.plot, "--farm", farm, "--piece-cache", cache, "--create=parents")
        self.succeeds(*self.plot, "--farm", farm, "--piece-cache", cache, "--create=never")
        empty = self.folder / "empty"
        empty.mkdir()
        self.fails((IO_ERROR, UNAVAILABLE), [empty], *self.plot, "--farm", empty, "--create=never")
        self.fails(IO_ERROR, [empty], *self.plot, "--farm", farm, "--piece-cache", empty,
                   "--create=never")
        self.assert_empty(empty)

    def test_extracted_trees(self):
        out = self.folder / "disk" / "out"
        extract = ("extract", "--pieces", OPTIONS.store, "--out")
        self.fails(IO_ERROR, [out, out.parent], *extract, out)
        self.fails(IO_ERROR, [out], *extract, out, "--create=never")
        self.assert_absent(out.parent)
        self.succeeds(*extract, out, "--create=parents")
        self.assertEqual(sorted(os.listdir(out.parent)), ["out"])


class StandardDescriptors(FurrowTest):
    def test_closed_ones_do_not_become_files_of_the_farm(self):
        farm = self.folder / "farm"
        result = furrow("plot", "--farm", farm, "--pieces", OPTIONS.store, "--sectors", 1,
                        "--pieces-in-sector", 1, "--progress", "json", prefix=CLOSED)
        self.assertEqual(result.code, IO_ERROR, result)  # there were results, and nobody got them
        json.loads((farm / "single_disk_farm.json").read_text(encoding="utf-8"))
        self.assertIn(" 1 intact, 0 broken", self.succeeds("scrub", "--farm", farm).stdout)

    def test_closed_ones_do_not_become_files_of_a_store(self):
        small, store = self.folder / "small", self.folder / "store"
        small.write_bytes(b"small")
        result = furrow("archive", "--store", store, small, prefix=CLOSED)
        self.assertEqual(result.code, IO_ERROR, result)
        self.succeeds("pack", "verify", formats.segment_pack(store))
        self.succeeds("extract", "--pieces", store, "--out", self.folder / "out")

    def test_results_that_do_not_arrive(self):
        pack = formats.segment_pack(OPTIONS.store)
        for command in (("--version",), ("--help",), ("devices",), ("devices", "--json"),
                        ("info", "--farm", OPTIONS.farm), ("scrub", "--farm", OPTIONS.farm),
                        ("plan",), ("pack", "list", pack), ("pack", "stat", pack)):
            with self.subTest(command=command):
                code, error = to_full_disk(*command)
                self.assertEqual(code, IO_ERROR, error)
                self.assertEqual(error.splitlines()[-1],
                                 "furrow: error: cannot write standard output: "
                                 "No space left on device")
                self.assertEqual(furrow(*command, prefix=CLOSED).code, IO_ERROR)

    def test_results_that_do_not_arrive_of_a_command_that_fails(self):
        # The number is beyond every history, so the list that is printed first is empty.
        command = ("find", "--json", "--farm", OPTIONS.farm, "--piece", 10**9)
        expected = furrow(*command)
        self.assertNotEqual(expected.code, SUCCESS, expected)
        code, error = to_full_disk(*command)
        self.assertEqual(code, expected.code, error)
        self.assertEqual(error.splitlines(),
                         [*expected.stderr.splitlines(), "furrow: error: cannot write standard "
                          "output: No space left on device"])

    def test_work_does_not_depend_on_who_reads(self):
        farm = self.folder / "farm"
        plot = ("plot", "--farm", farm, "--pieces", OPTIONS.store, "--pieces-in-sector", 1)
        code, error = to_full_disk(*plot, "--sectors", 1)
        self.assertEqual(code, IO_ERROR, error)
        with subprocess.Popen([OPTIONS.furrow, *map(str, plot), "--sectors", "2"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as process:
            process.stdout.close()
            error = process.stderr.read()
            self.assertEqual(process.wait(program.TIMEOUT_SECONDS), SUCCESS, error)
        self.assertNotIn("error", error)
        self.assertIn(" 2 intact, 0 broken", self.succeeds("scrub", "--farm", farm).stdout)


if __name__ == "__main__":
    program.run_tests(__doc__)
