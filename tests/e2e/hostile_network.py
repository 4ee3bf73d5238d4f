#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""furrow against what is not a server of pieces: resolvers that hang, redirections, pages of captive portals,
compressed bodies; and that no password of an address is ever shown."""

import http.server
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

from support import program
from support.program import BAD_ARGUMENTS, INTERRUPTED, MISMATCH, OPTIONS, UNAVAILABLE, FurrowTest

PASSWORD = "hunter2"


def closed_port():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return closed.getsockname()[1]


class Foreign:
    """A server that gives one answer to everything."""

    def __init__(self, status, headers, body):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class HostileNetwork(FurrowTest):
    def plot(self, *sources):
        arguments = [part for source in sources for part in ("--pieces", source)]
        return ["plot", "--farm", self.folder / "farm", *arguments, "--sectors", 1,
                "--pieces-in-sector", 2]

    def without_password(self, result):
        self.assertNotIn(PASSWORD, result.stdout + result.stderr, result)
        return result

    def test_passwords_are_not_shown(self):
        url = f"http://user:{PASSWORD}@127.0.0.1:{closed_port()}"
        shown = url.replace(f"user:{PASSWORD}", "***")
        result = self.without_password(self.fails(UNAVAILABLE, [shown], *self.plot(url)))
        self.without_password(self.fails(BAD_ARGUMENTS, ["http://"],
                                         *self.plot(f"ftp://user:{PASSWORD}@127.0.0.1")))
        self.without_password(self.fails(BAD_ARGUMENTS, ["'?'"],
                                         *self.plot(f"http://127.0.0.1:1/?key={PASSWORD}")))
        # All that a run says while a second source has to help.
        for options in ((), ("--progress", "json")):
            program.remove_tree(self.folder / "farm")
            result = program.furrow(*self.plot(url, OPTIONS.store), "--manifest",
                                    OPTIONS.store / "manifest.json", *options)
            self.without_password(result)
            self.assertIn(shown, result.stdout + result.stderr, result)

    def test_what_answers_is_named(self):
        page = b"<!DOCTYPE html><title>Log in</title>"
        for status, headers, body, named in (
                (302, {"Location": f"https://user:{PASSWORD}@portal.example/"}, b"",
                 ["302", "redirection to https://***@portal.example/"]),
                (200, {"Content-Type": "text/html"}, page, ["web page", "captive portal"]),
                (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b\x08", ["compressed", "gzip"]),
                (200, {"Content-Type": "image/png"}, b"PNG", ["image/png"])):
            server = Foreign(status, headers, body)
            self.without_password(
                self.fails(MISMATCH, ["manifest", server.url, *named], *self.plot(server.url)))
            server.stop()

    def test_resolver_that_hangs(self):
        """Ctrl-C ends the program although the resolver never answers."""
        url = f"http://user:{PASSWORD}@pieces.example:8480"
        for number, arguments in enumerate((
                self.plot(url),
                [*self.plot(url), "--manifest", OPTIONS.store / "manifest.json"],
                ["serve-pieces", "--store", OPTIONS.store, "--listen", "pieces.example:0"])):
            asked = self.folder / f"asked {number}"
            environment = {**os.environ, "LD_PRELOAD": str(OPTIONS.resolver),
                           "HANGING_RESOLVER_ASKED": str(asked)}
            process = subprocess.Popen([str(part) for part in (OPTIONS.furrow, *arguments)],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       env=environment)
            try:
                while not asked.exists():
                    self.assertIsNone(process.poll(), arguments)
                    time.sleep(0.01)
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(timeout=60), INTERRUPTED, arguments)
            finally:
                process.kill()
                process.wait()


if __name__ == "__main__":
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        os.environ.pop(variable, None)
    program.run_tests(__doc__, lambda parser: parser.add_argument(
        "--resolver", type=pathlib.Path, required=True, help="library with a resolver that hangs"))
