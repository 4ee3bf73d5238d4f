#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is done with a farm besides plotting it here: looking at it while it is plotted, naming its
chain, and handing it to another farmer with room for that one's piece cache."""

import hashlib
import json
import re
import shutil

from make_fixtures import PIECES_IN_SECTOR, SECTORS
from support import formats, program
from support.program import (BAD_ARGUMENTS, CHECK_FAILED, CORRUPT, MISMATCH, OPTIONS, UNAVAILABLE,
                             FurrowTest, furrow)

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
                self.fails(BAD_ARGUMENTS, ["--genesis-root"],
                           *self.plot("--sectors", 1, f"--genesis-root={root}"))
        extract = ("extract", "--farm", self.farm, "--manifest", OPTIONS.store / "manifest.json",
                   "--out", self.folder / "extracted")
        self.fails(MISMATCH, ["genesis root"], *extract)
        self.fails(UNAVAILABLE, ["segment 0"], *extract, "--genesis-root", CHAIN)
        self.fails(BAD_ARGUMENTS, ["--genesis-root"], "extract", "--pieces", OPTIONS.store, "--out",
                   self.folder / "extracted", "--genesis-root", CHAIN)  # nothing would look at it

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


def farm_room(size, pieces, share):
    """Sectors, length of plot.bin and of piece_cache.bin that a farmer makes of a size (docs/spec/06,
    section 4)."""
    fixed = 2 * 1_048_576 + 32 + 961_284
    sector = formats.sector_size(pieces)
    usable = (size - fixed) // 100 * (100 - share)
    sectors = (usable - 4096) // (sector + formats.SLOT_SIZE)
    plot = -(-sectors * sector // 4096) * 4096
    cache = (size - fixed - plot - formats.SLOT_SIZE * sectors) // 1_049_600 if share else 0
    return sectors, plot, -(-cache * 1_049_600 // 4096) * 4096


class ToAFarmer(Farms):
    """What a farmer finds who opens the farm with the size and share that plot names."""

    def expect_opens(self, output, share, sectors, pieces):
        match = re.search(r"^path=(.*),size=(\d+) opens it for (.*)$", output, re.MULTILINE)
        self.assertIsNotNone(match, output)
        self.assertEqual(match[1], str(self.farm))
        size = int(match[2])
        self.assertEqual(self.info()["allocatedSpace"], size)
        self.assertIn(f"--cache-percentage {share}" if share else "cluster", match[3])
        self.assertEqual(farm_room(size, pieces, share),
                         (sectors, (self.farm / "plot.bin").stat().st_size, self.cache_size()))
        return size

    def cache_size(self):
        path = self.farm / "piece_cache.bin"
        return path.stat().st_size if path.exists() else 0

    def test_one_percent_is_left_to_the_cache(self):
        result = self.succeeds(*self.plot("--sectors", 2, "--pieces-in-sector", 1))
        self.expect_opens(result.stdout, 1, 2, 1)

    def test_a_cache_of_its_own(self):
        plot = self.plot("--sectors", 1, "--pieces-in-sector", 1)
        size = self.expect_opens(self.succeeds(*plot, "--cache-percentage", 60).stdout, 60, 1, 1)
        self.assertGreater(self.cache_size(), 1_049_600)
        self.assertEqual((self.farm / "piece_cache.bin").read_bytes().strip(b"\0"), b"")
        # The share is not said again: the files tell it, and the cache stays used space.
        self.assertIn("0 of 1 sector to plot", self.succeeds(*self.plot()).stdout)
        self.assertEqual(self.info()["allocatedSpace"], size)
        self.assertLessEqual(sum(path.stat().st_size for path in self.farm.glob("*.bin")), size)

        # In a cluster there is no cache in the farm, and all of the space is for sectors. Here it does
        # not matter: 1 % is less than a piece.
        result = self.succeeds(*self.plot("--cache-percentage", 0))
        self.assertEqual(self.cache_size(), 0)
        self.expect_opens(result.stdout, 1, 2, 1)

    def test_for_a_cluster(self):
        result = self.succeeds(*self.plot("--sectors", 1, "--pieces-in-sector", 1,
                                          "--cache-percentage", 0))
        size = self.expect_opens(result.stdout, 0, 1, 1)
        # Its sector would be dropped by a farmer with a cache, so the space has to grow for one.
        result = self.succeeds(*self.plot("--sectors", 1, "--cache-percentage", 1))
        self.assertGreater(self.expect_opens(result.stdout, 1, 1, 1), size)

    def test_sectors_are_dropped_on_demand_only(self):
        self.copy_farm()
        before = self.info()["allocatedSpace"]
        for options in (("--size", before - 2_000_000), ("--cache-percentage", 50)):
            with self.subTest(options=options):
                self.fails(BAD_ARGUMENTS, ["lost", "--shrink"], *self.plot(*options))
                self.assertEqual(self.info()["allocatedSpace"], before)
                self.assertEqual(formats.plotted_sector_count(self.farm), SECTORS)
        self.succeeds("scrub", "--farm", self.farm)
        result = self.succeeds(*self.plot("--size", before - 2_000_000, "--shrink"))
        self.assertIn("dropped", result.stderr)
        self.assertEqual(formats.plotted_sector_count(self.farm), SECTORS - 1)
        self.assertIn(f"{SECTORS - 1} intact", self.succeeds("scrub", "--farm", self.farm).stdout)


class BrokenSectors(Farms):
    def test_named_when_they_stay(self):
        self.copy_farm()
        formats.mark_lost(self.farm, PIECES_IN_SECTOR, [1, 2])
        result = furrow(*self.plot("--sectors", 1))
        self.assertEqual(result.code, CHECK_FAILED, result)
        self.assertIn("0 of 1 sector to plot", result.stdout)
        self.assertIn("hold nothing: 1, 2; plot with --sectors 3 or more", result.stderr)
        self.succeeds(*self.plot("--sectors", SECTORS))
        result = self.succeeds(*self.plot("--sectors", 1))
        self.assertIn("bytes were not: furrow scrub", result.stdout)

    def test_by_hand(self):
        """What docs/manual/damaged-farm.md says of a sector with damaged bytes."""
        self.copy_farm()
        formats.flip_byte(self.farm / "plot.bin", formats.sector_size(PIECES_IN_SECTOR) + 1000)
        self.assertEqual(furrow("scrub", "--farm", self.farm).code, CHECK_FAILED)
        with open(self.farm / "metadata.bin", "r+b") as metadata:
            metadata.seek(formats.SLOTS_AT + formats.SLOT_SIZE)
            metadata.write(bytes(formats.SLOT_SIZE))
        self.assertIn("sector 1 is damaged",
                      self.succeeds(*self.plot("--sectors", SECTORS)).stderr)
        self.succeeds("scrub", "--farm", self.farm)

    def test_info_says_what_it_looked_at(self):
        self.copy_farm()
        self.assertIn("(slots read, bytes not checked)",
                      self.succeeds("info", "--farm", self.farm).stdout)
        self.assertEqual(json.loads(self.succeeds("info", "--json", "--farm", self.farm).stdout)
                         ["looked_at"], "slots")

    def test_damaged_chain_parameters_are_mended_as_the_manual_says(self):
        self.copy_farm()
        chain = self.farm / "furrow.json"
        whole = chain.read_bytes()
        for damaged in (b"", whole[:-1], whole.replace(b":5,", b":6,"), bytes(5000)):
            chain.write_bytes(damaged)
            for command in (("info", "--farm", self.farm), self.plot("--sectors", SECTORS + 1)):
                self.fails(CORRUPT, ["furrow.json", "damaged-farm.md"], *command)
            result = furrow("scrub", "--farm", self.farm)
            self.assertEqual(result.code, CHECK_FAILED, result)
            self.assertIn("BROKEN furrow.json", result.stdout)
            self.assertEqual(chain.read_bytes(), damaged)
        chain.write_bytes((OPTIONS.farm / "furrow.json").read_bytes())
        self.succeeds("scrub", "--farm", self.farm)

    def test_a_farm_of_another_program_states_no_chain(self):
        self.copy_farm()
        (self.farm / "furrow.json").unlink()
        self.assertIsNone(json.loads(self.succeeds("info", "--json", "--farm", self.farm).stdout)
                          ["chain"])
        self.assertIn("taken from a development chain",
                      self.succeeds("info", "--farm", self.farm).stdout)
        self.assertIn("states no chain parameters",
                      self.succeeds(*self.plot("--sectors", SECTORS)).stderr)
        self.assertFalse((self.farm / "furrow.json").exists())
        self.succeeds("scrub", "--farm", self.farm)


if __name__ == "__main__":
    program.run_tests(__doc__)
