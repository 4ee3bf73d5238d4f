#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files that went into a farm come out of the farm alone, the same to the last bit: archive a tree, plot
until the history is covered, delete the store, extract, compare."""

import json
import shutil

from support import program
from support.program import OPTIONS, FurrowTest
from support.trees import describe, differences, make_large_files, make_small_tree

PIECES_IN_SECTOR = 16
MEBIBYTE = 1 << 20


class RoundTrip(FurrowTest):
    def test_round_trip(self):
        source = self.folder / "source"
        make_small_tree(source / "small", seed=2)
        # Two paths that are archived next to one another.
        lone = self.folder / "lone file"
        lone.write_bytes(b"alone")
        if OPTIONS.segments > 1:
            make_large_files(source / "large", seed=3,
                             total=(OPTIONS.segments - 1) * 128 * MEBIBYTE + 5 * MEBIBYTE)
        before = describe(source)
        store, farm, out = (self.folder / name for name in ("store", "farm", "out"))
        manifest = self.folder / "manifest.json"

        summary = json.loads(
            self.succeeds("archive", "--json", "--store", store, source, lone).stdout)
        self.assertEqual(summary["segments"], OPTIONS.segments, summary)
        self.assertEqual(summary["files"], 1 + sum(kind == "file" for kind, *_ in before.values()))
        self.assertEqual(describe(source), before, "archiving has changed the files")

        plotted = self.succeeds("plot", "--farm", farm, "--pieces", store, "--until-covered",
                                "--pieces-in-sector", PIECES_IN_SECTOR)
        print(plotted.stdout.splitlines()[-1], flush=True)
        direct = self.folder / "out of the store"
        self.succeeds("extract", "--pieces", store, "--out", direct)
        self.assertEqual(differences(before, describe(direct / "source")), [])
        program.remove_tree(direct)
        shutil.move(store / "manifest.json", manifest)
        shutil.rmtree(store)
        shutil.rmtree(source / "large", ignore_errors=True)

        self.succeeds("extract", "--farm", farm, "--manifest", manifest, "--out", out)
        self.assertEqual(differences(before, describe(out / "source")), [])
        self.assertEqual((out / "lone file").read_bytes(), b"alone")
        self.assertEqual((out / "lone file").stat().st_mtime_ns, lone.stat().st_mtime_ns)
        self.assertEqual(sorted(path.name for path in out.iterdir()), ["lone file", "source"])


def add_options(parser):
    parser.add_argument("--segments", type=int, default=1, help="how many segments to fill (1)")


if __name__ == "__main__":
    program.run_tests(__doc__, add_options)
