#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plotting from a server that goes away in the middle of a sector and comes back: what is missing is waited
for and not rebuilt, so that hardly more than the pieces of the sector cross the network. And servers that
refuse: asked once, said once, and nothing of their secrets is said."""

import http.server
import json
import os
import random
import re
import shutil
import socket
import subprocess
import threading
import time

from support import formats, program
from support.piece_network import MortalServer, Server
from support.program import MISMATCH, OPTIONS, FurrowTest

SECONDS_PER_PIECE = 0.1
# What stands in front of a server may say in its place.
WRONG = {
    "accept and close": MortalServer.CLOSE,
    "bad gateway": (502, {}, b"no upstream"),
    "busy": (503, {"Retry-After": "1"}, b""),
    "fail": (500, {}, b"oops"),
    "know nothing": (404, {}, b""),
    "log in": (200, {"Content-Type": "text/html"}, b"<html>Please log in</html>"),
    "speak JSON": (200, {"Content-Type": "application/json"}, b'{"error":"log in"}'),
}


class SourceGone(FurrowTest):
    pieces = None
    manifest = None
    sectors = {}

    @classmethod
    def setUpClass(cls):
        cls.manifest = (OPTIONS.store / "manifest.json").read_bytes()
        cls.pieces = formats.pieces_of(OPTIONS.store)

    def farm(self, name):
        """An empty farm whose sectors hold the same pieces each time."""
        farm = self.folder / name
        formats.begin_farm_with_key_of(OPTIONS.farm, farm)
        return farm

    @staticmethod
    def sector(farm, n_pieces):
        with open(farm / "plot.bin", "rb") as plot:
            return plot.read(formats.sector_size(n_pieces))

    def right_sector(self, n_pieces):
        if n_pieces not in SourceGone.sectors:
            farm = self.farm("right")
            self.succeeds("plot", "--farm", farm, "--pieces", OPTIONS.store, "--sectors", 1,
                          "--pieces-in-sector", n_pieces)
            SourceGone.sectors[n_pieces] = self.sector(farm, n_pieces)
        return SourceGone.sectors[n_pieces]

    def plot_while_away(self, how, n_pieces, after, seconds):
        """Plots a sector while the server is away for a time, from `after` pieces on; how many pieces
        crossed the network."""
        server = MortalServer(self.pieces, self.manifest, SECONDS_PER_PIECE)
        farm = self.farm(f"{how}-{after}")
        arguments = [OPTIONS.furrow, "plot", "--farm", farm, "--pieces", server.url, "--manifest",
                     OPTIONS.store / "manifest.json", "--sectors", 1, "--pieces-in-sector", n_pieces]
        with open(self.folder / "log", "w+", encoding="utf-8") as log:
            process = subprocess.Popen([str(part) for part in arguments], stdout=subprocess.DEVNULL,
                                       stderr=log)
            try:
                while server.sent < after and process.poll() is None:
                    time.sleep(0.002)
                if how == "refuse":
                    server.refuse()
                elif how in WRONG:
                    server.say(WRONG[how])
                else:
                    server.fall_silent()
                time.sleep(seconds)
                server.come_back()
                process.communicate(timeout=program.TIMEOUT_SECONDS)
            finally:
                process.kill()
                process.communicate()
                server.stop()
            log.seek(0)
            said = log.read()
        self.assertEqual(process.returncode, 0, said)
        self.assertNotIn("rebuilding", said)
        self.assertEqual(self.sector(farm, n_pieces), self.right_sector(n_pieces))
        # A short absence is bridged by the tries of each piece; a longer one is said once.
        n_said = said.count(", and is asked again")
        self.assertLessEqual(n_said, 1, said)
        self.assertEqual(said.count(" answers again"), n_said, said)
        shutil.rmtree(farm)
        return server.sent

    def test_server_that_refuses_connections_for_a_while(self):
        self.assertLessEqual(self.plot_while_away("refuse", 8, 3, 1.5), 12)

    def test_server_that_is_silent_for_a_while(self):
        self.assertLessEqual(self.plot_while_away("be silent", 8, 3, 1.5), 12)

    def test_what_stands_in_front_of_a_server(self):
        for how in ("bad gateway", "know nothing"):  # --often has them all
            with self.subTest(how):
                self.assertLessEqual(self.plot_while_away(how, 8, 3, 1.5), 12)

    def test_token_from_a_pipe(self):
        token = self.folder / "token"
        token.write_text("sesame\n", encoding="ascii")
        server = Server("--token-file", token)
        read_end, write_end = os.pipe()
        os.write(write_end, b"sesame\n")
        os.close(write_end)
        try:
            # Without --manifest, it is read for the manifest and for the pieces.
            result = subprocess.run(
                [str(part) for part in (OPTIONS.furrow, "plot", "--farm", self.farm("farm"), "--pieces",
                                        server.url, "--token-file", f"/dev/fd/{read_end}", "--sectors", 1,
                                        "--pieces-in-sector", 2)],
                pass_fds=[read_end], capture_output=True, text=True, check=False,
                timeout=program.TIMEOUT_SECONDS)
            self.assertEqual(result.returncode, 0, result)
        finally:
            os.close(read_end)
            server.kill()

    def test_often(self):
        if not OPTIONS.often:
            self.skipTest("takes many minutes: --often")
        n_pieces = 40
        seed = random.SystemRandom().randrange(2**32)
        rng = random.Random(seed)
        print(f"seed {seed}", flush=True)
        most = 0
        for i in range(20):
            how = ("refuse", "be silent", *WRONG)[i % (2 + len(WRONG))]
            after, seconds = rng.randrange(1, n_pieces), rng.uniform(1, 20)
            start = time.monotonic()
            sent = self.plot_while_away(how, n_pieces, after, seconds)
            print(f"{how} after {after} pieces for {seconds:.1f} s: {sent} pieces crossed the network, "
                  f"{time.monotonic() - start:.0f} s in all", flush=True)
            most = max(most, sent)
            self.assertLessEqual(sent, 60)
        print(f"at most {most} pieces for a sector of {n_pieces}", flush=True)

    def test_wrong_token_is_asked_once_and_ends_the_run(self):
        token, wrong = self.folder / "token", self.folder / "wrong"
        token.write_text("sesame-of-the-server\n", encoding="ascii")
        wrong.write_text("abracadabra\n", encoding="ascii")
        server = Server("--token-file", token)
        try:
            result = self.fails(MISMATCH, ["401"], "plot", "--farm", self.farm("farm"), "--pieces",
                                server.url, "--manifest", OPTIONS.store / "manifest.json",
                                "--token-file", wrong, "--sectors", 1, "--pieces-in-sector", 8)
            self.assertEqual(result.stderr.count("is given up"), 1, result)
            self.assertNotIn("rebuilding", result.stderr)
            self.assertNotIn("abracadabra", result.stdout + result.stderr)
            self.assertLessEqual(server.stop()[1]["unauthorized"], 2)
        finally:
            server.kill()

    def test_bad_answers_and_passwords(self):
        # The first source damages everything, the second helps; nobody listens at the third.
        bad = MortalServer({index: bytes(len(piece)) for index, piece in self.pieces.items()},
                           self.manifest)
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            nobody = f"http://user:open%2Fsesame@127.0.0.1:{closed.getsockname()[1]}"
        try:
            result = self.succeeds("plot", "--farm", self.farm("farm"), "--pieces", nobody, "--pieces",
                                   bad.url, "--pieces", OPTIONS.store, "--manifest",
                                   OPTIONS.store / "manifest.json", "--sectors", 1,
                                   "--pieces-in-sector", 8, "--progress", "json")
        finally:
            bad.stop()
        summary = json.loads(result.stdout.splitlines()[-1])
        away, lying, store = summary["sources"]
        self.assertEqual(away["faults"], {"unreachable": 1})
        self.assertEqual(lying["name"], bad.url)
        self.assertGreater(lying["faults"]["wrong"], 0)
        self.assertEqual(lying["failed"], lying["faults"]["wrong"])
        self.assertEqual(store["faults"], {})
        self.assertRegex(result.stderr, re.escape(bad.url) + r" so far: 0 pieces, \d+ wrong\n")
        self.assertIn("http://***@127.0.0.1", result.stderr)
        for text in ("sesame", "user:"):
            self.assertNotIn(text, result.stdout + result.stderr)

    def test_address_without_a_piece_server(self):
        class Nothing(http.server.BaseHTTPRequestHandler):
            n_asked = 0

            def do_GET(self):
                Nothing.n_asked += 1
                self.send_error(404)

            def log_message(self, *_):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Nothing)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/wrong"
        result = self.fails(MISMATCH, [url, "404"], "plot", "--farm", self.farm("farm"), "--pieces",
                            url, "--manifest", OPTIONS.store / "manifest.json", "--sectors", 1,
                            "--pieces-in-sector", 8)
        server.shutdown()
        self.assertNotIn("rebuilding", result.stderr)
        self.assertEqual(Nothing.n_asked, 2, "a piece and the manifest")


if __name__ == "__main__":
    os.environ.pop("http_proxy", None)
    program.run_tests(__doc__, lambda parser: parser.add_argument(
        "--often", action="store_true", help="20 random instants of sectors of 40 pieces"))
