# SPDX-License-Identifier: Apache-2.0
"""A NATS server of a test, and a client that shares nothing with the program."""

import json
import pathlib
import shutil
import socket
import subprocess
import time

SERVER = shutil.which("nats-server", path="/usr/sbin:/usr/bin:/usr/local/bin")
PATIENCE_SECONDS = 60


class Server:
    """On a free port of the loopback."""

    def __init__(self, folder, configuration="max_payload: 2MB"):
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "nats.conf"
        file.write_text(f'listen: "127.0.0.1:-1"\nports_file_dir: "{folder}"\n{configuration}\n', encoding="utf-8")
        with open(folder / "log", "wb") as log:
            self.process = subprocess.Popen([SERVER, "-c", str(file)], stderr=log)
        self.url = self._wait_for_url(pathlib.Path(folder) / f"nats-server_{self.process.pid}.ports")

    def _wait_for_url(self, file):
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                return json.loads(file.read_text(encoding="utf-8"))["nats"][0]
            except (OSError, ValueError, KeyError):
                time.sleep(0.01)
        raise AssertionError("nats-server does not listen")

    def close(self):
        self.process.kill()
        self.process.wait()


class Client:
    """One thread, one message after another."""

    def __init__(self, url):
        host, port = url.removeprefix("nats://").rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), PATIENCE_SECONDS)
        self._file = self._socket.makefile("rb")
        self._file.readline()  # INFO
        self._next_id = 1
        self._send(b'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\n')

    def close(self):
        self._file.close()
        self._socket.close()

    def _send(self, data):
        self._socket.sendall(data)

    def subscribe(self, subject):
        self._send(f"SUB {subject} {self._next_id}\r\n".encode())
        self._next_id += 1

    def publish(self, subject, payload=b"", reply=""):
        self._send(f"PUB {subject} {reply} {len(payload)}\r\n".encode() + payload + b"\r\n")

    def next(self):
        """Subject, reply subject, whether nobody was there, payload."""
        while True:
            words = self._file.readline().decode().split()
            if not words:
                raise AssertionError("the server closed the connection")
            if words[0] == "PING":
                self._send(b"PONG\r\n")
            elif words[0] in ("MSG", "HMSG"):
                size = int(words[-1])
                content = self._file.read(size + 2)[:size]
                n_headers = int(words[-2]) if words[0] == "HMSG" else 0
                has_reply = len(words) == (5 if words[0] == "MSG" else 6)
                return (words[1], words[3] if has_reply else "", b" 503" in content[:n_headers].split(b"\r\n")[0],
                        content[n_headers:])
            elif words[0] == "-ERR":
                raise AssertionError(" ".join(words))

    def ask(self, subject, payload=b""):
        """The answer; none when nobody is subscribed."""
        inbox = f"_INBOX.{self._next_id}"
        self.subscribe(inbox)
        self.publish(subject, payload, inbox)
        _, _, is_nobody, answer = self.next()
        return None if is_nobody else answer
