#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random changes of single fields and bytes of single_disk_farm.json, as a failing disk, a failing memory
or a hand in an editor makes them, each followed by info, plot, scrub and read. Whatever the program makes
of it, it may neither write over a sector that is plotted nor plot one that cannot be read back."""

import collections
import json
import os
import random
import shutil

from make_fixtures import PIECES_IN_SECTOR, SECTORS
from support import formats, program
from support.program import (BAD_ARGUMENTS, CHECK_FAILED, CORRUPT, IO_ERROR, MISMATCH, OPTIONS,
                             SUCCESS, UNAVAILABLE, FurrowTest, furrow)

CODES = {SUCCESS, CHECK_FAILED, BAD_ARGUMENTS, IO_ERROR, CORRUPT, MISMATCH, UNAVAILABLE}
ULID_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def other_digit(rng, text, digits):
    at = rng.randrange(len(text))
    return text[:at] + rng.choice([digit for digit in digits if digit != text[at]]) + text[at + 1:]


def other_hex(rng, text):
    return rng.choice((other_digit(rng, text, "0123456789abcdef"), "00" * 32,
                       rng.randbytes(32).hex()))


def other_number(rng, value):
    near = (value - 1, value + 1, value ^ 1 << rng.randrange(17), value // 2, 2 * value,
            value - 2_000_000, value + 3_000_000)
    return max(0, rng.choice((*near, 0, 1000, 65535, 1 << 40)))


def change_field(rng, text):
    """One field gets another value that is one of its kind."""
    document = json.loads(text)
    fields = document["v0"]
    name = rng.choice(sorted(fields))
    if name == "id":
        fields[name] = other_digit(rng, fields[name], ULID_DIGITS if rng.random() < 0.5 else "01")
    elif name in ("piecesInSector", "allocatedSpace"):
        fields[name] = other_number(rng, fields[name])
    else:
        fields[name] = other_hex(rng, fields[name])
    return f"{name} becomes {fields[name]}", json.dumps(document, separators=(",", ":")).encode()


def change_bytes(rng, text):
    at = rng.randrange(len(text))
    kind = rng.choice(("bit", "bit", "bit", "byte", "insert", "remove", "cut"))
    if kind == "bit":
        changed = text[:at] + bytes([text[at] ^ 1 << rng.randrange(8)]) + text[at + 1:]
    elif kind == "byte":
        changed = text[:at] + rng.randbytes(1) + text[at + 1:]
    elif kind == "insert":
        changed = text[:at] + rng.choice((b"0", b"9", b" ", b",", b"\0", b"\xff")) + text[at:]
    elif kind == "remove":
        changed = text[:at] + text[at + 1:]
    else:
        changed = text[:at]
    return f"{kind} at byte {at}", changed


class InfoChanges(FurrowTest):
    def setUp(self):
        super().setUp()
        self.farm = self.folder / "farm"
        self.out = self.folder / "piece"
        self.info = (OPTIONS.farm / "single_disk_farm.json").read_bytes()
        self.sectors = [formats.sector_and_slot(OPTIONS.farm, PIECES_IN_SECTOR, index)
                        for index in range(SECTORS)]
        self.ends = collections.Counter()

    def run_command(self, name, *arguments):
        result = furrow(name, "--farm", self.farm, *arguments)
        self.assertIn(result.code, CODES, result)
        # What the broken file holds does not get into messages as it is.
        self.assertNotIn("\N{REPLACEMENT CHARACTER}", result.stderr, result)
        self.ends[f"{name}: {result.code}"] += 1
        return result

    def read(self, sector, offset):
        if self.out.exists():
            self.out.unlink()
        result = self.run_command("read", "--sector", str(sector), "--offset", str(offset), "--out",
                                  self.out)
        return self.out.read_bytes() if result.code == SUCCESS else None

    def check_nothing_is_lost(self, where):
        self.assertGreaterEqual(formats.plotted_sector_count(self.farm), SECTORS, where)
        for index, sector in enumerate(self.sectors):
            self.assertEqual(formats.sector_and_slot(self.farm, PIECES_IN_SECTOR, index), sector,
                             f"{where}: sector {index} is not what it was")

    def check_new_sectors(self, where):
        """What a plot that ended well has added is whole and can be read back."""
        count = formats.plotted_sector_count(self.farm)
        self.assertEqual(formats.lost_sectors(self.farm), set(), where)
        self.assertEqual(formats.damage_of_counted_sectors(self.farm, PIECES_IN_SECTOR), [], where)
        for sector in range(SECTORS, count):
            for offset in range(PIECES_IN_SECTOR):
                self.assertIsNotNone(self.read(sector, offset), f"{where}: sector {sector}")

    def one_change(self, rng, pieces):
        change, text = rng.choice((change_field, change_bytes))(rng, self.info)
        wanted = rng.choice(((), ("--sectors", str(SECTORS)), ("--sectors", str(SECTORS)),
                             ("--sectors", str(SECTORS + 1))))
        where = f"{change}, plot {' '.join(wanted)}"
        program.remove_tree(self.farm)
        shutil.copytree(OPTIONS.farm, self.farm)
        info = self.farm / "single_disk_farm.json"
        info.write_bytes(text)

        self.run_command("info")
        plot = self.run_command("plot", "--pieces", OPTIONS.store, *wanted)
        self.check_nothing_is_lost(where)
        if plot.code == SUCCESS:
            self.check_new_sectors(where)
        self.run_command("scrub")
        sector, offset = rng.randrange(SECTORS), rng.randrange(PIECES_IN_SECTOR)
        piece = self.read(sector, offset)
        if plot.code == SUCCESS:
            self.assertIsNotNone(piece, where)
        info.write_bytes(self.info)
        piece = piece or self.read(sector, offset)
        expected = pieces.setdefault((sector, offset), piece)
        self.assertIsNotNone(piece, where)
        self.assertEqual(piece, expected, where)

    def test_random_changes(self):
        seed = OPTIONS.seed
        print(f"seed {seed}", flush=True)
        pieces = {}
        for number in range(OPTIONS.changes):
            with self.subTest(seed=seed, number=number):
                self.one_change(random.Random(f"{seed} {number}"), pieces)
        print(f"{OPTIONS.changes} changes: "
              + ", ".join(f"{end} x {n}" for end, n in sorted(self.ends.items())), flush=True)

    def plot(self, *arguments):
        return ("plot", "--farm", self.farm, "--pieces", OPTIONS.store, *arguments)

    def rewritten(self, **fields):
        """A fresh farm whose info file has other values in these fields."""
        program.remove_tree(self.farm)
        shutil.copytree(OPTIONS.farm, self.farm)
        document = json.loads(self.info)
        document["v0"].update(fields)
        (self.farm / "single_disk_farm.json").write_text(
            json.dumps(document, separators=(",", ":")), encoding="utf-8")

    def test_every_field_that_follows_from_something_else(self):
        ulid = json.loads(self.info)["v0"]["id"]
        other_ulid = ulid[:-1] + ("0" if ulid[-1] != "0" else "1")
        for name, value, mentions in (
                ("piecesInSector", 1, ["piecesInSector", "sector 0", "expected", "actual 2"]),
                ("piecesInSector", 3, ["piecesInSector", "sector 0", "actual 2"]),
                ("shardCommitmentsSeed", "ab" * 32, ["shardCommitmentsSeed", "identity.bin"]),
                ("publicKey", "ab" * 32, ["identity.bin"]),
                ("genesisRoot", "ab" * 32, ["genesis root"]),
                ("id", other_ulid, ["state", "id", other_ulid]),
                ("allocatedSpace", 50_000_000, ["allocatedSpace", "plot.bin", "--size "])):
            with self.subTest(name=name, value=value):
                self.rewritten(**{name: value})
                for arguments in ((), ("--sectors", SECTORS), ("--sectors", SECTORS + 1)):
                    self.fails(MISMATCH, mentions, *self.plot(*arguments))
                    self.check_nothing_is_lost(name)
                if name in ("piecesInSector", "shardCommitmentsSeed", "publicKey"):
                    self.fails(MISMATCH, mentions[:1], "read", "--farm", self.farm, "--sector", "0",
                               "--offset", "0", "--out", self.out)
                    self.assertIn("0 intact, 0 broken" if name == "piecesInSector"
                                  else f"{SECTORS} intact",
                                  self.run_command("scrub").stdout)

    def test_a_size_mends_what_a_size_can(self):
        self.rewritten(allocatedSpace=50_000_000)
        line = self.fails(MISMATCH, [], *self.plot()).stderr.splitlines()[-1]
        size = line.split("--size ")[1].split()[0]
        self.succeeds(*self.plot("--size", size))
        self.succeeds(*self.plot())
        self.check_nothing_is_lost("mended")
        self.succeeds("scrub", "--farm", self.farm)

    def test_an_interrupted_resize_is_completed(self):
        # Growing: the files first, then the info file. Shrinking: the other way round.
        for name, longer_by in (("metadata.bin", 131_072), ("plot.bin", 3_174_400)):
            with self.subTest(name=name):
                self.rewritten()
                os.truncate(self.farm / name, (self.farm / name).stat().st_size + longer_by)
                self.fails(MISMATCH, [name, "--size"], *self.plot())
                self.succeeds(*self.plot("--size", json.loads(self.info)["v0"]["allocatedSpace"]))
                self.assertEqual((self.farm / name).stat().st_size,
                                 (OPTIONS.farm / name).stat().st_size)
                self.check_nothing_is_lost(name)
        self.rewritten()
        with open(self.farm / "metadata.bin", "r+b") as metadata:
            metadata.truncate(metadata.seek(0, os.SEEK_END) + 131_072)
        self.succeeds(*self.plot("--sectors", SECTORS + 1))
        self.check_nothing_is_lost("grown")


def add_options(parser):
    parser.add_argument("--changes", type=int, default=12, help="how many random changes (12)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32),
                        help="of the changes; drawn when not given")


if __name__ == "__main__":
    program.run_tests(__doc__, add_options)
