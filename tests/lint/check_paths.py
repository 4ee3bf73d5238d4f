#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that no file of the repository names a folder outside of it, since a clone must stand alone,
and that every relative link of its Markdown pages leads to a file."""

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

# A Markdown link without a scheme, and not one within its page.
_LINK = re.compile(r"\]\((?![a-z]+:|#)([^)\s]+)\)")


def complaints_about(path, text):
    result = []
    for number, line in enumerate(text.splitlines(), 1):
        if any(pattern.search(line) for pattern in _OUTSIDE):
            result.append(f"{path}:{number}: names a folder outside of the repository: {line.strip()}")
    return result


def broken_links(root, path, text):
    result = []
    for number, line in enumerate(text.splitlines(), 1):
        for target in _LINK.findall(line):
            if not (root / path).parent.joinpath(target.split("#")[0]).exists():
                result.append(f"{path}:{number}: links to {target}, which does not exist")
    return result


def main():
    parser = argparse.ArgumentParser(description="Checks the paths that files of the repository name.")
    parser.add_argument("--root", type=pathlib.Path, required=True, help="the repository")
    root = parser.parse_args().root
    # The check must be able to fail.
    assert complaints_about("a", "see .." + "/shared/x") and complaints_about("a", "cd " + "/" + "work/x")
    assert not complaints_about("a", '"${dir}/work/x" ../shared_memory.hpp')
    assert broken_links(root, "a.md", "[x](no/such/file) [y](https://z) [z](#here)") == [
        "a.md:1: links to no/such/file, which does not exist"]
    files = source_tree.repository_files(root)
    complaints = []
    for path in files:
        text = (root / path).read_bytes().decode("utf-8", "replace")
        complaints += complaints_about(path, text)
        if path.endswith(".md"):
            complaints += broken_links(root, path, text)
    for complaint in complaints:
        print(complaint)
    print(f"{len(files)} files, {len(complaints)} complaints")
    return 1 if complaints or not files else 0


if __name__ == "__main__":
    sys.exit(main())
