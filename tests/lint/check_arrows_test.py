#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Feeds check_arrows.py wrong includes and expects each to be found, and right ones to pass."""

import pathlib
import tempfile
import unittest

import check_arrows
import source_tree

# A small repository: every file exists, so that includes of it can be resolved.
TREE = (
    "include/furrow/core/bits.hpp", "include/furrow/types.hpp", "include/furrow/furrow.h",
    "include/furrow/c/base.h", "include/furrow/cpp/base.hpp",
    "host/base/url.hpp", "host/http/http_server.hpp", "host/crypto/blake3.hpp", "host/primitives/merkle.hpp", "host/store/piece_pack.hpp",
    "host/erasure/erasure_coding.hpp", "host/pos/proof_table.hpp", "host/archive/archiver.hpp",
    "host/sector/sector_layout.hpp", "host/pieces/store_getter.hpp", "host/plotting/plotter.hpp",
    "host/farm/farm.hpp", "host/cluster/node.hpp", "host/metrics/registry.hpp",
    "host/capi/handles.hpp", "tools/subcommand.hpp", "cuda/encoder.hpp",
    "tests/reference/slow_pos.hpp", "tests/unit/streams.hpp", "tests/simt/cuda_face.hpp",
    "tests/simt/fake_cuda.hpp",
)

RIGHT = (
    ("include/furrow/core/gf16.hpp", '#include <cstdint>\n#include "furrow/core/bits.hpp"'),
    ("include/furrow/piece.hpp", '#include "furrow/types.hpp"'),
    ("include/furrow/furrow.h", '#include "furrow/c/base.h"\n#include <stdint.h>'),
    ("include/furrow/cpp/gate.hpp", '#include "furrow/cpp/base.hpp"\n#include <memory>'),
    ("host/capi/a.cpp", '#include "furrow/c/base.h"\n#include "host/farm/farm.hpp"'),
    ("examples/a.cpp", '#include <furrow/furrow.h>\n#include <signal.h>'),
    ("host/crypto/chacha8.cpp", '#include "host/crypto/blake3.hpp"\n#include <sodium.h>'),
    ("host/store/pack.cpp", '#include "file.hpp"'),
    ("host/archive/a.cpp", '#include "host/erasure/erasure_coding.hpp"'),
    ("host/sector/a.cpp", '#include "host/pos/proof_table.hpp"'),
    ("host/http/a.cpp", '#include "host/base/url.hpp"'),
    ("host/pieces/a.cpp", '#include "host/http/http_server.hpp"'),
    ("host/plotting/a.cpp", '#include "host/pieces/store_getter.hpp"'),
    ("host/farm/a.cpp", '#include "host/metrics/registry.hpp"'),
    ("tools/a.cpp", '#include "host/farm/farm.hpp"\n#include <CLI/CLI.hpp>'),
    ("cuda/a.cu", '#include "furrow/core/bits.hpp"\n#include "cuda/encoder.hpp"'),
    ("cuda/simt.cuh", '#include "simt/cuda_face.hpp"\n#include <cuda_runtime.h>'),
    ("tests/reference/a.cpp", '#include "tests/reference/slow_pos.hpp"\n#include <vector>'),
    ("tests/unit/a.cpp", '#include "tests/reference/slow_pos.hpp"\n#include "host/farm/farm.hpp"'),
)

WRONG = (
    ("include/furrow/core/a.hpp", '#include "furrow/types.hpp"', "layer furrow"),
    ("include/furrow/core/a.hpp", "#include <fmt/core.h>", "standard library only"),
    ("include/furrow/a.hpp", '#include "host/crypto/blake3.hpp"', "layer crypto"),
    ("include/furrow/furrow.hpp", '#include "furrow/types.hpp"', "layer furrow"),
    ("include/furrow/cpp/a.hpp", '#include <fmt/core.h>', "standard library only"),
    ("include/furrow/types.hpp", '#include "furrow/c/base.h"', "layer interface"),
    ("host/farm/a.cpp", '#include "furrow/furrow.h"', "layer interface"),
    ("examples/a.cpp", '#include "furrow/types.hpp"', "layer furrow"),
    ("host/crypto/a.cpp", '#include "host/primitives/merkle.hpp"', "layer primitives"),
    ("host/http/a.cpp", '#include "host/crypto/blake3.hpp"', "layer crypto"),
    ("host/farm/a.cpp", '#include "host/http/http_server.hpp"', "layer http"),
    ("host/primitives/a.cpp", '#include "host/store/piece_pack.hpp"', "layer store"),
    ("host/store/a.cpp", '#include "host/erasure/erasure_coding.hpp"', "layer erasure"),
    ("host/pos/a.cpp", '#include "host/archive/archiver.hpp"', "layer archive"),
    ("host/sector/a.cpp", '#include "host/pieces/store_getter.hpp"', "layer pieces"),
    ("host/pieces/a.cpp", '#include "host/sector/sector_layout.hpp"', "layer sector"),
    ("host/sector/a.cpp", '#include "host/farm/farm.hpp"', "layer farm"),
    ("host/farm/a.cpp", '#include "cuda/encoder.hpp"', "layer cuda"),
    ("host/farm/a.cpp", '#include <cuda/encoder.hpp>', "layer cuda"),
    ("host/farm/a.cpp", '  #  include "../../cuda/encoder.hpp"', "layer cuda"),
    ("host/metrics/a.cpp", '#include "furrow/types.hpp"', "layer furrow"),
    ("host/capi/a.cpp", '#include "tools/subcommand.hpp"', "layer tools"),
    ("tools/a.cpp", '#include "host/capi/handles.hpp"', "layer capi"),
    ("tools/a.cpp", '#include "cuda/encoder.hpp"', "layer cuda"),
    ("cuda/a.cu", '#include "host/crypto/blake3.hpp"', "layer crypto"),
    ("cuda/a.cu", '#include "simt/cuda_face.hpp"', "layer tests"),
    ("cuda/simt.cuh", '#include "simt/fake_cuda.hpp"', "layer tests"),
    ("tests/reference/a.cpp", '#include "furrow/core/bits.hpp"', "layer core"),
    ("tests/reference/a.cpp", '#include "furrow/types.hpp"', "layer furrow"),
    ("tests/reference/a.cpp", '#include "host/crypto/blake3.hpp"', "layer crypto"),
    ("host/farm/a.cpp", '#include "host/farm/absent.hpp"', "no file of this repository"),
    ("host/unheard_of/a.cpp", "", "belongs to no layer"),
)


class Arrows(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name in TREE:
            self.write(name, "")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")

    def complaints(self, path, text):
        return check_arrows.complaints_about(
            path, source_tree.includes_of_text(self.root, path, text))

    def test_right_includes_pass(self):
        for path, text in RIGHT:
            with self.subTest(path=path, text=text):
                self.assertEqual(self.complaints(path, text), [])

    def test_each_wrong_include_is_named(self):
        for path, text, expected in WRONG:
            with self.subTest(path=path, text=text):
                found = self.complaints(path, text)
                self.assertEqual(len(found), 1, found)
                self.assertIn(expected, found[0])
                self.assertIn(path, found[0])

    def test_whole_tree(self):
        self.assertEqual(check_arrows.check(self.root), ([], len(TREE)))
        self.write("host/crypto/blake3.hpp", '#pragma once\n#include "host/farm/farm.hpp"')
        complaints, _ = check_arrows.check(self.root)
        self.assertEqual(len(complaints), 1)
        self.assertIn("host/crypto/blake3.hpp:2", complaints[0])

    def test_table_has_no_cycle(self):
        # A layer that may include another must not be includable by it.
        for layer, allowed in check_arrows.MAY_INCLUDE.items():
            for other in allowed - {layer}:
                if layer in ("tests", "bench"):
                    continue
                self.assertNotIn(layer, check_arrows.MAY_INCLUDE[other], f"{layer} and {other}")


if __name__ == "__main__":
    unittest.main()
