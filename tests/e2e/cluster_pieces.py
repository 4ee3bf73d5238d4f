#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""furrow cluster-pieces, as a NATS client that shares nothing with it sees it."""

import json
import shutil
import signal
import struct
import subprocess
import sys

from support import formats, program
from support.nats import SERVER, Client, NatsServer
from support.program import BAD_ARGUMENTS, IO_ERROR, MISMATCH, OPTIONS, SUCCESS, UNAVAILABLE, FurrowTest

PIECE_LENGTH = bytes.fromhex("620f4000")


class ClusterPieces(FurrowTest):
    def setUp(self):
        super().setUp()
        self.server = NatsServer(self.folder)
        self.addCleanup(self.server.kill)
        self.client = Client(self.server.port)
        self.addCleanup(self.client.close)
        self.pieces = formats.pieces_of(OPTIONS.store)

    def start(self, *arguments, store=None):
        """The running program and the line that says that it can be asked."""
        self.warnings = (self.folder / "warnings").open("w+")
        self.addCleanup(self.warnings.close)
        process = subprocess.Popen(
            [OPTIONS.furrow, "cluster-pieces", "--nats-server", self.server.url, "--store",
             store or OPTIONS.store, "--json", *arguments],
            stdout=subprocess.PIPE, stderr=self.warnings, text=True)
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        return process, json.loads(process.stdout.readline())

    def stop(self, process, number=signal.SIGTERM):
        """The counts that it printed, and its standard error."""
        process.send_signal(number)
        stdout, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, SUCCESS)
        self.warnings.seek(0)
        return json.loads(stdout), self.warnings.read()

    def test_pieces(self):
        process, ready = self.start()
        self.assertEqual((ready["serving"], ready["cache_group"]), (256, "default"))
        cache = ready["piece_cache"]
        number = bytes([0]) + payload_of_ulid(cache)
        for group in ("default", "_"):
            self.assertEqual(self.client.request(f"ab.controller.{group}.find-piece-in-cache", struct.pack("<Q", 3)),
                             b"\x01" + number + struct.pack("<I", 3))
            self.assertEqual(self.client.request(f"ab.controller.{group}.find-piece-in-cache", struct.pack("<Q", 256)),
                             b"\x00")
        self.assertEqual(self.client.request(f"ab.cache.{cache}.read-piece", struct.pack("<I", 3)),
                         b"\x00\x01" + struct.pack("<Q", 3) + PIECE_LENGTH + self.pieces[3])
        self.assertEqual(self.client.request("ab.controller.piece", struct.pack("<Q", 255)),
                         b"\x01" + PIECE_LENGTH + self.pieces[255])
        wanted = (200, 999, 7, 31)
        elements = b"".join(message[1:] for message in self.client.stream_request(
            "ab.controller.pieces", bytes([4 * len(wanted)]) + struct.pack("<4Q", *wanted)))
        self.assertEqual(elements, b"".join(struct.pack("<Q", index) + PIECE_LENGTH + self.pieces[index]
                                            for index in (7, 31, 200)))
        counts, stderr = self.stop(process)
        self.assertEqual(stderr, "")
        self.assertEqual([counts[name] for name in ("requests", "streams", "pieces", "not_found", "failed", "malformed",
                                                    "abandoned", "dropped")], [6, 1, 5, 1, 0, 0, 0, 0])
        self.assertIsNone(self.client.request("ab.controller.piece", struct.pack("<Q", 255)), "nobody is there")

    def test_chain(self):
        process, _ = self.start()
        segment = json.loads((OPTIONS.store / "manifest.json").read_text())["manifest"]["segments"][0]
        answer = self.client.request("ab.controller.farmer-app-info")
        self.assertEqual((answer[0], len(answer)), (0, 89))
        # No bootstrap nodes, not syncing, 3.2 s; one segment, 1000 pieces, and the development chain's numbers.
        self.assertEqual(answer[33:], struct.pack("<BBQIQHQQQQ", 0, 0, 3, 200_000_000, 0, 1000, 4, 0, 9, 3))
        headers = self.client.request("ab.controller.super-segment-headers", b"\x08" + struct.pack("<2Q", 0, 1))
        self.assertEqual(headers, b"\x08\x01" + bytes.fromhex(segment["super_segment_header"]) + b"\x00")
        root = self.client.request("ab.controller.super-segment-root-for-segment-index", struct.pack("<Q", 0))
        self.assertEqual(root, b"\x01" + headers[10:42])
        self.assertEqual(answer[1:33], bytes.fromhex(segment["header"])[8:40], "root of segment 0")
        self.assertEqual(self.stop(process, signal.SIGINT)[0]["requests"], 3)

    def test_help(self):
        # Not in cli.py: there are builds without it.
        text = self.succeeds("cluster-pieces", "--help").stdout
        for option in ("--nats-server URL", "--nats-tls", "--store DIR", "--cache-group NAME=default",
                       "--max-streams N", "--json"):
            self.assertIn(option, text)
        self.assertNotRegex(text, r" (TEXT|UINT|INT|FLOAT|ENUM)\b")
        self.fails(BAD_ARGUMENTS, ["--store"], "cluster-pieces", "--nats-server", self.server.url)
        self.fails(BAD_ARGUMENTS, ["--nats-server"], "cluster-pieces", "--store", OPTIONS.store)

    def test_group(self):
        process, ready = self.start("--cache-group", "blue")
        self.assertEqual(ready["cache_group"], "blue")
        self.assertIsNotNone(self.client.request("ab.controller.blue.find-piece-in-cache", bytes(8)))
        self.assertIsNone(self.client.request("ab.controller.default.find-piece-in-cache", bytes(8)))
        self.stop(process)
        for group in ("", "a.b", "*", "a b"):
            self.fails(BAD_ARGUMENTS, ["--cache-group"], "cluster-pieces", "--nats-server", self.server.url,
                       "--store", OPTIONS.store, "--cache-group", group)

    def test_damaged_store(self):
        store = self.folder / "store"
        shutil.copytree(OPTIONS.store, store)
        formats.flip_byte_of_pieces(store, 0)
        process, ready = self.start(store=store)
        everything = b"".join(message[1:] for message in self.client.stream_request(
            "ab.controller.pieces", b"\x01\x04" + struct.pack("<256Q", *range(256))))
        self.assertEqual(len(everything), 255 * (8 + 4 + len(self.pieces[0])))
        self.assertNotIn(struct.pack("<Q", 0) + PIECE_LENGTH, everything)
        answer = self.client.request(f"ab.cache.{ready['piece_cache']}.read-piece", struct.pack("<I", 0))
        self.assertEqual(answer[0], 1, "an error")
        counts, stderr = self.stop(process)
        self.assertEqual(counts["failed"], 2)
        self.assertEqual(stderr.count("piece 0: "), 1, stderr)

    def test_store_that_goes_away(self):
        store = self.folder / "store"
        shutil.copytree(OPTIONS.store, store)
        process, ready = self.start(store=store)
        shutil.rmtree(store)
        answer = self.client.request(f"ab.cache.{ready['piece_cache']}.read-piece", struct.pack("<I", 0))
        self.assertEqual(answer[0], 1, "an error")
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, IO_ERROR)
        self.warnings.seek(0)
        said = self.warnings.read()
        self.assertEqual(said.count("is gone"), 1, said)
        self.assertIn(str(store), said)
        self.assertIsNone(self.client.request("ab.controller.piece", bytes(8)), "it has left the group")

    def test_what_it_cannot_serve(self):
        store = self.folder / "store"
        shutil.copytree(OPTIONS.store, store)
        formats.segment_pack(store, 0).unlink()
        command = ("cluster-pieces", "--nats-server", self.server.url, "--store")
        self.fails(UNAVAILABLE, ["none of its packs"], *command, store)
        small = self.folder / "small"
        small.mkdir()
        server = NatsServer(small, "max_payload: 1MB\n")
        self.addCleanup(server.kill)
        self.fails(MISMATCH, ["max_payload: 2MB"], "cluster-pieces", "--nats-server", server.url, "--store",
                   OPTIONS.store)
        server.kill()
        self.fails(UNAVAILABLE, [server.url], "cluster-pieces", "--nats-server", server.url, "--store", OPTIONS.store)


def payload_of_ulid(text):
    """The bytes of an identifier in a payload."""
    number = 0
    for letter in text:
        number = number * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(letter)
    return number.to_bytes(16, "little")


if __name__ == "__main__":
    if SERVER is None:
        print("no nats-server: tools/install-deps.sh --test installs it")
        sys.exit(77)
    program.run_tests(__doc__)
