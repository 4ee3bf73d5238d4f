#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Table of what each CUDA kernel takes; fails on a spill.

    tools/kernel_table.py [--out FILE] [--architectures 86,90] FILE...

A FILE is a cubin or an object (tools/cubin.py) with any number of architectures. The table is Markdown,
one row for each kernel and architecture. Registers that do not fit are spilled to local memory, and arrays
that are indexed at run time live there too ("stack"): both cost more than they seem to and are errors here,
and so is an architecture of which no kernel was found.
"""

import argparse
import dataclasses
import pathlib
import sys

import cubin
import sass_counts


@dataclasses.dataclass
class Usage:
    """Registers of a thread and bytes of a block (`shared`) or of a thread (`stack`); how many instructions
    store to and load from local memory."""
    symbol: str
    architecture: int
    registers: int
    shared: int
    stack: int
    local_stores: int
    local_loads: int

    def is_clean(self):
        return self.stack == self.local_stores == self.local_loads == 0


def usages_of(path):
    """What the kernels of a file use."""
    result = []
    for function in cubin.functions(path):
        kernel = sass_counts.read_kernel(function.name, function.code, function.architecture)
        operations = kernel.operations + kernel.out_of_line
        result.append(Usage(function.name, function.architecture, function.registers, function.shared,
                            function.stack, operations["STL"], operations["LDL"]))
    return result


def table(usages):
    """Lines of the table."""
    names = sass_counts.short_names([usage.symbol for usage in usages])
    rows = sorted((names[usage.symbol], usage.architecture, usage.registers, usage.shared,
                   usage.stack, usage.local_stores, usage.local_loads) for usage in usages)
    return sass_counts.table(
        ((f"`{name}`", f"sm_{architecture}", *numbers) for name, architecture, *numbers in rows),
        ("kernel", "arch", "registers", "shared bytes", "stack", "local stores", "local loads"))


def complaints(usages, architectures):
    """What is wrong, one line each."""
    names = sass_counts.short_names([usage.symbol for usage in usages])
    for usage in usages:
        if not usage.is_clean():
            yield (f"{names[usage.symbol]} on sm_{usage.architecture}: {usage.stack} bytes of stack, "
                   f"{usage.local_stores} local stores, {usage.local_loads} local loads")
    for architecture in sorted(set(architectures) - {usage.architecture for usage in usages}):
        yield f"no kernel for sm_{architecture}"
    if not usages:
        yield "no kernel at all"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--out", metavar="FILE", help="write the table there too")
    parser.add_argument("--architectures", default="", help="those that must be there, as in 86,90")
    arguments = parser.parse_args()
    try:
        usages = [usage for path in arguments.files for usage in usages_of(path)]
    except (cubin.CubinError, OSError) as error:
        print(f"kernel_table.py: {error}", file=sys.stderr)
        return 1
    lines = list(table(usages))
    print("\n".join(lines))
    if arguments.out:
        pathlib.Path(arguments.out).write_text("\n".join(lines) + "\n", encoding="utf-8")
    wanted = [int(name) for name in arguments.architectures.split(",") if name]
    bad = list(complaints(usages, wanted))
    for line in bad:
        print(f"kernel_table.py: {line}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
