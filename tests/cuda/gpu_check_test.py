#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks tools/gpu_check.sh and bench/side_by_side.py with made-up programs in place of the real ones.

    gpu_check_test.py --root FOLDER
"""

import argparse
import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

CARD = """#!/bin/sh
echo 'name, driver_version, clocks.max.sm [MHz]'
echo 'Made-up Card, 999.1, 2000'
"""
SUITE = """#!/bin/sh
for option in "$@"; do
  case "$option" in --gtest_output=json:*)
    echo '{"tests": 7, "failures": 0, "disabled": 0}' >"${option#--gtest_output=json:}" ;;
  esac
done
"""
BENCHMARK = """#!/bin/sh
for option in "$@"; do
  case "$option" in --benchmark_out=*) cat >"${option#--benchmark_out=}" <<'TEXT'
%s
TEXT
  esac
done
"""
GPU_RUNS = {"context": {"card": "Made-up Card"}, "benchmarks": [
    {"run_name": "kernel/erasure_extend/batch:1", "run_type": "iteration", "real_time": 0.5,
     "time_unit": "ms", "ms_per_record": 0.5},
    {"run_name": "kernel/erasure_extend/batch:32", "run_type": "iteration", "real_time": 99,
     "time_unit": "ms", "ms_per_record": 99},
    {"run_name": "kernel/erasure_extend/batch:32", "run_type": "aggregate",
     "aggregate_name": "mean", "real_time": 98, "time_unit": "ms", "ms_per_record": 98},
    {"run_name": "kernel/erasure_extend/batch:32", "run_type": "aggregate",
     "aggregate_name": "median", "real_time": 3.2, "time_unit": "ms", "ms_per_record": 0.1}]}
CPU_RUNS = {"context": {"num_cpus": 2, "mhz_per_cpu": 3000}, "benchmarks": [
    {"run_name": "erasure_extend", "run_type": "iteration", "real_time": 2000,
     "time_unit": "us"}]}


class GpuCheckTest(unittest.TestCase):
    """Each test has a build folder of its own with programs that all succeed at first."""

    root = pathlib.Path()

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.folder = pathlib.Path(self._folder.name)
        self.bin = self.folder / "build" / "bin"
        self.path = self.folder / "path"
        self.program(self.path / "nvidia-smi", CARD)
        self.program(self.path / "compute-sanitizer", "#!/bin/sh\nexit 0\n")
        for suite in ("test_device_kernels", "test_device_proof_tables", "test_device_records"):
            self.program(self.bin / suite, SUITE)
        self.program(self.bin / "furrow", "#!/bin/sh\nexit 0\n")
        self.program(self.bin / "bench_cuda", BENCHMARK % json.dumps(GPU_RUNS))
        self.program(self.bin / "bench_encoder", BENCHMARK % json.dumps(CPU_RUNS))

    @staticmethod
    def program(path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def check(self, *options):
        """Exit code, output and the JSON of a run."""
        out = self.folder / "out.json"
        environment = dict(os.environ, PATH=f"{self.path}:{os.environ['PATH']}",
                           TMPDIR=str(self.folder))
        done = subprocess.run([str(self.root / "tools" / "gpu_check.sh"), "--build",
                               str(self.folder / "build"), "--out", str(out), *options],
                              env=environment, text=True, check=False, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        report = json.loads(out.read_text(encoding="utf-8")) if out.exists() else None
        return done.returncode, done.stdout, report

    def statuses(self, report):
        return {step["step"]: step["status"] for step in report["steps"]}

    def test_everything_succeeds(self):
        code, output, report = self.check()
        self.assertEqual(code, 0, output)
        self.assertEqual(set(self.statuses(report).values()), {"passed"})
        self.assertEqual(report["card"]["name"], "Made-up Card")
        self.assertEqual(report["suites"]["test_device_kernels"]["tests"], 7)
        medians = report["benchmarks"]["bench_cuda"]["medians"]
        self.assertEqual([run["ms_per_record"] for run in medians], [0.5, 0.1])
        self.assertIn("Made-up Card", output)

    def test_a_failure_hides_nothing_and_shows_in_the_exit_code(self):
        self.program(self.bin / "furrow", "#!/bin/sh\necho wrong bytes; exit 3\n")
        (self.bin / "test_device_records").unlink()
        code, output, report = self.check()
        self.assertEqual(code, 1)
        statuses = self.statuses(report)
        self.assertEqual(statuses["vectors.pos"], "failed")
        self.assertEqual(statuses["vectors.sector"], "failed")
        self.assertEqual(statuses["test_device_records"], "failed")
        self.assertEqual(statuses["test_device_kernels"], "passed")
        self.assertEqual(statuses["bench_cuda"], "passed")
        self.assertIn("wrong bytes", output)

    def test_a_suite_that_sees_no_device_has_failed(self):
        self.program(self.bin / "test_device_kernels", "#!/bin/sh\nexit 77\n")
        code, _, report = self.check("--quick")
        self.assertEqual(code, 1)
        self.assertEqual(self.statuses(report)["test_device_kernels"], "failed")
        self.assertNotIn("bench_cuda", self.statuses(report))

    def test_damaged_results_are_left_out_and_named(self):
        self.program(self.bin / "bench_cuda", BENCHMARK % '{"context": ')
        code, output, report = self.check()
        self.assertEqual(code, 1)
        self.assertNotIn("bench_cuda", report["benchmarks"])
        self.assertIn("bench_encoder", report["benchmarks"])
        self.assertIn("bench_cuda passed, but left no results", output)

    def test_unknown_arguments_are_refused(self):
        self.assertEqual(self.check("--fast")[0], 2)

    def test_side_by_side(self):
        model = self.folder / "model.json"
        model.write_text(json.dumps({"H200": {"erasure extend": 0.05}}), encoding="utf-8")
        command = [sys.executable, "-B", str(self.root / "bench" / "side_by_side.py"), "--cpu",
                   str(self.bin / "bench_encoder"), "--gpu", str(self.bin / "bench_cuda")]
        text = subprocess.run([*command, "--model", str(model)], text=True, check=True,
                              stdout=subprocess.PIPE).stdout
        self.assertIn("| erasure extend, one record | 2 | 0.1 | 20.0 |", text)
        self.assertIn("| erasure_extend | 0.1 | 0.05 | 50 % |", text)
        self.assertIn("| record, one CPU thread | - | - | - |", text)
        failed = subprocess.run([*command, "--model", str(model), "--card", "none"], check=False,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(failed.returncode, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--root", required=True, type=pathlib.Path)
    arguments, rest = parser.parse_known_args()
    GpuCheckTest.root = arguments.root
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
