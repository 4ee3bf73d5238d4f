#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""furrow serve-pieces, as an HTTP client that shares nothing with it sees it."""

import http.client
import json
import os
import pathlib
import resource
import signal
import socket
import struct

from support import formats, program
from support.blake3 import blake3
from support.piece_network import Server
from support.program import BAD_ARGUMENTS, IO_ERROR, OPTIONS, SUCCESS, FurrowTest


def frames(stream):
    """Index, status and body of each frame of docs/formats/piece-http.md."""
    result = []
    while stream:
        index, status, length = struct.unpack_from("<QII", stream)
        body = stream[48:48 + length]
        assert len(body) == length and bytes(blake3(body)) == stream[16:48]
        result.append((index, status, body))
        stream = stream[48 + length:]
    return result


class ServePieces(FurrowTest):
    def setUp(self):
        super().setUp()
        self.pieces = formats.pieces_of(OPTIONS.store)

    def start(self, *arguments, **options):
        server = Server(*arguments, **options)
        self.addCleanup(server.kill)
        return server

    def test_pieces_and_manifest(self):
        server = self.start()
        for index in (0, 255):
            status, headers, body = server.ask("GET", f"/v1/pieces/{index}")
            self.assertEqual((status, body), (200, self.pieces[index]))
            self.assertEqual(headers["ETag"], f'"{bytes(blake3(body)).hex()}"')
        self.assertEqual(server.ask("GET", "/v1/pieces/0", None, **{"If-None-Match": "*"})[0], 304)
        self.assertEqual(server.ask("GET", "/v1/pieces/256")[0], 404)
        self.assertEqual(server.ask("GET", "/v1/pieces/x")[0], 400)
        status, _, body = server.ask("GET", "/v1/manifest")
        self.assertEqual(status, 200)
        self.assertEqual(json.loads(body), json.loads((OPTIONS.store / "manifest.json").read_text()))

        wanted = [3, 999, 200]
        status, _, body = server.ask("POST", "/v1/pieces", struct.pack("<3Q", *wanted))
        self.assertEqual(status, 200)
        self.assertEqual(sorted(frames(body)),
                         [(3, 0, self.pieces[3]), (200, 0, self.pieces[200]), (999, 1, b"")])
        code, counts, stderr = server.stop()
        self.assertEqual((code, stderr), (SUCCESS, ""))
        self.assertEqual((counts["pieces"], counts["not_found"]), (4, 2))

    def test_token(self):
        token = self.folder / "token"
        token.write_text("s3cret\nnot this\n")
        server = self.start("--token-file", token)
        self.assertEqual(server.ask("GET", "/v1/pieces/0")[0], 401)
        self.assertEqual(server.ask("GET", "/v1/pieces/0", None, Authorization="Bearer s3cre")[0], 401)
        self.assertEqual(server.ask("GET", "/v1/pieces/0", None, Authorization="Bearer s3cret")[0], 200)
        code, counts, _ = server.stop(signal.SIGTERM)
        self.assertEqual((code, counts["unauthorized"]), (SUCCESS, 2))

    def test_open_files(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(64, hard), hard))
        try:
            server = self.start()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        self.assertEqual(resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE), (hard, hard))

    def connect(self, server, address="127.0.0.1", send=b""):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=60,
                                              source_address=(address, 0))
        self.addCleanup(connection.close)
        connection.sendall(send)
        return connection

    def status(self, connection):
        """The status of the answer to a request on a connection that is there."""
        connection.sendall(b"HEAD /v1/pieces/0 HTTP/1.1\r\nHost: test\r\n\r\n")
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = connection.recv(65536)
            if not part:
                break
            answer += part
        return int(answer.split()[1]) if answer else None

    @staticmethod
    def refusal(connection):
        """The status that the server gives without being asked."""
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return int(answer.split()[1])

    def test_one_address_cannot_take_all_places(self):
        server = self.start("--max-connections", "64")  # half of them for one address
        greedy = [self.connect(server, "127.0.0.2", b"GET /v1/pieces/0 HTTP/1.1\r\n")
                  for _ in range(80)]
        self.assertEqual(self.status(self.connect(server)), 200)
        del greedy
        self.assertGreater(server.stop()[1]["refused"], 0)

    def limit(self, server, which, soft):
        _, hard = resource.prlimit(server.process.pid, which)
        resource.prlimit(server.process.pid, which, (soft, hard))

    def test_no_descriptor_for_a_connection(self):
        server = self.start()
        before = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[0]
        used = {int(entry) for entry in os.listdir(f"/proc/{server.process.pid}/fd")}
        free = min(set(range(len(used) + 1)) - used)
        self.limit(server, resource.RLIMIT_NOFILE, free)
        self.assertEqual(self.refusal(self.connect(server)), 503)
        self.limit(server, resource.RLIMIT_NOFILE, before)
        self.assertEqual(self.status(self.connect(server)), 200)
        code, counts, warnings = server.stop()
        self.assertEqual((code, counts["refused"]), (SUCCESS, 1))
        self.assertIn("no room for a connection", warnings)

    def test_no_thread_for_a_connection(self):
        server = self.start()
        pages = int(pathlib.Path(f"/proc/{server.process.pid}/statm").read_text().split()[0])
        before = resource.prlimit(server.process.pid, resource.RLIMIT_AS)[0]
        # No room for the stack of a thread.
        self.limit(server, resource.RLIMIT_AS, pages * resource.getpagesize() + (1 << 20))
        self.assertEqual(self.refusal(self.connect(server)), 503)
        self.limit(server, resource.RLIMIT_AS, before)
        self.assertEqual(self.status(self.connect(server)), 200)
        self.assertEqual(server.stop()[0], SUCCESS)

    def test_few_descriptors(self):
        server = self.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (96, 96)))
        connections = [self.connect(server) for _ in range(100)]
        self.assertEqual(self.status(self.connect(server, "127.0.0.2")), 200)
        del connections
        code, _, warnings = server.stop()
        self.assertEqual(code, SUCCESS)
        self.assertIn("16 of 256 connections", warnings)

    def test_limits(self):
        server = self.start("--max-batch", "2")
        self.assertEqual(server.ask("POST", "/v1/pieces", struct.pack("<2Q", 1, 2))[0], 200)
        self.assertEqual(server.ask("POST", "/v1/pieces", struct.pack("<3Q", 1, 2, 3))[0], 413)
        self.assertEqual(server.ask("POST", "/v1/pieces", b"")[0], 400)

    def test_stops_with_a_connection_open(self):
        server = self.start()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", "/v1/pieces/0")
        connection.getresponse().read()
        self.assertEqual(server.stop()[0], SUCCESS)
        connection.close()

    def test_warns_when_everybody_is_served(self):
        server = self.start(listen="0.0.0.0:0")
        self.assertIn("everybody", server.stop()[2])

    def refuses(self, code, mentions, *arguments):
        self.fails(code, mentions, "serve-pieces", "--store", OPTIONS.store, *arguments)

    def test_bad_command_lines(self):
        for address in ("127.0.0.1", ":1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80", "[]:1"):
            self.refuses(BAD_ARGUMENTS, ["--listen", address], "--listen", address)
        server = self.start()
        self.refuses(IO_ERROR, [server.port], "--listen", f"127.0.0.1:{server.port}")
        self.refuses(BAD_ARGUMENTS, ["--tls-key"], "--tls-cert", "x")
        absent = self.folder / "absent"
        self.refuses(BAD_ARGUMENTS, [absent], "--tls-cert", absent, "--tls-key", absent)
        self.refuses(IO_ERROR, [absent], "--token-file", absent)
        token = self.folder / "token"
        for text in ("", "\n", "two words\n", "\x80\n"):
            token.write_bytes(text.encode("latin-1"))
            self.refuses(BAD_ARGUMENTS, [token], "--token-file", token)
        self.refuses(BAD_ARGUMENTS, ["--max-batch"], "--max-batch", "0")
        self.refuses(BAD_ARGUMENTS, ["--max-connections-per-address"],
                     "--max-connections-per-address", "0")
        self.refuses(BAD_ARGUMENTS, ["--idle-time"], "--idle-time", "0")
        self.fails(IO_ERROR, [absent], "serve-pieces", "--store", absent)


if __name__ == "__main__":
    program.run_tests(__doc__)
