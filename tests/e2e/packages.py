#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Debian packages that cpack makes, in a Debian where nothing else is: they bring what they need, programs
of others are built and run with them, and the program works. Exit code 77: not possible here.

    packages.py --furrow PROGRAM --work DIR --fixtures DIR --build DIR --tree DIR --cpack PROGRAM
"""

import pathlib
import re
import shutil
import subprocess
import unittest

from support import clean_root, examples, program
from support.program import OPTIONS

# Libraries that a program which encodes should not have to load.
NOT_OF_THE_LIBRARY = ("libcurl", "libssl", "libcrypto", "librocksdb", "libspdlog", "libcpp-httplib", "libcuda")
# What Debian's check says that is so on purpose: whoever makes packages for others says who they are
# (FURROW_PACKAGE_CONTACT); they are not uploaded to Debian; cpack writes scripts beside the trigger.
ON_PURPOSE = ("bogus-mail-host", "bogus-mail-host-in-debian-changelog", "initial-upload-closes-no-bugs",
              "maintscript-calls-ldconfig")
VECTORS = ("pos.json", "sector_id.json", "erasure.json")


def output_of(*command):
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Packages(unittest.TestCase):
    """One Debian for all tests: first what the packages bring along, then with compilers beside them."""

    @classmethod
    def setUpClass(cls):
        cls.root = clean_root.CleanRoot(OPTIONS.work / "memory")
        cls.addClassCleanup(cls.root.close)
        made = cls.root.path("/made")
        output_of(OPTIONS.cpack, "-G", "DEB", "--config", OPTIONS.build / "CPackConfig.cmake", "-B", made)
        shutil.rmtree(made / "_CPack_Packages")
        cls.debs = sorted(made.glob("*.deb"))
        cls.inside = [f"/made/{deb.name}" for deb in cls.debs]
        cls.root.install(*[deb for deb in cls.inside if "-dev_" not in deb])
        # Before anything else could bring it.
        cls.loaded = {path: cls.root.succeeds("ldd", path)
                      for path in ("/usr/bin/furrow", cls.file_of("libfurrow1", r"/libfurrow\.so\.[^/]+$"))}
        languages = {example.language for example in examples.EXAMPLES} | {"c", "cpp"}
        cls.root.install(*cls.inside, "cargo", "cmake", "make", "pkg-config",
                         *sorted(examples.DEBIAN_PACKAGES[language] for language in languages))
        for example in examples.EXAMPLES:
            for part in (example.source, *example.folders):
                cls.root.bring(OPTIONS.tree / part, f"/examples/{part}")
        for part in (OPTIONS.store, OPTIONS.farm):
            cls.root.bring(part, f"/fixtures/{part.name}")

    @classmethod
    def files_of(cls, package):
        return cls.root.succeeds("dpkg", "-L", package).splitlines()

    @classmethod
    def file_of(cls, package, pattern):
        return next(path for path in cls.files_of(package) if re.search(pattern, path))

    def runs(self, example, compiled):
        self.assertIn(example.says, self.root.succeeds(compiled, *example.arguments))

    def needed(self, inside):
        return re.findall(r"NEEDED.*\[(.*)\]", output_of("readelf", "-d", self.root.path(inside)))

    def test_names_and_dependencies(self):
        fields = {}
        for deb in self.debs:
            names = ("Package", "Section", "Depends", "Version")
            fields[output_of("dpkg-deb", "-f", deb, "Package").strip()] = dict(
                line.split(": ", 1) for line in output_of("dpkg-deb", "-f", deb, *names).splitlines())
        self.assertEqual({name: one["Section"] for name, one in fields.items()},
                         {"libfurrow1": "libs", "libfurrow-dev": "libdevel", "furrow": "utils"})
        self.assertIn(f"libfurrow1 (= {fields['libfurrow1']['Version']})", fields["libfurrow-dev"]["Depends"])
        for library in NOT_OF_THE_LIBRARY:
            self.assertNotIn(library, fields["libfurrow1"]["Depends"])
        self.assertIn("librocksdb", fields["furrow"]["Depends"])

    def test_library_loads_little(self):
        path = self.file_of("libfurrow1", r"/libfurrow\.so\.[^/]+$")
        needed = self.needed(path)
        self.assertIn("libc.so.6", needed)
        for library in NOT_OF_THE_LIBRARY:
            self.assertFalse([name for name in needed if name.startswith(library)], needed)
        self.assertIn("[libfurrow.so.1]", output_of("readelf", "-d", self.root.path(path)))

    def test_dependencies_are_enough(self):
        for path, libraries in self.loaded.items():
            self.assertIn("libstdc++", libraries, path)
            self.assertNotIn("not found", libraries, path)

    def test_debian_has_no_complaint(self):
        if shutil.which("lintian") is None:
            self.skipTest("lintian is not installed")
        said = output_of("lintian", "--allow-root", "--fail-on", "error,warning", "--suppress-tags",
                         ",".join(ON_PURPOSE), *self.debs)
        self.assertNotIn("E: ", said)

    def test_with_pkg_config(self):
        for example in examples.EXAMPLES:
            with self.subTest(example=example.name):
                source = f"/examples/{example.source}"
                flags = self.root.succeeds("pkg-config", "--cflags", "--libs", "furrow")
                compiled = f"/examples/{example.name}_of_{example.language}"
                self.root.succeeds(*examples.compile_command(example, source, compiled, flags))
                self.assertIn("libfurrow.so.1", self.needed(compiled))
                self.runs(example, compiled)

    def test_with_pkg_config_static(self):
        archive = self.file_of("libfurrow-dev", r"/libfurrow\.a$")
        for example in examples.EXAMPLES:
            with self.subTest(example=example.name):
                source = f"/examples/{example.source}"
                flags = self.root.succeeds("pkg-config", "--cflags", "--libs", "--static", "furrow")
                compiled = f"/examples/{example.name}_of_{example.language}_static"
                self.root.succeeds(*examples.compile_command(example, source, compiled, flags, archive))
                self.assertNotIn("libfurrow.so.1", self.needed(compiled))
                self.runs(example, compiled)

    def test_with_cmake(self):
        text, programs = examples.cmake_project(pathlib.PurePosixPath("/examples"))
        project = self.root.path("/project")
        project.mkdir()
        (project / "CMakeLists.txt").write_text(text, encoding="utf-8")
        self.root.succeeds("cmake", "-S", "/project", "-B", "/project/build")
        self.root.succeeds("cmake", "--build", "/project/build")
        for example, name in programs:
            with self.subTest(example=name):
                self.assertEqual("libfurrow.so.1" in self.needed(f"/project/build/{name}"), name.endswith("_shared"))
                self.runs(example, f"/project/build/{name}")

    def test_daemon(self):
        installed = "/usr/share/doc/libfurrow-dev/examples"
        line = examples.line_at_the_head(self.root.path(f"{installed}/mini_daemon.cpp"))
        self.root.succeeds("sh", "-ec", f"cp -r {installed} /daemon; cd /daemon; {line}")
        said = self.root.succeeds("/daemon/mini_daemon", "/daemon/farm", "/fixtures/store", "2", "2")
        self.assertIn("2 sectors in the farm", said)
        self.root.succeeds("furrow", "scrub", "--farm", "/daemon/farm")

    def test_rust_crates(self):
        self.root.bring(OPTIONS.tree / "bindings/rust", "/crates")
        golden = self.root.bring(OPTIONS.tree / "tests/golden", "/golden_of_crates")
        said = self.root.succeeds(
            "env", "FURROW_INCLUDE_DIR=/usr/include", f"FURROW_GOLDEN_DIR={golden}", "FURROW_FIXTURES=/fixtures",
            "FURROW_PROGRAM=/usr/bin/furrow", "CARGO_TARGET_DIR=/target", "sh", "-ec",
            "cd /crates && cargo test --offline --locked --workspace -- --include-ignored")
        self.assertIn("test sectors_are_those_of_the_program ... ok", said)
        self.assertIn("test layouts_are_those_of_the_c_compiler ... ok", said)

    def test_program(self):
        self.assertIn("no CUDA devices", self.root.succeeds("furrow", "devices"))
        paths = [self.root.bring(OPTIONS.tree / "tests/golden" / name, f"/golden/{name}") for name in VECTORS]
        said = self.root.succeeds("furrow", "vectors", "--encoder", "cpu", *paths)
        self.assertRegex(said, r"(?m)^[1-9]\d+ passed, 0 failed$")

    def test_manual_pages(self):
        pages = [path for path in self.files_of("furrow") if path.startswith("/usr/share/man/man1/furrow")]
        self.assertIn("/usr/share/man/man1/furrow-plot.1.gz", pages)
        for page in pages:
            self.assertRegex(self.root.succeeds("zcat", page), r'\A\.TH "furrow[a-z-]*" 1 ', page)

    def test_completions(self):
        path = "/usr/share/bash-completion/completions/furrow"
        asked = (f"source {path}; COMP_WORDS=(furrow dev) COMP_CWORD=1; _furrow; echo ${{COMPREPLY[*]}}; "
                 "complete -p furrow")
        said = self.root.succeeds("bash", "-c", asked).splitlines()
        self.assertEqual(said, ["devices", "complete -o default -F _furrow furrow"])
        self.assertIn("/usr/share/zsh/site-functions/_furrow", self.files_of("furrow"))

    def test_units(self):
        for command in ("serve-pieces", "plotter"):
            file = self.file_of("furrow", rf"/furrow-{command}\.service$")
            self.assertIn(f'ExecStart="/usr/bin/furrow" {command} ', self.root.path(file).read_text(encoding="utf-8"))

    def test_documents(self):
        for package in ("libfurrow1", "libfurrow-dev", "furrow"):
            files = self.files_of(package)
            for name in ("copyright", "changelog.gz", "changelog.Debian.gz"):
                self.assertIn(f"/usr/share/doc/{package}/{name}", files)


def add_options(parser):
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build folder to make packages of")
    parser.add_argument("--tree", type=pathlib.Path, required=True, help="the repository")
    parser.add_argument("--cpack", type=pathlib.Path, required=True, help="the program cpack")


if __name__ == "__main__":
    clean_root.be_alone()
    program.run_tests(__doc__, add_options)
