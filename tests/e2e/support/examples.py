# SPDX-License-Identifier: Apache-2.0
"""Programs that show how to use an installed libfurrow, and how others build them: with the compiler of their
language and the flags of pkg-config, or by CMake (C and C++)."""

import pathlib
import re
import shlex

PROJECT = """\
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES C CXX)
set(CMAKE_CXX_STANDARD 20)
"""
INSTALLED = "find_package(furrow 0.1 CONFIG REQUIRED)"


class Example:
    """`source`, and `folders` that it is built with, are relative to the repository; run with `arguments` the program
    says `says`."""

    def __init__(self, source, arguments, says, folders=()):
        self.source = pathlib.PurePosixPath(source)
        self.arguments = arguments
        self.says = says
        self.folders = folders
        self.name = self.source.stem
        self.language = self.source.suffix.removeprefix(".")


# What is added here is built and run by e2e.install and e2e.packages, in each way.
EXAMPLES = [
    Example("examples/encode_record.c", [], "232b22d8c0d7cd7987227bf21b77ecf5978466dd647da71bb84423fdaba6506b"),  # the golden hash
    Example("examples/rust/plot_sector/src/main.rs", [], "piece 151: read back",
            folders=("bindings/rust/furrow-sys/src", "bindings/rust/furrow/src")),
]
COMPILERS = {"c": "cc", "cpp": "c++", "rs": "rustc"}
DEBIAN_PACKAGES = {"c": "gcc", "cpp": "g++", "rs": "rustc"}


def line_at_the_head(source):
    """The one command that builds it, as it stands in its comment."""
    return re.search(r"^(?://| \*)   (c(?:c|\+\+) .*)$", source.read_text(encoding="utf-8"), re.MULTILINE).group(1)


def rust_command(example, source, compiled, flags, archive):
    """The crates, then the program, as cargo would, which need not be there. What pkg-config said comes last: `-l`
    would stand before the crates that it is for."""
    tree = str(source).removesuffix(str(example.source))
    crates = f"{compiled}.crates"
    words = [str(archive) if archive and flag == "-lfurrow" else flag
             for flag in flags if flag.startswith(("-l", "-L"))]
    words.append("-lc")  # rustc has it before these, and a part of it, as `atexit`, is taken by need
    rustc = ["rustc", "--edition", "2021", "-L", crates]
    commands = [["mkdir", "-p", crates]]
    known = []
    for name, folder in (("furrow_sys", example.folders[0]), ("furrow", example.folders[1])):
        commands.append([*rustc, *known, "--crate-type", "rlib", "--crate-name", name, "--out-dir", crates,
                         f"{tree}{folder}/lib.rs"])
        known += ["--extern", f"{name}={crates}/lib{name}.rlib"]
    commands.append([*rustc, *known, "-o", compiled, source, *(f"-Clink-arg={word}" for word in words)])
    return ["sh", "-ec", "\n".join(shlex.join(str(word) for word in command) for command in commands)]


def compile_command(example, source, compiled, flags, archive=None):
    """Words of a command. `flags` are what pkg-config said; `archive` takes the place of the shared library."""
    flags = shlex.split(flags)
    if example.language == "rs":
        return rust_command(example, source, compiled, flags, archive)
    if archive:
        flags = [str(archive) if flag == "-lfurrow" else flag for flag in flags]
    standard = "-std=c++20" if example.language == "cpp" else "-std=c11"
    return [COMPILERS[example.language], standard, "-Wall", "-Wextra", "-Werror", "-o", compiled, source, *flags]


def cmake_project(tree, furrow=INSTALLED):
    """CMakeLists.txt that builds NAME_shared and NAME_static of each example, and these with their names. `furrow`
    is the command that gives it the library."""
    text = f"{PROJECT}{furrow}\n"
    programs = []
    for example in EXAMPLES:
        if example.language == "rs":
            continue
        for library, target in (("shared", "furrow"), ("static", "furrow_static")):
            name = f"{example.name}_{example.language}_{library}"
            programs.append((example, name))
            text += (f'add_executable({name} "{tree / example.source}")\n'
                     f"target_link_libraries({name} PRIVATE furrow::{target})\n")
    return text, programs
