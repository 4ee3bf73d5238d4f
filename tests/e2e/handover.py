#!/usr/bin/env python3
"""What is done with a farm besides plotting it here: looking at it while it is plotted, naming its
chain, and handing it to another farmer with room for that one's piece cache."""

import hashlib
import json
import shutil

from make_fixtures import PIECES_IN_SECTOR, SECTORS
from support import formats, program
from support.program import (BAD_ARGUMENTS, MISMATCH, OPTIONS, UNAVAILABLE, FurrowTest,
                             furrow)

CHAIN = "c4" * 32


class Farms(FurrowTest):
    def setUp(self):
        super().setUp()
        self.farm = self.folder / "farm"
        self.out = self.folder / "piece"

    def copy_farm(self):
        shutil.copytree(OPTIONS.farm, self.farm)

    def plot(self, *options):
        return ("plot", "--farm", self.farm, "--pieces", OPTIONS.store, *options)

    def info(self):
        return json.loads((self.farm / "single_disk_farm.json").read_text(encoding="utf-8"))["v0"]

    def read(self, sector, *options):
        return ("read", "--farm", self.farm, "--sector", sector, "--offset", 0, "--out", self.out,
                *options)


class WhileItIsPlotted(Farms):
    def test_commands_that_look(self):
        self.copy_farm()
        indexes = formats.piece_indexes(OPTIONS.store)
        with formats.HeldLock(self.farm):
            self.assertIn(f"{SECTORS} intact", self.succeeds("scrub", "--farm", self.farm).stdout)
            self.succeeds("info", "--farm", self.farm)
            self.succeeds(*self.read(1))
            self.assertIn(hashlib.sha256(self.out.read_bytes()).digest(), indexes)
            # The farm holds too little for it, which nobody knows who is refused.
            self.fails(UNAVAILABLE, ["segment 0"], "extract", "--farm", self.farm, "--manifest",
                       OPTIONS.store / "manifest.json", "--out", self.folder / "extracted")

    def test_a_sector_under_way(self):
        """Its slot says that it holds nothing, and its bytes are being written over."""
        self.copy_farm()
        formats.mark_lost(self.farm, PIECES_IN_SECTOR, [1])
        formats.flip_byte(self.farm / "plot.bin", formats.sector_size(PIECES_IN_SECTOR) + 1000)
        with formats.HeldLock(self.farm):
            self.fails(UNAVAILABLE, ["sector 1", "holds nothing"], *self.read(1))
            self.assertIn("0 broken, 1 lost", self.succeeds("scrub", "--farm", self.farm).stdout)
            self.succeeds(*self.read(2))


class Chain(Farms):
    def test_plot_and_extract(self):
        self.succeeds(*self.plot("--sectors", 1, "--pieces-in-sector", 1, "--genesis-root", CHAIN))
        self.assertEqual(self.info()["genesisRoot"], CHAIN)
        self.fails(MISMATCH, ["genesis root"], *self.plot("--sectors", 1))
        self.succeeds(*self.plot("--sectors", 1, "--genesis-root", CHAIN.upper()))
        for root in ("", "c4", "xx" * 32, "c4" * 33):
            with self.subTest(root=root):
                self.fails(BAD_ARGUMENTS, ["--genesis-root", "64"],
                           *self.plot("--sectors", 1, f"--genesis-root={root}"))
        extract = ("extract", "--farm", self.farm, "--manifest", OPTIONS.store / "manifest.json",
                   "--out", self.folder / "extracted")
        self.fails(MISMATCH, ["genesis root"], *extract)
        self.fails(UNAVAILABLE, ["segment 0"], *extract, "--genesis-root", CHAIN)

    def test_archive(self):
        store = self.folder / "store"
        source = self.folder / "source"
        source.write_bytes(b"a chain of its own")
        self.succeeds("archive", "--store", store, "--genesis-root", CHAIN, source)
        manifest = json.loads((store / "manifest.json").read_text(encoding="utf-8"))["manifest"]
        self.assertEqual((manifest["version"], manifest["genesis_root"]), (2, CHAIN))
        other = json.loads((OPTIONS.store / "manifest.json").read_text(encoding="utf-8"))["manifest"]
        self.assertEqual(other["version"], 1)
        self.assertNotIn("genesis_root", other)

        plot = ("plot", "--farm", self.farm, "--pieces", store, "--sectors", 1,
                "--pieces-in-sector", 1)
        self.fails(MISMATCH, ["genesis root"], *plot, "--genesis-root", "ab" * 32)
        self.assertFalse(self.farm.exists())
        self.succeeds(*plot)
        self.assertEqual(self.info()["genesisRoot"], CHAIN)


if __name__ == "__main__":
    program.run_tests(__doc__)
