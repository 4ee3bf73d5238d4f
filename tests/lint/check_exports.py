#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the shared library exports the functions of its C header and nothing else: whatever else
it exported would meet the same names of other libraries in the process that loads it."""

import argparse
import pathlib
import re
import subprocess
import sys

# Symbol versions themselves appear as absolute symbols.
_VERSION_TYPE = "A"


def exported_symbols(library, nm):
    listing = subprocess.run([nm, "-D", "--defined-only", "--format=posix", str(library)], text=True,
                             stdout=subprocess.PIPE, check=True).stdout
    symbols = set()
    for line in listing.splitlines():
        name, kind = line.split()[:2]
        if kind != _VERSION_TYPE:
            symbols.add(name.split("@")[0])
    return symbols


def declared_functions(header):
    """Names of the functions that the header declares: furrow_ names directly before a parenthesis,
    outside of comments and of macros."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", header.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"^[ \t]*#.*?(?<!\\)$", " ", text, flags=re.MULTILINE | re.DOTALL)
    return set(re.findall(r"\b(furrow_[a-z0-9_]+)[ \t\n]*\(", text))


def main():
    parser = argparse.ArgumentParser(description="Checks what the shared library exports.")
    parser.add_argument("--library", type=pathlib.Path, required=True)
    parser.add_argument("--header", type=pathlib.Path, required=True)
    parser.add_argument("--nm", default="nm")
    arguments = parser.parse_args()
    exported = exported_symbols(arguments.library, arguments.nm)
    declared = declared_functions(arguments.header)
    foreign = sorted(name for name in exported if not name.startswith("furrow_"))
    missing = sorted(declared - exported)
    for name in foreign:
        print(f"exported, but no part of the C interface: {name}")
    for name in missing:
        print(f"declared in {arguments.header.name}, but not exported: {name}")
    print(f"{len(exported)} exported, {len(declared)} declared, {len(foreign)} foreign, "
          f"{len(missing)} missing")
    return 1 if foreign or missing or not declared else 0


if __name__ == "__main__":
    sys.exit(main())
