#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""furrow pack list, verify and stat, on packs that Python wrote."""

import json

from support import formats, packs, program
from support.blake3 import blake3
from support.program import BAD_ARGUMENTS, CHECK_FAILED, CORRUPT, IO_ERROR, MISMATCH, FurrowTest, furrow

SAME = b"a" * 1000
RAW = bytes(range(251)) * 3
# Key, codec, content, stored bytes.
CHUNKS = (
    (7, packs.ZSTD, SAME, packs.zstd_of_equal_bytes(b"a", 1000)),
    (1, packs.RAW, RAW, RAW),
    (2 ** 63 + 5, packs.REFERENCE, SAME, b""),
    (900, packs.RAW, b"", b""),
)
FRAMES = [packs.frame(*chunk) for chunk in CHUNKS]
OPEN_PACK = packs.header() + b"".join(FRAMES)
PACK = OPEN_PACK + packs.end(FRAMES)
CODECS = {packs.RAW: "raw", packs.ZSTD: "zstd", packs.REFERENCE: "reference"}


class Pack(FurrowTest):
    def setUp(self):
        super().setUp()
        self.pack = self.folder / "pieces.pack"
        self.pack.write_bytes(PACK)

    def tearDown(self):
        # Nothing that these commands do changes a file or leaves one.
        self.assertEqual([path.name for path in self.folder.iterdir()], ["pieces.pack"])

    def json_of(self, command, code=0):
        result = furrow("pack", command, "--json", self.pack)
        self.assertEqual(result.code, code, result)
        return json.loads(result.stdout)

    def verified_broken(self, contents, finished, intact):
        """The findings of verify for a pack of these bytes."""
        self.pack.write_bytes(contents)
        report = self.json_of("verify", CHECK_FAILED)
        self.assertEqual((report["finished"], report["intact"]), (finished, intact), report)
        self.assertEqual(self.pack.read_bytes(), contents)
        text = furrow("pack", "verify", self.pack)
        self.assertEqual(text.code, CHECK_FAILED, text)
        lines = [line for line in text.stdout.splitlines() if line.startswith("BROKEN ")]
        self.assertEqual(len(lines), len(report["broken"]), text)
        return report["broken"]

    def test_help(self):
        for command in ("list", "verify", "stat"):
            self.assertIn("--json", self.succeeds("pack", command, "--help").stdout)

    def test_bad_command_lines(self):
        self.fails(BAD_ARGUMENTS, [], "pack")
        self.fails(BAD_ARGUMENTS, [], "pack", "frobnicate", self.pack)
        for command in ("list", "verify", "stat"):
            self.fails(BAD_ARGUMENTS, ["FILE"], "pack", command)
            self.fails(BAD_ARGUMENTS, [], "pack", command, self.pack, "second")
            self.fails(IO_ERROR, ["absent"], "pack", command, self.folder / "absent")
            self.fails(IO_ERROR, [], "pack", command, self.folder)

    def test_list(self):
        offset = packs.HEADER_SIZE
        expected = []
        for (key, codec, content, stored), frame in zip(CHUNKS, FRAMES):
            expected.append({"key": key, "codec": CODECS[codec], "original_size": len(content),
                             "stored_size": len(stored), "offset": offset,
                             "hash": blake3(content).hex()})
            offset += len(frame)
        self.assertEqual(self.json_of("list"), {"file": str(self.pack), "chunks": expected})
        lines = self.succeeds("pack", "list", self.pack).stdout.splitlines()
        self.assertEqual([line.split() for line in lines],
                         [[str(chunk["key"]), chunk["codec"], str(chunk["original_size"]),
                           str(chunk["stored_size"]), chunk["hash"]] for chunk in expected])

    def test_stat(self):
        stored = sum(len(chunk[3]) for chunk in CHUNKS)
        statistics = self.json_of("stat")
        ratio = statistics.pop("ratio")
        self.assertEqual(statistics, {
            "file": str(self.pack), "file_size": len(PACK), "chunks": 4, "references": 1,
            "raw_frames": 2, "zstd_frames": 1, "original_size": 2000 + len(RAW),
            "unique_size": 1000 + len(RAW), "stored_size": stored})
        self.assertAlmostEqual(ratio, (2000 + len(RAW)) / stored)
        self.assertIn("chunks   4", self.succeeds("pack", "stat", self.pack).stdout)

    def test_empty_pack(self):
        self.pack.write_bytes(packs.header() + packs.end([]))
        self.assertEqual(self.json_of("list")["chunks"], [])
        self.assertEqual(self.json_of("stat")["chunks"], 0)
        self.assertEqual(self.json_of("verify")["frames"], 0)

    def test_verify(self):
        self.assertEqual(self.json_of("verify"),
                         {"file": str(self.pack), "finished": True, "frames": 4, "intact": 4,
                          "broken": [], "bytes_read": len(OPEN_PACK) - packs.HEADER_SIZE})
        self.assertIn("4 frames: 4 intact; the pack is finished",
                      self.succeeds("pack", "verify", self.pack).stdout)

    def test_damaged_frame(self):
        second = packs.HEADER_SIZE + len(FRAMES[0])
        for at in (second + 10, second + 40, second + packs.FRAME_HEADER_SIZE + 500):
            with self.subTest(at=at):
                damaged = bytearray(PACK)
                damaged[at] ^= 0x40
                broken = self.verified_broken(bytes(damaged), finished=True, intact=3)
                self.assertEqual([finding["thing"] for finding in broken],
                                 [f"frame of chunk 1 at byte {second}"])
                # What the table says is still there.
                self.assertEqual(len(self.json_of("list")["chunks"]), 4)

    def test_wrong_content_with_right_checksums(self):
        frames = [packs.frame(7, packs.ZSTD, SAME, packs.zstd_of_equal_bytes(b"b", 1000)),
                  packs.frame(8, packs.ZSTD, RAW, packs.zstd_of_equal_bytes(b"a", 65791)),
                  FRAMES[3]]
        broken = self.verified_broken(packs.header() + b"".join(frames) + packs.end(frames),
                                      finished=True, intact=1)
        self.assertEqual(len(broken), 2)

    def test_unfinished(self):
        for contents, intact in ((OPEN_PACK, 4), (OPEN_PACK[:-1], 3), (packs.header(), 0),
                                 (PACK[:-1], 4), (PACK + b"x", 4)):
            with self.subTest(size=len(contents)):
                self.verified_broken(contents, finished=False, intact=intact)
                self.fails(CORRUPT, [self.pack, "not finished"], "pack", "list", self.pack)
                self.fails(CORRUPT, [self.pack, "not finished"], "pack", "stat", self.pack)

    def test_damaged_table(self):
        formats.flip_byte(self.pack, len(OPEN_PACK) + 20)
        self.fails(CORRUPT, [self.pack], "pack", "list", self.pack)
        self.fails(CORRUPT, [self.pack], "pack", "stat", self.pack)
        self.verified_broken(self.pack.read_bytes(), finished=False, intact=4)

    def test_no_pack(self):
        start = b"FRWPACK\n" + (2).to_bytes(4, "little") + bytes(4)
        second_version = start + blake3(start)[:16] + PACK[packs.HEADER_SIZE:]
        for contents, code in ((b"", CORRUPT), (b"hello", CORRUPT), (bytes(5000), CORRUPT),
                               (PACK[:20], CORRUPT), (b"G" + PACK[1:], CORRUPT),
                               (second_version, MISMATCH)):
            self.pack.write_bytes(contents)
            for command in ("list", "verify", "stat"):
                with self.subTest(command=command, start=contents[:12]):
                    self.fails(code, [self.pack], "pack", command, self.pack)


if __name__ == "__main__":
    program.run_tests(__doc__)
