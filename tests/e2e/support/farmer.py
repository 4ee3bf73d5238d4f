# SPDX-License-Identifier: Apache-2.0
"""The farmer of a cluster, who shares nothing with the program: what he asks plotters, and what he takes of
their answers (docs/spec/07-cluster-protocol.md, sections 6 and 7)."""

import dataclasses
import os
import struct

PING, DOWNLOADING, DOWNLOADED, ENCODING, ENCODED, FINISHED, CHUNK, FAILED = 1, 2, 3, 4, 5, 6, 7, 8
OCCUPIED = 0
_SECTOR_METADATA = 131_116
_DURATION = 12


def compact(data, at):
    """A compact number of SCALE, and where it ends."""
    mode = data[at] & 3
    size = (1, 2, 4)[mode]
    return int.from_bytes(data[at:at + size], "little") >> 2, at + size


def request(sector, pieces):
    """Plot sector request, 110 bytes; history sizes are stored minus one."""
    protocol_info = struct.pack("<QHQQQQ", 0, 1000, 4, 0, 9, 3)
    return b"\xaa" * 32 + b"\xbb" * 32 + struct.pack("<H", sector) + protocol_info + struct.pack("<H", pieces)


@dataclasses.dataclass
class Message:
    """Of a stream."""

    is_last: bool
    index: int
    elements: list  # kind and bytes: of chunks and errors without their lengths
    ack_subject: str


def decode(payload):
    is_last, index = payload[0] == 1, int.from_bytes(payload[1:5], "little")
    n, at = compact(payload, 5)
    found = []
    for _ in range(n):
        kind, begin = payload[at], at
        at += 1
        if kind in (DOWNLOADED, ENCODED):
            at += _DURATION
        elif kind == FINISHED:
            at += 34 + _SECTOR_METADATA
            n_pieces, at = compact(payload, at)
            at += 8 * n_pieces + _DURATION
        elif kind in (CHUNK, FAILED):
            size, at = compact(payload, at + (1 if kind == CHUNK else 0))
            begin = at
            at += size
        found.append((kind, payload[begin:at]))
    return Message(is_last, index, found, "" if is_last else payload[at + 1:].decode())


@dataclasses.dataclass
class Answer:
    """Everything that came of a request."""

    kinds: list = dataclasses.field(default_factory=list)
    metadata: bytes = b""  # of the plotted sector
    sector: bytearray = dataclasses.field(default_factory=bytearray)
    error: str = ""

    def take(self, element):
        kind, content = element
        self.kinds.append(kind)
        if kind == CHUNK:
            self.sector += content
        elif kind == FAILED:
            self.error += content.decode()
        elif kind == FINISHED:
            self.metadata = content[:-_DURATION]


class Farmer:
    """Over one connection, one sector at a time."""

    def __init__(self, client):
        self.client = client
        self.stream = None

    def close(self):
        self.client.close()

    def free_instance(self, timeout=60):
        """The identifier of a plotter; none when all are full, or there is none."""
        answer = self.client.request("ab.plotter.free-instance", timeout=timeout)
        if not answer or answer == b"\x00":
            return None
        if answer[:2] != b"\x01\x68":
            raise ValueError(f"free instance: {answer!r}")
        return answer[2:].decode()

    def begin(self, plotter, payload):
        subject = f"stream-response.{os.urandom(8).hex()}"
        self.stream = self.client.subscribe(subject)
        self.client.publish(f"ab.plotter.{plotter}.plot-sector", payload, subject)

    def next(self, timeout=60):
        """The next message, unacknowledged; none when nobody is there."""
        payload = self.client.next(timeout, self.stream)
        return None if payload is None else decode(payload)

    def acknowledge(self, message):
        self.client.publish(message.ack_subject, struct.pack("<I", message.index))

    def take(self, answer, timeout=60):
        """One message, acknowledged; whether it was the last one."""
        message = self.next(timeout)
        if message is None:
            raise ConnectionError("the plotter is gone")
        if not message.is_last:
            self.acknowledge(message)
        for element in message.elements:
            answer.take(element)
        if message.is_last:
            self.forget()
        return message.is_last

    def take_until(self, kind, timeout=60):
        """Takes messages up to the first with such an element."""
        answer = Answer()
        while kind not in answer.kinds:
            if self.take(answer, timeout):
                raise ValueError(f"the stream has ended: {answer.kinds}, {answer.error}")
        return answer

    def take_all(self, timeout=60):
        answer = Answer()
        while not self.take(answer, timeout):
            pass
        return answer

    def plot(self, plotter, payload, timeout=60):
        self.begin(plotter, payload)
        return self.take_all(timeout)

    def forget(self):
        """Nothing more is wanted of the stream."""
        if self.stream is not None:
            self.client.unsubscribe(self.stream)
            self.stream = None
