#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that Doxygen understands the installed headers, and finds every function, type and file of them
documented. Members, values of enumerations and constants may speak for themselves.

    check_doxygen.py --root REPOSITORY --doxygen PROGRAM [--out DIR]

With --out the pages are kept: HTML in DIR/html. Exit code 77: Doxygen is not installed."""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SETTINGS = """\
PROJECT_NAME = libfurrow
QUIET = YES
OPTIMIZE_OUTPUT_FOR_C = YES
JAVADOC_AUTOBRIEF = YES
TYPEDEF_HIDES_STRUCT = YES
ENABLE_PREPROCESSING = YES
MACRO_EXPANSION = YES
EXPAND_ONLY_PREDEF = YES
PREDEFINED = FURROW_API= FURROW_ENUM=
GENERATE_LATEX = NO
HAVE_DOT = NO
WARN_IF_UNDOCUMENTED = YES
WARN_IF_DOC_ERROR = YES
WARN_IF_INCOMPLETE_DOC = YES
WARN_FORMAT = "$file:$line: $text"
"""
NOT_POSSIBLE = 77  # an exit code that ctest takes for a test that was skipped
_WARNING = re.compile(r"^(?P<place>/\S+|<\S+>):\d+: ")
# Members of structs, and in C++, where names say more, functions and parameters.
_SPEAKS_FOR_ITSELF = re.compile(
    r"Member \S+ \((variable|macro definition|enumvalue)\) of (struct|union|file) \S+ is not documented\."
    r"|Member .* \(function\) of (class|struct) furrow::\S+ is not documented\."
    r"|The following parameters? of furrow::")


def installed_headers(root):
    """Those that cmake/FurrowInstall.cmake installs."""
    interface = root / "include/furrow"
    return sorted(path for pattern in ("furrow.h", "furrow.hpp", "c/*.h", "cpp/*.hpp")
                  for path in interface.glob(pattern))


def warnings_of(doxygen, headers, include, out):
    settings = SETTINGS + f'OUTPUT_DIRECTORY = "{out}"\nSTRIP_FROM_PATH = "{include}"\nINPUT = ' + " ".join(
        f'"{header}"' for header in headers) + "\n"
    done = subprocess.run([doxygen, "-"], input=settings, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{doxygen} ended with {done.returncode}:\n{done.stderr}")
    warnings = []
    for line in done.stderr.splitlines():
        if _WARNING.match(line) or not warnings:
            warnings.append(line)
        else:  # goes on below
            warnings[-1] += "\n" + line
    return warnings


def complaints_about(doxygen, headers, include, out):
    return [warning for warning in warnings_of(doxygen, headers, include, out)
            if not _SPEAKS_FOR_ITSELF.search(warning)]


def can_fail(doxygen, folder):
    """Whether each of the mistakes that this is for is found."""
    header = pathlib.Path(folder) / "mistakes.h"
    header.write_text("/** @file\n * Mistakes. */\n/** One.\n * @param b of another name */\nint one(int a);\n"
                      "int two(void);\ntypedef struct three { int speaks_for_itself; } three;\n", encoding="utf-8")
    said = "\n".join(complaints_about(doxygen, [header], folder, pathlib.Path(folder) / "out"))
    return ("'b' of command @param is not found" in said and "Member two" in said and "Compound three" in said
            and "speaks_for_itself" not in said)


def main():
    parser = argparse.ArgumentParser(description="Checks the documentation of the installed headers.")
    parser.add_argument("--root", type=pathlib.Path, required=True, help="the repository")
    parser.add_argument("--doxygen", default="doxygen")
    parser.add_argument("--out", type=pathlib.Path, help="where to leave the pages")
    arguments = parser.parse_args()
    if shutil.which(arguments.doxygen) is None:
        print("SKIPPED: doxygen is not installed (tools/install-deps.sh --test)")
        return NOT_POSSIBLE
    headers = installed_headers(arguments.root)
    with tempfile.TemporaryDirectory() as folder:
        assert headers and can_fail(arguments.doxygen, folder)
        out = arguments.out or pathlib.Path(folder) / "pages"
        complaints = complaints_about(arguments.doxygen, headers, arguments.root / "include", out)
    print("\n".join(complaints) or "ok")
    print(f"{len(headers)} headers, {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
