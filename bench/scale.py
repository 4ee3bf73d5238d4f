#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Says how a cluster of 1 to 1,000 plotters behaves: what limits it first, and what helps.

    bench/scale.py [--write docs/scale.md]

Without --write the tables are printed. docs/scale.md explains the figures below and the formulas; the
part of it between the two marks is written by this program, and a test holds both against each other.

Two things are computed. Formulas say what a stream carries over a line of some latency, and how many
plotters one server, one cache or one controller is enough for. A simulation says what comes of it when
all of it works at once:

* Each plotter downloads one sector at a time, encodes one at a time, and delivers up to two, as the
  node does (host/node/plotter_run.cpp). Sectors that are downloaded or encoded take the places of
  `sectors_in_memory`; one that is encoded waits for one of `OUTPUT_BUFFERS`. Farmers ask at once.
* Downloads and deliveries are flows. Each has a limit of its own: its windows, its share of the
  plotter's network. What they have in common, the server, is shared evenly among those that are not
  held up by their own limit.
* How long a sector is encoded varies by a tenth around the figure of its kind, and plotters begin at
  random moments, by a generator with a fixed seed: the same run gives the same figures.
"""

import argparse
import dataclasses
import heapq
import math
import pathlib
import random
import sys

from model import table

MARKS = ("<!-- written by scale.py -->", "<!-- until here -->")
MIB = 1 << 20
GIB = 1 << 30

# Sizes of the protocol, for sectors of 1000 pieces (docs/spec/07-cluster-protocol.md).
PIECES = 1000
SECTOR = 1_057_784_064
PIECE_ELEMENT = 8 + 4 + 1_049_560
MAX_PAYLOAD = 2 * MIB
AROUND_A_MESSAGE = 1 + 4 + 1 + 47  # of a Continue: variant, index, count, acknowledgement subject
WINDOW = 2  # messages that may be unacknowledged


@dataclasses.dataclass(frozen=True)
class Measured:
    """Figures of one node; FIGURES says what each is and where it comes from."""
    connection: float = 0.568 * GIB
    sector_stream: float = 0.445 * GIB
    piece_stream: float = 0.393 * GIB
    server_seconds: float = 2.09
    client_seconds: float = 1.33
    find_seconds: float = 0.0011
    record_seconds: float = 0.120
    layout_seconds: float = 0.40
    check_seconds: float = 1.75
    store_seconds: float = 1.17


MEASURED = Measured()

STREAM_PAGE = "[cluster-stream](../bench/results/2026-11-30-cluster-stream.md)"
ENCODER_PAGE = "[encoder](../bench/results/2026-11-27-encoder.md)"
DOWNLOAD_PAGE = "[download](../bench/results/2026-11-30-download.md)"
# What it is, how it is shown, and the page that it was measured on.
FIGURES = (
    ("plain publish, one connection to another", f"{MEASURED.connection / GIB:g} GiB/s", STREAM_PAGE),
    ("stream of sectors", f"{MEASURED.sector_stream / GIB:g} GiB/s", STREAM_PAGE),
    ("stream of pieces", f"{MEASURED.piece_stream / GIB:g} GiB/s", STREAM_PAGE),
    ("server, for a GiB that passes through it as a stream", f"{MEASURED.server_seconds:g} s of a core", STREAM_PAGE),
    ("sender and taker of a stream together, for a GiB", f"{MEASURED.client_seconds:g} s of a core", STREAM_PAGE),
    ("controller, places of 1000 pieces", f"at most {1000 * MEASURED.find_seconds:g} ms of a core", STREAM_PAGE),
    ("a record on the CPU, AVX-512, two at a time", f"{1000 * MEASURED.record_seconds:g} ms", ENCODER_PAGE),
    ("layout of a sector", f"{MEASURED.layout_seconds:g} s of a core", "[notes](../bench/NOTES.md)"),
    ("1000 pieces hashed, copied and proven", f"{MEASURED.check_seconds:g} s of a core", DOWNLOAD_PAGE),
    ("1000 pieces read from a store and proven, beside hash and copy", f"{MEASURED.store_seconds:g} s of a core",
     DOWNLOAD_PAGE),
)

# Assumed.
NETWORKS = {"10 Gbit/s": 10e9 / 8 * 0.94, "25 Gbit/s": 25e9 / 8 * 0.94, "100 Gbit/s": 100e9 / 8 * 0.94}
SERVER_CORES = 16
CACHE_CORES = 8
CACHE_NETWORK = NETWORKS["10 Gbit/s"]
OUTPUT_BUFFERS = 2
JITTER = 0.1
SEED = 17


@dataclasses.dataclass(frozen=True)
class Plotter:
    """A machine that plots."""
    name: str
    sector_seconds: float   # of the encoder
    sectors_in_memory: int
    network: float          # bytes a second, each way

    def own_rate(self):
        """Sectors a second, were there nothing but its encoder."""
        return 1 / self.sector_seconds

    def line(self):
        """Bytes a second each way of its one connection."""
        return min(self.network, MEASURED.connection)


def cpu_seconds(cores):
    """Of a sector on a CPU plotter, all its cores shared by all that it does for one."""
    return (PIECES * MEASURED.record_seconds + MEASURED.layout_seconds + MEASURED.check_seconds +
            MEASURED.client_seconds / 2 * 2 * SECTOR / GIB) / cores


PLOTTERS = (
    Plotter("CPU, 16 cores", cpu_seconds(16), 2, NETWORKS["10 Gbit/s"]),
    Plotter("RTX 3060 (predicted)", 1.928, 3, NETWORKS["10 Gbit/s"]),
    Plotter("H200 (predicted)", 0.390, 3, NETWORKS["25 Gbit/s"]),
)

ROUND_TRIPS_MS = (0.2, 1, 2, 5, 10, 20, 50, 100, 200)
SIZES = (1, 3, 10, 30, 100, 300, 1000)


def chunk_size(max_payload):
    """Bytes of a sector in a message."""
    return max_payload // 10 * 9 + max_payload % 10 * 9 // 10


def pieces_in_messages(max_payload, count=PIECES):
    """How many pieces each message of a stream has, by the rule of packing: elements are added below
    nine tenths of a message; what does not fit is sent alone, before anything else is taken."""
    messages = []
    left = count
    overflow = 0
    while left or overflow:
        taken = overflow
        overflow = 0
        if taken == 0:
            while left and taken * PIECE_ELEMENT < chunk_size(max_payload):
                taken += 1
                left -= 1
        while taken * PIECE_ELEMENT + AROUND_A_MESSAGE > max_payload:
            taken -= 1
            overflow += 1
        messages.append(taken)
    return messages


def window_bytes(what, max_payload):
    """Bytes that are on their way at most, on average."""
    if what == "sector":
        return WINDOW * chunk_size(max_payload)
    messages = pieces_in_messages(max_payload)
    return WINDOW * PIECES * PIECE_ELEMENT / len(messages)


def stream_rate(what, round_trip, max_payload=MAX_PAYLOAD):
    """Bytes a second of one stream: a window for each round, which is the latency and what the bytes
    take without any."""
    window = window_bytes(what, max_payload)
    alone = MEASURED.sector_stream if what == "sector" else MEASURED.piece_stream
    return window / (round_trip + window / alone)


def server_rate(network):
    """Bytes a second that a server passes on: each comes in once and goes out once."""
    return min(network, SERVER_CORES / MEASURED.server_seconds * GIB)


def cache_rate():
    """Sectors' worth of pieces a second of one cache machine: reading, verifying and sending."""
    cores = MEASURED.store_seconds + MEASURED.client_seconds / 2 * PIECES * PIECE_ELEMENT / GIB
    return min(CACHE_NETWORK / (PIECES * PIECE_ELEMENT), CACHE_CORES / cores)


@dataclasses.dataclass(frozen=True)
class Setup:
    """A cluster, or one of its regions: `plotters` alike behind one server."""
    plotter: Plotter
    plotters: int
    server: float            # bytes a second
    pieces_pass: bool        # whether pieces come through the server, or from beside the plotter
    round_trip: float = 0.001
    streams: int = 1         # of pieces at a time: caches that a download reads
    max_payload: int = MAX_PAYLOAD

    def download_limit(self):
        """Bytes a second of one download."""
        if not self.pieces_pass:
            return math.inf
        return min(self.plotter.line(),
                   self.streams * stream_rate("pieces", self.round_trip, self.max_payload))

    def delivery_limit(self):
        """Bytes a second of one of the deliveries."""
        return min(self.plotter.line() / OUTPUT_BUFFERS,
                   stream_rate("sector", self.round_trip, self.max_payload))


@dataclasses.dataclass
class Outcome:
    rate: float = 0.0     # sectors a second, of all
    server: float = 0.0   # part of the server's bandwidth that was used
    encoders: float = 0.0  # part of the time in which they encoded


class Flows:
    """Transfers that all have the same rate at any time. What each has had, if it had begun with the
    first of them, is `level`; so one is over when that has grown by its size."""

    def __init__(self, limit):
        self.limit = limit
        self.rate = 0.0
        self.level = 0.0
        self.ends = []

    def begin(self, size, plotter):
        heapq.heappush(self.ends, (self.level + size, plotter))

    def time_left(self):
        if not self.ends:
            return math.inf
        if self.rate == math.inf:
            return 0.0
        return (self.ends[0][0] - self.level) / self.rate if self.rate > 0 else math.inf

    def advance(self, time):
        if self.ends and self.rate != math.inf:
            self.level += self.rate * time

    def take(self):
        level, plotter = heapq.heappop(self.ends)
        self.level = max(self.level, level)
        return plotter


def share(capacity, flows):
    """Sets the rates of `flows`, which have `capacity` in common: even, but for what cannot use it."""
    left = capacity
    waiting = sorted((flow for flow in flows if flow.ends), key=lambda flow: flow.limit)
    count = sum(len(flow.ends) for flow in waiting)
    for flow in waiting:
        flow.rate = min(flow.limit, left / count)
        left -= flow.rate * len(flow.ends)
        count -= len(flow.ends)


class Simulation:
    """Of one setup, until as many sectors are delivered as tell its rate."""

    def __init__(self, setup):
        self.setup = setup
        self.random = random.Random(SEED)
        self.downloads = Flows(setup.download_limit())
        self.deliveries = Flows(setup.delivery_limit())
        self.encodings = []  # (end, plotter)
        count = setup.plotters
        self.in_memory = [0] * count
        self.downloading = [False] * count
        self.encoding = [False] * count
        self.ready = [0] * count      # downloaded, not yet encoded
        self.encoded = [0] * count    # waiting for an output buffer
        self.delivering = [0] * count
        self.now = 0.0
        self.busy = 0.0               # seconds of encoders
        self.passed = 0.0             # bytes through the server
        self.sent = 0.0               # bytes of sectors
        self.delivered = 0

    def start(self, plotter):
        """Begins whatever the plotter can begin."""
        while self.encoded[plotter] and self.delivering[plotter] < OUTPUT_BUFFERS:
            self.encoded[plotter] -= 1
            self.in_memory[plotter] -= 1
            self.delivering[plotter] += 1
            self.deliveries.begin(SECTOR, plotter)
        if not self.downloading[plotter] and self.in_memory[plotter] < self.setup.plotter.sectors_in_memory:
            self.in_memory[plotter] += 1
            self.downloading[plotter] = True
            self.downloads.begin(PIECES * PIECE_ELEMENT, plotter)
        if not self.encoding[plotter] and self.ready[plotter]:
            self.ready[plotter] -= 1
            self.encoding[plotter] = True
            seconds = self.setup.plotter.sector_seconds * self.random.uniform(1 - JITTER, 1 + JITTER)
            heapq.heappush(self.encodings, (self.now + seconds, plotter))

    def step(self):
        """Goes on to the next event."""
        self.downloads.rate = self.downloads.limit
        shared = [self.deliveries] + ([self.downloads] if self.setup.pieces_pass else [])
        share(self.setup.server, shared)
        times = (self.downloads.time_left(), self.deliveries.time_left(),
                 self.encodings[0][0] - self.now if self.encodings else math.inf)
        time = max(0.0, min(times))
        self.now += time
        self.busy += time * len(self.encodings)
        self.passed += time * sum(flow.rate * len(flow.ends) for flow in shared)
        self.sent += time * self.deliveries.rate * len(self.deliveries.ends)
        for flow in (self.downloads, self.deliveries):
            flow.advance(time)
        which = times.index(min(times))
        if which == 0:
            plotter = self.downloads.take()
            self.downloading[plotter] = False
            self.ready[plotter] += 1
        elif which == 1:
            plotter = self.deliveries.take()
            self.delivering[plotter] -= 1
            self.delivered += 1
        else:
            _, plotter = heapq.heappop(self.encodings)
            self.encoding[plotter] = False
            self.encoded[plotter] += 1
        self.start(plotter)

    def run_until(self, delivered):
        while self.delivered < delivered:
            self.step()

    def run(self):
        for plotter in range(self.setup.plotters):
            # As if each had come with a part of its first sector encoded.
            self.in_memory[plotter] = 1
            self.encoding[plotter] = True
            first = self.setup.plotter.sector_seconds * self.random.random()
            heapq.heappush(self.encodings, (first, plotter))
            self.start(plotter)
        self.run_until(7 * self.setup.plotters + 50)  # until what is in memory no longer matters
        begin, busy, passed, sent = self.now, self.busy, self.passed, self.sent
        self.run_until(self.delivered + max(4 * self.setup.plotters, 200))
        time = self.now - begin
        return Outcome(rate=(self.sent - sent) / SECTOR / time,
                       server=(self.passed - passed) / time / self.setup.server,
                       encoders=(self.busy - busy) / time / self.setup.plotters)


def simulate(setup):
    return Simulation(setup).run()


def limit_of(setup, outcome):
    """What the plotters waited for, in words."""
    if outcome.encoders > 0.95:
        return "encoders"
    if outcome.server > 0.95:
        return "server"
    plotter = setup.plotter
    windows = min(OUTPUT_BUFFERS * stream_rate("sector", setup.round_trip, setup.max_payload),
                  setup.streams * stream_rate("pieces", setup.round_trip, setup.max_payload)
                  if setup.pieces_pass else math.inf)
    return "windows" if windows < plotter.line() else "plotter's connection"


def number(value):
    """Three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def percent(part):
    return f"{100 * part:.0f} %" if part >= 0.01 else f"{100 * part:.1g} %"


def node_table():
    rows = []
    for plotter in PLOTTERS:
        rate = plotter.own_rate()
        rows.append((plotter.name, number(plotter.sector_seconds), number(rate),
                     number(rate * PIECES * PIECE_ELEMENT / MIB), number(rate * SECTOR / MIB),
                     number(rate * MEASURED.client_seconds / 2 *
                            (PIECES * PIECE_ELEMENT + SECTOR) / GIB)))
    return table(("plotter", "seconds a sector", "sectors a second", "pieces in, MiB/s",
                  "sectors out, MiB/s", "cores that this takes"), rows)


def window_table(max_payload):
    rows = []
    for round_trip_ms in ROUND_TRIPS_MS:
        round_trip = round_trip_ms / 1000
        sectors = stream_rate("sector", round_trip, max_payload)
        pieces = stream_rate("pieces", round_trip, max_payload)
        rows.append((f"{round_trip_ms:g}", number(sectors / MIB), number(SECTOR / sectors),
                     number(pieces / MIB), number(PIECES * PIECE_ELEMENT / pieces),
                     *(percent(alone(plotter, round_trip, streams, max_payload))
                       for plotter in PLOTTERS for streams in (1, 8))))
    return table(("round trip, ms", "sector, MiB/s", "s a sector", "pieces, MiB/s", "s a sector",
                  *(f"{plotter.name}, {caches}" for plotter in PLOTTERS
                    for caches in ("1 cache", "8 caches"))), rows)


def alone(plotter, round_trip, streams, max_payload):
    """The part of its speed that a plotter reaches behind a server that never limits it."""
    outcome = simulate(Setup(plotter, 1, math.inf, True, round_trip, streams, max_payload))
    return outcome.rate / plotter.own_rate()


def enough_table():
    """How many plotters one of each is enough for."""
    both = SECTOR + PIECES * PIECE_ELEMENT
    rows = []
    for name, network in NETWORKS.items():
        for how, size in (("pieces through it", both), ("caches beside plotters", SECTOR)):
            rows.append((f"server, {name}, {how}", server_rate(network) / size))
    rows.append((f"cache machine, {CACHE_CORES} cores, 10 Gbit/s", cache_rate()))
    rows.append(("controller, for each core", 1 / MEASURED.find_seconds))
    rows.append(("farm machine, 10 Gbit/s", NETWORKS["10 Gbit/s"] / SECTOR))
    return table(("one", "sectors a second", *(plotter.name for plotter in PLOTTERS)),
                 ((name, number(rate), *(number(rate / plotter.own_rate()) for plotter in PLOTTERS))
                  for name, rate in rows))


def cell(setup):
    outcome = simulate(setup)
    reached = outcome.rate / setup.plotters / setup.plotter.own_rate()
    return f"{number(outcome.rate)} ({percent(reached)}), {limit_of(setup, outcome)}"


def servers_needed(plotter, count, pieces_pass):
    """Of 25 Gbit/s, nine tenths used, for all that the plotters could do."""
    size = SECTOR + (PIECES * PIECE_ELEMENT if pieces_pass else 0)
    return math.ceil(count * plotter.own_rate() * size / (0.9 * server_rate(NETWORKS["25 Gbit/s"])))


def size_table(plotter):
    rows = []
    for count in SIZES:
        row = [f"{count:,}", number(count * plotter.own_rate())]
        for network, pieces_pass in (("10 Gbit/s", True), ("10 Gbit/s", False), ("100 Gbit/s", True),
                                     ("100 Gbit/s", False)):
            row.append(cell(Setup(plotter, count, server_rate(NETWORKS[network]), pieces_pass)))
        for pieces_pass in (True, False):
            row.append(f"{servers_needed(plotter, count, pieces_pass):,}")
        row.append(number(count * plotter.own_rate() / cache_rate()))
        rows.append(row)
    return table(("plotters", "could do", "10 Gbit/s, pieces through it", "10 Gbit/s, caches beside",
                  "100 Gbit/s, pieces through it", "100 Gbit/s, caches beside",
                  "servers of 25 Gbit/s for all, pieces through", "caches beside", "cache machines for all"), rows)


def report():
    """Lines of the written part of docs/scale.md."""
    yield "### Measured figures that all of it is made of"
    yield ""
    yield from table(("what", "figure", "from"), FIGURES)
    yield ""
    yield "### One plotter"
    yield ""
    yield from node_table()
    yield ""
    yield "### Windows"
    for max_payload in (MAX_PAYLOAD, 4 * MAX_PAYLOAD):
        yield ""
        yield f"`max_payload` of {max_payload // MIB} MiB:"
        yield ""
        yield from window_table(max_payload)
    yield ""
    yield "### What one is enough for"
    yield ""
    yield from enough_table()
    for plotter in PLOTTERS:
        yield ""
        yield f"### {plotter.name}"
        yield ""
        yield from size_table(plotter)


class NoMarks(Exception):
    """A page that has not each of the marks once."""


def parts_of(text):
    """What stands before, between and behind the marks."""
    if any(text.count(mark) != 1 for mark in MARKS):
        raise NoMarks(f"expected each of the marks {MARKS[0]} and {MARKS[1]} once")
    before, rest = text.split(MARKS[0])
    between, behind = rest.split(MARKS[1])
    return before, between, behind


def written():
    return "\n\n" + "\n".join(report()) + "\n\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--write", metavar="FILE", type=pathlib.Path,
                        help="put the tables between the marks of FILE")
    arguments = parser.parse_args()
    if arguments.write is None:
        print("\n".join(report()))
        return 0
    try:
        before, _, behind = parts_of(arguments.write.read_text(encoding="utf-8"))
        arguments.write.write_text(before + MARKS[0] + written() + MARKS[1] + behind, encoding="utf-8")
    except (NoMarks, OSError) as error:
        print(f"scale.py: {arguments.write}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
