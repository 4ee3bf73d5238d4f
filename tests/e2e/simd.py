#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The golden vectors with every instruction set that this machine has, but for the best one: that one
runs as tests of its own."""

import json

from support import program

# Whole sectors and segments take minutes in code for one lane.
SLOW_FILES = {"sector.json", "archive.json"}
ONE_LANE = {"portable", "scalar"}


class Vectors(program.FurrowTest):
    def test_every_instruction_set(self):
        devices = json.loads(self.succeeds("devices", "--json").stdout)
        names = devices["cpu_instruction_sets"]
        self.assertEqual(names[-2:], ["portable", "scalar"])
        golden = program.OPTIONS.golden
        files = sorted([*golden.glob("*.json"), *golden.glob("*.vectors")])
        self.assertGreaterEqual(len(files), 7)
        for name in names[1:]:
            chosen = [file for file in files
                      if name not in ONE_LANE or file.name not in SLOW_FILES]
            result = self.succeeds("vectors", "--simd", name, *chosen)
            self.assertIn(f"({name})", result.stdout, result)
            self.assertRegex(result.stdout.splitlines()[-1], r"^[1-9]\d+ passed, 0 failed$", result)
            print(f"{name}: {result.stdout.splitlines()[-1]}", flush=True)

    def test_unknown_instruction_set(self):
        self.fails(program.BAD_ARGUMENTS, ["'abacus'", "scalar"], "vectors", "--simd", "abacus",
                   program.OPTIONS.golden / "pos.json")


if __name__ == "__main__":
    import pathlib

    program.run_tests(__doc__, lambda parser: parser.add_argument(
        "--golden", type=pathlib.Path, required=True, help="folder of the golden vectors"))
