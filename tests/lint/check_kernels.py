#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every kernel of cuda/ has bounds, and says them to the harness: `__launch_bounds__(n, ...)` in its declaration and
`THREADS_AT_MOST(n);` as its first statement, with the same n."""

import argparse
import pathlib
import re
import sys

# Compiled to see that it compiles, and never launched.
NEVER_LAUNCHED = ("cuda/core_on_device.cu",)

_KERNEL = re.compile(r"__global__\s+(?:inline\s+)?void\s+(?:__launch_bounds__\(([^()]*)\)\s*)?(\w+)\s*\(")


def without_comments(text):
    """The same text with blanks for comments, so that lines keep their numbers."""
    return re.sub(r"//[^\n]*|/\*.*?\*/", lambda match: re.sub(r"[^\n]", " ", match.group()), text, flags=re.DOTALL)


def end_of_brackets(text, begin):
    """Behind the bracket that closes the one at `begin`."""
    depth = 0
    for at in range(begin, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at + 1
    return len(text)


def complaints_about(path, text):
    text = without_comments(text)
    result = []
    for match in _KERNEL.finditer(text):
        bounds, name = match.groups()
        line = text.count("\n", 0, match.start()) + 1
        rest = text[end_of_brackets(text, match.end() - 1):].lstrip()
        if not rest.startswith("{"):
            continue  # a declaration, or an instantiation
        if bounds is None:
            result.append(f"{path}:{line}: {name}: expected __launch_bounds__")
            continue
        wanted = f"THREADS_AT_MOST({bounds.split(',')[0].strip()});"
        first = rest[1:].lstrip().split("\n", 1)[0].strip()
        if first != wanted:
            result.append(f"{path}:{line}: {name}: expected '{wanted}' first, actual '{first}'")
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path, required=True)
    root = parser.parse_args().root
    complaints = []
    n_kernels = 0
    for path in sorted(root.glob("cuda/**/*.cu*")):
        name = path.relative_to(root).as_posix()
        if name not in NEVER_LAUNCHED:
            text = path.read_text(encoding="utf-8")
            n_kernels += len(_KERNEL.findall(without_comments(text)))
            complaints += complaints_about(name, text)
    if n_kernels == 0:
        complaints.append("no kernel was found")
    print("\n".join(complaints + [f"{n_kernels} kernels"]))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
