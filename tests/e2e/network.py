#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plotting from pieces that come over a network that fails. Each run has to end with the same bytes as one
from a store without faults: servers that die and come back in the middle of a sector, pieces that are
damaged, cut short, late, refused or of another index, servers that never answer, halves of segments that
nobody has; and what can have no good end has to end with a clear error."""

import collections
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time

from support import formats, program
from support.piece_network import FaultyProxy, Server
from support.program import OPTIONS, UNAVAILABLE, FurrowTest

PIECES_IN_SECTOR = 8
SECTORS = 4


class Network(FurrowTest):
    expected = None
    first = None

    def setUp(self):
        super().setUp()
        self.servers = []
        if Network.expected is None:
            Network.first = OPTIONS.work / "first sector"
            self.succeeds("plot", "--farm", Network.first, "--pieces", OPTIONS.store, "--sectors", 1,
                          "--pieces-in-sector", PIECES_IN_SECTOR)
            farm = self.copy_of_first("without faults")
            self.succeeds("plot", "--farm", farm, "--pieces", OPTIONS.store, "--sectors", SECTORS)
            Network.expected = self.contents(farm)

    def tearDown(self):
        for server in self.servers:
            server.kill()

    def copy_of_first(self, name):
        """A farm with one sector: with the same key the other sectors hold the same pieces."""
        farm = self.folder / name
        shutil.copytree(Network.first, farm)
        return farm

    def start(self, *arguments, **options):
        self.servers.append(Server(*arguments, **options))
        return self.servers[-1]

    @staticmethod
    def contents(farm):
        size = formats.sector_size(PIECES_IN_SECTOR)
        with open(farm / "plot.bin", "rb") as plot:
            return plot.read(SECTORS * size)

    def plot(self, *sources, options=(), name="farm"):
        farm = self.copy_of_first(name)
        arguments = [part for source in sources for part in ("--pieces", source)]
        result = self.succeeds("plot", "--farm", farm, *arguments, "--sectors", SECTORS, *options)
        self.assertEqual(self.contents(farm), Network.expected)
        self.succeeds("scrub", "--farm", farm)
        return result

    def wanted_pieces(self):
        """Pieces that the sectors of the farm draw, and how many sectors do, from a run that counts."""
        wanted = collections.Counter()
        server = self.start()
        proxy = FaultyProxy(server.url, lambda index, _: wanted.update([index]))
        self.plot(proxy.url, name="counting")
        proxy.stop()
        return wanted

    def test_from_a_server(self):
        result = self.plot(self.start().url)
        self.assertIn("alone says what the history is", result.stderr)
        self.assertRegex(result.stdout, r"http://\S+: \d+ pieces \(\d")

    def test_cache_and_second_source(self):
        cache = self.folder / "cache"
        options = ("--piece-cache", cache, "--piece-cache-size", "64MiB", "--manifest",
                   OPTIONS.store / "manifest.json")
        self.plot(self.start().url, options=options, name="first")
        self.assertLessEqual(sum(path.stat().st_size for path in cache.iterdir()), 64 << 20)
        # Everything is in the cache, so that nobody needs to answer.
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
        self.plot(nobody, options=options, name="second")
        # What the first source does not give comes from the next one.
        self.plot(nobody, self.start().url, options=options[4:], name="third")

    def test_faulty_pieces(self):
        seed = random.SystemRandom().randrange(2**32)
        print(f"seed {seed}", flush=True)
        faults = ["flipped", "cut", "late", "refused", "other piece", None]
        rng = random.Random(seed)
        kinds = {index: rng.choice(faults) for index in range(formats.PIECES_IN_SEGMENT)}
        # What is spoiled once comes right from the next source, which stands for the next try.
        proxy = FaultyProxy(self.start().url,
                            lambda index, before: kinds[index] if before == 0 else None)
        self.plot(proxy.url, proxy.url, options=("--manifest", OPTIONS.store / "manifest.json"))
        proxy.stop()

    def test_half_of_a_segment_is_missing(self):
        wanted = self.wanted_pieces()
        # As many of those that are wanted as may be missing.
        missing = set(sorted(wanted)[:4])
        rebuilt = sum(wanted[index] for index in missing)  # for each sector anew
        others = [index for index in range(formats.PIECES_IN_SEGMENT) if index not in wanted]
        missing |= set(others[:formats.PIECES_IN_SEGMENT // 2 - len(missing)])
        self.assertEqual(len(missing), formats.PIECES_IN_SEGMENT // 2)
        proxy = FaultyProxy(self.start().url,
                            lambda index, _: "missing" if index in missing else None)
        result = self.plot(proxy.url)
        self.assertEqual(result.stderr.count("rebuilding it from the rest of its segment"),
                         rebuilt)
        proxy.stop()

    def test_more_than_half_of_a_segment_is_missing(self):
        if not OPTIONS.hopeless:
            self.skipTest("takes minutes: --hopeless")
        wanted = self.wanted_pieces()
        keep = set(sorted(wanted)[1:]) | set(range(formats.PIECES_IN_SEGMENT // 2, 250))
        keep = set(sorted(keep)[-(formats.PIECES_IN_SEGMENT // 2 - 1):])
        # A store lacks for good what it lacks: the pieces are cut off its pack one by one by a proxy
        # that says so, and the run is told to stop once it has said what is wrong.
        proxy = FaultyProxy(self.start().url,
                            lambda index, _: None if index in keep else "missing")
        farm = self.copy_of_first("farm")
        process = subprocess.Popen(
            [str(part) for part in (OPTIONS.furrow, "plot", "--farm", farm, "--pieces", proxy.url,
                                    "--sectors", SECTORS)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            for line in process.stderr:
                if "trying again in 15 s" in line:
                    break
            else:
                self.fail("nothing was said of pieces that cannot be rebuilt")
            self.assertRegex(line, r"cannot recover missing piece \d+: .*segment 0.*12[0-9]")
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
            self.assertEqual(process.returncode, program.INTERRUPTED)
        finally:
            process.kill()
            process.communicate()
        proxy.stop()
        self.succeeds("scrub", "--farm", farm)

    def test_server_dies_and_comes_back(self):
        server = self.start()
        farm = self.copy_of_first("farm")
        process = subprocess.Popen(
            [str(part) for part in (OPTIONS.furrow, "plot", "--farm", farm, "--pieces", server.url,
                                    "--manifest", OPTIONS.store / "manifest.json", "--sectors",
                                    SECTORS, "--progress", "json", "--in-flight", 8)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            for line in process.stdout:
                if json.loads(line).get("state") == "downloading":
                    break
            server.kill()
            time.sleep(1)
            again = self.start(listen=f"127.0.0.1:{server.port}")
            self.assertEqual(again.port, server.port)
            process.communicate(timeout=program.TIMEOUT_SECONDS)
            self.assertEqual(process.returncode, 0)
        finally:
            process.kill()
            process.communicate()
        self.assertEqual(self.contents(farm), Network.expected)
        self.succeeds("scrub", "--farm", farm)

    def test_source_that_never_answers(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen(64)
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            self.plot(url, OPTIONS.store,
                      options=("--manifest", OPTIONS.store / "manifest.json", "--piece-seconds", 3))

    def test_tokens(self):
        token, wrong = self.folder / "token", self.folder / "wrong"
        token.write_text("sesame\n", encoding="ascii")
        wrong.write_text("abracadabra\n", encoding="ascii")
        server = self.start("--token-file", token)
        self.plot(server.url, options=("--token-file", token))
        for options in ((), ("--token-file", wrong)):
            self.fails((program.BAD_ARGUMENTS, UNAVAILABLE, program.MISMATCH), ["401"], "plot",
                       "--farm", self.folder / "other", "--pieces", server.url, "--sectors", 1,
                       *options)
            self.assert_absent(self.folder / "other")

    def test_certificates(self):
        def certificate(name, address):
            key, file = self.folder / f"{name}.key", self.folder / f"{name}.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                            f"/CN={name}", "-addext", f"subjectAltName=IP:{address}", "-keyout",
                            key, "-out", file], check=True, stderr=subprocess.DEVNULL)
            return file, key
        good, good_key = certificate("good", "127.0.0.1")
        other, other_key = certificate("other", "127.0.0.2")
        server = self.start("--tls-cert", good, "--tls-key", good_key)
        self.plot(server.url, options=("--ca-file", good))
        elsewhere = self.start("--tls-cert", other, "--tls-key", other_key)
        for url, authority in ((server.url, other), (elsewhere.url, other)):
            self.fails((program.IO_ERROR, UNAVAILABLE, program.MISMATCH), ["certificate"], "plot",
                       "--farm", self.folder / "other", "--pieces", url, "--sectors", 1,
                       "--ca-file", authority)
            self.assert_absent(self.folder / "other")


if __name__ == "__main__":
    os.environ.pop("http_proxy", None)
    program.run_tests(__doc__, lambda parser: parser.add_argument(
        "--hopeless", action="store_true", help="wait until rebuilding is given up, too"))
