#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line itself: help, version, JSON, sizes, vectors."""

import json
import pathlib
import random
import shutil

from make_fixtures import PIECES_IN_SECTOR, SECTORS
from support import formats, packs, program
from support.program import (BAD_ARGUMENTS, CHECK_FAILED, OPTIONS, UNAVAILABLE, FurrowTest,
                             furrow)
from support.trees import describe, differences

# Subcommand -> options that its help has to name.
COMMANDS = {
    "archive": ("--store", "--threads", "--level", "--json"),
    "plot": ("--farm", "--pieces", "--sectors", "--size", "--until-covered", "--pieces-in-sector",
             "--cache-percentage", "--shrink", "--genesis-root",
             "--threads", "--encoder", "--device", "--ram-limit", "--vram-limit", "--pinned-limit",
             "--verify-records", "--progress", "--json"),
    "plan": ("--farm", "--pieces-in-sector", "--ram-limit", "--no-measure", "--json"),
    "read": ("--farm", "--sector", "--offset", "--out"),
    "find": ("--farm", "--piece", "--json"),
    "extract": ("--farm", "--pieces", "--manifest", "--out", "--threads"),
    "scrub": ("--farm", "--store", "--json"),
    "info": ("--farm", "--json"),
    "pack": ("list", "verify", "stat"),
    "vectors": ("--encoder",),
    "devices": ("--check", "--json"),
}


class CommandLine(FurrowTest):
    def test_help(self):
        result = self.succeeds("--help")
        for name in COMMANDS:
            self.assertIn(name, result.stdout)
        for name, options in COMMANDS.items():
            with self.subTest(command=name):
                result = self.succeeds(name, "--help")
                for option in options:
                    self.assertIn(option, result.stdout)
                self.assertEqual(self.succeeds("help", name).stdout, result.stdout)
                # Types are things, not kinds of variables.
                self.assertNotRegex(result.stdout, r" (TEXT|UINT|INT|FLOAT|ENUM)\b")
                if name != "pack":
                    self.assertIn(f"Example:\n  furrow {name} ", result.stdout)
                    self.assertIn("Exit codes:\n  0 ", result.stdout)
        self.assertEqual(self.succeeds("help").stdout, self.succeeds("--help").stdout)
        self.assertIn("furrow pack list ", self.succeeds("help", "pack", "list").stdout)
        self.assertIn("--level N=1", self.succeeds("help", "archive").stdout)

    def test_version(self):
        for form in ("--version", "-V", "version"):
            self.assertRegex(self.succeeds(form).stdout, r"\Afurrow \d+\.\d+\.\d+\n\Z")

    def test_unknown(self):
        self.fails(BAD_ARGUMENTS, [])
        self.fails(BAD_ARGUMENTS, ["'--frobnicate'"], "--frobnicate")
        self.fails(BAD_ARGUMENTS, ["'frobnicate'", "furrow help"], "frobnicate")
        self.fails(BAD_ARGUMENTS, ["'plt'", "'plot'"], "plt")
        self.fails(BAD_ARGUMENTS, ["'plt'", "'plot'"], "plt", "--farm", "x")
        self.fails(BAD_ARGUMENTS, ["'pack lst'", "'pack list'"], "pack", "lst", "file")
        self.fails(BAD_ARGUMENTS, ["no command", "'furrow pack'"], "pack")
        self.fails(BAD_ARGUMENTS, ["'plt'", "'plot'"], "help", "plt")
        self.fails(BAD_ARGUMENTS, ["'--sectrs'", "furrow plot", "'--sectors'"], "plot", "--sectrs=3")
        for name in COMMANDS:
            with self.subTest(command=name):
                self.fails(BAD_ARGUMENTS, [], name, "--frobnicate")
                if name not in ("devices", "plan"):  # which need no arguments
                    self.fails(BAD_ARGUMENTS, [], name)

    def test_empty_words(self):
        # As of a variable of a script that was never set.
        empty = self.folder / "empty"
        empty.mkdir()
        for option, words in (
                ("--store", ("archive", "--store", "", OPTIONS.source)),
                ("--farm", ("plot", "--farm", "", "--pieces", OPTIONS.store, "--sectors", "1")),
                ("--pieces", ("plot", "--farm", "f", "--pieces", "", "--sectors", "1")),
                ("--piece-cache", ("plot", "--farm", "f", "--pieces", OPTIONS.store,
                                   "--piece-cache", "")),
                ("--manifest", ("extract", "--farm", OPTIONS.farm, "--manifest", "", "--out", "x")),
                ("--out", ("extract", "--pieces", OPTIONS.store, "--out", "")),
                ("--store", ("scrub", "--store", "")), ("--farm", ("info", "--farm", "")),
                ("--size", ("plan", "--size", ""))):
            with self.subTest(words=words):
                self.fails(BAD_ARGUMENTS, [option, "''"], *words, cwd=empty)
        self.fails(BAD_ARGUMENTS, ["''"], "archive", "--store", "s", "", cwd=empty)
        self.assert_empty(empty)

    def test_json(self):
        # Nothing but one JSON object on stdout.
        store, farm = self.folder / "store", self.folder / "farm"
        small = self.folder / "small"
        small.write_bytes(b"small")
        archived = json.loads(self.succeeds("archive", "--json", "--store", store, small).stdout)
        self.assertEqual((archived["files"], archived["bytes"], archived["segments"]), (1, 5, 1))
        plotted = json.loads(self.succeeds("plot", "--json", "--farm", farm, "--pieces", store,
                                           "--size", "6MiB", "--pieces-in-sector", "1").stdout)
        # docs/spec/06, section 4: room that is asked for, less what is fixed, by what a sector takes.
        fixed = 2 * 1_048_576 + 32 + 961_284
        room = ((6 << 20) - fixed) // 100 * 99 - 4096  # 1 % is for a piece cache
        sectors = room // (formats.sector_size(1) + formats.SLOT_SIZE)
        self.assertGreater(sectors, 0)
        self.assertEqual(plotted["sectors"], sectors)
        info = json.loads(self.succeeds("info", "--json", "--farm", farm).stdout)
        self.assertEqual((info["sectors_plotted"], info["pieces_in_sector"]), (sectors, 1))
        scrub = json.loads(self.succeeds("scrub", "--json", "--farm", farm).stdout)
        self.assertEqual((scrub["sectors"], scrub["intact"], scrub["broken"]), (sectors, sectors, []))

    def test_growing_keeps_what_is_there(self):
        farm = self.folder / "farm"
        shutil.copytree(OPTIONS.farm, farm)
        before = (farm / "plot.bin").read_bytes()[:SECTORS * formats.sector_size(PIECES_IN_SECTOR)]
        result = self.succeeds("plot", "--farm", farm, "--pieces", OPTIONS.store, "--sectors",
                               SECTORS + 1)
        self.assertIn(f"sector {SECTORS} finished ({SECTORS + 1} of {SECTORS + 1})", result.stdout)
        self.assertNotIn("sector 0 finished", result.stdout)
        self.assertTrue((farm / "plot.bin").read_bytes().startswith(before))
        self.succeeds("scrub", "--farm", farm)

    def test_encoders_and_threads_give_the_same_bytes(self):
        plots = []
        for name, options in (("a", ("--encoder", "cpu", "--threads", "1")),
                              ("b", ("--encoder", "cpu-scalar", "--threads", "2"))):
            farm = self.folder / name
            formats.begin_farm_with_key_of(OPTIONS.farm, farm)
            self.succeeds("plot", "--farm", farm, "--pieces", OPTIONS.store, "--sectors", "1",
                          "--pieces-in-sector", PIECES_IN_SECTOR, *options)
            plots.append((farm / "plot.bin").read_bytes()[:formats.sector_size(PIECES_IN_SECTOR)])
        self.assertEqual(plots[0], plots[1])
        self.assertTrue((OPTIONS.farm / "plot.bin").read_bytes().startswith(plots[0]))

    def test_without_devices_auto_says_why_once(self):
        devices = json.loads(self.succeeds("devices", "--json").stdout)
        if any(device["supported"] for device in devices["devices"]):
            self.skipTest("this machine has a card that can be used")
        plot = ("plot", "--farm", self.folder / "farm", "--pieces", OPTIONS.store, "--sectors", "1",
                "--pieces-in-sector", "1")
        lines = self.succeeds(*plot).stderr.splitlines()
        self.assertEqual(len([line for line in lines if "encoding on the CPU: " in line]), 1, lines)
        self.assertFalse((self.folder / "other").exists())
        self.fails(UNAVAILABLE, ["encoder cuda"], "plot", "--farm", self.folder / "other",
                   "--pieces", OPTIONS.store, "--sectors", "1", "--encoder", "cuda")
        self.assertFalse((self.folder / "other").exists(), "nothing is made before it is refused")

    def test_archiving_is_deterministic(self):
        store = self.folder / "store"
        self.succeeds("archive", "--store", store, OPTIONS.source, "--threads", "1")
        files = [path for path in OPTIONS.store.rglob("*") if path.is_file()]
        self.assertEqual(len(files), len([path for path in store.rglob("*") if path.is_file()]))
        for path in files:
            name = path.relative_to(OPTIONS.store)
            with self.subTest(file=name):
                self.assertEqual((store / name).read_bytes(), path.read_bytes())

    def test_packs_of_a_store(self):
        pack = formats.segment_pack(OPTIONS.store)
        frames = packs.read_frames(pack)
        verified = json.loads(self.succeeds("pack", "verify", "--json", pack).stdout)
        self.assertTrue(verified["finished"])
        self.assertEqual((verified["frames"], verified["intact"], verified["broken"]),
                         (formats.PIECES_IN_SEGMENT, formats.PIECES_IN_SEGMENT, []))
        listed = json.loads(self.succeeds("pack", "list", "--json", pack).stdout)["chunks"]
        self.assertEqual([chunk["key"] for chunk in listed], list(range(formats.PIECES_IN_SEGMENT)))
        self.assertEqual([chunk["offset"] for chunk in listed], [frame.offset for frame in frames])
        statistics = json.loads(self.succeeds("pack", "stat", "--json", pack).stdout)
        self.assertEqual(statistics["original_size"],
                         formats.PIECES_IN_SEGMENT * formats.PIECE_SIZE)
        self.assertEqual(statistics["stored_size"], sum(len(frame.stored) for frame in frames))

    def test_index_of_a_store(self):
        pieces = formats.pieces_of(OPTIONS.store)
        frames = {frame.offset: frame
                  for frame in packs.read_frames(formats.segment_pack(OPTIONS.store))}
        places = formats.indexed_places(OPTIONS.store)
        root = pieces[0][formats.SEGMENT_ROOT_AT:][:32]
        self.assertEqual(sorted(places), [(root, position) for position in sorted(pieces)])
        for (_, position), (height, pack, offset, is_shared) in places.items():
            with self.subTest(position=position):
                self.assertEqual((height, pack), (1, 0))
                self.assertNotEqual(frames[offset].codec, packs.REFERENCE)
                self.assertEqual(pieces[frames[offset].key], pieces[position])
                self.assertEqual(bool(is_shared), frames[offset].key != position)

    def test_extract_from_a_store(self):
        out = self.folder / "out"
        self.succeeds("extract", "--pieces", OPTIONS.store, "--out", out)
        self.assertEqual(differences(describe(OPTIONS.source), describe(out / "source")), [])
        other = self.folder / "other"
        manifest = OPTIONS.store / "manifest.json"
        for source in ((), ("--farm", OPTIONS.farm), ("--manifest", manifest),
                       ("--pieces", OPTIONS.store, "--manifest", manifest),
                       ("--pieces", OPTIONS.store, "--farm", OPTIONS.farm)):
            self.fails(BAD_ARGUMENTS, [], "extract", *source, "--out", other)
            self.assert_absent(other)

    def test_compression_levels(self):
        small = self.folder / "small"
        rng = random.Random(4)
        words = ("sector", "piece", "record", "chunk", "segment", "proof", "seed", "table")
        small.write_text(" ".join(rng.choices(words, k=50_000)), encoding="utf-8")
        sizes = []
        for level in ("1", "19"):
            store = self.folder / f"store {level}"
            self.succeeds("archive", "--level", level, "--store", store, small)
            sizes.append(len(packs.read_frames(formats.segment_pack(store))[0].stored))
            self.assertEqual(len(formats.pieces_of(store)), formats.PIECES_IN_SEGMENT)
        self.assertGreater(*sizes)
        for level in ("0", "23", "-1", "x"):
            with self.subTest(level=level):
                self.fails(BAD_ARGUMENTS, [level], "archive", "--level", level, "--store",
                           self.folder / "none", small)
                self.assert_absent(self.folder / "none")

    def test_vectors(self):
        golden = [OPTIONS.golden / name for name in ("sector_id.json", "farm.vectors")]
        result = self.succeeds("vectors", *golden)
        self.assertRegex(result.stdout.splitlines()[-1], r"\A[1-9]\d* passed, 0 failed\Z")
        scalar = self.succeeds("vectors", "--encoder", "cpu-scalar", *golden)
        self.assertEqual(scalar.stdout.splitlines()[-1], result.stdout.splitlines()[-1])

    def test_wrong_vectors(self):
        document = json.loads((OPTIONS.golden / "sector_id.json").read_text(encoding="utf-8"))
        digest = document["cases"][1]["sector_id"]
        document["cases"][1]["sector_id"] = ("0" if digest[0] != "0" else "1") + digest[1:]
        wrong = self.folder / "wrong.json"
        wrong.write_text(json.dumps(document), encoding="utf-8")
        result = furrow("vectors", wrong)
        self.assertEqual(result.code, CHECK_FAILED, result)
        self.assertRegex(result.stdout.splitlines()[-1], r"\A\d+ passed, [1-9]\d* failed\Z")


def add_options(parser):
    parser.add_argument("--golden", type=pathlib.Path, required=True, help="folder of the vectors")


if __name__ == "__main__":
    program.run_tests(__doc__, add_options)
