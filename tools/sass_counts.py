#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the instructions of compiled CUDA kernels by the pipe that carries them out.

    tools/sass_counts.py [--loops] [--out FILE] [--json FILE] FILE...

A FILE is a cubin or an object (tools/cubin.py). Needs no disassembler: a kernel is 16-byte instructions
(compute capability 7.0 and later):

    bits 0-8    operation
    bits 9-11   kinds of its operands (register, immediate, constant, uniform register)
    bits 12-15  predicate
    rest        operands and scheduling

So the low 9 bits name the operation, whatever its operands. The target of a branch is relative to
the next instruction: before 9.0 in bytes from bit 32 on, since then in words of 4 bytes, the low 8
bits at bit 16 and the others from bit 34 on. Behind the last instruction of a kernel stands a branch
to itself; each kernel is checked to end like that, which tells when the encoding has changed.

A loop is a backward branch and what lies between its target and itself. What stands behind the last
unconditional EXIT is out of line: slow paths and subroutines. Their jumps back are no loops, and
neither is a span that begins in a loop and ends outside of it. Counts are of instructions as they stand, not of how often they run; NOPs that fill up the end of a
kernel are left out.
"""

import argparse
import collections
import dataclasses
import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys

import cubin
from cubin import CubinError

INSTRUCTION_BYTES = 16
BRANCH = 0x147
EXIT = 0x14D
NOP = 0x118
ALWAYS = 0x7  # predicate of an instruction that always runs

PIPES = ("alu", "fma", "xu", "lsu", "uniform", "control", "other")

# Name and pipe by the low 9 bits. `alu`: 16 lanes a scheduler for integers, logic and comparisons;
# `fma`: multiply-add; `xu`: conversions, population counts and the like, a quarter of the rate or
# less; `lsu`: memory, shared memory, atomics, shuffles; `uniform`: one lane for the whole warp.
OPERATIONS = {
    0x002: ("MOV", "alu"), 0x003: ("P2R", "alu"), 0x004: ("R2P", "alu"), 0x005: ("CS2R", "alu"),
    0x006: ("VOTE", "alu"), 0x007: ("SEL", "alu"), 0x008: ("FSEL", "alu"), 0x009: ("FMNMX", "alu"),
    0x00B: ("FSETP", "alu"), 0x00C: ("ISETP", "alu"), 0x010: ("IADD3", "alu"), 0x011: ("LEA", "alu"),
    0x012: ("LOP3", "alu"), 0x013: ("IABS", "alu"), 0x014: ("VABSDIFF", "alu"),
    0x016: ("PRMT", "alu"), 0x017: ("IMNMX", "alu"), 0x019: ("SHF", "alu"), 0x01A: ("SGXT", "alu"),
    0x01B: ("BMSK", "alu"), 0x01C: ("PLOP3", "alu"), 0x035: ("IADD.64", "alu"),
    0x036: ("VIADD", "alu"), 0x045: ("I2FP", "alu"), 0x046: ("VIADDMNMX", "alu"),
    0x048: ("VIMNMX", "alu"),
    0x020: ("FMUL", "fma"), 0x021: ("FADD", "fma"), 0x023: ("FFMA", "fma"), 0x024: ("IMAD", "fma"),
    0x025: ("IMAD.WIDE", "fma"), 0x027: ("IMAD.HI", "fma"), 0x031: ("HFMA2", "fma"),
    0x100: ("FLO", "xu"), 0x101: ("BREV", "xu"), 0x105: ("F2I", "xu"), 0x106: ("I2F", "xu"),
    0x108: ("MUFU", "xu"), 0x109: ("POPC", "xu"), 0x111: ("F2I.64", "xu"), 0x112: ("I2F.64", "xu"),
    0x119: ("S2R", "xu"), 0x1C3: ("S2UR", "xu"), 0x0BD: ("UFLO", "xu"), 0x0BF: ("UPOPC", "xu"),
    0x1C2: ("R2UR", "alu"), 0x0CA: ("R2UR", "alu"),
    0x181: ("LDG", "lsu"), 0x182: ("LDC", "lsu"), 0x183: ("LDL", "lsu"), 0x184: ("LDS", "lsu"),
    0x186: ("STG", "lsu"), 0x187: ("STL", "lsu"), 0x188: ("STS", "lsu"), 0x189: ("SHFL", "lsu"),
    0x18A: ("ATOM", "lsu"), 0x18C: ("ATOMS", "lsu"), 0x18E: ("RED", "lsu"), 0x192: ("MEMBAR", "lsu"),
    0x1A1: ("MATCH", "lsu"), 0x1A8: ("ATOMG", "lsu"), 0x1AE: ("LDGSTS", "lsu"),
    0x1C4: ("REDUX", "lsu"),
    0x082: ("UMOV", "uniform"), 0x086: ("VOTEU", "uniform"), 0x087: ("USEL", "uniform"),
    0x08C: ("UISETP", "uniform"), 0x090: ("UIADD3", "uniform"), 0x091: ("ULEA", "uniform"),
    0x092: ("ULOP3", "uniform"), 0x096: ("UPRMT", "uniform"), 0x097: ("UIADD.64", "uniform"),
    0x099: ("USHF", "uniform"), 0x09C: ("UPLOP3", "uniform"), 0x0A4: ("UIMAD", "uniform"),
    0x0A5: ("UIMAD.WIDE", "uniform"), 0x0B9: ("ULDC", "uniform"), 0x1AC: ("LDCU", "uniform"),
    0x118: ("NOP", "control"), 0x11A: ("DEPBAR", "control"), 0x11B: ("ENDCOLLECTIVE", "control"),
    0x11D: ("BAR", "control"), 0x141: ("BSYNC", "control"), 0x142: ("BREAK", "control"),
    0x143: ("CALL", "control"), 0x144: ("CALL", "control"), 0x145: ("BSSY", "control"),
    0x146: ("YIELD", "control"), 0x147: ("BRA", "control"), 0x148: ("WARPSYNC", "control"),
    0x14C: ("BRXU", "control"), 0x14D: ("EXIT", "control"), 0x150: ("RET", "control"),
    0x155: ("BMOV", "control"), 0x156: ("BMOV", "control"), 0x157: ("BMOV", "control"),
    0x15D: ("NANOSLEEP", "control"),
}


@dataclasses.dataclass
class Loop:
    """From instruction `first` to the branch `last` that leads back to it."""
    first: int
    last: int
    depth: int
    operations: collections.Counter


@dataclasses.dataclass
class Kernel:
    name: str
    architecture: int
    operations: collections.Counter
    out_of_line: collections.Counter
    loops: list


# Operations that mean something else on one architecture.
EXCEPTIONS = {(80, 0x035): "HFMA2"}


def operation_name(operation, architecture):
    exception = EXCEPTIONS.get((architecture, operation))
    return exception or OPERATIONS.get(operation, (f"0x{operation:03x}", "other"))[0]


PIPE_OF = dict(OPERATIONS.values())


def by_pipe(operations):
    """Number of instructions for each pipe."""
    result = dict.fromkeys(PIPES, 0)
    for name, count in operations.items():
        result[PIPE_OF.get(name, "other")] += count
    return result


def signed(value, bits):
    return value - (1 << bits) if value >> (bits - 1) & 1 else value


def branch_target(low, high, index, architecture):
    """Number of the instruction that a branch at `index` leads to."""
    if architecture < 90:
        n_bytes = signed((high & 0x3FFFF) << 32 | low >> 32, 50)
    else:
        n_bytes = 4 * signed(((high & 0x3FFFF) << 30 | low >> 34) << 8 | low >> 16 & 0xFF, 56)
    return index + 1 + n_bytes // INSTRUCTION_BYTES


def find_loops(instructions, architecture):
    """Loops of a kernel, outer ones before those inside them."""
    spans = {}
    for index, (low, high) in enumerate(instructions):
        if low & 0x1FF == BRANCH:
            target = branch_target(low, high, index, architecture)
            if 0 <= target < index:
                spans[target] = max(index, spans.get(target, 0))
    result = []
    for first, last in sorted(spans.items(), key=lambda span: (span[0], -span[1])):
        around = [outer for outer in result if outer.first <= first <= outer.last]
        if all(last <= outer.last for outer in around):
            operations = count_operations(instructions[first:last + 1], architecture)
            result.append(Loop(first, last, len(around) + 1, operations))
    return result


def count_operations(instructions, architecture):
    return collections.Counter(operation_name(low & 0x1FF, architecture)
                               for low, _ in instructions)


def read_kernel(name, code, architecture):
    instructions = list(struct.iter_unpack("<QQ", code))
    while instructions and instructions[-1][0] & 0x1FF == NOP:
        instructions.pop()
    end = len(instructions) - 1
    low, high = instructions[end] if instructions else (0, 0)
    if low & 0x1FF != BRANCH or branch_target(low, high, end, architecture) != end:
        raise CubinError(f"{name}: expected a branch to itself at the end of the code for compute "
                         f"capability {architecture}, found {low:016x} {high:016x}")
    main_end = end
    for index in range(end - 1, -1, -1):
        low = instructions[index][0]
        if low & 0x1FF == EXIT and low >> 12 & 0xF == ALWAYS:
            main_end = index + 1
            break
    main = instructions[:main_end]
    return Kernel(name, architecture, count_operations(main, architecture),
                  count_operations(instructions[main_end:end], architecture),
                  find_loops(main, architecture))


def read_kernels(path):
    """The kernels of a file."""
    try:
        return [read_kernel(function.name, function.code, function.architecture)
                for function in cubin.functions(path)]
    except struct.error as error:
        raise CubinError(f"{path}: {error}") from error


def short_names(names):
    """Readable kernel names: without namespaces and parameters, template arguments kept."""
    readable = list(names)
    if shutil.which("c++filt"):
        listing = subprocess.run(["c++filt"], input="\n".join(names), text=True, check=True,
                                 stdout=subprocess.PIPE).stdout
        readable = listing.splitlines()
    return {name: shorten(text) for name, text in zip(names, readable)}


def shorten(text):
    text = re.sub(r"\(furrow::cuda::(\w+)\)", r"", text)  # casts to enumerations
    text = re.sub(r"\(anonymous namespace\)::|\b(?:furrow|cuda|core|std)::", "", text)
    text = re.sub(r"^void ", "", text)
    depth = 0
    for at, character in enumerate(text):
        depth += (character == "<") - (character == ">")
        if character == "(" and depth == 0:
            text = text[:at]
            break
    text = re.sub(r"(\d)u\b", r"\1", text)
    return re.sub(r"(?:, )?\b\w*Shape\b", "", text).replace("<>", "")


def table(rows, header):
    """Lines of a table in Markdown."""
    yield "| " + " | ".join(header) + " |"
    yield "|---" * len(header) + "|"
    for row in rows:
        yield "| " + " | ".join(str(cell) for cell in row) + " |"


def report(kernels, with_loops):
    """Lines of the report."""
    names = short_names([kernel.name for kernel in kernels])
    rows = []
    for kernel in sorted(kernels, key=lambda k: (k.architecture, names[k.name])):
        label = (f"`{names[kernel.name]}`", f"sm_{kernel.architecture}")
        counts = by_pipe(kernel.operations)
        rows.append((*label, sum(counts.values()), *counts.values(),
                     sum(kernel.out_of_line.values())))
        for number, loop in enumerate(kernel.loops if with_loops else (), 1):
            counts = by_pipe(loop.operations)
            place = f"loop {number}, depth {loop.depth}, {loop.first}-{loop.last}"
            rows.append((place, "", sum(counts.values()), *counts.values(), ""))
    yield from table(rows, ("kernel", "arch", "instructions", *PIPES, "out of line"))
    unknown = sorted({(kernel.architecture, name) for kernel in kernels
                      for name in kernel.operations + kernel.out_of_line
                      if name.startswith("0x")})
    for architecture, name in unknown:
        yield f"\nunknown operation for sm_{architecture}: {name}"


def as_json(kernels):
    names = short_names([kernel.name for kernel in kernels])
    return [{"kernel": names[kernel.name], "symbol": kernel.name,
             "architecture": kernel.architecture,
             "pipes": by_pipe(kernel.operations), "operations": dict(kernel.operations),
             "out_of_line": sum(kernel.out_of_line.values()),
             "loops": [{"first": loop.first, "last": loop.last, "depth": loop.depth,
                        "pipes": by_pipe(loop.operations), "operations": dict(loop.operations)}
                       for loop in kernel.loops]}
            for kernel in kernels]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--out", metavar="FILE", help="write the table there too")
    parser.add_argument("--json", metavar="FILE", help="write everything there")
    parser.add_argument("--loops", action="store_true", help="a row for each loop too")
    arguments = parser.parse_args()
    try:
        kernels = [kernel for path in arguments.files for kernel in read_kernels(path)]
    except (CubinError, OSError) as error:
        print(f"sass_counts.py: {error}", file=sys.stderr)
        return 1
    text = "\n".join(report(kernels, arguments.loops))
    print(text)
    if arguments.out:
        pathlib.Path(arguments.out).write_text(text + "\n", encoding="utf-8")
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(as_json(kernels), indent=1) + "\n",
                                                encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
