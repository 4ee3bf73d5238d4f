#!/usr/bin/env python3
"""Table of what each CUDA kernel takes, from what `ptxas -v` said; fails on a spill.

    tools/ptxas_table.py [--out FILE] [--architectures 86,90] LOG...

A LOG is the output of nvcc with `-Xptxas -v` for one source and any number of architectures. The
table is Markdown, one row for each kernel and architecture. Registers that do not fit are spilled
to local memory, and arrays that are indexed at run time live there too ("stack"): both cost more
than they seem to and are errors here, and so is an architecture of which no kernel was found.
"""

import argparse
import dataclasses
import pathlib
import re
import sys

import sass_counts

_ENTRY = re.compile(r"Compiling entry function '(\S+)' for 'sm_(\d+)\w?'")
_PROPERTIES = re.compile(r"Function properties for (\S+)")
_STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
_REGISTERS = re.compile(r"Used (\d+) registers")
_SHARED = re.compile(r"(\d+) bytes smem")


@dataclasses.dataclass
class Usage:
    """Registers of a thread and bytes of a block (`shared`) or of a thread (the others)."""
    symbol: str
    architecture: int
    registers: int = 0
    shared: int = 0
    stack: int = 0
    spill_stores: int = 0
    spill_loads: int = 0

    def is_clean(self):
        return self.stack == self.spill_stores == self.spill_loads == 0


class LogError(Exception):
    """A log that does not look like one of ptxas."""


def parse(text):
    """What the kernels of a log use."""
    usages = []
    of_kernel = True  # properties of functions that are no kernels count for the kernel before them
    for line in text.splitlines():
        if match := _ENTRY.search(line):
            usages.append(Usage(match[1], int(match[2])))
            continue
        if match := _PROPERTIES.search(line):
            of_kernel = bool(usages) and match[1] == usages[-1].symbol
        if match := _STACK.search(line):
            if not usages:
                raise LogError(f"stack frame before any kernel: {line}")
            last = usages[-1]
            last.stack += int(match[1])
            last.spill_stores += int(match[2])
            last.spill_loads += int(match[3])
        if match := _REGISTERS.search(line):
            if not usages:
                raise LogError(f"registers before any kernel: {line}")
            if of_kernel or usages[-1].registers == 0:
                usages[-1].registers = int(match[1])
                shared = _SHARED.search(line)
                usages[-1].shared = int(shared[1]) if shared else 0
    for usage in usages:
        if usage.registers == 0:
            raise LogError(f"no registers for {usage.symbol} on sm_{usage.architecture}")
    return usages


def table(usages):
    """Lines of the table."""
    names = sass_counts.short_names([usage.symbol for usage in usages])
    rows = sorted((names[usage.symbol], usage.architecture, usage.registers, usage.shared,
                   usage.stack, usage.spill_stores, usage.spill_loads) for usage in usages)
    return sass_counts.table(
        ((f"`{name}`", f"sm_{architecture}", *numbers) for name, architecture, *numbers in rows),
        ("kernel", "arch", "registers", "shared bytes", "stack", "spill stores", "spill loads"))


def complaints(usages, architectures):
    """What is wrong, one line each."""
    names = sass_counts.short_names([usage.symbol for usage in usages])
    for usage in usages:
        if not usage.is_clean():
            yield (f"{names[usage.symbol]} on sm_{usage.architecture}: {usage.stack} bytes of stack, "
                   f"{usage.spill_stores} of spill stores, {usage.spill_loads} of spill loads")
    for architecture in sorted(set(architectures) - {usage.architecture for usage in usages}):
        yield f"no kernel for sm_{architecture}"
    if not usages:
        yield "no kernel at all"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("logs", nargs="+", metavar="LOG")
    parser.add_argument("--out", metavar="FILE", help="write the table there too")
    parser.add_argument("--architectures", default="", help="those that must be there, as in 86,90")
    arguments = parser.parse_args()
    try:
        usages = [usage for log in arguments.logs
                  for usage in parse(pathlib.Path(log).read_text(encoding="utf-8"))]
    except (LogError, OSError) as error:
        print(f"ptxas_table.py: {error}", file=sys.stderr)
        return 1
    lines = list(table(usages))
    print("\n".join(lines))
    if arguments.out:
        pathlib.Path(arguments.out).write_text("\n".join(lines) + "\n", encoding="utf-8")
    wanted = [int(name) for name in arguments.architectures.split(",") if name]
    bad = list(complaints(usages, wanted))
    for line in bad:
        print(f"ptxas_table.py: {line}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
