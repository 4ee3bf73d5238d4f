#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU and GPU side by side, from one run of both benchmark programs on one machine.

    bench/side_by_side.py --cpu build/release/bin/bench_encoder --gpu build/release/bin/bench_cuda
                          [--model model.json --card H200] [--repetitions 5] [--out FILE]

A program may also be the JSON that it wrote before (--benchmark_out=FILE); give two files of one
run, or the comparison means little. Medians of the repetitions are compared. With the JSON of
bench/model.py the table has a column for the least time by the limits of a card.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

STEPS = ("clear_tables", "fill_table1", *(f"make_table_{table}" for table in range(2, 8)),
         "choose_proofs")
MODEL_STEPS = {"clear_tables": "clear_tables", "fill_table1": "fill_table1",
               **{f"make_table_{table}": f"make_table {table}" for table in range(2, 8)},
               "choose_proofs": "choose_proofs", "erasure_extend": "erasure extend",
               "encode_chunks": "encode_chunks"}


class BenchmarkError(Exception):
    """A program that failed, or results without what is looked for."""


def run(program, options, folder):
    """Results of a benchmark program, or of a JSON file in its place."""
    path = pathlib.Path(program)
    if path.suffix != ".json":
        out = pathlib.Path(folder) / f"{path.name}.json"
        command = [str(path), f"--benchmark_out={out}", "--benchmark_out_format=json", *options]
        status = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
        if status != 0:
            raise BenchmarkError(f"{program}: exit code {status}")
        path = out
    return json.loads(path.read_text(encoding="utf-8"))


class Results:
    """Medians by name; of benchmarks that were not repeated, the one run."""

    def __init__(self, content):
        self.context = content.get("context", {})
        self._runs = {}
        for entry in content.get("benchmarks", []):
            if entry.get("aggregate_name", "median") == "median":
                self._runs[entry["run_name"]] = entry

    def names(self):
        return list(self._runs)

    def milliseconds(self, name):
        """Time of the benchmark whose name begins like that; nothing when there is none."""
        entry = self._find(name)
        scale = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3}
        return entry and entry["real_time"] * scale[entry["time_unit"]]

    def per_record(self, name):
        """Least `ms_per_record` of the benchmarks that begin like that."""
        values = [entry["ms_per_record"] for run_name, entry in self._runs.items()
                  if run_name.startswith(name) and "ms_per_record" in entry]
        return min(values, default=None)

    def _find(self, name):
        for run_name, entry in self._runs.items():
            if run_name == name or run_name.startswith(f"{name}/"):
                return entry
        return None


def total(values):
    values = list(values)
    return None if None in values or not values else sum(values)


def comparisons(cpu, gpu):
    """Name, milliseconds on the CPU and on the GPU; nothing where one of them has no such part."""
    yield ("tables and choice of proofs, one seed", cpu.milliseconds("proofs"),
           total(gpu.per_record(f"kernel/{step}/") for step in STEPS))
    yield ("erasure extend, one record", cpu.milliseconds("erasure_extend"),
           gpu.per_record("kernel/erasure_extend/"))
    yield ("record, one CPU thread", cpu.milliseconds("record/threads:1"), gpu.per_record("record/"))


def number(value):
    return "-" if value is None else f"{value:.4g}"


def ratio(over, under):
    return "-" if over is None or not under else f"{over / under:.1f}"


def table(header, rows):
    yield "| " + " | ".join(header) + " |"
    yield "|---" * len(header) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def report(cpu, gpu, limits):
    """Lines in Markdown."""
    yield (f"{cpu.context.get('num_cpus', '?')} CPUs at {cpu.context.get('mhz_per_cpu', '?')} MHz; "
           f"{gpu.context.get('card', 'unknown card')}. Milliseconds, medians.")
    yield ""
    yield from table(("part", "CPU", "GPU", "CPU / GPU"),
                     ((name, number(on_cpu), number(on_gpu), ratio(on_cpu, on_gpu))
                      for name, on_cpu, on_gpu in comparisons(cpu, gpu)))
    if limits:
        yield ""
        rows = []
        for kernel, step in MODEL_STEPS.items():
            measured = gpu.per_record(f"kernel/{kernel}/")
            least = limits.get(step)
            rows.append((kernel, number(measured), number(least),
                         "-" if None in (measured, least) else f"{100 * least / measured:.0f} %"))
        yield from table(("kernel, one record", "measured", "least", "of the limit"), rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--cpu", required=True, metavar="PROGRAM_OR_JSON")
    parser.add_argument("--gpu", required=True, metavar="PROGRAM_OR_JSON")
    parser.add_argument("--model", metavar="JSON", help="what bench/model.py --json wrote")
    parser.add_argument("--card", default="H200", help="a card of the model")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--out", metavar="FILE", help="write the tables there too")
    arguments = parser.parse_args()
    options = [f"--benchmark_repetitions={arguments.repetitions}"]
    try:
        with tempfile.TemporaryDirectory() as folder:
            cpu = Results(run(arguments.cpu, options, folder))
            gpu = Results(run(arguments.gpu, options, folder))
        limits = {}
        if arguments.model:
            model = json.loads(pathlib.Path(arguments.model).read_text(encoding="utf-8"))
            if arguments.card not in model:
                raise BenchmarkError(f"{arguments.model}: no card {arguments.card}; "
                                     f"there are {', '.join(model)}")
            limits = model[arguments.card]
        text = "\n".join(report(cpu, gpu, limits))
        print(text)
        if arguments.out:
            pathlib.Path(arguments.out).write_text(text + "\n", encoding="utf-8")
    except (BenchmarkError, OSError, ValueError) as error:
        print(f"side_by_side.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
