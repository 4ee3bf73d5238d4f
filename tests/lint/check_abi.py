#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what programs that were compiled rely on: the shared library exports the functions of its C headers
and nothing else, and against the list in tests/abi nothing was removed or changed, and nothing was added but
with a greater FURROW_ABI_VERSION. abi.py says what is in the list.

    check_abi.py --root REPOSITORY --library libfurrow.so [--update]
"""

import argparse
import pathlib
import re
import sys

import abi

LIST = "tests/abi/libfurrow.abi"
EXPLANATION = """\
# What programs that were compiled rely on (tests/lint/abi.py says what the lines mean). Made by
# tests/lint/check_abi.py --update, for the version below and all before it.
"""


def complaints_about_exports(symbols, functions):
    complaints = [f"exported, but no part of the C interface: {name}"
                  for name in sorted(symbols) if name not in functions]
    complaints += [f"declared, but not exported: {name}" for name in functions if name not in symbols]
    if not functions:
        complaints.append("the headers declare no function")
    return complaints


def _is_sized(struct, facts):
    """It begins with its own size, by which the library knows which members a caller has."""
    return facts.get(f"member {struct}.size", "").startswith("offset 0 size 8 ")


def _may_change(key, old, new, facts):
    """Whether a new version may change this: structs that tell their size grow, and what is reserved in them
    becomes members."""
    kind, name = key.split(" ", 1)
    struct = name.split(".")[0]
    if not _is_sized(struct, facts):
        return False
    if kind == "struct":
        (old_size, old_align), (new_size, new_align) = (re.findall(r"\d+", text) for text in (old, new))
        return old_align == new_align and int(new_size) >= int(old_size)
    return kind == "member" and name.split(".", 1)[1].startswith("reserved")


class Comparison:
    """Of a list with what there is now. `broken`: what no version may do; `added`: what a new one may."""

    def __init__(self, old_version, old, version, new):
        self.broken = []
        self.added = []
        if version < old_version:
            self.broken.append(f"FURROW_ABI_VERSION is {version}, in the list {old_version}")
        for key, value in old.items():
            if key not in new:
                is_reserved = _may_change(key, value, "", old) if key.startswith("member ") else False
                (self.added if is_reserved else self.broken).append(f"removed: {key} {value}".rstrip())
            elif new[key] != value:
                allowed = _may_change(key, value, new[key], new)
                (self.added if allowed else self.broken).append(f"changed: {key} from {value} to {new[key]}")
        for key, value in new.items():
            if key in old:
                continue
            self.added.append(f"added: {key} {value}".rstrip())
            if key.startswith("function "):
                self._check_node(key, value.split(" ", 1)[0], old_version, version)
            elif key.startswith("member ") and key.split(" ", 1)[1].split(".")[0] in self._structs(old):
                self._check_place(key, value, old)

    def _check_node(self, key, node, old_version, version):
        """A program that needs a new function must not start with an old library."""
        number = re.fullmatch(r"FURROW_(\d+)", node)
        if version > old_version and not (number and old_version < int(number.group(1)) <= version):
            self.broken.append(f"{key} is of the version node {node}, but not older than {version}")

    @staticmethod
    def _structs(facts):
        return {key.split(" ", 1)[1] for key in facts if key.startswith("struct ")}

    def _check_place(self, key, value, old):
        """Callers that know nothing of a new member must not have given it a value."""
        struct = key.split(" ", 1)[1].split(".")[0]
        offset = int(re.match(r"offset (\d+)", value).group(1))
        end = int(re.search(r"size (\d+)", old[f"struct {struct}"]).group(1))
        for other, text in old.items():
            if other.startswith(f"member {struct}.reserved"):
                begin, size = (int(number) for number in re.match(r"offset (\d+) size (\d+)", text).groups())
                if begin <= offset < begin + size:
                    return
        if offset < end:
            self.broken.append(f"{key} lies in bytes that {struct} had before, and that were not reserved")


def report(comparison, old_version, version, command):
    """Says what was found and returns the exit code."""
    for line in comparison.broken:
        print(f"breaks programs that were compiled: {line}")
    for line in comparison.added:
        print(line)
    if comparison.broken:
        return 1
    if comparison.added and version == old_version:
        print(f"What is added needs a FURROW_ABI_VERSION greater than {version}, and a version node of that number "
              "for functions (host/capi/exports.map).")
        return 1
    if comparison.added or version != old_version:
        print(f"{len(comparison.added)} additions of version {version}. When they are final, make the list anew:\n"
              f"  {command}")
    return 0


def main():
    parser = argparse.ArgumentParser(description="Checks what programs that were compiled rely on.")
    parser.add_argument("--root", type=pathlib.Path, required=True, help="the repository")
    parser.add_argument("--library", type=pathlib.Path, required=True)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--readelf", default="readelf")
    parser.add_argument("--update", action="store_true", help="write the list")
    arguments = parser.parse_args()
    compiler = abi.Compiler(arguments.cc, arguments.root / "include", arguments.readelf)
    symbols = abi.exported_symbols(arguments.library, arguments.nm)
    functions = abi.declared_functions(compiler)
    version = abi.abi_version(compiler)
    facts = abi.facts_of(compiler, symbols)
    complaints = complaints_about_exports(symbols, functions)
    if complaints:
        print("\n".join(complaints))
        return 1
    path = arguments.root / LIST
    if arguments.update:
        path.write_text(EXPLANATION + abi.to_text(version, facts), encoding="utf-8")
    old_version, old = abi.from_text(path.read_text(encoding="utf-8"))
    command = (f"python3 {pathlib.Path(__file__).resolve()} --root {arguments.root} --library {arguments.library} "
               "--update")
    code = report(Comparison(old_version, old, version, facts), old_version, version, command)
    print(f"version {version}: {len(symbols)} functions exported, {len(facts)} facts")
    return code


if __name__ == "__main__":
    sys.exit(main())
