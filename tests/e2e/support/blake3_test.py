#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Known answers of the BLAKE3 authors, for lengths that straddle blocks, chunks and subtrees."""

import time
import unittest

from support.blake3 import blake3

# Length of the 251-period pattern, hash.
KNOWN = (
    (0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
    (1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"),
    (1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"),
    (1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"),
    (1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"),
    (2048, "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a"),
    (102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"),
)


class Blake3(unittest.TestCase):
    def test_known_answers(self):
        for length, expected in KNOWN:
            with self.subTest(length=length):
                data = bytes(i % 251 for i in range(length))
                self.assertEqual(blake3(data).hex(), expected)

    def test_separator_of_merkle_nodes(self):
        # docs/spec/01, section 5
        self.assertEqual(blake3(b"merkle-tree-inner-node").hex(),
                         "53117d4da81a34350b1a30d4286d7e5a1eb0a20f5e5e2694474b4fbd86c3c07e")

    def test_a_piece_is_hashed_in_reasonable_time(self):
        start = time.monotonic()
        blake3(bytes(1_049_568))
        self.assertLess(time.monotonic() - start, 10)


if __name__ == "__main__":
    unittest.main()
