# SPDX-License-Identifier: Apache-2.0
"""The line between two network namespaces: takes the packets out of a TUN device in one, and puts them into that of
the other, later, or not at all. A program, because it has to be awake at once whatever a test does:

    line_relay.py PID PID SEED        processes whose network namespaces are joined

It is told on standard input how the line is, a JSON object a line: delay_ms (in each direction), loss (the share of
packets), is_cut. It prints a line when the change is made, and at the end of input the counts, as JSON."""

import collections
import ctypes
import fcntl
import json
import os
import random
import select
import struct
import subprocess
import sys
import time

ADDRESSES = ("10.98.0.1", "10.98.0.2")
DEVICE = "line"
_CLONE_NEWNET = 0x40000000
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_LONGEST_PACKET = 1 << 16
_PACKETS_AT_ONCE = 64


def _enter(namespace):
    with open(namespace, "rb") as file:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(file.fileno(), _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {namespace}")


def open_device(namespace, own_address, other_address):
    """A TUN device in the namespace: its descriptor is of use from everywhere."""
    _enter(namespace)
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH", DEVICE.encode(), _IFF_TUN | _IFF_NO_PI))
    for words in (["addr", "add", own_address, "peer", other_address, "dev", DEVICE],
                  ["link", "set", DEVICE, "up", "mtu", "1500", "txqueuelen", "10000"], ["link", "set", "lo", "up"]):
        subprocess.run(["ip", *words], check=True)
    return device


class Direction:
    """Packets on their way, in order; each has the time at which it arrives."""

    def __init__(self, source, target):
        self.source = source
        self.target = target
        self.packets = collections.deque()

    def take(self, delay, is_lost, counts):
        for _ in range(_PACKETS_AT_ONCE):
            try:
                packet = os.read(self.source, _LONGEST_PACKET)
            except BlockingIOError:
                return
            counts["packets"] += 1
            if is_lost():
                counts["lost"] += 1
            else:
                self.packets.append((time.monotonic() + delay, packet))

    def give(self, now):
        while self.packets and self.packets[0][0] <= now:
            try:
                os.write(self.target, self.packets[0][1])
            except BlockingIOError:
                return
            except OSError:
                pass  # the device is down: lost
            self.packets.popleft()


def relay(devices, seed):
    draw = random.Random(seed)
    line = {"delay_ms": 0, "loss": 0, "is_cut": False}
    counts = {"packets": 0, "lost": 0}
    directions = [Direction(*devices), Direction(*reversed(devices))]
    poll = select.poll()
    for descriptor in (*devices, sys.stdin.fileno()):
        poll.register(descriptor, select.POLLIN)

    def is_lost():
        return line["is_cut"] or (line["loss"] > 0 and draw.random() < line["loss"])

    while True:
        first = min((direction.packets[0][0] for direction in directions if direction.packets), default=None)
        wait = None if first is None else max(0, (first - time.monotonic()) * 1000)
        ready = {descriptor for descriptor, _ in poll.poll(wait)}
        if sys.stdin.fileno() in ready:
            change = sys.stdin.readline()
            if not change:
                return counts
            line.update(json.loads(change))
            print("{}", flush=True)
        for direction in directions:
            if direction.source in ready:
                direction.take(line["delay_ms"] / 1000, is_lost, counts)
            direction.give(time.monotonic())


def main():
    left, right, seed = (int(word) for word in sys.argv[1:])
    devices = [open_device(f"/proc/{left}/ns/net", *ADDRESSES), open_device(f"/proc/{right}/ns/net", *ADDRESSES[::-1])]
    print("{}", flush=True)
    print(json.dumps(relay(devices, seed)), flush=True)


if __name__ == "__main__":
    main()
