#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `cmake --install` leaves behind: everything below one folder, and a library that others build
with from there, whatever the folder is called.

    install.py --furrow PROGRAM --work DIR --build DIR --tree DIR --cmake PROGRAM
"""

import os
import pathlib
import re
import shutil
import subprocess

from support import examples, program
from support.program import OPTIONS, FurrowTest

# Libraries that a program which encodes should not have to load.
NOT_OF_THE_LIBRARY = ("libcurl", "libssl", "libcrypto", "librocksdb", "libspdlog", "libcpp-httplib", "libcuda")


def output_of(*command, **options):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                            check=False, **options)
    if result.returncode != 0:
        raise AssertionError(f"{command}: exit code {result.returncode}\n{result.stdout}"
                             f"{result.stderr}")
    return result.stdout


class Install(FurrowTest):
    """One installation, into a folder whose name has a space, for all tests."""

    @classmethod
    def setUpClass(cls):
        cls.prefix = OPTIONS.work / "installed here/opt/furrow"
        # As packages are made: not to the place where it will stand.
        cls.staged = OPTIONS.work / "staged here"
        output_of(OPTIONS.cmake, "--install", OPTIONS.build, "--prefix", cls.prefix)
        output_of(OPTIONS.cmake, "--install", OPTIONS.build, "--prefix", "/usr/local",
                  env={**os.environ, "DESTDIR": str(cls.staged)})
        cls.pkg_config = next(cls.prefix.glob("lib*/**/furrow.pc")).parent

    def runs(self, example, compiled, **environment):
        said = output_of(compiled, *example.arguments, env={**os.environ, **environment})
        self.assertIn(example.says, said)

    def needed(self, path):
        return re.findall(r"NEEDED.*\[(.*)\]", output_of("readelf", "-d", path))

    def examples_here(self):
        """Those whose compiler is here."""
        here = []
        for example in examples.EXAMPLES:
            if shutil.which(examples.COMPILERS[example.language]):
                here.append(example)
            else:
                print(f"SKIPPED: {example.source}: {examples.COMPILERS[example.language]} is not installed")
        return here

    def library_path(self):
        return {"LD_LIBRARY_PATH": str(next(self.prefix.glob("lib*/**/libfurrow.so")).parent)}

    def test_everything_stands_below_the_staging_folder(self):
        self.assertEqual([entry.name for entry in self.staged.iterdir()], ["usr"])
        files = {path.relative_to(self.staged / "usr/local").as_posix()
                 for path in self.staged.rglob("*") if not path.is_dir()}
        for wanted in ("bin/furrow", "share/man/man1/furrow.1",
                       "share/man/man1/furrow-plot.1", "share/doc/libfurrow1/copyright",
                       "share/doc/libfurrow-dev/examples/mini_daemon.cpp",
                       "share/doc/libfurrow-dev/docs/manual/library.md",
                       "share/doc/libfurrow-dev/docs/spec/02-proof-of-space.md",
                       "share/bash-completion/completions/furrow",
                       "share/zsh/site-functions/_furrow"):
            self.assertIn(wanted, files)
        headers = {name for name in files if name.startswith("include/")}
        interface = OPTIONS.tree / "include/furrow"
        of_interface = {path.relative_to(OPTIONS.tree).as_posix()
                        for pattern in ("furrow.h", "furrow.hpp", "c/*.h", "cpp/*.hpp")
                        for path in interface.glob(pattern)}
        self.assertEqual(headers, of_interface)
        self.assertFalse([path for path in (self.staged / "usr/local/include").rglob("*")
                          if path.is_dir() and not any(path.iterdir())], "folders without headers")

    def test_nothing_names_the_folders_of_the_build(self):
        for path in self.staged.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                for folder in (OPTIONS.build, OPTIONS.tree):
                    self.assertNotIn(f"{folder}/".encode(), content, path)

    def test_program_runs_from_there(self):
        self.assertIn("furrow 0.", output_of(self.prefix / "bin/furrow", "--version"))

    def test_units_start_the_program_that_is_installed(self):
        for root, prefix in ((self.prefix, self.prefix), (self.staged / "usr/local", "/usr/local")):
            for unit in root.rglob("*.service"):  # as far as HTTP and NATS are built in
                command = unit.stem.removeprefix("furrow-")
                self.assertIn(f'ExecStart="{prefix}/bin/furrow" {command} ', unit.read_text(encoding="utf-8"))

    def test_cmake_package(self):
        project = self.folder / "consumer"
        project.mkdir()
        text, programs = examples.cmake_project(OPTIONS.tree)
        (project / "CMakeLists.txt").write_text(text, encoding="utf-8")
        # The package finds its parts by where it stands, so the installation may move.
        moved = self.folder / "moved"
        shutil.copytree(self.prefix, moved, symlinks=True)
        output_of(OPTIONS.cmake, "-S", project, "-B", project / "build",
                  f"-DCMAKE_PREFIX_PATH={moved}")
        output_of(OPTIONS.cmake, "--build", project / "build")
        for example, name in programs:
            with self.subTest(example=name):
                self.runs(example, project / "build" / name)
                self.assertEqual("libfurrow.so.1" in self.needed(project / "build" / name), name.endswith("_shared"))

    def test_pkg_config(self):
        environment = {**os.environ, "PKG_CONFIG_PATH": str(self.pkg_config)}
        flags = output_of("pkg-config", "--cflags", "--libs", "furrow", env=environment)
        for example in self.examples_here():
            compiled = self.folder / f"{example.name}_of_{example.language}"
            with self.subTest(example=example.source):
                output_of(*examples.compile_command(example, OPTIONS.tree / example.source, compiled, flags))
                self.assertIn("libfurrow.so.1", self.needed(compiled))
                self.runs(example, compiled, **self.library_path())

    def test_pkg_config_static(self):
        environment = {**os.environ, "PKG_CONFIG_PATH": str(self.pkg_config)}
        flags = output_of("pkg-config", "--cflags", "--libs", "--static", "furrow", env=environment)
        archive = next(self.prefix.glob("lib*/**/libfurrow.a"))
        for example in self.examples_here():
            compiled = self.folder / f"{example.name}_of_{example.language}"
            with self.subTest(example=example.source):
                output_of(*examples.compile_command(example, OPTIONS.tree / example.source, compiled, flags, archive))
                self.assertNotIn("libfurrow.so.1", self.needed(compiled))
                self.runs(example, compiled)

    def test_library_loads_little(self):
        needed = self.needed(next(self.prefix.glob("lib*/**/libfurrow.so")))
        self.assertIn("libc.so.6", needed)
        for library in NOT_OF_THE_LIBRARY:
            self.assertFalse([name for name in needed if name.startswith(library)], needed)

    def test_inside_of_another_project(self):
        """Configured only: subproject.py builds it."""
        project = self.folder / "outer"
        project.mkdir()
        text, _ = examples.cmake_project(OPTIONS.tree, f'add_subdirectory("{OPTIONS.tree}" furrow)')
        (project / "CMakeLists.txt").write_text(
            text + "if(TARGET furrow_cli OR TARGET test_base)\n"
            '  message(FATAL_ERROR "programs and tests of furrow are built")\nendif()\n', encoding="utf-8")
        output_of(OPTIONS.cmake, "-S", project, "-B", project / "build", "-DFURROW_CUDA=OFF")

    def test_library_shows_the_c_interface_alone(self):
        headers = "".join(path.read_text(encoding="utf-8") for path in (self.prefix / "include").rglob("*.h"))
        for library, options in (("libfurrow.so", ["-D"]), ("libfurrow.a", ["-g"])):
            path = next(self.prefix.glob(f"lib*/**/{library}"))
            names = {line.split()[-1].split("@")[0]
                     for line in output_of("nm", *options, "--defined-only", path).splitlines()
                     if len(line.split()) >= 3 and line.split()[1] != "A"}
            self.assertTrue(names)
            for name in names:
                self.assertRegex(headers, rf"\b{name}\(", library)


def add_options(parser):
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build folder to install")
    parser.add_argument("--tree", type=pathlib.Path, required=True, help="the repository")
    parser.add_argument("--cmake", type=pathlib.Path, required=True, help="the program cmake")


if __name__ == "__main__":
    program.run_tests(__doc__, add_options)
