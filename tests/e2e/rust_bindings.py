#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The crates of bindings/rust and the program of examples/rust against an installed library: built,
tested, documented and run offline, in copies, by whatever cargo is installed.

    rust_bindings.py --furrow PROGRAM --work DIR --fixtures DIR --build DIR --tree DIR --cmake PROGRAM
"""

import os
import pathlib
import shutil
import subprocess
import sys

from support import program
from support.program import OPTIONS, FurrowTest

SKIPPED = 77
EXAMPLES = ("plot_sector",)
# Beside what a machine does otherwise: compiling all of it and encoding some dozens of records.
CARGO_TIMEOUT_SECONDS = 1500


def output_of(*command, **options):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                            errors="replace", check=False, timeout=CARGO_TIMEOUT_SECONDS, **options)
    if result.returncode != 0:
        raise AssertionError(f"{command}: exit code {result.returncode}\n{result.stdout}"
                             f"{result.stderr}")
    return result.stdout


def has_cargo_command(name):
    return subprocess.run(["cargo", name, "--version"], capture_output=True, check=False).returncode == 0


class RustBindings(FurrowTest):
    """One installation, into a folder whose name has a space, and one copy of the sources."""

    @classmethod
    def setUpClass(cls):
        prefix = OPTIONS.work / "installed here"
        output_of(OPTIONS.cmake, "--install", OPTIONS.build, "--prefix", prefix)
        cls.library = next(prefix.glob("lib*/**/libfurrow.so")).parent
        cls.tree = OPTIONS.work / "tree"
        for folder in ("bindings/rust", "examples/rust"):
            shutil.copytree(OPTIONS.tree / folder, cls.tree / folder,
                            ignore=shutil.ignore_patterns("target"))
        cls.workspace = cls.tree / "bindings/rust"
        cls.environment = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("CARGO_BUILD_", "FURROW_")) and name != "RUSTFLAGS"}
        cls.environment.update(
            CARGO_TARGET_DIR=str(OPTIONS.work / "target"),
            RUST_BACKTRACE="0",  # tests panic on purpose
            FURROW_LIB_DIR=str(cls.library),
            LD_LIBRARY_PATH=str(cls.library),
            FURROW_INCLUDE_DIR=str(OPTIONS.tree / "include"),
            FURROW_GOLDEN_DIR=str(OPTIONS.tree / "tests/golden"),
            FURROW_FIXTURES=str(OPTIONS.store.parent),
            FURROW_PROGRAM=str(OPTIONS.furrow))

    def cargo(self, command, *arguments, folder=None, environment=None):
        """`--locked`: what the lock file says is right, and stays as it is."""
        print(f"cargo {command}", file=sys.stderr, flush=True)
        return output_of("cargo", command, "--offline", "--locked", *arguments,
                         cwd=folder or self.workspace, env=environment or self.environment)

    def test_1_tests(self):
        said = self.cargo("test", "--workspace", "--", "--include-ignored")
        self.assertIn("test sectors_are_those_of_the_program ... ok", said)
        self.assertIn("test the_program_accepts_a_farm_of_this_crate ... ok", said)
        self.assertIn("test layouts_are_those_of_the_c_compiler ... ok", said)
        self.assertNotIn("ignored;", said.replace(" 0 ignored;", ""))

    def test_2_documentation(self):
        self.cargo("doc", "--workspace", "--no-deps",
                   environment={**self.environment, "RUSTDOCFLAGS": "-D warnings"})
        self.assertTrue((OPTIONS.work / "target/doc/furrow/struct.Encoder.html").is_file())

    def test_3_no_warnings(self):
        if not has_cargo_command("clippy"):
            self.skipTest("cargo clippy is not installed")
        self.cargo("clippy", "--workspace", "--all-targets", "--", "-D", "warnings")

    def test_4_formatting(self):
        if not has_cargo_command("fmt"):
            self.skipTest("cargo fmt is not installed")
        output_of("cargo", "fmt", "--all", "--", "--check", cwd=self.workspace, env=self.environment)
        for example in EXAMPLES:
            output_of("rustfmt", "--config-path", self.workspace / "rustfmt.toml", "--check",
                      self.tree / "examples/rust" / example / "src/main.rs", env=self.environment)

    def test_5_nothing_is_downloaded(self):
        lock = (self.workspace / "Cargo.lock").read_text(encoding="utf-8")
        names = [line for line in lock.splitlines() if line.startswith("name = ")]
        self.assertEqual(names, ['name = "furrow"', 'name = "furrow-sys"'])

    def test_6_examples_by_pkg_config(self):
        environment = {**self.environment, "PKG_CONFIG_PATH": str(self.library / "pkgconfig"),
                       "CARGO_TARGET_DIR": str(OPTIONS.work / "example target")}
        del environment["FURROW_LIB_DIR"]
        for example in EXAMPLES:
            self.cargo("build", "--release", folder=self.tree / "examples/rust" / example,
                       environment=environment)
            said = output_of(OPTIONS.work / "example target/release" / example, env=environment)
            self.assertIn("read back", said)


def add_options(parser):
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build folder to install")
    parser.add_argument("--tree", type=pathlib.Path, required=True, help="the repository")
    parser.add_argument("--cmake", type=pathlib.Path, required=True, help="the program cmake")


if __name__ == "__main__":
    if shutil.which("cargo") is None:
        print("SKIPPED: the Rust bindings were not looked at, because cargo is not installed "
              "(tools/install-deps.sh --test)")
        sys.exit(SKIPPED)
    program.run_tests(__doc__, add_options)
