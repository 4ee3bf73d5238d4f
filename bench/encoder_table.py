#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The CPU encoder beside its targets, from one run.

    bench/encoder_table.py [--bench build/release/bin/bench_encoder] [--simd NAME] [--repeats 5] [--out FILE]

The unit b is what `b3sum --num-threads 1` (Debian package b3sum) takes for a file of 1 GiB in the page
cache; it moves with the machine as the encoder does. Each repeat measures b and then every benchmark
once, so that a change of the machine's speed meets both; the table has the medians. Times are processor
times, which other programs disturb least, except for two threads, where it is the time that passes.
"""

import argparse
import json
import os
import pathlib
import platform
import resource
import statistics
import subprocess
import sys
import tempfile

B_BYTES = 1 << 30

# Name of the benchmark, what it is, unit, target, stretch target (None where there is none).
ROWS = (
    ("proofs", "proofs of one seed, with proof hashes", "b", 1.0, 0.65),
    ("record", "one record encoded", "b", 1.05, 0.7),
    ("record/threads:2", "two records on two threads", "b", None, None),
    ("erasure_extend", "erasure extend 32,768 x 32 B", "ms", 1.7, 1.1),
    ("erasure_recover", "erasure recover, half missing", "ms", 4.0, 2.6),
    ("segment_extend", "extend 128 x 1 MiB", "ms", 100.0, 50.0),
    ("proof_hashes", "32,768 proof hashes", "ms", 1.1, None),
    ("blake3_256MiB", "BLAKE3 of 256 MiB", "b", 1.1 / 4, None),
    ("read_piece", "read_piece", "b", 1.0, None),
    ("sector_layout_32", "sector layout, 32 pieces", "ms", 8.0, None),
)


def b3sum_seconds(path):
    """Processor time of one run of b3sum."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["b3sum", "--num-threads", "1", path], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def benchmark_milliseconds(program, options):
    """What the JSON of one run says: its context, and milliseconds by name."""
    command = [program, "--benchmark_format=json", *options]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    content = json.loads(result.stdout)
    times = {}
    for entry in content["benchmarks"]:
        scale = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3}[entry["time_unit"]]
        kind = "real_time" if "threads:" in entry["name"] else "cpu_time"
        times[entry["name"]] = entry[kind] * scale
    return content["context"], times


def measure(arguments):
    """Context of the benchmarks, seconds of b, and a list of milliseconds for each benchmark."""
    options = [f"--simd={arguments.simd}"] if arguments.simd else []
    seconds, times, context = [], {}, {}
    with tempfile.NamedTemporaryFile(dir=arguments.folder) as file:
        for _ in range(B_BYTES >> 20):
            file.write(os.urandom(1 << 20))
        file.flush()
        b3sum_seconds(file.name)  # the first run brings the file into the page cache
        for _ in range(arguments.repeats):
            seconds.append(b3sum_seconds(file.name))
            context, once = benchmark_milliseconds(arguments.bench, options)
            for name, milliseconds in once.items():
                times.setdefault(name, []).append(milliseconds)
    return context, seconds, times


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def verdict(value, target, stretch):
    if target is None:
        return ""
    if value > target:
        return "missed"
    return "stretch met" if stretch is not None and value <= stretch else "met"


def table(context, seconds, times):
    """The lines of the table."""
    b = statistics.median(seconds)
    yield (f"{processor()}, {os.cpu_count()} processors, instruction set {context['simd']}; "
           f"b = {1e3 * b:.0f} ms ({1e3 * min(seconds):.0f} to {1e3 * max(seconds):.0f}); "
           f"medians of {len(seconds)}, fastest and slowest in brackets.")
    yield ""
    yield "| Work | Target | Stretch | Measured | ms | |"
    yield "|---|---|---|---|---|---|"
    for name, work, unit, target, stretch in ROWS:
        runs = times[name]
        median = statistics.median(runs)
        value = median / (1e3 * b) if unit == "b" else median

        def text(number, unit=unit):
            return "" if number is None else f"{number:.3g} {unit}"

        yield (f"| `{name}`: {work} | {text(target)} | {text(stretch)} | {text(value)} | "
               f"{median:.3g} ({min(runs):.3g} to {max(runs):.3g}) | "
               f"{verdict(value, target, stretch)} |")
    both = 2 * statistics.median(times["record"]) / statistics.median(times["record/threads:2"])
    yield ""
    yield f"Two threads encode {both:.2f} times as much as one (target 1.85)."


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="build/release/bin/bench_encoder")
    parser.add_argument("--simd", help="instruction set, as for furrow --simd")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", help="where the file of 1 GiB lies meanwhile")
    parser.add_argument("--out", type=pathlib.Path, help="also write all figures as JSON")
    arguments = parser.parse_args()
    try:
        context, seconds, times = measure(arguments)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"encoder_table.py: {error}", file=sys.stderr)
        return 1
    for line in table(context, seconds, times):
        print(line)
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(
            {"context": context, "b_seconds": seconds, "milliseconds": times}, indent=1) + "\n",
            encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
