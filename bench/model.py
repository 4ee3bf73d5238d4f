#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Predicts from compiled kernels how long a record takes at the limits of a card.

    bench/model.py --sass build/release/cuda_report/sass.json [--write bench/model.md] [--json FILE]

Every kernel is taken apart into the instructions outside of its loops and those inside of each, as
tools/sass_counts.py counts them, and each part is multiplied by how often warps go through it for
one record (or, for the layout of a sector, for 1000 pieces). That, divided by what a multiprocessor
carries out in a clock, gives the least time for each pipe; the bytes that must move give the least
time for memory. Nothing here knows of latencies, barriers and idle lanes, so a card needs longer;
how much longer is what bench_cuda measures.

The part of model.md between the two marks is written by this program.
"""

import argparse
import json
import pathlib
import sys

MARKS = ("<!-- written by model.py -->", "<!-- until here -->")
MIB = 1 << 20
ENTRIES = 1 << 20  # of each table, on average, K = 20
BUCKET_PAIRS = 4440
WARPS_WITH_WORK = 8  # of the 9 of a block: 236 of 288 threads have an entry or a match
CHUNKS = 1 << 15
PIECES = 1000

# Warp instructions that a multiprocessor carries out in a clock.
RATES = {"issue": 4, "alu": 2, "fma": 2, "xu": 0.5, "lsu": 1}

# Multiprocessors, GHz under load, bytes a second from memory, bytes of L2, cubins counted.
CARDS = {
    "H200": (132, 1.98, 4.3e12, 60e6, 90),
    "RTX 4090": (128, 2.52, 0.93e12, 72e6, 86),
    "RTX 3060": (28, 1.78, 0.33e12, 3e6, 86),
}


class ModelError(Exception):
    """The kernels are not those that the model was made for."""


def add(total, pipes, times=1.0):
    for pipe, count in pipes.items():
        total[pipe] = total.get(pipe, 0) + count * times
    return total


def own_parts(kernel):
    """Instructions of a kernel outside of loops, and of each loop outside of loops inside it."""
    loops = kernel["loops"]

    def without(pipes, inner):
        rest = dict(pipes)
        for loop in inner:
            add(rest, loop["pipes"], -1)
        return rest

    def inside(outer):
        return [loop for loop in loops if loop["depth"] == outer["depth"] + 1
                and outer["first"] <= loop["first"] and loop["last"] <= outer["last"]]

    main = without(kernel["pipes"], [loop for loop in loops if loop["depth"] == 1])
    return main, [(loop, without(loop["pipes"], inside(loop))) for loop in loops]


def straight(kernel, warps):
    """A kernel whose loops only stride over grids: each warp goes through it once."""
    return add({}, kernel["pipes"], warps)


def make_table(kernel):
    """The main loop once for each pair, in it the tests of 32 left entries (8 at a time) by each
    warp, and the short loops over the bins of a sort or the hits of an entry three times, which is
    the usual most of a warp's lanes. Loops of stores alone clear shared memory; the compiler has
    unrolled them further than they run, so what runs is the rest behind them."""
    main, parts = own_parts(kernel)
    longest = max(parts, key=lambda part: sum(part[0]["pipes"].values()))[0]
    inner = [(loop, own) for loop, own in parts if loop["depth"] == longest["depth"] + 1
             and longest["first"] <= loop["first"] and loop["last"] <= longest["last"]]
    if not inner:
        raise ModelError(f"{kernel['kernel']}: expected loops inside the main loop, found none")
    tests = max(inner, key=lambda part: part[1]["alu"])[0]
    warps = BUCKET_PAIRS * WARPS_WITH_WORK
    total = add({}, main, warps / 8)
    for loop, own in parts:
        if loop is longest:
            add(total, own, warps)
        elif loop is tests:
            add(total, own, warps * 4)
        elif 2 * own["lsu"] < sum(own.values()):
            add(total, own, 3 * (warps if (loop, own) in inner else warps / 8))
    return total, {pipe: tests["pipes"][pipe] / 16 for pipe in tests["pipes"]}


def fill_table1(kernel):
    """512 blocks of 4 warps: 80 of 128 threads make keystream, all cut 16 values each."""
    main, parts = own_parts(kernel)
    if len(parts) != 2:
        raise ModelError(f"{kernel['kernel']}: expected 2 loops, found {len(parts)}")
    total = add({}, main, 512 * 4)
    add(total, parts[0][1], 512 * 3)
    return add(total, parts[1][1], 512 * 4 * 16)


def encode_chunks(kernel):
    """1024 blocks of 4 warps, each of which walks 8 proofs, four at a time; one warp then hashes."""
    main, parts = own_parts(kernel)
    if not parts:
        raise ModelError(f"{kernel['kernel']}: expected a loop over proofs, found none")
    total = add({}, main, 1024)
    return add(total, parts[-1][1], 1024 * 4 * 2)


def choose_proofs(kernel):
    """One block of 32 warps; the loops are short but for the 16 rounds of votes."""
    main, parts = own_parts(kernel)
    total = add({}, main, 32)
    for number, (_, own) in enumerate(parts):
        add(total, own, 32 * (16 if number == 0 else 20))
    return total


def place_chunks(kernel):
    """A warp for each column of each group of 32 records; 8 rounds of 4 s-buckets."""
    main, parts = own_parts(kernel)
    warps = 2048 * ((PIECES + 31) // 32)
    total = add({}, main, warps)
    for loop, own in parts:
        add(total, own, warps * (8 if loop["depth"] == 3 else 1))
    return total


class Kernels:
    """The kernels of one architecture by name."""

    def __init__(self, everything, architecture):
        self._architecture = architecture
        self._kernels = {kernel["kernel"]: kernel for kernel in everything
                         if kernel["architecture"] == architecture}

    def __getitem__(self, name):
        try:
            return self._kernels[name]
        except KeyError:
            raise ModelError(f"no kernel {name} for sm_{self._architecture}; "
                             f"there are {', '.join(sorted(self._kernels))}") from None


def written_bytes(table):
    """Bytes that each entry of a table brings to memory: itself and its link, in table 7 its share
    of the targets."""
    return {1: 4, 2: 8 + 4, 6: 8 + 4, 7: 8 / 16}.get(table, 16 + 4)


def read_bytes(table):
    """Bytes that making a table reads of each entry of the one before: short entries need their
    links."""
    return {2: 4, 3: 8 + 4, 7: 8 + 4}.get(table, 16)


def working_set_table():
    """Memory that the making of each table of one record touches, and the most of it that is live:
    read as far as it is still to be read, written as far as it is there."""
    for number in range(2, 8):
        read, written = read_bytes(number), written_bytes(number)
        yield (str(number), f"{read:g}", f"{written:g}", f"{(read + written) * ENTRIES / 1e6:.1f}",
               f"{max(read, written) * ENTRIES / 1e6:.1f}")


def rows_of_record(kernels):
    """Name, instructions by pipe and bytes of memory, for each step of a record."""
    yield "clear_tables", straight(kernels["clear_tables<20>"], 64 * 8), 65536 * 8 + 6 * 4441 * 4
    yield "fill_table1", fill_table1(kernels["fill_table1<20>"]), 4 * ENTRIES
    for table in range(2, 8):
        yield (f"make_table {table}", make_table(kernels[f"make_table<20, {table}>"])[0],
               read_bytes(table) * ENTRIES * 9 / 8 + written_bytes(table) * ENTRIES)
    yield "choose_proofs", choose_proofs(kernels["choose_proofs<20>"]), 65536 * 8 + 65536 + 8192
    erasure = {}
    for direction in (0, 1):
        for layer in (0, 5, 10):
            add(erasure, straight(kernels[f"erasure_pass<{direction}, {layer}>"], 256))
    yield "erasure extend", erasure, 12 * MIB
    # The tables of links and table 1 once; what comes again comes from the L2.
    yield ("encode_chunks", encode_chunks(kernels["encode_chunks<20>"]),
           (5 * 4 + 4) * ENTRIES + 3 * MIB)


def rows_of_sector(kernels):
    """The same for laying out a sector of 1000 pieces."""
    groups = (PIECES + 31) // 32
    count = kernels["count_s_buckets"]
    yield ("count_s_buckets", add(straight(count, 2048), count["loops"][-1]["pipes"], 2048 * groups),
           PIECES * 8192 + groups * 131072)
    yield "place_chunks", place_chunks(kernels["place_chunks"]), 2 * PIECES * MIB
    compression = kernels["probe_compression<16>"]["pipes"]
    chunks = (PIECES * 1057784 + PIECES * 8192) // 1024
    yield "checksums", add({}, compression, chunks * 17 / 32), PIECES * (1057784 + 8192)


def least_seconds(pipes, n_bytes, card):
    """Least time for each resource, in seconds."""
    processors, gigahertz, bandwidth, _, _ = CARDS[card]
    clocks = dict(pipes, issue=sum(pipes.values()))
    times = {name: clocks.get(name, 0) / (rate * processors * gigahertz * 1e9)
             for name, rate in RATES.items()}
    return dict(times, memory=n_bytes / bandwidth)


def predict(everything, rows, card):
    """Rows of (name, least times) for a card, then their sum by resource and that of the longest."""
    kernels = Kernels(everything, CARDS[card][4])
    result = [(name, pipes, n_bytes, least_seconds(pipes, n_bytes, card))
              for name, pipes, n_bytes in rows(kernels)]
    sums = {}
    for _, _, _, times in result:
        add(sums, times)
    return result, sums, sum(max(times.values()) for _, _, _, times in result)


def table(header, rows):
    yield "| " + " | ".join(header) + " |"
    yield "|---" * len(header) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def milliseconds(seconds):
    return f"{1e3 * seconds:.4f}"


def prediction_table(everything, rows, card):
    resources = (*RATES, "memory")
    result, sums, one_by_one = predict(everything, rows, card)
    lines = [(name, f"{sum(pipes.values()) / 1e6:.2f}", f"{n_bytes / 1e6:.1f}",
              *(milliseconds(times[resource]) for resource in resources),
              max(times, key=times.get)) for name, pipes, n_bytes, times in result]
    lines.append(("**sum**", "", "", *(milliseconds(sums[resource]) for resource in resources), ""))
    yield from table(("step", "M warp instructions", "MB", *(f"{r} ms" for r in resources), "limit"),
                     lines)
    yield ""
    yield (f"One kernel after the other, each at its limit: **{1e3 * one_by_one:.3f} ms**. All of "
           f"them overlapped without loss: {1e3 * max(sums.values()):.3f} ms "
           f"({max(sums, key=sums.get)}).")


def compression_table(everything):
    for architecture in (86, 90):
        kernels = Kernels(everything, architecture)
        for words in (6, 16):
            pipes = kernels[f"probe_compression<{words}>"]["pipes"]
            yield (f"sm_{architecture}", f"compression, {4 * words} bytes",
                   str(sum(pipes.values()) - pipes["lsu"]), str(pipes["alu"]), str(pipes["fma"]))
        tests = make_table(kernels["make_table<20, 3>"])[1]
        yield (f"sm_{architecture}", "one match target", f"{sum(tests.values()):.1f}",
               f"{tests['alu']:.1f}", f"{tests['fma']:.1f}")
        kernel = kernels["erasure_pass<0, 5>"]["pipes"]
        yield (f"sm_{architecture}", "one butterfly of two symbols",
               f"{sum(kernel.values()) / 80:.1f}", f"{kernel['alu'] / 80:.1f}",
               f"{kernel['fma'] / 80:.1f}")


def report(everything):
    """Lines of the written part of model.md."""
    yield "### What the compiler made of the inner parts"
    yield ""
    yield from table(("arch", "part", "issued", "alu", "fma"), compression_table(everything))
    yield ""
    yield "### Working set of a record"
    yield ""
    yield from table(("table made", "bytes read", "bytes written", "MB touched", "MB live"),
                     working_set_table())
    for card in CARDS:
        yield ""
        yield f"### {card}: one record"
        yield ""
        yield from prediction_table(everything, rows_of_record, card)
    yield ""
    yield "### H200: layout and checksums of a sector of 1000 pieces"
    yield ""
    yield from prediction_table(everything, rows_of_sector, "H200")


def as_json(everything):
    """Least milliseconds of each step for each card, for side_by_side.py."""
    return {card: {name: 1e3 * max(times.values())
                   for rows in (rows_of_record, rows_of_sector)
                   for name, _, _, times in predict(everything, rows, card)[0]}
            for card in CARDS}


def replace_between_marks(path, text):
    old = path.read_text(encoding="utf-8")
    if any(old.count(mark) != 1 for mark in MARKS):
        raise ModelError(f"{path}: expected each of the marks {MARKS[0]} and {MARKS[1]} once")
    before, rest = old.split(MARKS[0])
    path.write_text(f"{before}{MARKS[0]}\n\n{text}\n\n{MARKS[1]}{rest.split(MARKS[1])[1]}",
                    encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--sass", required=True, help="JSON of tools/sass_counts.py, sm_86 and sm_90")
    parser.add_argument("--write", metavar="FILE", help="put the tables between the marks of FILE")
    parser.add_argument("--json", metavar="FILE", help="write the least times there")
    arguments = parser.parse_args()
    try:
        everything = json.loads(pathlib.Path(arguments.sass).read_text(encoding="utf-8"))
        text = "\n".join(report(everything))
        if arguments.write:
            replace_between_marks(pathlib.Path(arguments.write), text)
        else:
            print(text)
        if arguments.json:
            pathlib.Path(arguments.json).write_text(json.dumps(as_json(everything), indent=1) + "\n",
                                                    encoding="utf-8")
    except (ModelError, OSError, ValueError) as error:
        print(f"model.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
