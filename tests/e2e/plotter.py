#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""furrow plotter behind a real NATS server, as a farmer that shares nothing with it sees it.

    plotter.py --furrow PROGRAM --work DIR --fixtures DIR
"""

import json
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile

from support import nats, program
from support.program import BAD_ARGUMENTS, IO_ERROR, MISMATCH, OPTIONS, SUCCESS, UNAVAILABLE, FurrowTest

SKIPPED = 77
PIECES_IN_SECTOR = 2
PING, DOWNLOADING, DOWNLOADED, ENCODING, ENCODED, FINISHED, CHUNK, FAILED = 1, 2, 3, 4, 5, 6, 7, 8


def compact(data, at):
    """A compact number of SCALE, and where it ends."""
    mode = data[at] & 3
    size = (1, 2, 4)[mode]
    return int.from_bytes(data[at:at + size], "little") >> 2, at + size


def request(sector, pieces=PIECES_IN_SECTOR):
    """110 bytes; history sizes are stored minus one."""
    protocol_info = struct.pack("<QHQQQQ", 0, 1000, 4, 0, 9, 3)
    return b"\xaa" * 32 + b"\xbb" * 32 + struct.pack("<H", sector) + protocol_info + struct.pack("<H", pieces)


def elements(payload):
    """Whether it is the last message, its index, its elements, and where to acknowledge it."""
    is_last, index = payload[0] == 1, int.from_bytes(payload[1:5], "little")
    n, at = compact(payload, 5)
    found = []
    for _ in range(n):
        kind, begin = payload[at], at
        at += 1
        if kind in (DOWNLOADED, ENCODED):
            at += 12
        elif kind == FINISHED:
            at += 34 + 131116
            n_pieces, at = compact(payload, at)
            at += 8 * n_pieces + 12
        elif kind == CHUNK:
            size, at = compact(payload, at + 1)
            begin = at
            at += size
        elif kind == FAILED:
            size, at = compact(payload, at)
            begin = at
            at += size
        found.append((kind, payload[begin:at]))
    return is_last, index, found, payload[at + 1:].decode() if not is_last else ""


class Plotter(FurrowTest):
    def setUp(self):
        super().setUp()
        self.n_requests = 0
        self.server = self.start_server()
        self.farmer = nats.Client(self.server.port)
        self.addCleanup(self.farmer.close)

    def start_server(self, configuration="max_payload: 2MB"):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        server = nats.NatsServer(folder, configuration)
        self.addCleanup(server.kill)
        return server

    def start_process(self, command, *options):
        """Joins the cluster as the command says; what it prints when it is ready."""
        words = [OPTIONS.furrow, command, "--nats-server", self.server.url, "--json", *options]
        process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process, json.loads(process.stdout.readline())

    def start(self, *options, pieces=None):
        pieces = ("--pieces", OPTIONS.store) if pieces is None else pieces
        process, beginning = self.start_process("plotter", "--encoder", "cpu", "--max-pieces-in-sector", 4, *pieces,
                                                *options)
        self.assertEqual(self.free_instance(), beginning["plotter"])
        return process, beginning

    def end(self, process):
        process.send_signal(signal.SIGTERM)
        said, errors = process.communicate(timeout=program.TIMEOUT_SECONDS)
        self.assertEqual(process.returncode, SUCCESS, errors)
        return json.loads(said.splitlines()[-1])

    def free_instance(self):
        answer = self.farmer.request("ab.plotter.free-instance")
        while answer is None:  # it is not there yet
            answer = self.farmer.request("ab.plotter.free-instance")
        self.assertEqual(answer[:2], b"\x01\x68")
        return answer[2:].decode()

    def begin(self, plotter, payload):
        self.n_requests += 1
        response_subject = f"stream-response.{self.n_requests}"
        self.farmer.subscribe(response_subject)
        self.farmer.publish(f"ab.plotter.{plotter}.plot-sector", payload, response_subject)

    def take(self):
        """Elements of the next message, which is acknowledged; whether it is the last one."""
        is_last, index, found, ack_subject = elements(self.farmer.next())
        if not is_last:
            self.farmer.publish(ack_subject, struct.pack("<I", index))
        return found, is_last

    def take_all(self):
        """Kinds of the elements, the bytes of the sector, and why there are none."""
        kinds, sector, error, is_last = [], b"", "", False
        while not is_last:
            found, is_last = self.take()
            for kind, content in found:
                kinds.append(kind)
                sector += content if kind == CHUNK else b""
                error += content.decode() if kind == FAILED else ""
        return kinds, sector, error

    def plot(self, plotter, payload):
        self.begin(plotter, payload)
        return self.take_all()

    def test_a_farmer_gets_a_sector(self):
        process, beginning = self.start()
        kinds, sector, _ = self.plot(beginning["plotter"], request(5))
        self.assertEqual([kind for kind in kinds if kind != PING],
                         [DOWNLOADING, DOWNLOADED, ENCODING, ENCODED, FINISHED, CHUNK, CHUNK])
        self.assertIn(PING, kinds)
        self.assertEqual(len(sector), self.sector_size())
        summary = self.end(process)
        self.assertEqual((summary["delivered"], summary["failed"], summary["unfinished"]), (1, 0, 0))

    def sector_size(self):
        return json.loads(self.succeeds("info", "--json", "--farm", OPTIONS.farm).stdout)["sector_size"]

    def test_pieces_come_out_of_the_cluster(self):
        process, beginning = self.start()
        _, expected, _ = self.plot(beginning["plotter"], request(5))
        self.end(process)
        pieces, _ = self.start_process("cluster-pieces", "--store", OPTIONS.store)
        process, beginning = self.start(pieces=())
        _, sector, error = self.plot(beginning["plotter"], request(5))
        self.assertEqual(error, "")
        self.assertTrue(sector == expected)
        self.assertEqual(self.end(process)["unverified_pieces"], 0)
        self.assertGreaterEqual(self.end(pieces)["pieces"], PIECES_IN_SECTOR)

    def test_a_farmer_is_told_why_there_is_no_sector(self):
        process, beginning = self.start()
        for pieces in (0, 5):
            kinds, _, error = self.plot(beginning["plotter"], request(5, pieces))
            self.assertEqual(kinds, [FAILED])
            self.assertIn(f"actual {pieces}", error)
        self.assertEqual(self.end(process)["failed"], 2)

    def ask_and_end(self, *options):
        """A sector that is under way when the plotter is asked to end; what comes, and its counts."""
        process, beginning = self.start(*options)
        self.begin(beginning["plotter"], request(1))
        self.take()
        process.send_signal(signal.SIGTERM)
        answer = self.take_all()
        said, errors = process.communicate(timeout=program.TIMEOUT_SECONDS)
        self.assertEqual(process.returncode, SUCCESS, errors)
        return answer, json.loads(said.splitlines()[-1])

    def test_what_is_under_way_is_finished(self):
        (_, sector, _), summary = self.ask_and_end()
        self.assertEqual(len(sector), self.sector_size())
        self.assertEqual((summary["delivered"], summary["unfinished"]), (1, 0))

    def test_what_has_no_time_is_given_back(self):
        (kinds, _, _), summary = self.ask_and_end("--drain-seconds", 0)
        self.assertEqual(kinds[-1], FAILED)
        self.assertEqual((summary["delivered"], summary["unfinished"]), (0, 1))

    def test_a_server_that_takes_too_small_messages(self):
        server = self.start_server("")
        self.fails(MISMATCH, ["max_payload", "2097152"], "plotter", "--nats-server", server.url)

    def test_a_server_that_lets_nobody_in(self):
        server = self.start_server('max_payload: 2MB\nauthorization: {token: "secret"}')
        self.fails(UNAVAILABLE, [], "plotter", "--nats-server", server.url)
        token = self.folder / "token"
        token.write_text("not-that-one", encoding="utf-8")
        result = self.fails(UNAVAILABLE, [], "plotter", "--nats-server", server.url, "--nats-token-file", token)
        self.assertNotIn("not-that-one", result.stderr)

    def test_help(self):
        said = self.succeeds("plotter", "--help").stdout
        for option in ("--nats-server", "--nats-credentials", "--cache-group", "--pieces", "--encoder", "--ram-limit",
                       "--max-pieces-in-sector", "--drain-seconds", "--nice", "--json"):
            self.assertIn(option, said)

    def test_what_is_wrong_on_the_command_line(self):
        url = ("plotter", "--nats-server", self.server.url)
        self.fails(BAD_ARGUMENTS, ["--nats-server"], "plotter")
        self.fails(BAD_ARGUMENTS, ["--nats-password-file"], *url, "--nats-user", "me")
        self.fails(BAD_ARGUMENTS, ["--cache-group"], *url, "--cache-group", "a.b")
        self.fails(IO_ERROR, ["absent"], *url, "--nats-token-file", self.folder / "absent")
        self.fails(UNAVAILABLE, ["127.0.0.1:1"], "plotter", "--nats-server", "nats://127.0.0.1:1")


if __name__ == "__main__":
    if nats.SERVER is None:
        print("SKIPPED: nats-server is not installed (tools/install-deps.sh --test)")
        sys.exit(SKIPPED)
    program.run_tests(__doc__)
