#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts what tools/gpu_check.sh left in its work folder into one JSON file and a short table.

    gpu_check_report.py --work FOLDER --commit TEXT --out FILE

    steps.tsv          name; passed, failed or not_possible; seconds
    card.log           CSV of nvidia-smi, one card
    clocks.*.csv       CSV of nvidia-smi, many lines: clocks and power while a benchmark ran
    test_device_*.json results of GoogleTest
    bench_*.json       results of Google Benchmark

A file that is missing because its step failed is left out. One that is missing or damaged although
its step passed is an error, and so is a card that nobody described.
"""

import argparse
import csv
import datetime
import json
import pathlib
import platform
import sys


def read_steps(work):
    rows = [line.split("\t") for line in
            (work / "steps.tsv").read_text(encoding="utf-8").splitlines()]
    return [{"step": name, "status": status, "seconds": int(seconds)}
            for name, status, seconds in rows]


def read_card(work):
    """Name and value of each field that nvidia-smi gave; nothing when it did not run."""
    path = work / "card.log"
    if not path.exists():
        return {}
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines(), skipinitialspace=True))
    if len(rows) < 2 or len(rows[0]) != len(rows[1]):
        return {}
    return dict(zip(rows[0], rows[1]))


def read_json(path):
    """The content of a file, or nothing when it is missing or was cut off."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def read_suites(work):
    result = {}
    for path in sorted(work.glob("test_device_*.json")):
        content = read_json(path)
        if content is not None:
            result[path.stem] = {key: content.get(key) for key in ("tests", "failures", "disabled")}
    return result


def medians(benchmarks):
    """The median of each benchmark that was repeated, the only run of each other one."""
    runs = benchmarks.get("benchmarks", [])
    repeated = {run["run_name"]: run for run in runs if run.get("aggregate_name") == "median"}
    single = {run["run_name"]: run for run in runs if run.get("run_type") == "iteration"}
    return list({**single, **repeated}.values())


def read_benchmarks(work):
    result = {}
    for path in sorted(work.glob("bench_*.json")):
        content = read_json(path)
        if content is not None:
            result[path.stem] = {"context": content.get("context", {}), "medians": medians(content)}
    return result


def read_clocks(work):
    """Least, median and greatest of each figure that was logged beside a benchmark."""
    result = {}
    for path in sorted(work.glob("clocks.*.csv")):
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines(), skipinitialspace=True))
        figures = {}
        for key in rows[0] if rows else ():
            values = sorted(value for value in (number(row.get(key)) for row in rows) if value is not None)
            if values:
                figures[key] = [values[0], values[len(values) // 2], values[-1]]
        result[path.name.split(".")[1]] = figures
    return result


def number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def complaints(report):
    """What should be there and is not, one line each."""
    passed = {step["step"] for step in report["steps"] if step["status"] == "passed"}
    there = {**report["suites"], **report["benchmarks"]}
    for step in sorted(passed):
        if step.startswith(("test_device_", "bench_")) and step not in there:
            yield f"{step} passed, but left no results"
    if "card" in passed and not report["card"]:
        yield "nvidia-smi said nothing that can be read"


def table(report):
    """Lines for a person."""
    card = report["card"]
    yield f"{card.get('name', 'no card')}, driver {card.get('driver_version', '?')}, " \
          f"commit {report['commit']}"
    for step in report["steps"]:
        yield f"  {step['status'].replace('_', ' '):12} {step['seconds']:4} s  {step['step']}"
    for suite, counts in report["suites"].items():
        yield f"  {suite}: {counts['tests']} tests, {counts['failures']} failures"
    for name, figures in report["clocks"].items():
        for key, (least, median, most) in figures.items():
            yield f"  beside {name}: {key} {least:g} to {most:g}, median {median:g}"
    on_card = [run for name, content in report["benchmarks"].items() if name != "bench_encoder"
               for run in content["medians"]]
    for run in on_card:
        figures = [f"{run['real_time']:10.4f} {run['time_unit']}"]
        figures += [f"{key} {run[key]:.4g}" for key in
                    ("ms_per_record", "s_per_1000_pieces", "encode_s_per_1000_pieces",
                     "layout_s_per_1000_pieces", "GiB_per_s", "bus_GiB_per_s", "share_of_memory")
                    if key in run]
        yield f"  {run['run_name']:42} {', '.join(figures)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--commit", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    try:
        report = {
            "commit": arguments.commit,
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "machine": platform.machine(),
            "card": read_card(arguments.work),
            "steps": read_steps(arguments.work),
            "suites": read_suites(arguments.work),
            "clocks": read_clocks(arguments.work),
            "benchmarks": read_benchmarks(arguments.work),
        }
        arguments.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    except (OSError, ValueError) as error:
        print(f"gpu_check_report.py: {error}", file=sys.stderr)
        return 1
    print("\n".join(table(report)))
    bad = list(complaints(report))
    for line in bad:
        print(f"gpu_check_report.py: {line}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
