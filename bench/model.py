#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Predicts from what the kernels execute how long a record takes on a card.

    bench/model.py --counts counts.json [--before counts.json] [--write bench/model.md] [--json FILE]

The counts come from the interpreter of the compiled code (build/release/bin/count_instructions,
docs/sass-interpreter.md): instructions of each pipe, passes through shared memory, lines of global
memory, and how long a block takes that has a multiprocessor to itself. Two figures follow.

The limit: counts divided by what a multiprocessor carries out in a clock, and the bytes that must
move divided by what memory gives; the largest of these. It is exact arithmetic, and no card is
faster.

The figure with stalls: a multiprocessor is taken for a closed queue, as in operational analysis. Its
customers are the warps that it can hold, its stations the issue slots and the pipes, and each warp
visits them as often as counted. What a warp takes alone beyond its own service is time in which it
waits for nobody: latencies, barriers, the waits that the compiler wrote into its instructions. Mean
value analysis (Reiser and Lavenberg, 1980) gives the throughput of n warps from that of n - 1:

    residence(s) = demand(s) * (1 + queue(s))
    throughput   = n / (waits + sum of residences)
    queue(s)     = throughput * residence(s)

So one warp takes what it takes alone, and very many are held up by the fullest pipe alone. Latencies
are round figures, queues are taken for random ones, and no card has calibrated any of it: it tells
which of two kernels stalls more, not how many milliseconds either takes.

The part of model.md between the two marks is written by this program.
"""

import argparse
import dataclasses
import json
import math
import pathlib
import re
import sys

MARKS = ("<!-- written by model.py -->", "<!-- until here -->")
MIB = 1 << 20
ENTRIES = 1 << 20  # of each table, on average, K = 20
PROOFS = 1 << 15

# Warp instructions, or passes, that a multiprocessor carries out in a clock.
RATES = {"issue": 4, "alu": 2, "fma": 2, "xu": 0.5, "lsu": 1}


@dataclasses.dataclass(frozen=True)
class Processor:
    """What a multiprocessor of an architecture can hold."""
    warps: int
    shared_bytes: int
    blocks: int

    REGISTERS = 65536

    def blocks_of(self, kernel):
        """Blocks of a kernel that it holds at once. Registers are given out to warps by 256, and
        to warps by four."""
        warps = warps_of(kernel)
        registers = -(-kernel["registers"] * 32 // 256) * 256
        most = min(self.blocks, self.warps // warps, self.REGISTERS // registers // 4 * 4 // warps)
        if kernel["shared_bytes"]:
            most = min(most, self.shared_bytes // kernel["shared_bytes"])
        return most


PROCESSORS = {
    75: Processor(32, 64 << 10, 16),
    80: Processor(64, 164 << 10, 32),
    86: Processor(48, 100 << 10, 16),
    89: Processor(48, 100 << 10, 24),
    90: Processor(64, 228 << 10, 32),
}


@dataclasses.dataclass(frozen=True)
class Card:
    processors: int
    gigahertz: float  # under load
    bandwidth: float  # bytes a second from memory
    architecture: int


CARDS = {
    "H200": Card(132, 1.98, 4.3e12, 90),
    "RTX 4090": Card(128, 2.52, 0.93e12, 89),
    "RTX 3060": Card(28, 1.78, 0.33e12, 86),
}


class ModelError(Exception):
    """Counts that are not those of the kernels that the model was made for."""


def warps_of(kernel):
    return -(-kernel["threads"] // 32)


def clocks_of(kernel):
    """What a kernel asks of each resource. The load-store pipe takes a clock for each pass through
    shared memory, each line of global memory and each shuffle."""
    pipes = kernel["pipes"]
    return {"issue": kernel["executed"], "alu": pipes["alu"], "fma": pipes["fma"],
            "xu": pipes["xu"],
            "lsu": kernel["shared_wavefronts"] + kernel["global_lines"] + kernel["shuffles"]}


def limits(kernel, card):
    """Least seconds for each resource but memory."""
    return {name: clocks / (RATES[name] * card.processors * card.gigahertz * 1e9)
            for name, clocks in clocks_of(kernel).items()}


def throughput(demands, waits, customers):
    """Of a closed queue, by mean value analysis."""
    queues = dict.fromkeys(demands, 0.0)
    result = 0.0
    for n in range(1, customers + 1):
        residences = {name: demands[name] * (1 + queues[name]) for name in demands}
        result = n / (waits + sum(residences.values()))
        queues = {name: result * residence for name, residence in residences.items()}
    return result


def seconds_with_stalls(kernel, card):
    """Of a launch whose blocks are spread evenly, its last wave like the others."""
    processors = min(card.processors, kernel["blocks"])
    at_once = min(PROCESSORS[card.architecture].blocks_of(kernel),
                  -(-kernel["blocks"] // processors))
    n_warps = kernel["blocks"] * warps_of(kernel)
    demands = {name: clocks / RATES[name] / n_warps for name, clocks in clocks_of(kernel).items()}
    waits = max(0.0, kernel["cycles_alone"] / kernel["blocks"] - sum(demands.values()))
    rate = throughput(demands, waits, at_once * warps_of(kernel))
    return n_warps / (rate * processors * card.gigahertz * 1e9)


def written_bytes(table):
    """Bytes that each entry of a table brings to memory: itself, in table 4 its link, too, in table 7
    its share of the targets."""
    return {1: 4, 4: 16 + 4, 7: 8 / 16}.get(table, 16)


def read_bytes(table):
    """Bytes that making a table reads of each entry of the one before."""
    return {2: 4}.get(table, 16)


def distinct_bytes(n_reads, n_bytes):
    """Bytes of the 32-byte sectors that so many reads anywhere in so many bytes meet."""
    sectors = n_bytes / 32
    return n_bytes * (1 - math.exp(-n_reads / sectors))


def working_set_table():
    """Memory that the making of each table of one record touches, and the most of it that is live:
    read as far as it is still to be read, written as far as it is there."""
    for number in range(2, 8):
        read, written = read_bytes(number), written_bytes(number)
        yield (str(number), f"{read:g}", f"{written:g}", f"{(read + written) * ENTRIES / 1e6:.1f}",
               f"{max(read, written) * ENTRIES / 1e6:.1f}")


def record_bytes():
    """Bytes that must move from or to memory in each step of a record, if nothing stays in the L2.
    Runs of 8 pairs of buckets overlap by one."""
    # Entries of tables 6 and 5, links of table 4, entries of table 3. What is read again comes from
    # the L2.
    walked = sum(distinct_bytes(n_reads * PROOFS, n_bytes * ENTRIES)
                 for n_reads, n_bytes in ((2, 16), (4, 16), (8, 4), (16, 16)))
    result = {"clear_tables": 65536 * 8 + 6 * 4441 * 4, "fill_table1": 4 * ENTRIES,
              "choose_proofs": 65536 * 8 + 65536 + 8192, "erasure extend": 10 * MIB,
              "encode_chunks": walked + 3 * MIB}
    for table in range(2, 8):
        result[f"make_table {table}"] = (read_bytes(table) * 9 / 8 + written_bytes(table)) * ENTRIES
    return result


def step_of(name):
    """The step that a kernel is part of."""
    base = name.split("<")[0].rsplit("::", maxsplit=1)[-1]
    table = re.search(r"make_table<20u, (\d)u", name)
    if table:
        return f"make_table {table[1]}"
    return {"erasure_pass": "erasure extend", "find_proofs": "choose_proofs"}.get(base, base)


@dataclasses.dataclass
class Step:
    name: str
    kernels: list
    n_bytes: float

    def sum(self, key):
        return sum(kernel[key] for kernel in self.kernels)

    def limits(self, card):
        result = dict.fromkeys(RATES, 0.0)
        for kernel in self.kernels:
            for name, seconds in limits(kernel, card).items():
                result[name] += seconds
        return dict(result, memory=self.n_bytes / card.bandwidth)

    def with_stalls(self, card):
        return sum(seconds_with_stalls(kernel, card) for kernel in self.kernels)


class Counts:
    """The counts of one run of the interpreter."""

    def __init__(self, path):
        content = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        self._by_architecture = {entry["architecture"]: entry for entry in content}

    def architectures(self):
        return sorted(self._by_architecture)

    def of(self, architecture):
        try:
            return self._by_architecture[architecture]
        except KeyError:
            raise ModelError(f"counts: expected compute capability {architecture}, found "
                             f"{', '.join(map(str, self.architectures()))}") from None

    def record(self, architecture):
        n_bytes = record_bytes()
        steps = {}
        for kernel in self.of(architecture)["record"]:
            name = step_of(kernel["kernel"])
            steps.setdefault(name, Step(name, [], n_bytes.get(name, 0)))
            steps[name].kernels.append(kernel)
        missing = n_bytes.keys() - steps.keys()
        if missing:
            raise ModelError(f"counts: no kernel for {', '.join(sorted(missing))}")
        return list(steps.values())


def table(header, rows):
    yield "| " + " | ".join(header) + " |"
    yield "|---" * len(header) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def milliseconds(seconds):
    return f"{1e3 * seconds:.4f}"


def prediction_table(steps, card):
    resources = (*RATES, "memory")
    rows = []
    sums = dict.fromkeys(resources, 0.0)
    one_by_one = stalled = 0.0
    for step in steps:
        times = step.limits(card)
        for resource in resources:
            sums[resource] += times[resource]
        one_by_one += max(times.values())
        stalled += max(step.with_stalls(card), times["memory"])
        rows.append((step.name, f"{step.sum('executed') / 1e6:.2f}", f"{step.n_bytes / 1e6:.1f}",
                     *(milliseconds(times[resource]) for resource in resources),
                     max(times, key=times.get), milliseconds(step.with_stalls(card))))
    executed = sum(step.sum("executed") for step in steps)
    rows.append(("**sum**", f"{executed / 1e6:.2f}", "",
                 *(milliseconds(sums[resource]) for resource in resources), "",
                 milliseconds(sum(step.with_stalls(card) for step in steps))))
    yield from table(("step", "M warp instructions", "MB", *(f"{r} ms" for r in resources), "limit",
                      "with stalls, ms"), rows)
    yield ""
    yield (f"One kernel after the other, each at its limit: **{1e3 * one_by_one:.3f} ms**. All of "
           f"them overlapped without loss: {1e3 * max(sums.values()):.3f} ms "
           f"({max(sums, key=sums.get)}). With stalls, uncalibrated: {1e3 * stalled:.3f} ms.")


def kernel_table(counts):
    """What each step of a record executes on each architecture."""
    rows = []
    for architecture in counts.architectures():
        for step in counts.record(architecture):
            one = max(step.kernels, key=lambda kernel: kernel["registers"])
            pipes = [sum(kernel["pipes"][pipe] for kernel in step.kernels) / 1e6
                     for pipe in ("alu", "fma", "xu", "lsu")]
            lsu_cycles = sum(clocks_of(kernel)["lsu"] for kernel in step.kernels) / 1e6
            executed = step.sum("executed")
            rows.append((f"sm_{architecture}", step.name, str(one["registers"]),
                         str(one["shared_bytes"]),
                         str(PROCESSORS[architecture].blocks_of(one)),
                         f"{executed / 1e6:.2f}", f"{step.sum('lanes') / executed:.1f}",
                         *(f"{pipe:.2f}" for pipe in pipes), f"{lsu_cycles:.2f}",
                         f"{step.sum('shared_wavefronts') / 1e6:.2f}",
                         f"{step.sum('least_wavefronts') / 1e6:.2f}",
                         f"{step.sum('global_lines') / 1e6:.2f}"))
    return table(("arch", "step", "registers", "shared", "blocks", "M executed", "lanes", "alu",
                  "fma", "xu", "lsu", "lsu clocks", "wavefronts", "least", "lines"), rows)


def figures(counts, card):
    """Millions executed, milliseconds by the ALU, share of it that the load-store pipe takes, and
    milliseconds with stalls."""
    steps = counts.record(card.architecture)
    sums = [step.limits(card) for step in steps]
    alu = sum(times["alu"] for times in sums)
    return (sum(step.sum("executed") for step in steps) / 1e6, 1e3 * alu,
            sum(times["lsu"] for times in sums) / alu,
            1e3 * sum(step.with_stalls(card) for step in steps))


def comparison_table(before, after):
    rows = []
    for name, card in CARDS.items():
        for what, form, old, new in zip(
                ("M warp instructions", "ALU-bound ms", "load-store over ALU", "with stalls, ms"),
                ("{:.1f}", "{:.3f}", "{:.2f}", "{:.3f}"),
                figures(before, card), figures(after, card)):
            rows.append((name, what, form.format(old), form.format(new), f"{new / old:.3f}"))
    return table(("card", "of a record", "before", "after", "ratio"), rows)


def report(counts, before):
    """Lines of the written part of model.md."""
    if before:
        yield "### Before and after"
        yield ""
        yield from comparison_table(before, counts)
        yield ""
    yield "### Working set of a record"
    yield ""
    yield from table(("table made", "bytes read", "bytes written", "MB touched", "MB live"),
                     working_set_table())
    for name, card in CARDS.items():
        yield ""
        yield f"### {name}: one record"
        yield ""
        yield from prediction_table(counts.record(card.architecture), card)
    yield ""
    yield "### What a record executes, in millions"
    yield ""
    yield from kernel_table(counts)


def as_json(counts):
    """Least milliseconds of each step for each card, for side_by_side.py."""
    return {name: {step.name: 1e3 * max(step.limits(card).values())
                   for step in counts.record(card.architecture)}
            for name, card in CARDS.items()}


def replace_between_marks(path, text):
    old = path.read_text(encoding="utf-8")
    if any(old.count(mark) != 1 for mark in MARKS):
        raise ModelError(f"{path}: expected each of the marks {MARKS[0]} and {MARKS[1]} once")
    before, rest = old.split(MARKS[0])
    path.write_text(f"{before}{MARKS[0]}\n\n{text}\n\n{MARKS[1]}{rest.split(MARKS[1])[1]}",
                    encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--counts", required=True, metavar="FILE",
                        help="what count_instructions wrote")
    parser.add_argument("--before", metavar="FILE", help="counts to compare with")
    parser.add_argument("--write", metavar="FILE", help="put the tables between the marks of FILE")
    parser.add_argument("--json", metavar="FILE", help="write the least times there")
    arguments = parser.parse_args()
    try:
        counts = Counts(arguments.counts)
        text = "\n".join(report(counts, arguments.before and Counts(arguments.before)))
        if arguments.write:
            replace_between_marks(pathlib.Path(arguments.write), text)
        else:
            print(text)
        if arguments.json:
            pathlib.Path(arguments.json).write_text(json.dumps(as_json(counts), indent=1) + "\n",
                                                    encoding="utf-8")
    except (ModelError, KeyError, OSError, ValueError) as error:
        print(f"model.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
