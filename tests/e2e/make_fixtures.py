#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prepares what several end-to-end tests start from: a tree (source), its archive of one segment (store),
and a farm of a few sectors (farm). The tests copy what they change."""

from support import formats, program
from support.trees import make_large_files, make_small_tree

SECTORS = 3
PIECES_IN_SECTOR = 2
# With the small tree nearly a segment: no two records may be zeros, because equal records side by
# side are equal pieces, and a test could not tell which of them a sector wants.
FILLING = 86_000_000


class Fixtures(program.FurrowTest):
    def test_make(self):
        work = program.OPTIONS.work
        make_small_tree(work / "source", seed=1)
        make_large_files(work / "source" / "filling", seed=1, total=FILLING)
        self.succeeds("archive", "--store", work / "store", work / "source")
        self.assertEqual(len(formats.piece_indexes(work / "store")), formats.PIECES_IN_SEGMENT)
        self.succeeds("plot", "--farm", work / "farm", "--pieces", work / "store", "--sectors",
                      SECTORS, "--pieces-in-sector", PIECES_IN_SECTOR)
        self.succeeds("scrub", "--farm", work / "farm")


if __name__ == "__main__":
    program.run_tests(__doc__, keep_files=True)
