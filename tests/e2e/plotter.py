#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""furrow plotter behind a real NATS server, as a farmer that shares nothing with it sees it.

    plotter.py --furrow PROGRAM --work DIR --fixtures DIR
"""

import json
import signal

from support import cluster, farmer, program
from support.cluster import ClusterTest
from support.farmer import CHUNK, DOWNLOADED, DOWNLOADING, ENCODED, ENCODING, FAILED, FINISHED, PING
from support.program import BAD_ARGUMENTS, IO_ERROR, MISMATCH, OPTIONS, SUCCESS, UNAVAILABLE

PIECES_IN_SECTOR = 2


def request(sector, pieces=PIECES_IN_SECTOR):
    return farmer.request(sector, pieces)


class Plotter(ClusterTest):
    def setUp(self):
        super().setUp()
        self.server = self.start_server()
        self.farmer = self.new_farmer(self.server)

    def start(self, *options, **more):
        node = self.start_plotter(self.server, *options, **more)
        self.assertEqual(self.free_instance(self.farmer), node.beginning["plotter"])
        return node

    def plot(self, node, payload):
        return self.farmer.plot(node.beginning["plotter"], payload)

    def test_a_farmer_gets_a_sector(self):
        node = self.start()
        answer = self.plot(node, request(5))
        self.assertEqual([kind for kind in answer.kinds if kind != PING],
                         [DOWNLOADING, DOWNLOADED, ENCODING, ENCODED, FINISHED, CHUNK, CHUNK])
        self.assertIn(PING, answer.kinds)
        self.assertEqual(len(answer.sector), self.sector_size())
        counts = self.end_node(node)
        self.assertEqual((counts["delivered"], counts["failed"], counts["unfinished"]), (1, 0, 0))

    def sector_size(self):
        return json.loads(self.succeeds("info", "--json", "--farm", OPTIONS.farm).stdout)["sector_size"]

    def test_pieces_come_out_of_the_cluster(self):
        node = self.start()
        expected = self.plot(node, request(5))
        self.end_node(node)
        pieces = self.start_node("cluster-pieces", self.server, "--store", OPTIONS.store)
        node = self.start(pieces=())
        answer = self.plot(node, request(5))
        self.assertEqual(answer.error, "")
        self.assertTrue(answer.sector == expected.sector)
        self.assertEqual(self.end_node(node)["unverified_pieces"], 0)
        self.assertGreaterEqual(self.end_node(pieces)["pieces"], PIECES_IN_SECTOR)

    def test_a_farmer_is_told_why_there_is_no_sector(self):
        node = self.start()
        for pieces in (0, 5):
            answer = self.plot(node, request(5, pieces))
            self.assertEqual(answer.kinds, [FAILED])
            self.assertIn(f"actual {pieces}", answer.error)
        self.assertEqual(self.end_node(node)["failed"], 2)

    def ask_and_end(self, *options):
        """A sector that is under way when the plotter is asked to end; what comes, and its counts."""
        node = self.start(*options)
        self.farmer.begin(node.beginning["plotter"], request(1))
        self.farmer.take(farmer.Answer())
        node.process.send_signal(signal.SIGTERM)
        answer = self.farmer.take_all()
        printed, _ = node.process.communicate(timeout=program.TIMEOUT_SECONDS)
        self.assertEqual(node.process.returncode, SUCCESS, node.said())
        return answer, json.loads(printed)

    def test_what_is_under_way_is_finished(self):
        answer, counts = self.ask_and_end()
        self.assertEqual(len(answer.sector), self.sector_size())
        self.assertEqual((counts["delivered"], counts["unfinished"]), (1, 0))

    def test_what_has_no_time_is_given_back(self):
        answer, counts = self.ask_and_end("--drain-seconds", 0)
        self.assertEqual(answer.kinds[-1], FAILED)
        self.assertEqual((counts["delivered"], counts["unfinished"]), (0, 1))

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
    cluster.run_tests(__doc__)
