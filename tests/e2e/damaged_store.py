#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plotting from stores whose packs or index are damaged, forged, cut or missing: every damaged piece is
rebuilt and reported, or the run says clearly why it cannot be."""

import json
import os
import shutil

from make_fixtures import PIECES_IN_SECTOR
from support import formats, packs, program
from support.program import (BAD_ARGUMENTS, CHECK_FAILED, CORRUPT, IO_ERROR, OPTIONS, UNAVAILABLE, FurrowTest,
                             furrow)
from support.trees import describe, differences


class DamagedStore(FurrowTest):
    """Stores in which something is wrong. The farm gets the key of the prepared one, so that it is
    known which pieces its sectors want."""

    def setUp(self):
        super().setUp()
        self.store = self.folder / "store"
        self.farm = self.folder / "farm"
        formats.begin_farm_with_key_of(OPTIONS.farm, self.farm)

    def plot(self):
        return ("plot", "--farm", self.farm, "--pieces", self.store, "--sectors", "1",
                "--pieces-in-sector", PIECES_IN_SECTOR)

    def read_piece(self, farm, offset):
        out = self.folder / "piece"
        self.succeeds("read", "--farm", farm, "--sector", "0", "--offset", offset, "--out", out,
                      "--force")
        return out.read_bytes()

    def wanted_piece(self):
        """Index of the piece at offset 0 of sector 0."""
        piece = self.read_piece(OPTIONS.farm, 0)
        indexes = [index for index, stored in formats.pieces_of(OPTIONS.store).items()
                   if stored == piece]
        self.assertEqual(len(indexes), 1, "in how many places of the store the piece is")
        return indexes[0]

    def is_rebuilt(self, damage):
        """A damaged piece is noticed, rebuilt from the rest of its segment, and reported."""
        formats.copy_store(OPTIONS.store, self.store)
        index = self.wanted_piece()
        damage(index)
        result = self.fails(CHECK_FAILED, [f"piece {index}"], *self.plot())
        self.assertIn("sector 0 finished", result.stdout, result)
        for piece_offset in range(PIECES_IN_SECTOR):
            self.assertEqual(self.read_piece(self.farm, piece_offset),
                             self.read_piece(OPTIONS.farm, piece_offset))
        self.succeeds("scrub", "--farm", self.farm)

    def test_piece_with_wrong_checksum_is_rebuilt(self):
        self.is_rebuilt(lambda index: formats.flip_byte_of_pieces(self.store, index))

    def test_piece_with_wrong_record_is_rebuilt(self):
        self.is_rebuilt(lambda index: formats.forge_pieces(self.store, {index},
                                                           formats.RECORD_AT + 1_000_000))

    def test_piece_with_wrong_record_proof_is_rebuilt(self):
        self.is_rebuilt(lambda index: formats.forge_pieces(self.store, {index},
                                                           formats.RECORD_PROOF_AT + 100))

    def plots_the_same(self):
        """Plots as the prepared farm was plotted."""
        result = self.succeeds(*self.plot())
        for piece_offset in range(PIECES_IN_SECTOR):
            self.assertEqual(self.read_piece(self.farm, piece_offset),
                             self.read_piece(OPTIONS.farm, piece_offset))
        return result

    def test_without_index(self):
        formats.copy_store(OPTIONS.store, self.store)
        shutil.rmtree(self.store / "index")
        result = self.plots_the_same()
        self.assertIn(str(self.store / "index"), result.stderr, result)
        self.assertFalse((self.store / "index").exists())

    def test_damaged_index(self):
        formats.copy_store(OPTIONS.store, self.store)
        for path in (self.store / "index").glob("seg_*.bin"):
            formats.flip_byte(path, 5000)
        result = self.plots_the_same()
        self.assertIn("index", result.stderr, result)

    def test_damaged_table(self):
        formats.copy_store(OPTIONS.store, self.store)
        pack = formats.segment_pack(self.store)
        formats.flip_byte(pack, pack.stat().st_size - 1000)
        self.assertNotIn("index", self.plots_the_same().stderr)
        shutil.rmtree(self.store / "index")
        shutil.rmtree(self.farm)
        formats.begin_farm_with_key_of(OPTIONS.farm, self.farm)
        self.plots_the_same()

    def scrub(self):
        return json.loads(furrow("scrub", "--store", self.store, "--json").stdout)

    def test_scrub_of_a_sound_store(self):
        result = self.succeeds("scrub", "--store", OPTIONS.store)
        pieces = len(formats.pieces_of(OPTIONS.store))
        self.assertIn(f"{pieces} pieces: {pieces} intact, 0 broken or missing", result.stdout)
        self.assertNotIn("note", result.stdout)

    def test_scrub_names_what_is_damaged(self):
        formats.copy_store(OPTIONS.store, self.store)
        index = self.wanted_piece()
        formats.flip_byte_of_pieces(self.store, index)
        self.assertEqual(furrow("scrub", "--store", self.store).code, CHECK_FAILED)
        report = self.scrub()
        self.assertEqual(report["intact"] + len(report["broken"]), report["pieces"], report)
        self.assertIn(f"piece {index}", [entry["thing"] for entry in report["broken"]])

    def test_scrub_finds_a_piece_that_only_its_proof_refuses(self):
        formats.copy_store(OPTIONS.store, self.store)
        index = self.wanted_piece()
        formats.forge_pieces(self.store, {index}, formats.RECORD_AT + 1_000_000)
        self.assertIn(f"piece {index}", [entry["thing"] for entry in self.scrub()["broken"]])

    def test_scrub_finds_a_damaged_table_and_a_missing_pack(self):
        formats.copy_store(OPTIONS.store, self.store)
        pack = formats.segment_pack(self.store)
        formats.flip_byte(pack, pack.stat().st_size - 1000)
        report = self.scrub()
        self.assertEqual([entry["thing"] for entry in report["broken"]], ["pack of segment 0"])
        self.assertEqual(report["intact"], report["pieces"])  # its frames are whole
        pack.unlink()
        report = self.scrub()
        self.assertIn("is missing", report["broken"][0]["reason"])
        self.assertEqual((len(report["broken"]), report["intact"]), (1, report["pieces"] - 256))

    def test_scrub_takes_a_lost_index_for_a_note(self):
        formats.copy_store(OPTIONS.store, self.store)
        shutil.rmtree(self.store / "index")
        result = self.succeeds("scrub", "--store", self.store)
        self.assertIn("note: index: ", result.stdout)

    def test_scrub_of_no_store(self):
        self.fails(IO_ERROR, ["manifest.json"], "scrub", "--store", self.folder / "nothing")
        self.fails(BAD_ARGUMENTS, [], "scrub")
        self.fails(BAD_ARGUMENTS, [], "scrub", "--store", self.store, "--farm", self.farm)

    def test_json_is_not_mixed_with_warnings(self):
        formats.copy_store(OPTIONS.store, self.store)
        index = self.wanted_piece()
        formats.flip_byte_of_pieces(self.store, index)
        result = self.fails(CHECK_FAILED, [f"piece {index}"], *self.plot(), "--json")
        summary = json.loads(result.stdout)
        self.assertEqual(len(summary["damaged_pieces"]), 1, summary)

    def refuses(self, codes, mentions):
        self.fails(codes, mentions, *self.plot())
        self.assertEqual(formats.plotted_sector_count(self.farm), 0)

    def test_every_piece_damaged(self):
        formats.copy_store(OPTIONS.store, self.store)
        forged = {self.wanted_piece(), 0, 100, 255}  # few, as each costs a second of Python
        formats.forge_pieces(self.store, forged, formats.RECORD_PROOF_AT)
        formats.flip_byte_of_pieces(self.store, *(set(range(formats.PIECES_IN_SEGMENT)) - forged))
        self.refuses((CORRUPT, UNAVAILABLE), ["piece"])

    def test_pack_cut_off(self):
        formats.copy_store(OPTIONS.store, self.store)
        pack = formats.segment_pack(self.store)
        # Without a piece that the sector wants, and too few others to rebuild it.
        pieces = min(100, self.wanted_piece())
        os.truncate(pack, packs.read_frames(pack)[pieces].stored_at + 12_345)
        self.refuses((CORRUPT, UNAVAILABLE), [pack.name])

    def test_damage_is_said_also_when_another_source_helps(self):
        formats.copy_store(OPTIONS.store, self.store)
        index = self.wanted_piece()
        formats.flip_byte_of_pieces(self.store, index)
        result = self.fails(CHECK_FAILED, [f"piece {index}"], *self.plot(), "--pieces", OPTIONS.store)
        self.assertNotIn("rebuilding", result.stderr, result)
        self.assertRegex(result.stderr, r"so far: \d+ pieces?, 1 damaged")

    def test_missing_pack_is_said_also_when_another_source_helps(self):
        formats.copy_store(OPTIONS.store, self.store, with_segments=False)
        pack = formats.segment_pack(self.store)
        self.fails(CHECK_FAILED, [pack.name, "missing"], *self.plot(), "--pieces", OPTIONS.store)

    def test_extract_says_what_is_lost(self):
        formats.copy_store(OPTIONS.store, self.store)
        pack = formats.segment_pack(self.store)
        out = self.folder / "out"
        extract = ("extract", "--pieces", self.store, "--out", out)
        # All parity: the files need none of it.
        os.truncate(pack, packs.read_frames(pack)[formats.PIECES_IN_SEGMENT // 2].stored_at + 12_345)
        self.fails(CHECK_FAILED, [pack.name, "files"], *extract)
        self.assertEqual(differences(describe(OPTIONS.source), describe(out / OPTIONS.source.name)), [])
        shutil.rmtree(self.store)
        program.remove_tree(out)
        # One piece that the files need.
        formats.copy_store(OPTIONS.store, self.store)
        formats.flip_byte_of_pieces(self.store, 3)
        result = self.fails(CHECK_FAILED, ["piece 3"], *extract)
        self.assertIn("it is rebuilt from others", result.stderr)
        self.assertEqual(differences(describe(OPTIONS.source), describe(out / OPTIONS.source.name)), [])

    def test_pack_missing(self):
        formats.copy_store(OPTIONS.store, self.store, with_segments=False)
        self.refuses((IO_ERROR, UNAVAILABLE), ["segment 0"])


if __name__ == "__main__":
    program.run_tests(__doc__)
