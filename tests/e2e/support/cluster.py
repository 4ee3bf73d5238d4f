# SPDX-License-Identifier: Apache-2.0
"""Nodes of a cluster behind a real NATS server, and what tests ask of them."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from support import nats, program
from support.farmer import Farmer
from support.program import OPTIONS, SUCCESS, FurrowTest

SKIPPED = 77


class Node:
    """A running `furrow plotter` or `furrow cluster-pieces`; `beginning` is what it prints when it can be asked."""

    def __init__(self, folder, command, *options, prefix=()):
        # A file, because a pipe that nobody reads would hold it up once it is full.
        self.errors = open(pathlib.Path(tempfile.mkdtemp(dir=folder)) / "errors", "w+", encoding="utf-8")
        words = [*prefix, OPTIONS.furrow, command, "--json", *options]
        self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{command} has not begun: {self.said()}")
        self.beginning = json.loads(line)

    def said(self):
        """Its standard error up to now."""
        with open(self.errors.name, encoding="utf-8") as file:
            return file.read()

    def end(self, timeout=program.TIMEOUT_SECONDS):
        """Asks it to end; its exit code and the counts that it prints, if any."""
        self.process.send_signal(signal.SIGTERM)
        printed, _ = self.process.communicate(timeout=timeout)
        return self.process.returncode, json.loads(printed) if printed else None

    def kill(self):
        self.process.kill()
        self.process.communicate()
        self.errors.close()

    def usage(self):
        """What it takes, from /proc: bytes and most bytes of memory, descriptors, threads."""
        process = pathlib.Path(f"/proc/{self.process.pid}")
        status = dict(line.split(":", 1) for line in (process / "status").read_text(encoding="ascii").splitlines())
        return {"rss": int(status["VmRSS"].split()[0]) << 10, "peak": int(status["VmHWM"].split()[0]) << 10,
                "descriptors": len(os.listdir(process / "fd")), "threads": int(status["Threads"])}


class ClusterTest(FurrowTest):
    """A test case that starts servers and nodes, which end with it."""

    def start_server(self, configuration="max_payload: 2MB\n", **options):
        server = nats.NatsServer(tempfile.mkdtemp(dir=self.folder), configuration, **options)
        self.addCleanup(server.kill)
        return server

    def start_node(self, command, server, *options, **more):
        node = Node(self.folder, command, "--nats-server", server.url, *options, **more)
        self.addCleanup(node.kill)
        return node

    def start_plotter(self, server, *options, pieces=None, most_pieces=4, **more):
        """One that encodes on the CPU, with the pieces of the fixtures' store unless `pieces` says otherwise."""
        pieces = ("--pieces", OPTIONS.store) if pieces is None else pieces
        return self.start_node("plotter", server, "--encoder", "cpu", "--max-pieces-in-sector", most_pieces, *pieces,
                               *options, **more)

    def new_farmer(self, server, **options):
        farmer = Farmer(nats.Client(server.port, **options))
        self.addCleanup(farmer.close)
        return farmer

    def free_instance(self, farmer):
        """Of a plotter that is there: it may have begun just now, or see that it has a place a second later."""
        return self.wait_until(farmer.free_instance, "a plotter is free")

    def end_node(self, node):
        """The counts that it prints."""
        code, counts = node.end()
        self.assertEqual(code, SUCCESS, node.said())
        return counts

    def wait_until(self, holds, what, seconds=program.TIMEOUT_SECONDS):
        """What `holds` returns once that is true."""
        deadline = time.monotonic() + seconds
        while not (result := holds()):
            if time.monotonic() > deadline:
                self.fail(f"not within {seconds} s: {what}")
            time.sleep(0.1)
        return result


def run_tests(description, add=None, **options):
    """Main function of a test script that needs a server: skipped without one."""
    if nats.SERVER is None:
        print("SKIPPED: nats-server is not installed (tools/install-deps.sh --test)")
        sys.exit(SKIPPED)
    program.run_tests(description, add, **options)
