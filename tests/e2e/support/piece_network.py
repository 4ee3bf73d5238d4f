# SPDX-License-Identifier: Apache-2.0
"""Piece servers, and what a network does to their answers."""

import http.client
import http.server
import json
import re
import select
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

from support.program import OPTIONS

# How long a silent answer takes to be none at all.
SILENT_SECONDS = 20
FAULTS = ("refused", "missing", "late", "flipped", "cut", "other piece")
_SINGLE_PIECE = re.compile(r"/v1/pieces/(\d+)")


class Server:
    """A running server; its port is read from the line that it prints."""

    def __init__(self, *arguments, listen="127.0.0.1:0", store=None, preexec_fn=None):
        # A file, because a pipe that nobody reads would hold the server up once it is full of warnings.
        self.warnings = tempfile.TemporaryFile("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [OPTIONS.furrow, "serve-pieces", "--store", store or OPTIONS.store, "--listen", listen,
             "--json", *arguments],
            stdout=subprocess.PIPE, stderr=self.warnings, text=True, preexec_fn=preexec_fn)
        self.url = json.loads(self.process.stdout.readline())["listening"]
        self.port = int(self.url.rsplit(":", 1)[1])

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        result = response.status, dict(response.getheaders()), response.read()
        connection.close()
        return result

    def stop(self, number=signal.SIGINT):
        """Exit code, the counts it printed, and its standard error."""
        self.process.send_signal(number)
        stdout, _ = self.process.communicate(timeout=60)
        self.warnings.seek(0)
        warnings = self.warnings.read()
        self.kill()
        return self.process.returncode, json.loads(stdout), warnings

    def kill(self):
        """Ends the server at once; nothing when it has ended."""
        if not self.warnings.closed:
            self.process.kill()
            self.process.communicate()
            self.warnings.close()


class FaultyProxy:
    """Passes requests on to a piece server, and spoils answers as `fault` says: it gets the index of the
    piece and how often it was asked for before, and returns the name of a fault or None. Faults are
    those of FAULTS and "silent"."""

    def __init__(self, upstream, fault):
        asked = {}
        lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                match = _SINGLE_PIECE.fullmatch(self.path)
                name, path = None, self.path
                if match:
                    index = int(match.group(1))
                    with lock:
                        asked[index] = asked.get(index, 0) + 1
                        name = fault(index, asked[index] - 1)
                    if name == "silent":
                        time.sleep(SILENT_SECONDS)
                        self.close_connection = True
                        return
                    if name == "other piece":
                        path = f"/v1/pieces/{index ^ 1}"
                try:
                    with urllib.request.urlopen(upstream + path, timeout=60) as answer:
                        status, headers, body = answer.status, answer.headers, answer.read()
                except urllib.error.HTTPError as error:
                    status, headers, body = error.code, error.headers, error.read()
                self.answer(name, status, headers, bytearray(body))

            def answer(self, name, status, headers, body):
                if name == "refused":
                    status, body = 503, bytearray()
                elif name == "missing":
                    status, body = 404, bytearray()
                elif name == "late":
                    time.sleep(0.5)
                elif name == "flipped":
                    body[len(body) // 2] ^= 1
                self.send_response(status)
                for key in ("ETag", "Content-Type"):
                    if headers.get(key):
                        self.send_header(key, headers[key])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if name == "cut":
                    self.wfile.write(body[:len(body) // 3])
                    self.close_connection = True
                    return
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a client that hangs up is part of the game

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class MortalServer:
    """A piece server that goes away and comes back. Pieces leave it one after another, as over a narrow
    line; `sent` counts those that it began to send to somebody who was still there."""

    CLOSE = "connections are taken and closed"

    def __init__(self, pieces, manifest, seconds_per_piece=0.0):
        self.pieces = pieces
        self.manifest = manifest
        self.seconds_per_piece = seconds_per_piece
        self.sent = 0
        self.asked = 0
        self.line = threading.Lock()
        self.lock = threading.Lock()
        self.awake = threading.Event()
        self.awake.set()
        self.connections = set()
        self.server = None
        self.wrong = None  # what is said to everything: status, headers, body; or CLOSE
        self.port = 0
        self.listen()
        self.url = f"http://127.0.0.1:{self.port}"

    def listen(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                with outer.lock:
                    outer.connections.add(self.request)
                super().setup()

            def finish(self):
                with outer.lock:
                    outer.connections.discard(self.request)
                super().finish()

            def do_GET(self):
                with outer.lock:
                    outer.asked += 1
                if self.says_something_wrong():
                    return
                body = outer.manifest
                match = _SINGLE_PIECE.fullmatch(self.path)
                outer.awake.wait()
                if match is None:
                    self.begin(body)
                    self.wfile.write(body)
                    return
                body = outer.pieces[int(match.group(1))]
                with outer.line:
                    time.sleep(outer.seconds_per_piece)
                    outer.awake.wait()
                    if self.says_something_wrong():
                        return
                    if not self.is_wanted():
                        self.close_connection = True
                        return
                    with outer.lock:
                        outer.sent += 1
                    self.begin(body)
                    for start in range(0, len(body), 1 << 16):
                        outer.awake.wait()
                        self.wfile.write(body[start:start + (1 << 16)])

            def says_something_wrong(self):
                wrong = outer.wrong
                if wrong == MortalServer.CLOSE:
                    self.close_connection = True
                elif wrong is not None:
                    status, headers, body = wrong
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                return wrong is not None

            def begin(self, body):
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()

            def is_wanted(self):
                readable, _, _ = select.select([self.connection], [], [], 0)
                return not readable or self.connection.recv(1, socket.MSG_PEEK) != b""

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # a client that hangs up is part of the game

        self.server = Quiet(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02},
                         daemon=True).start()

    def refuse(self):
        """Nobody listens any more, and connections break."""
        self.server.shutdown()
        self.server.server_close()
        with self.lock:
            for connection in self.connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def fall_silent(self):
        """Connections are made, and nothing is said on any."""
        self.awake.clear()

    def say(self, wrong):
        """The same to everything, like what may stand in front of a server."""
        self.wrong = wrong

    def come_back(self):
        if self.wrong is not None:
            self.wrong = None
        elif not self.awake.is_set():
            self.awake.set()
        else:
            self.listen()

    def stop(self):
        self.awake.set()
        self.refuse()
