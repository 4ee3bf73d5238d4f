#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input of every kind: the right exit code, one clear line that names the thing, nothing half-made
left behind."""

import json
import os
import shutil
import signal
import socket
import subprocess

from make_fixtures import PIECES_IN_SECTOR, SECTORS
from support import formats, program
from support.program import (BAD_ARGUMENTS, CHECK_FAILED, CORRUPT, IO_ERROR, MISMATCH, OPTIONS,
                             SUCCESS, UNAVAILABLE, FurrowTest, furrow)

NOBODY = 65534


class ArchiveArguments(FurrowTest):
    def setUp(self):
        super().setUp()
        self.store = self.folder / "store"

    def refuses(self, codes, mentions, *arguments, **options):
        self.fails(codes, mentions, "archive", "--store", self.store, *arguments, **options)
        self.assert_absent(self.store)

    def test_missing_file(self):
        missing = self.folder / "no such file"
        self.refuses(IO_ERROR, [missing, "No such file"], missing)

    def test_nothing_to_archive(self):
        empty = self.folder / "empty"
        (empty / "folder").mkdir(parents=True)
        (empty / "file").touch()
        self.refuses(BAD_ARGUMENTS, [], empty)

    def test_no_path(self):
        self.refuses(BAD_ARGUMENTS, ["paths"])

    def test_same_name_twice(self):
        for name in ("a", "b"):
            (self.folder / name / "same").mkdir(parents=True)
        self.refuses(BAD_ARGUMENTS, ["same"], self.folder / "a/same", self.folder / "b/same")

    def test_neither_file_nor_folder(self):
        tree = self.folder / "tree"
        tree.mkdir()
        os.mkfifo(tree / "fifo")
        self.refuses(BAD_ARGUMENTS, [tree / "fifo"], tree)
        (tree / "fifo").unlink()
        with socket.socket(socket.AF_UNIX) as listener:
            previous = os.getcwd()
            os.chdir(tree)  # the name of a socket has little room
            try:
                listener.bind("socket")
            finally:
                os.chdir(previous)
            self.refuses(BAD_ARGUMENTS, [tree / "socket"], tree)

    def test_name_that_is_not_utf8(self):
        tree = self.folder / "tree"
        tree.mkdir()
        with open(os.fsencode(tree) + b"/not \xff utf-8", "wb") as file:
            file.write(b"x")
        self.refuses(BAD_ARGUMENTS, ["UTF-8"], tree)

    def test_store_inside_the_tree(self):
        tree = self.folder / "tree"
        tree.mkdir()
        (tree / "file").write_bytes(b"x")
        store = tree / "store"
        self.fails(BAD_ARGUMENTS, [store], "archive", "--store", store, tree)
        self.assert_absent(store)

    def test_store_that_is_one_already(self):
        manifest = (OPTIONS.store / "manifest.json").read_bytes()
        self.fails(BAD_ARGUMENTS, [OPTIONS.store], "archive", "--store", OPTIONS.store,
                   OPTIONS.source)
        self.assertEqual((OPTIONS.store / "manifest.json").read_bytes(), manifest)

    def test_unreadable_folder_and_file(self):
        as_nobody = {}
        if os.geteuid() == 0:  # root can read everything
            as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            try:
                if furrow("--version", **as_nobody).code != SUCCESS:
                    self.skipTest("the program does not run as nobody")
            except PermissionError:
                self.skipTest(f"nobody cannot reach {OPTIONS.furrow}; not tested")
            os.chown(self.folder, NOBODY, NOBODY)
        tree = self.folder / "tree"
        (tree / "closed").mkdir(parents=True)
        (tree / "closed" / "file").write_bytes(b"x")
        (tree / "closed").chmod(0)
        self.refuses(IO_ERROR, [tree / "closed", "Permission denied"], tree, **as_nobody)
        (tree / "closed").chmod(0o755)
        (tree / "closed" / "file").chmod(0)
        if os.geteuid() == 0:
            os.chown(tree / "closed" / "file", 0, 0)
        self.refuses(IO_ERROR, [tree / "closed" / "file", "Permission denied"], tree, **as_nobody)


class PlotArguments(FurrowTest):
    def refuses(self, codes, mentions, *arguments, store=None):
        farm = self.folder / "farm"
        self.fails(codes, mentions, "plot", "--farm", farm, "--pieces", store or OPTIONS.store,
                   *arguments)
        self.assert_absent(farm)

    def test_numbers_out_of_range(self):
        for option, values in (("--sectors", ("0", "-1", "65535", "99999999999999999999", "x", "")),
                               ("--pieces-in-sector", ("0", "1001", "65536", "65537", "-1", "x")),
                               ("--threads", ("-1", "x")),
                               ("--size", ("0", "1", "1KiB", "x", "12parsecs", "-1", "GiB", "1e"))):
            for value in values:
                with self.subTest(option=option, value=value):
                    others = [] if option in ("--sectors", "--size") else ["--sectors", "1"]
                    if option != "--pieces-in-sector":
                        others += ["--pieces-in-sector", "1"]
                    self.refuses(BAD_ARGUMENTS, [], f"{option}={value}", *others)

    def test_message_names_limits(self):
        for pieces in ("0", "1001", "65536"):
            self.refuses(BAD_ARGUMENTS, [pieces, "1000"], "--sectors", "1", "--pieces-in-sector",
                         pieces)

    def test_unknown_encoder(self):
        self.refuses(BAD_ARGUMENTS, ["abacus"], "--sectors", "1", "--pieces-in-sector", "1",
                     "--encoder", "abacus")

    def test_unknown_device(self):
        sizes = ("--sectors", "1", "--pieces-in-sector", "1")
        self.refuses(BAD_ARGUMENTS, ["GPU-abacus"], *sizes, "--device", "GPU-abacus")
        self.refuses(BAD_ARGUMENTS, ["'99'"], *sizes, "--encoder", "cuda", "--device", "99")
        self.refuses(BAD_ARGUMENTS, ["'0'"], *sizes, "--encoder", "cpu", "--device", "0")
        self.refuses(BAD_ARGUMENTS, ["'much'"], *sizes, "--vram-limit", "much")

    def test_sizes_exclude_one_another(self):
        self.refuses(BAD_ARGUMENTS, [], "--sectors", "1", "--until-covered")
        self.refuses(BAD_ARGUMENTS, [], "--sectors", "1", "--size", "1GiB")
        self.refuses(BAD_ARGUMENTS, [], "--until-covered", "--size", "1GiB")

    def test_new_farm_without_size(self):
        self.refuses(BAD_ARGUMENTS, ["--sectors"], "--pieces-in-sector", "1")

    def test_missing_store(self):
        missing = self.folder / "no such store"
        self.refuses(IO_ERROR, [missing], "--sectors", "1", store=missing)
        self.refuses(IO_ERROR, [self.folder], "--sectors", "1", store=self.folder)


    def test_files_of_no_farm(self):
        farm = self.folder / "farm"
        plot = ("plot", "--farm", farm, "--pieces", OPTIONS.store, "--sectors", "1",
                "--pieces-in-sector", "1")
        for name in ("plot.bin", "metadata.bin", "identity.bin", "single_disk_farm.json", "state",
                     "index", "piece_cache.bin"):
            with self.subTest(name=name):
                farm.mkdir()
                (farm / "lost+found").mkdir()
                content = b"" if name == "single_disk_farm.json" else b"precious"
                (farm / name).write_bytes(content)
                self.fails(BAD_ARGUMENTS, [farm / name], *plot)
                self.assertEqual((farm / name).read_bytes(), content)
                self.assertEqual(sorted(os.listdir(farm)), sorted((name, "lost+found")))
                program.remove_tree(farm)
        farm.mkdir()
        (farm / "lost+found").mkdir()
        self.succeeds(*plot)

    def test_piece_caches_of_others(self):
        cache = self.folder / "cache"
        cache.mkdir()
        (cache / "piece_cache.bin").write_bytes(b"precious")
        for folder in (cache, OPTIONS.farm, OPTIONS.store):
            with self.subTest(folder=folder):
                before = sorted(os.listdir(folder))
                self.refuses(BAD_ARGUMENTS, [folder], "--sectors", "1", "--pieces-in-sector", "1",
                             "--piece-cache", folder, "--piece-cache-size", "16MiB")
                self.assertEqual(sorted(os.listdir(folder)), before)
        self.assertEqual((cache / "piece_cache.bin").read_bytes(), b"precious")

    def test_farm_that_goes_while_it_is_plotted(self):
        farm = self.folder / "farm"
        process = subprocess.Popen(
            [OPTIONS.furrow, "plot", "--farm", farm, "--pieces", OPTIONS.store, "--sectors", "40",
             "--pieces-in-sector", "1"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        printed = b""
        while b"finished" not in printed:
            part = os.read(process.stdout.fileno(), 65536)
            self.assertTrue(part, "ended before a sector was finished")
            printed += part
        process.send_signal(signal.SIGSTOP)
        shutil.rmtree(farm)
        os.set_blocking(process.stdout.fileno(), False)
        process.stdout.read()  # what was printed before
        os.set_blocking(process.stdout.fileno(), True)
        process.send_signal(signal.SIGCONT)
        stdout, stderr = (text.decode() for text in
                          process.communicate(timeout=program.TIMEOUT_SECONDS))
        self.assertEqual(process.returncode, IO_ERROR, stderr)
        self.assertIn(str(farm), stderr.splitlines()[-1])
        self.assertIn("removed", stderr.splitlines()[-1])
        # At most one sector was between its last look and its line.
        self.assertLessEqual(stdout.count("finished"), 1, stdout)
        self.assertNotIn("40 sectors;", stdout)

class DamagedManifest(FurrowTest):
    """The same damage must be noticed by everything that reads a manifest."""

    def setUp(self):
        super().setUp()
        self.store = self.folder / "store"
        formats.copy_store(OPTIONS.store, self.store, with_segments=False)
        self.manifest = self.store / "manifest.json"

    def refuses(self, codes, mentions):
        farm = self.folder / "farm"
        self.fails(codes, mentions, "plot", "--farm", farm, "--pieces", self.store, "--sectors", "1",
                   "--pieces-in-sector", "1")
        self.assert_absent(farm)
        out = self.folder / "out"
        self.fails(codes, mentions, "extract", "--farm", OPTIONS.farm, "--manifest", self.manifest,
                   "--out", out)
        self.assert_absent(out)

    def test_missing(self):
        self.manifest.unlink()
        self.refuses(IO_ERROR, [self.manifest])

    def test_empty(self):
        self.manifest.write_bytes(b"")
        self.refuses(CORRUPT, [])

    def test_cut_off(self):
        text = self.manifest.read_bytes()
        for length in (1, len(text) // 2, len(text) - 3):
            with self.subTest(length=length):
                self.manifest.write_bytes(text[:length])
                self.refuses(CORRUPT, [])

    def test_not_a_manifest(self):
        self.manifest.write_text('{"manifest": []}', encoding="utf-8")
        self.refuses(CORRUPT, ["checksum"])

    def test_changed_value(self):
        document = json.loads(self.manifest.read_text(encoding="utf-8"))
        document["manifest"]["entries"][0]["mtime_seconds"] += 1
        self.manifest.write_text(json.dumps(document), encoding="utf-8")
        self.refuses(CORRUPT, ["checksum"])

    def test_other_version(self):
        formats.rewrite_manifest(self.manifest, lambda inner: inner.update(version=3))
        self.refuses(MISMATCH, ["version", "3"])

    def test_path_that_leads_out_of_the_target(self):
        for path in ("../evil", "/etc/evil", "source/../../evil", "source//evil", ""):
            with self.subTest(path=path):
                shutil.copy(OPTIONS.store / "manifest.json", self.manifest)

                def lead_out(inner, path=path):
                    inner["entries"][-1]["path"] = path

                formats.rewrite_manifest(self.manifest, lead_out)
                self.refuses(CORRUPT, ["entry"])


class DamagedFarm(FurrowTest):
    def setUp(self):
        super().setUp()
        self.farm = self.folder / "farm"
        shutil.copytree(OPTIONS.farm, self.farm)
        self.out = self.folder / "piece"
        self.extracted = self.folder / "extracted"

    def commands(self):
        return {"plot": ("plot", "--farm", self.farm, "--pieces", OPTIONS.store, "--sectors",
                         SECTORS + 1),
                "read": ("read", "--farm", self.farm, "--sector", "1", "--offset", "0", "--out",
                         self.out),
                "extract": ("extract", "--farm", self.farm, "--manifest",
                            OPTIONS.store / "manifest.json", "--out", self.extracted),
                "info": ("info", "--farm", self.farm),
                "scrub": ("scrub", "--farm", self.farm)}

    def files(self):
        return {path.relative_to(self.farm): path.read_bytes()
                for path in self.farm.rglob("*") if path.is_file()}

    def refuse(self, names, codes, mentions):
        """Each of the commands refuses and leaves the farm and everything else as it was."""
        before = self.files()
        for name in names:
            with self.subTest(command=name):
                self.fails(codes, mentions, *self.commands()[name])
                self.assertEqual(self.files(), before)
                self.assert_absent(self.out)
                self.assert_absent(self.extracted)

    def scrub_finds(self, *texts):
        result = furrow("scrub", "--farm", self.farm)
        self.assertEqual(result.code, CHECK_FAILED, result)
        for text in texts:
            self.assertIn(text, result.stdout, result)
        report = json.loads(furrow("scrub", "--farm", self.farm, "--json").stdout)
        self.assertTrue(report["broken"], report)

    def test_no_farm(self):
        shutil.rmtree(self.farm)
        for name in ("read", "extract", "info", "scrub"):
            with self.subTest(command=name):
                self.fails(IO_ERROR, [self.farm], *self.commands()[name])
        self.assert_absent(self.farm)

    def test_identity_of_another_farm(self):
        (self.farm / "identity.bin").write_bytes(bytes(range(32)))
        self.refuse(("plot", "read", "extract", "info"), MISMATCH, ["identity"])
        self.scrub_finds("identity")

    def test_identity_missing(self):
        (self.farm / "identity.bin").unlink()
        self.refuse(("plot", "read", "extract", "info"), (MISMATCH, IO_ERROR), ["identity.bin"])
        self.scrub_finds("identity.bin")

    def test_identity_cut_off(self):
        os.truncate(self.farm / "identity.bin", 31)
        self.refuse(("plot", "read", "extract", "info"), CORRUPT, ["identity.bin"])

    def test_lost_sector_is_no_fault_to_scrub(self):
        formats.mark_lost(self.farm, PIECES_IN_SECTOR, [1])
        result = self.succeeds("scrub", "--farm", self.farm)
        self.assertIn("lost: sector 1:", result.stdout, result)
        self.assertIn(f"{SECTORS - 1} intact, 0 broken, 1 lost;", result.stdout, result)
        report = json.loads(self.succeeds("scrub", "--farm", self.farm, "--json").stdout)
        self.assertEqual((report["lost"], report["broken"]), ([1], []))
        self.succeeds("plot", "--farm", self.farm, "--pieces", OPTIONS.store, "--sectors", SECTORS)
        self.assertIn(" 0 lost;", self.succeeds("scrub", "--farm", self.farm).stdout)

    def test_metadata_of_another_version(self):
        formats.flip_byte(self.farm / "metadata.bin", 0)
        self.refuse(("plot", "read", "extract", "info"), MISMATCH, ["metadata.bin", "version"])
        self.scrub_finds("metadata.bin")

    def test_farm_of_another_chain(self):
        info = self.farm / "single_disk_farm.json"
        document = json.loads(info.read_text(encoding="utf-8"))
        document["v0"]["genesisRoot"] = "ab" * 32
        info.write_text(json.dumps(document), encoding="utf-8")
        self.refuse(("plot", "extract"), MISMATCH, ["genesis"])

    def test_other_pieces_in_sector(self):
        self.fails(MISMATCH, ["pieces in sector"], *self.commands()["plot"], "--pieces-in-sector",
                   PIECES_IN_SECTOR + 1)

    def test_info_file_damaged(self):
        info = self.farm / "single_disk_farm.json"
        text = info.read_bytes()
        for damaged in (text[:-1], b"{}", b"\0" * len(text), text.replace(b'"v0"', b'"v1"'), b""):
            with self.subTest(text=damaged):
                info.write_bytes(damaged)
                self.refuse(("plot", "read", "extract", "info"), CORRUPT, [info.name])
                self.scrub_finds(info.name)

    def reads(self, sector):
        return furrow("read", "--farm", self.farm, "--sector", sector, "--offset", "0", "--out",
                      self.folder / f"piece {sector}")

    def test_plot_file_cut_off(self):
        plot = self.farm / "plot.bin"
        os.truncate(plot, 2 * formats.sector_size(PIECES_IN_SECTOR) + 4096)
        self.refuse(("plot",), CORRUPT, ["plot.bin", "2 of which can be read"])
        self.scrub_finds("plot.bin")
        # What is whole is read, what is not is refused.
        self.assertEqual([self.reads(sector).code for sector in range(SECTORS)],
                         [SUCCESS, SUCCESS, CORRUPT])
        self.assertIn("2 plotted, 0 lost, 1 damaged", self.succeeds("info", "--farm", self.farm).stdout)

    def test_metadata_file_cut_off(self):
        metadata = self.farm / "metadata.bin"
        for length, n_whole in ((2, 0), (formats.SLOTS_AT, 0),
                                (formats.SLOTS_AT + 2 * formats.SLOT_SIZE + 1, 2)):
            with self.subTest(length=length):
                os.truncate(metadata, length)
                self.refuse(("plot",), CORRUPT, ["metadata.bin"])
                self.scrub_finds("metadata.bin")
                self.assertEqual([self.reads(sector).code for sector in range(SECTORS)],
                                 [SUCCESS if sector < n_whole else CORRUPT
                                  for sector in range(SECTORS)])
                shutil.copy(OPTIONS.farm / "metadata.bin", metadata)

    def test_cut_off_files_are_repaired_as_the_manual_says(self):
        size = json.loads(furrow("info", "--farm", self.farm, "--json").stdout)["allocated_space"]
        plot = self.farm / "plot.bin"
        os.truncate(plot, 2 * formats.sector_size(PIECES_IN_SECTOR) + 4096)
        with open(self.farm / "metadata.bin", "r+b") as metadata:
            metadata.seek(1)
            metadata.write((2).to_bytes(2, "little"))
        self.succeeds("plot", "--farm", self.farm, "--pieces", OPTIONS.store, "--size", size)
        self.assertEqual(plot.read_bytes(), (OPTIONS.farm / "plot.bin").read_bytes())
        self.assertEqual((self.farm / "metadata.bin").read_bytes(),
                         (OPTIONS.farm / "metadata.bin").read_bytes())

    def test_sectors_that_are_not_counted_are_noted(self):
        with open(self.farm / "metadata.bin", "r+b") as metadata:
            metadata.write(b"\0\0\0")
        notes = self.succeeds("scrub", "--farm", self.farm).stdout
        for sector in range(SECTORS):
            self.assertIn(f"note: metadata.bin: slot of sector {sector}: describes a sector", notes)

    def test_sectors_that_are_not_counted_are_not_written_over(self):
        with open(self.farm / "metadata.bin", "r+b") as metadata:
            metadata.write(b"\0\0\0")
        before = {path.name: path.read_bytes() for path in self.farm.iterdir() if path.is_file()}
        self.fails(MISMATCH, ["metadata.bin", f"a count of {SECTORS}"], "plot", "--farm", self.farm,
                   "--pieces", OPTIONS.store, "--sectors", SECTORS)
        for name, contents in before.items():
            self.assertEqual((self.farm / name).read_bytes(), contents, name)

    def test_bytes_that_no_checksum_covers_are_noted(self):
        formats.flip_byte(self.farm / "metadata.bin", 1000)
        plot = self.farm / "plot.bin"
        formats.flip_byte(plot, plot.stat().st_size - 1)
        notes = self.succeeds("scrub", "--farm", self.farm).stdout
        self.assertIn("note: metadata.bin: reserved bytes: ", notes)
        self.assertIn("note: plot.bin: padding: ", notes)

    def test_damaged_slot_is_found_and_the_sector_plotted_again(self):
        formats.flip_byte(self.farm / "metadata.bin", formats.SLOTS_AT + formats.SLOT_SIZE + 5000)
        self.refuse(("read",), CORRUPT, ["sector 1"])
        self.scrub_finds("sector 1")
        self.succeeds("plot", "--farm", self.farm, "--pieces", OPTIONS.store, "--sectors", SECTORS)
        self.assertEqual((self.farm / "plot.bin").read_bytes(),
                         (OPTIONS.farm / "plot.bin").read_bytes())
        self.succeeds("scrub", "--farm", self.farm)

    def test_damaged_sector_contents(self):
        size = formats.sector_size(PIECES_IN_SECTOR)
        # Contents map, and header of the record metadata of offset 0.
        for name, offset in (("contents map", 100),
                             ("metadata", 8192 * PIECES_IN_SECTOR + 32 + 1_048_576 * PIECES_IN_SECTOR)):
            with self.subTest(region=name):
                formats.flip_byte(self.farm / "plot.bin", size + offset)
                self.refuse(("read",), CORRUPT, [])
                self.scrub_finds("sector 1")
                formats.flip_byte(self.farm / "plot.bin", size + offset)

    def test_place_that_does_not_exist(self):
        for sector, offset in ((SECTORS, 0), (65535, 0), (65536, 0), (-1, 0), (0, PIECES_IN_SECTOR),
                               (0, 65536), (0, -1)):
            with self.subTest(sector=sector, offset=offset):
                self.fails(BAD_ARGUMENTS, [], "read", "--farm", self.farm, f"--sector={sector}",
                           f"--offset={offset}", "--out", self.out)
                self.assert_absent(self.out)

    def test_out_in_a_missing_folder(self):
        out = self.folder / "missing" / "piece"
        self.fails(IO_ERROR, [out.parent, "No such file"], "read", "--farm", self.farm, "--sector",
                   "0", "--offset", "0", "--out", out)
        self.assert_absent(out.parent)

    def test_out_that_is_not_empty(self):
        self.extracted.mkdir()
        (self.extracted / "precious").write_bytes(b"x")
        self.fails(BAD_ARGUMENTS, [self.extracted], *self.commands()["extract"])
        self.assertEqual(os.listdir(self.extracted), ["precious"])

    def test_farm_that_does_not_hold_enough(self):
        self.refuse(("extract",), UNAVAILABLE, ["segment 0"])
        self.assertEqual(sorted(os.listdir(self.folder)), ["farm"])

    def test_farm_in_use(self):
        with formats.HeldLock(self.farm):
            self.refuse(("plot",), UNAVAILABLE, ["single_disk_farm.json"])

    def test_fewer_sectors_than_there_are_loses_none(self):
        self.succeeds("plot", "--farm", self.farm, "--pieces", OPTIONS.store, "--sectors", "1")
        self.assertEqual(formats.plotted_sector_count(self.farm), SECTORS)
        self.fails(BAD_ARGUMENTS, ["lost"], "plot", "--farm", self.farm, "--pieces", OPTIONS.store,
                   "--size", "6MiB")
        self.assertEqual(formats.plotted_sector_count(self.farm), SECTORS)
        self.succeeds("scrub", "--farm", self.farm)


class Vectors(FurrowTest):
    def refuses(self, code, text, mention):
        path = self.folder / "file.json"
        path.write_text(text, encoding="utf-8")
        self.fails(code, [path, mention], "vectors", path)

    def test_unknown_kind(self):
        for text in ("{}", "[]", '{"cases": [{"colour": "green"}]}', '{"cases": []}', "7"):
            with self.subTest(text=text):
                self.refuses(CORRUPT, text, "unknown kind")

    def test_not_json(self):
        self.refuses(CORRUPT, '{"cases": [', "JSON")

    def test_missing_file(self):
        missing = self.folder / "missing.json"
        self.fails(IO_ERROR, [missing], "vectors", missing)


class FullDisk(FurrowTest):
    """A disk with little room: a small tmpfs in a mount namespace of its own where that is allowed,
    else a limit on the size of files."""

    @classmethod
    def setUpClass(cls):
        probe = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], check=False,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.has_tmpfs = probe.returncode == 0
        print("full disk by", "a tmpfs" if cls.has_tmpfs else "a limit on the size of files")

    def runs_out(self, megabytes, *arguments):
        """Runs the program with self.folder/disk as such a disk and asserts that it ends as it should,
        with nothing left there."""
        disk = self.folder / "disk"
        disk.mkdir()
        if self.has_tmpfs:
            script = ('mount -t tmpfs -o "size=$1m" none "$2" || exit 99; d=$2; shift 2; "$@"; '
                      'code=$?; find "$d" -mindepth 1; exit "$code"')
            prefix = ("unshare", "-m", "sh", "-c", script, "sh", str(megabytes), disk)
            reason = "No space left on device"
        else:
            prefix = ("sh", "-c", 'trap "" XFSZ; ulimit -f "$1"; shift; exec "$@"', "sh",
                      str(int(megabytes * 2048)))  # of 512 bytes
            reason = "File too large"
        result = self.fails(IO_ERROR, [disk, reason], *arguments, prefix=prefix)
        self.assertEqual(result.stdout, "", result)
        self.assert_empty(disk)

    def test_archive(self):
        self.runs_out(50, "archive", "--store", self.folder / "disk" / "store", OPTIONS.source)

    def test_plot(self):
        self.runs_out(3, "plot", "--farm", self.folder / "disk" / "farm", "--pieces", OPTIONS.store,
                      "--sectors", "8", "--pieces-in-sector", "1")

    def test_plot_that_cannot_grow(self):
        self.runs_out(4, "plot", "--farm", self.folder / "disk" / "farm", "--pieces", OPTIONS.store,
                      "--until-covered", "--pieces-in-sector", "1")

    def test_read(self):
        self.runs_out(1, "read", "--farm", OPTIONS.farm, "--sector",
                      "0", "--offset", "0", "--out", self.folder / "disk" / "piece")


if __name__ == "__main__":
    program.run_tests(__doc__)
