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
    """A server on a free port of the loopback, or of another address. `configuration` is what stands in its
    file besides the address, `prefix` a command to run it under."""

    def __init__(self, folder, configuration="max_payload: 2MB\n", address="127.0.0.1", prefix=()):
        file = pathlib.Path(folder) / "nats.conf"
        file.write_text(f'listen: "{address}:-1"\nports_file_dir: "{folder}"\n{configuration}')
        self.log = pathlib.Path(folder) / "nats.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*prefix, SERVER, "-c", file], stderr=log)
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
    """One connection, one thing at a time. `login` is what the server wants to know besides: members of the
    CONNECT message, or a function that makes them of the server's INFO; `tls` a context of the module ssl.
    `receive_buffer` bytes are what the system takes for it before it asks."""

    def __init__(self, port, address="127.0.0.1", login=None, tls=None, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.received = bytearray()
        self.n_subscriptions = 0
        try:
            self.socket.settimeout(60)
            self.socket.connect((address, port))
            info = json.loads(self.line().partition(b" ")[2])
            if tls is not None:
                self.socket = tls.wrap_socket(self.socket, server_hostname=address)
            connect = {"verbose": False, "headers": True, "no_responders": True}
            connect.update(login(info) if callable(login) else login or {})
            self.send(f"CONNECT {json.dumps(connect)}\r\nPING\r\n".encode())
            while not (line := self.line()).startswith(b"PONG"):
                if line.startswith(b"-ERR"):
                    raise ConnectionError(line.decode().strip())
        except BaseException:
            self.close()
            raise

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.settimeout(60)
        self.socket.sendall(data)

    def receive(self, deadline):
        self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionError("the server has closed the connection")
        self.received += data

    def take(self, size):
        data = bytes(self.received[:size])
        del self.received[:size]
        return data

    def line(self, deadline=None):
        deadline = deadline or time.monotonic() + 60
        while (end := self.received.find(b"\n")) < 0:
            self.receive(deadline)
        return self.take(end + 1)

    def block(self, size, deadline):
        while len(self.received) < size:
            self.receive(deadline)
        return self.take(size)

    def subscribe(self, subject):
        """The number of the subscription."""
        self.n_subscriptions += 1
        self.send(f"SUB {subject} {self.n_subscriptions}\r\n".encode())
        return self.n_subscriptions

    def unsubscribe(self, number):
        self.send(f"UNSUB {number}\r\n".encode())

    def publish(self, subject, payload=b"", reply=""):
        self.send(f"PUB {subject} {reply} {len(payload)}\r\n".encode() + payload + b"\r\n")

    def next(self, timeout=60, of=None):
        """Payload of the next message, of a subscription if one is given; none when the server says that nobody
        is subscribed. Raises TimeoutError when it is not there by then: the connection is of no use any more."""
        deadline = time.monotonic() + timeout
        while True:
            words = self.line(deadline).split()
            if words[0] == b"PING":
                self.send(b"PONG\r\n")
            elif words[0] in (b"MSG", b"HMSG"):
                payload = self.block(int(words[-1]) + 2, deadline)[:-2]
                if of is None or int(words[2]) == of:
                    return payload if words[0] == b"MSG" else None
            elif words[0] == b"-ERR":
                raise ConnectionError(b" ".join(words).decode())

    def request(self, subject, payload=b"", timeout=60):
        """The answer to a request."""
        inbox = f"_INBOX.{id(self)}.{self.n_subscriptions}"
        number = self.subscribe(inbox)
        self.publish(subject, payload, inbox)
        try:
            return self.next(timeout, number)
        finally:
            self.unsubscribe(number)

    def stream_request(self, subject, payload=b""):
        """The elements of an answer, message by message, as they are encoded
        (docs/spec/07-cluster-protocol.md, section 6); each is acknowledged."""
        inbox = f"stream-response.{id(self)}.{self.n_subscriptions}"
        number = self.subscribe(inbox)
        self.publish(subject, payload, inbox)
        result = []
        while True:
            message = self.next(of=number)
            assert int.from_bytes(message[1:5], "little") == len(result)
            if message[0] == 1:
                self.unsubscribe(number)
                return result + [message[5:]]
            result.append(message[5:-47])
            self.publish(message[-46:].decode(), message[1:5])
