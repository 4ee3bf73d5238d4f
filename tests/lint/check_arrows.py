#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every #include follows the dependency arrows of docs/design.md.

A layer may include itself and the layers named in its row, nothing else of the project. Layers that
stand side by side in the arrows (plotting and farm; pieces and sector; archive and pos; store, erasure
and primitives; tools and capi) do not include one another.

    layer            files                may include, beside itself
    ---------------  -------------------  ------------------------------------------------------------
    core             include/furrow/core  the standard library, nothing else at all
    furrow           include/furrow,      core
                     host/furrow
    interface        what is installed:   the standard library; nothing of the project but itself
                     include/furrow/furrow.h, furrow.hpp, c, cpp
    base             host/base            furrow, core
    crypto           host/crypto          base and below
    http             host/http            base and below
    primitives       host/primitives      crypto and below
    erasure          host/erasure         crypto and below
    store            host/store           crypto and below
    pos              host/pos             primitives, erasure, store and below
    archive          host/archive         primitives, erasure, store and below
    sector           host/sector          pos, archive and below
    pieces           host/pieces          pos, archive and below; http
    plotting         host/plotting        pieces, sector and below; metrics
    farm             host/farm            pieces, sector and below; metrics
    plotter          host/plotter         plotting, farm and below; metrics
    cluster          host/cluster         plotter and below; metrics
    node             host/node            cluster and below; metrics
    capi             host/capi            cluster and below; metrics; interface
    metrics          host/metrics         nothing (others hand it numbers)
    tools            tools                node and below; metrics; http
    cuda             cuda                 furrow, core
    tests/reference  tests/reference      the standard library, nothing else at all: it is a second
                                          opinion, so it shares no code, not even types
    tests            tests                everything
    bench            bench                everything but tests
    docs             docs                 furrow, core (examples for users)
    examples         examples             interface

Nobody under host/ or tools/ includes a header of cuda/. The two files that hide NVIDIA's headers from
the rest of cuda/ include, for a host compiler, the face of the harness in their place. An include that begins with a folder of the
project but means no file of it is an error too.
"""

import argparse
import pathlib
import re
import sys

import source_tree

STANDARD_ONLY = {"core", "interface", "tests/reference"}
# Of include/furrow.
_INTERFACE = {"furrow.h", "furrow.hpp", "c", "cpp"}

_BELOW_BASE = {"core", "furrow"}
_BELOW_CRYPTO = _BELOW_BASE | {"base"}
_BELOW_PRIMITIVES = _BELOW_CRYPTO | {"crypto"}
_BELOW_ARCHIVE = _BELOW_PRIMITIVES | {"primitives", "erasure", "store"}
_BELOW_SECTOR = _BELOW_ARCHIVE | {"pos", "archive"}
_BELOW_PLOTTING = _BELOW_SECTOR | {"sector", "pieces"}
_BELOW_PLOTTER = _BELOW_PLOTTING | {"plotting", "farm", "metrics"}
_BELOW_CLUSTER = _BELOW_PLOTTER | {"plotter"}
_BELOW_FACES = _BELOW_CLUSTER | {"cluster"}
_EVERYTHING = _BELOW_FACES | {"node", "interface", "http", "capi", "tools", "cuda", "tests/reference", "tests"}

MAY_INCLUDE = {
    "core": set(),
    "interface": set(),
    "furrow": {"core"},
    "base": _BELOW_BASE,
    "crypto": _BELOW_CRYPTO,
    "http": _BELOW_CRYPTO,
    "primitives": _BELOW_PRIMITIVES,
    "erasure": _BELOW_PRIMITIVES,
    "store": _BELOW_PRIMITIVES,
    "pos": _BELOW_ARCHIVE,
    "archive": _BELOW_ARCHIVE,
    "sector": _BELOW_SECTOR,
    "pieces": _BELOW_SECTOR | {"http"},
    "plotting": _BELOW_PLOTTING | {"metrics"},
    "farm": _BELOW_PLOTTING | {"metrics"},
    "plotter": _BELOW_PLOTTER,
    "cluster": _BELOW_CLUSTER,
    "node": _BELOW_FACES,
    "capi": _BELOW_FACES | {"interface"},
    "metrics": set(),
    "tools": _BELOW_FACES | {"node", "http"},
    "cuda": {"furrow", "core"},
    "tests/reference": set(),
    "tests": _EVERYTHING,
    "bench": _EVERYTHING - {"tests", "tests/reference"},
    "docs": {"furrow", "core"},
    "examples": {"interface"},
}

# Where cuda/ meets either NVIDIA's headers or those of the harness.
_CUDA_FACES = {"cuda/simt.cuh", "cuda/runtime/cuda_api.hpp"}
_HARNESS_FACE = "tests/simt/cuda_face.hpp"

# Standard headers have neither a folder nor an ending; C's own have C++ names, but where C has to read them.
_STANDARD_HEADER = re.compile(r"^([a-z0-9_]+|stddef\.h|stdint\.h)$")
_OWN_HEADER = re.compile(r"^(furrow|host|cuda|tools|tests|bench)/")


def layer_of(path):
    """The layer a file of the repository belongs to, or None when it has no row in the table."""
    parts = pathlib.PurePosixPath(path).parts
    if parts[:3] == ("include", "furrow", "core"):
        return "core"
    if parts[:2] == ("include", "furrow"):
        return "interface" if parts[2] in _INTERFACE else "furrow"
    if parts[0] == "host":
        return parts[1] if len(parts) > 2 and parts[1] in MAY_INCLUDE else None
    if parts[:2] == ("tests", "reference"):
        return "tests/reference"
    return parts[0] if parts[0] in MAY_INCLUDE else None


def complaints_about(path, includes):
    """What is wrong with the `includes` of the file `path`: one text for each offence."""
    layer = layer_of(path)
    if layer is None:
        return [f"{path}: belongs to no layer; add its folder to the table of check_arrows.py"]
    result = []
    for include in includes:
        place = f"{path}:{include.line}: includes {include.name}"
        if include.target is None:
            if _OWN_HEADER.match(include.name):
                result.append(f"{place}, which is no file of this repository")
            elif layer in STANDARD_ONLY and not _STANDARD_HEADER.match(include.name):
                result.append(f"{place}, but {layer} uses the standard library only")
            continue
        target_layer = layer_of(include.target)
        if target_layer == layer or (path in _CUDA_FACES and include.target == _HARNESS_FACE):
            continue
        if target_layer not in MAY_INCLUDE[layer]:
            allowed = ", ".join(sorted(MAY_INCLUDE[layer])) or "nothing of the project but itself"
            result.append(f"{place} of layer {target_layer}, but {layer} may include: {allowed}")
    return result


def check(root):
    """All complaints about the repository, and the number of files looked at."""
    result = []
    files = source_tree.source_files(root)
    for path in files:
        result.extend(complaints_about(path, source_tree.includes_of(root, path)))
    return result, len(files)


def main():
    parser = argparse.ArgumentParser(description="Checks the dependency arrows of docs/design.md.")
    parser.add_argument("--root", type=pathlib.Path, required=True, help="the repository")
    root = parser.parse_args().root
    complaints, n_files = check(root)
    for complaint in complaints:
        print(complaint)
    print(f"{n_files} files, {len(complaints)} wrong includes")
    if n_files == 0:
        print(f"no sources found under {root}")
        return 1
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
