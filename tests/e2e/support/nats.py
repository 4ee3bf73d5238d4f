# SPDX-License-Identifier: Apache-2.0
"""A NATS server of a test, and a client that knows no more of the protocol than tests need."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

SERVER = shutil.which("nats-server", path=os.environ.get("PATH", "") + ":/usr/sbin")


class NatsServer:
    """A server on a free port of the loopback. `configuration` is what stands in its file besides the
    address."""

    def __init__(self, folder, configuration="max_payload: 2MB\n"):
        file = pathlib.Path(folder) / "nats.conf"
        file.write_text(f'listen: "127.0.0.1:-1"\nports_file_dir: "{folder}"\n{configuration}')
        self.process = subprocess.Popen([SERVER, "-c", file], stderr=subprocess.DEVNULL)
        ports = pathlib.Path(folder) / f"nats-server_{self.process.pid}.ports"
        deadline = time.monotonic() + 60
        self.url = None
        while self.url is None:
            try:
                self.url = json.loads(ports.read_text())["nats"][0]
            except (OSError, ValueError):
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.02)
        self.port = int(self.url.rsplit(":", 1)[1])

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Client:
    """One connection, one thing at a time."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.stream = self.socket.makefile("rb")
        self.stream.readline()  # INFO
        self.n_subscriptions = 0
        self.socket.sendall(b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n')

    def close(self):
        self.stream.close()
        self.socket.close()

    def subscribe(self, subject):
        self.n_subscriptions += 1
        self.socket.sendall(f"SUB {subject} {self.n_subscriptions}\r\n".encode())

    def publish(self, subject, payload=b"", reply=""):
        self.socket.sendall(f"PUB {subject} {reply} {len(payload)}\r\n".encode() + payload + b"\r\n")

    def next(self):
        """Payload of the next message; none when the server says that nobody is subscribed."""
        while True:
            words = self.stream.readline().split()
            if not words:
                raise ConnectionError("the server has closed the connection")
            if words[0] == b"PING":
                self.socket.sendall(b"PONG\r\n")
            elif words[0] in (b"MSG", b"HMSG"):
                payload = self.stream.read(int(words[-1]) + 2)[:-2]
                return payload if words[0] == b"MSG" else None
            elif words[0] == b"-ERR":
                raise ConnectionError(b" ".join(words).decode())

    def request(self, subject, payload=b""):
        """The answer to a request."""
        inbox = f"_INBOX.{self.n_subscriptions}"
        self.subscribe(inbox)
        self.publish(subject, payload, inbox)
        return self.next()

    def stream_request(self, subject, payload=b""):
        """The elements of an answer, message by message, as they are encoded
        (docs/spec/07-cluster-protocol.md, section 6); each is acknowledged."""
        inbox = f"stream-response.{self.n_subscriptions}"
        self.subscribe(inbox)
        self.publish(subject, payload, inbox)
        result = []
        while True:
            message = self.next()
            assert int.from_bytes(message[1:5], "little") == len(result)
            if message[0] == 1:
                return result + [message[5:]]
            result.append(message[5:-47])
            self.publish(message[-46:].decode(), message[1:5])
