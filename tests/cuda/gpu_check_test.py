#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks tools/gpu_check.sh and bench/side_by_side.py with made-up programs in place of the real ones.

    gpu_check_test.py --root FOLDER
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import tempfile
import unittest

CARD = """#!/bin/sh
case "$*" in *--loop-ms*)
  echo 'timestamp, clocks.sm [MHz], power.draw [W]'
  echo '2026/11/30 10:00:00.000, 345, 70.5'
  echo '2026/11/30 10:00:00.200, 1980, 700.0'
  exit 0
esac
echo 'name, driver_version, clocks.max.sm [MHz]'
echo 'Made-up Card, 999.1, 2000'
"""
LDD = """#!/bin/sh
echo 'libc.so.6 => /lib/libc.so.6 (0x1)'
"""
# Says what devices there are, and whether they pass.
FURROW = """#!/bin/sh
case "$*" in
  'devices --json') echo '{"devices":[%s]}' ;;
  'devices --check') exit %d ;;
esac
"""
ONE_CARD = '{"index":0,"compute_capability":"9.0"}'
SUITE = """#!/bin/sh
for option in "$@"; do
  case "$option" in --gtest_output=json:*)
    echo '{"tests": 7, "failures": 0, "disabled": 0}' >"${option#--gtest_output=json:}" ;;
  esac
done
"""
# One whose tools find nothing, or cannot run at all, or find errors in what is filtered.
SANITIZER = "#!/bin/sh\nexit 0\n"
BROKEN_TOOL = "#!/bin/sh\necho 'Error: no permission'; exit 1\n"
STRICT_SANITIZER = """#!/bin/sh
case "$*" in *--gtest_filter*) exit 99 ;; esac
"""
BENCHMARK = """#!/bin/sh
for option in "$@"; do
  case "$option" in --benchmark_out=*.json) cat >"${option#--benchmark_out=}" <<'TEXT'
%s
TEXT
  ;;
  --benchmark_out=*.csv) cat >"${option#--benchmark_out=}" <<'TEXT'
name,iterations,real_time,cpu_time,time_unit
"record/batch:8/streams:3/iterations:5/manual_time",5,%s,1,ms
"sector/pieces:1000/iterations:3/manual_time",3,600,1,ms
TEXT
  esac
done
"""
PROGRAMS = ("furrow", "bench_cuda", "bench_encoder", "test_device_kernels", "test_device_proof_tables",
            "test_device_records")
HANGING = "#!/bin/sh\nexec sleep 100\n"
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
        self.build = self.folder / "build"
        self.bin = self.build / "bin"
        self.path = self.folder / "path"
        self.out = self.folder / "out"
        self.program(self.path / "nvidia-smi", CARD)
        self.program(self.path / "ldd", LDD)
        self.program(self.path / "compute-sanitizer", SANITIZER)
        self.program(self.path / "ncu", "#!/bin/sh\nexit 0\n")
        self.programs_in(self.bin)
        self.built_for("90-real")

    def programs_in(self, folder, time=2.0):
        for suite in ("test_device_kernels", "test_device_proof_tables", "test_device_records"):
            self.program(folder / suite, SUITE)
        self.program(folder / "furrow", FURROW % (ONE_CARD, 0))
        self.program(folder / "bench_cuda", BENCHMARK % (json.dumps(GPU_RUNS), time))
        self.program(folder / "bench_encoder", BENCHMARK % (json.dumps(CPU_RUNS), 1))

    def built_for(self, architectures):
        (self.build / "CMakeCache.txt").write_text(f"CMAKE_CUDA_ARCHITECTURES:STRING={architectures}\n",
                                                   encoding="utf-8")

    @staticmethod
    def program(path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def start(self, *options, script=None):
        if script is None:
            script = self.root / "tools" / "gpu_check.sh"
            options = ("--build", str(self.build), *options)
        environment = dict(os.environ, PATH=f"{self.path}:{os.environ['PATH']}",
                           GPU_CHECK_MOST_STEP_SECONDS="2")
        return subprocess.Popen([str(script), "--out", str(self.out), *options], env=environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def result(self, process):
        """Exit code, output and the JSON of a run."""
        output, _ = process.communicate(timeout=120)
        path = self.out / "gpu_check.json"
        report = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
        return process.returncode, output, report

    def check(self, *options, script=None):
        return self.result(self.start(*options, script=script))

    def statuses(self, report):
        return {step["step"]: step["status"] for step in report["steps"]}

    def archived(self):
        archive = self.folder / "out.tar.gz"
        self.assertLess(archive.stat().st_size, 16_000_000)
        with tarfile.open(archive) as files:
            return {pathlib.PurePath(name).name for name in files.getnames()}

    def test_everything_succeeds(self):
        code, output, report = self.check()
        self.assertEqual(code, 0, output)
        statuses = self.statuses(report)
        self.assertEqual(set(statuses.values()), {"passed"})
        # In order of value.
        order = list(statuses)
        valued = ["libraries", "card", "device", "test_device_proof_tables", "test_device_records", "vectors.pos",
                  "bench_cuda", "profile", "test_device_kernels", "memcheck.record", "racecheck.record",
                  "synccheck.record"]
        self.assertEqual([step for step in order if step in valued], valued)
        self.assertEqual(report["card"]["name"], "Made-up Card")
        self.assertEqual(report["suites"]["test_device_kernels"]["tests"], 7)
        medians = report["benchmarks"]["bench_cuda"]["medians"]
        self.assertEqual([run["ms_per_record"] for run in medians], [0.5, 0.1])
        self.assertEqual(report["clocks"]["bench_cuda"]["clocks.sm [MHz]"], [345, 1980, 1980])
        self.assertIn("Made-up Card", output)
        self.assertIn(f"Everything in {self.out}", output)
        self.assertLessEqual({"gpu_check.json", "steps.tsv", "test_device_records.log", "bench_cuda.json",
                              "clocks.bench_cuda.csv"}, self.archived())

    def test_quick_is_what_is_worth_most(self):
        code, output, report = self.check("--only", "quick")
        self.assertEqual(code, 0, output)
        self.assertEqual(list(self.statuses(report)),
                         ["libraries", "card", "device", "test_device_proof_tables", "test_device_records",
                          "vectors.pos", "bench_cuda"])

    def test_a_bundle_needs_no_options(self):
        bundle = self.folder / "bundle"
        for name in ("gpu_check.sh", "gpu_check_report.py"):
            text = (self.root / "tools" / name).read_text(encoding="utf-8")
            self.program(bundle / name, text)
        self.programs_in(bundle / "bin")
        (bundle / "architectures").write_text("90\n", encoding="utf-8")
        (bundle / "commit").write_text("abc123\n", encoding="utf-8")
        code, output, report = self.check(script=bundle / "gpu_check.sh")
        self.assertEqual(code, 0, output)
        self.assertEqual(report["commit"], "abc123")

    def bundle(self, *options):
        done = subprocess.run([str(self.root / "tools" / "gpu_bundle.sh"), "--built", str(self.build), *options,
                               str(self.folder / "bundle")], text=True, check=False, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def test_a_bundle_is_made(self):
        # Programs of this machine that need more than the C library.
        for name in PROGRAMS:
            shutil.copy(shutil.which("ls"), self.bin / name)
        code, output = self.bundle("--architecture", "89")
        self.assertEqual(code, 0, output)
        made = self.folder / "bundle"
        self.assertEqual({path.name for path in (made / "bin").iterdir()}, set(PROGRAMS))
        self.assertEqual({path.name for path in (made / "golden").iterdir()},
                         {"pos.json", "record_encoding.json", "sector.json"})
        self.assertEqual((made / "architectures").read_text(encoding="utf-8"), "89\n")
        for name in ("gpu_check.sh", "gpu_check_report.py", "commit"):
            self.assertTrue((made / name).exists(), name)
        needed = subprocess.run(["ldd", self.bin / "furrow"], text=True, check=True, stdout=subprocess.PIPE).stdout
        wanted = {line.split()[0] for line in needed.splitlines() if "=> /" in line}
        of_the_machine = {name for name in wanted if name.startswith(("libc.so", "libm.so", "libdl.so",
                                                                      "libpthread.so", "libcuda"))}
        self.assertIn("libc.so.6", of_the_machine)
        self.assertEqual({path.name for path in (made / "lib").iterdir()}, wanted - of_the_machine)
        code, output = self.bundle()
        self.assertEqual(code, 2, output)
        self.assertIn("has to be empty", output)

    def test_a_bundle_that_is_too_large_is_an_error(self):
        for name in PROGRAMS:
            shutil.copy(shutil.which("ls"), self.bin / name)
        subprocess.run(["objcopy", "--add-section", f".large={self.large_file()}", "--set-section-flags",
                        ".large=alloc,readonly,contents", self.bin / "furrow"], check=True,
                       stderr=subprocess.DEVNULL)
        code, output = self.bundle()
        self.assertEqual(code, 1, output)
        self.assertIn("expected at most 48000000 bytes", output)

    def large_file(self):
        path = self.folder / "large"
        with open(path, "wb") as file:
            file.truncate(49_000_000)
        return path

    def test_a_failure_hides_nothing_and_shows_in_the_exit_code(self):
        self.program(self.bin / "furrow", FURROW % (ONE_CARD, 0) +
                     "case \"$1\" in vectors) echo wrong bytes; exit 3 ;; esac\n")
        self.program(self.bin / "test_device_records", "#!/bin/sh\nexit 1\n")
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
        self.program(self.bin / "test_device_proof_tables", "#!/bin/sh\nexit 77\n")
        code, _, report = self.check("--only", "quick")
        self.assertEqual(code, 1)
        self.assertEqual(self.statuses(report)["test_device_proof_tables"], "failed")

    def test_without_a_card_it_is_not_possible(self):
        self.program(self.bin / "furrow", FURROW % ("", 6))
        code, output, report = self.check()
        self.assertEqual(code, 77, output)
        self.assertIn("not possible here: no CUDA card", output)
        self.assertEqual(self.statuses(report), {"libraries": "passed", "device": "not_possible"})
        self.assertIn("gpu_check.json", self.archived())

    def test_a_card_that_fails_the_check_ends_it(self):
        self.program(self.bin / "furrow", FURROW % (ONE_CARD, 6))
        code, _, report = self.check()
        self.assertEqual(code, 1)
        self.assertEqual(self.statuses(report), {"libraries": "passed", "card": "passed", "device": "failed"})

    def test_programs_that_do_not_start_end_it(self):
        self.program(self.path / "ldd", "#!/bin/sh\necho 'libfmt.so.9 => not found'\n")
        code, output, report = self.check()
        self.assertEqual(code, 1)
        self.assertIn("libfmt.so.9 => not found", output)
        self.assertEqual(self.statuses(report), {"libraries": "failed"})
        self.program(self.path / "ldd", LDD)
        self.program(self.bin / "furrow", "#!/bin/sh\nexit 127\n")
        self.out = self.folder / "again"
        code, _, report = self.check()
        self.assertEqual((code, self.statuses(report)), (1, {"libraries": "failed"}))

    def test_code_for_another_card_is_refused(self):
        for number, (built, code_wanted) in enumerate((("80-real", 77), ("100", 77), ("75-real;90-real", 77),
                                                       ("90", 0))):
            with self.subTest(built=built):
                self.out = self.folder / f"out{number}"
                self.built_for(built)
                code, output, report = self.check("--only", "quick")
                self.assertEqual(code, code_wanted, output)
                self.assertEqual(self.statuses(report).get("code"), "not_possible" if code_wanted else None)

    def test_a_tool_that_cannot_run_is_no_failure(self):
        self.program(self.path / "compute-sanitizer", BROKEN_TOOL)
        self.program(self.path / "ncu", BROKEN_TOOL)
        code, output, report = self.check()
        self.assertEqual(code, 0, output)
        statuses = self.statuses(report)
        for step in ("profile", "memcheck", "racecheck", "synccheck"):
            self.assertEqual(statuses[step], "not_possible")

    def test_what_a_sanitizer_finds_is_a_failure(self):
        self.program(self.path / "compute-sanitizer", STRICT_SANITIZER)
        code, _, report = self.check()
        self.assertEqual(code, 1)
        self.assertEqual(self.statuses(report)["racecheck.record"], "failed")

    def test_a_step_that_hangs_starves_nobody(self):
        self.program(self.bin / "test_device_proof_tables", HANGING)
        code, output, report = self.check("--only", "quick")
        self.assertEqual(code, 1)
        self.assertIn("test_device_proof_tables: not finished after 2 s", output)
        statuses = self.statuses(report)
        self.assertEqual((statuses["test_device_proof_tables"], statuses["bench_cuda"]), ("failed", "passed"))

    def test_what_is_there_is_kept_when_it_is_cut_off(self):
        started = self.folder / "started"
        self.program(self.bin / "test_device_records", f"#!/bin/sh\ntouch {started}\nexec sleep 100\n")
        process = self.start()
        while not started.exists():
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGTERM)
        code, _, report = self.result(process)
        self.assertEqual(code, 1)
        self.assertEqual(self.statuses(report), {"libraries": "passed", "card": "passed", "device": "passed",
                                                 "test_device_proof_tables": "passed"})
        self.assertIn("test_device_records.log", self.archived())

    def test_the_archive_is_never_too_large(self):
        self.program(self.path / "ncu", "#!/bin/sh\nwhile [ $# -gt 0 ]; do\n"
                     "  [ \"$1\" = --export ] && head -c 20000000 /dev/urandom >\"$2.ncu-rep\"\n  shift\ndone\n")
        code, output, _ = self.check()
        self.assertEqual(code, 0, output)
        self.assertIn("make_table.ncu-rep is not in the archive", output)
        self.assertNotIn("make_table.ncu-rep", self.archived())
        self.assertIn("gpu_check.json", self.archived())

    def test_damaged_results_are_left_out_and_named(self):
        self.program(self.bin / "bench_cuda", BENCHMARK % ('{"context": ', 1))
        code, output, report = self.check()
        self.assertEqual(code, 1)
        self.assertNotIn("bench_cuda", report["benchmarks"])
        self.assertIn("bench_encoder", report["benchmarks"])
        self.assertIn("bench_cuda passed, but left no results", output)

    def test_two_bundles_are_compared(self):
        other = self.folder / "other"
        self.programs_in(other / "bin", time=3.0)
        code, output, report = self.check("--compare", str(other))
        self.assertEqual(code, 0, output)
        self.assertRegex(output, r"record/batch:8/streams:3\S* +2.0000 +3.0000 +1.500")
        self.assertRegex(output, r"sector/pieces:1000\S* +600.0000 +600.0000 +1.000")
        self.assertEqual([step for step in self.statuses(report) if step.startswith("compare")],
                         [f"compare.{bundle}.{round}" for round in (1, 2, 3) for bundle in "ab"])
        self.assertIn("ratios.txt", self.archived())

    def test_unknown_arguments_are_refused(self):
        for options in (("--fast",), ("--only", "slow"), ("--compare", str(self.folder)), ("--only",)):
            self.assertEqual(self.check(*options)[0], 2, options)

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
