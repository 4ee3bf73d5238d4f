# SPDX-License-Identifier: Apache-2.0
"""Programs that show how to use an installed libfurrow, and how others build them: with the compiler of their
language and the flags of pkg-config, or by CMake (C and C++)."""

import pathlib
import shlex

PROJECT = """\
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES C CXX)
set(CMAKE_CXX_STANDARD 20)
"""
INSTALLED = "find_package(furrow 0.1 CONFIG REQUIRED)"


class Example:
    """`source` is relative to the repository; run with `arguments` the program says `says`."""

    def __init__(self, source, arguments, says):
        self.source = pathlib.PurePosixPath(source)
        self.arguments = arguments
        self.says = says
        self.name = self.source.stem
        self.language = self.source.suffix.removeprefix(".")


# What is added here is built and run by e2e.install and e2e.packages, in each way.
EXAMPLES = [
    Example("examples/encode_record.c", [], "232b22d8c0d7cd7987227bf21b77ecf5978466dd647da71bb84423fdaba6506b"),  # the golden hash
]
COMPILERS = {"c": "cc", "cpp": "c++", "rs": "rustc"}
DEBIAN_PACKAGES = {"c": "gcc", "cpp": "g++", "rs": "rustc"}


def compile_command(example, source, compiled, flags, archive=None):
    """Words of a command. `flags` are what pkg-config said; `archive` takes the place of the shared library."""
    flags = shlex.split(flags)
    if example.language == "rs":  # no headers, and its own way to name a static library
        if archive:
            flags = ["-lstatic=furrow" if flag == "-lfurrow" else flag for flag in flags]
            flags.append(f"-L{pathlib.Path(archive).parent}")
        flags = [flag for flag in flags if flag.startswith(("-l", "-L"))]
        return ["rustc", "--edition", "2021", "-o", compiled, source, *flags]
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
