#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""furrow find: every place of every piece, with an index, without, and with one that is damaged. What is
right is told by furrow read and the store, byte for byte, not by any index."""

import hashlib
import json
import shutil

from make_fixtures import PIECES_IN_SECTOR, SECTORS
from support import formats, program
from support.program import (BAD_ARGUMENTS, IO_ERROR, OPTIONS, UNAVAILABLE, FurrowTest,
                             furrow)


class Find(FurrowTest):
    def setUp(self):
        super().setUp()
        self.farm = self.folder / "farm"
        shutil.copytree(OPTIONS.farm, self.farm)

    def places(self, sectors):
        """Piece index -> its places, by reading every sector."""
        indexes = formats.piece_indexes(OPTIONS.store)
        result = {}
        for sector in range(sectors):
            for offset in range(PIECES_IN_SECTOR):
                out = self.folder / "piece"
                self.succeeds("read", "--farm", self.farm, "--sector", sector, "--offset", offset,
                              "--out", out, "--force")
                digest = hashlib.sha256(out.read_bytes()).digest()
                result.setdefault(indexes[digest], []).append((sector, offset))
        return result

    def expect_found(self, expected, remark=None):
        """All of them, in both forms; `remark` has to stand on standard error, else nothing does."""
        absent = min(set(range(formats.PIECES_IN_SEGMENT)) - set(expected))
        for piece, places in expected.items():
            with self.subTest(piece=piece):
                result = self.succeeds("find", "--farm", self.farm, "--piece", piece)
                self.assertEqual(result.stdout, "".join(f"sector {sector} offset {offset}\n"
                                                        for sector, offset in sorted(places)))
                if remark is None:
                    self.assertEqual(result.stderr, "")
                else:
                    self.assertIn(remark, result.stderr)
                found = json.loads(self.succeeds("find", "--json", "--farm", self.farm, "--piece",
                                                 piece).stdout)
                self.assertEqual(found["piece"], piece)
                self.assertEqual([(place["sector"], place["offset"]) for place in found["places"]],
                                 sorted(places))
        for piece in (absent, formats.PIECES_IN_SEGMENT, 2**64 - 1):
            result = furrow("find", "--json", "--farm", self.farm, "--piece", piece)
            self.assertEqual(result.code, UNAVAILABLE, result)
            self.assertEqual(json.loads(result.stdout)["places"], [])
            self.assertIn(f"piece {piece}", result.stderr)

    def test_a_damaged_sector_is_said(self):
        # Its pieces are in no answer, so whoever asks the farm has to know.
        piece = next(index for index, places in self.places(SECTORS).items()
                     if any(sector == 1 for sector, _ in places))
        formats.flip_byte(self.farm / "metadata.bin", formats.SLOTS_AT + 100)
        for words in (("find", "--piece", piece), ("info",),
                      ("read", "--sector", "1", "--offset", "0", "--out", self.folder / "piece",
                       "--force")):
            with self.subTest(command=words[0]):
                result = self.succeeds(words[0], "--farm", self.farm, *words[1:])
                self.assertIn(f"of {SECTORS} sectors, 1 damaged and left out", result.stderr)

    def test_every_piece(self):
        self.assertTrue((self.farm / "index" / "segments.manifest").exists())
        self.expect_found(self.places(SECTORS))

    def test_while_another_has_the_farm(self):
        expected = self.places(SECTORS)
        with formats.HeldLock(self.farm):
            self.expect_found(expected)

    def test_without_an_index(self):
        expected = self.places(SECTORS)
        lacks = f"lacks the pieces of {SECTORS} of {SECTORS} sectors"
        shutil.rmtree(self.farm / "index")
        self.expect_found(expected, lacks)
        self.assertFalse((self.farm / "index").exists(), "looking changes nothing")

        shutil.copytree(OPTIONS.farm / "index", self.farm / "index")
        for path in (self.farm / "index").glob("seg_*.bin"):
            formats.flip_byte(path, 4096)
        self.expect_found(expected, lacks)

        # Plotting makes it whole, also with nothing to plot, and goes on with it.
        plot = ("plot", "--farm", self.farm, "--pieces", OPTIONS.store, "--sectors")
        self.assertIn("made anew", self.succeeds(*plot, SECTORS).stderr)
        self.expect_found(expected)
        self.succeeds(*plot, SECTORS + 1)
        self.expect_found(self.places(SECTORS + 1))

    def test_without_the_state(self):
        # The other directory that follows from the farm: nobody but plot looks at it.
        expected = self.places(SECTORS)
        plot = ("plot", "--farm", self.farm, "--pieces", OPTIONS.store, "--sectors", SECTORS)
        self.assertEqual([line for line in self.succeeds(*plot).stderr.splitlines()
                          if "/state" in line], [])
        shutil.rmtree(self.farm / "state")
        self.assertIn(f"{SECTORS} of {SECTORS} sectors", self.succeeds(*plot).stderr)
        (self.farm / "state" / "CURRENT").write_bytes(b"rubbish")
        self.assertIn("made anew", self.succeeds(*plot).stderr)
        self.assertEqual(self.places(SECTORS), expected)
        self.succeeds("scrub", "--farm", self.farm)

    def test_bad_arguments(self):
        self.fails(BAD_ARGUMENTS, [], "find", "--farm", self.farm, "--piece", "-1")
        self.fails(BAD_ARGUMENTS, [], "find", "--farm", self.farm, "--piece", "x")
        self.fails(BAD_ARGUMENTS, [], "find", "--farm", self.farm, "--piece", str(2**64))
        self.fails(IO_ERROR, ["no farm"], "find", "--farm", self.folder / "none", "--piece", 0)


if __name__ == "__main__":
    program.run_tests(__doc__)
