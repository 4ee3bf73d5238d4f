#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what a file looks like: its license line, the length of lines of prose, that the engine's texts name no
option of a program, and, where clang-format 14 is installed, that it would change nothing."""

import argparse
import pathlib
import re
import subprocess
import sys

import source_tree

LICENSE = "SPDX-License-Identifier: Apache-2.0"
CODE_SUFFIXES = source_tree.SOURCE_SUFFIXES + (".py", ".sh", ".cmake", ".rs", ".toml")
MOST_COLUMNS = 120
# The specification is copied, and a program writes bench/model.md.
OTHER_PROSE = ("docs/spec/", "bench/model.md")
# Read by daemons that link the library: tools/advice.cpp adds what somebody at a command line may do.
ENGINE = ("host/", "cuda/", "include/")
OPTION_IN_A_TEXT = re.compile(r'"[^"]*(?<![-\w])--[a-z]')


def has_license(text):
    """In the first line, or behind the one that names the interpreter."""
    lines = text.split("\n", 2)
    return any(LICENSE in line for line in lines[:2])


def long_lines(text):
    """Numbers of the lines of prose that are too long: tables and code cannot be broken."""
    result = []
    in_code = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        is_link = " " not in line.strip()
        if not in_code and not line.lstrip().startswith("|") and not is_link and len(line) > MOST_COLUMNS:
            result.append(number)
    return result


def complaints_about(path, text):
    name = pathlib.PurePosixPath(path).name
    if (path.endswith(CODE_SUFFIXES) or name == "CMakeLists.txt") and not has_license(text):
        return [f"{path}: no line {LICENSE}"]
    if path.endswith(".md") and not path.startswith(OTHER_PROSE):
        return [f"{path}:{number}: more than {MOST_COLUMNS} columns" for number in long_lines(text)]
    if path.startswith(ENGINE):
        return [f"{path}:{number}: a text of the engine names an option of a program"
                for number, line in enumerate(text.splitlines(), 1)
                if OPTION_IN_A_TEXT.search(line.partition("//")[0])]
    return []


def unformatted(root, clang_format):
    """What clang-format would change."""
    files = source_tree.source_files(root)
    done = subprocess.run([clang_format, "--dry-run", "--ferror-limit=1", *files], cwd=root, text=True,
                          stderr=subprocess.PIPE, check=False)
    return [line for line in done.stderr.splitlines() if "warning:" in line or "error:" in line]


def main():
    parser = argparse.ArgumentParser(description="Checks license lines, lengths of lines and formatting.")
    parser.add_argument("--root", type=pathlib.Path, required=True, help="the repository")
    parser.add_argument("--clang-format", help="clang-format 14; left out without one")
    arguments = parser.parse_args()
    # The check must be able to fail.
    assert complaints_about("a.cpp", "int main() {}") and complaints_about("a.md", "a " * 61)
    assert complaints_about("host/a.cpp", f'// {LICENSE}\n"or --size 1"')
    assert not complaints_about("host/a.cpp", f'// {LICENSE}\n// "--size"')
    assert not complaints_about("a.py", "#!x\n# " + LICENSE) and not complaints_about("a.md", "| a " * 61)
    complaints = []
    for path in source_tree.repository_files(arguments.root):
        try:
            complaints += complaints_about(path, (arguments.root / path).read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue  # data
    if arguments.clang_format:
        complaints += unformatted(arguments.root, arguments.clang_format)
    else:
        print("formatting was not looked at: clang-format 14 is not installed")
    print("\n".join(complaints) or "ok")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
