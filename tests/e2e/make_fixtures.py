#!/usr/bin/env python3
"""Prepares what several end-to-end tests start from: a small tree (source), its archive (store), and a
farm of a few sectors (farm). The tests copy what they change."""

from support import program
from support.trees import make_small_tree

SECTORS = 3
PIECES_IN_SECTOR = 2


class Fixtures(program.FurrowTest):
    def test_make(self):
        work = program.OPTIONS.work
        make_small_tree(work / "source", seed=1)
        self.succeeds("archive", "--store", work / "store", work / "source")
        self.succeeds("plot", "--farm", work / "farm", "--pieces", work / "store", "--sectors",
                      SECTORS, "--pieces-in-sector", PIECES_IN_SECTOR)
        self.succeeds("scrub", "--farm", work / "farm")


if __name__ == "__main__":
    program.run_tests(__doc__, keep_files=True)
