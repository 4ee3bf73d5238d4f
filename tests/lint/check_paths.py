#!/usr/bin/env python3
"""Checks that no file of the repository names a folder outside of it: a clone must stand alone."""

import argparse
import pathlib
import re
import sys

import source_tree

# Put together here, so that this file does not name them either.
_OUTSIDE = (
    re.compile(r"\.\." + r"/shared(?![A-Za-z0-9_])"),
    re.compile(r"(?<![A-Za-z0-9_.})*])" + "/" + r"work/"),
)


def complaints_about(path, text):
    result = []
    for number, line in enumerate(text.splitlines(), 1):
        if any(pattern.search(line) for pattern in _OUTSIDE):
            result.append(f"{path}:{number}: names a folder outside of the repository: {line.strip()}")
    return result


def main():
    parser = argparse.ArgumentParser(description="Checks that no file names an outside folder.")
    parser.add_argument("--root", type=pathlib.Path, required=True, help="the repository")
    root = parser.parse_args().root
    # The check must be able to fail.
    assert complaints_about("a", "see .." + "/shared/x") and complaints_about("a", "cd " + "/" + "work/x")
    assert not complaints_about("a", '"${dir}/work/x" ../shared_memory.hpp')
    files = source_tree.repository_files(root)
    complaints = []
    for path in files:
        complaints += complaints_about(path, (root / path).read_bytes().decode("utf-8", "replace"))
    for complaint in complaints:
        print(complaint)
    print(f"{len(files)} files, {len(complaints)} complaints")
    return 1 if complaints or not files else 0


if __name__ == "__main__":
    sys.exit(main())
