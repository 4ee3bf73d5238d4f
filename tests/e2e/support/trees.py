# SPDX-License-Identifier: Apache-2.0
"""Trees of files to archive, and their comparison."""

import hashlib
import os
import random
import stat

# Modification times with nanoseconds, before 1970 and after 2038.
_TIMES_NS = (1_700_000_000_123_456_789, -86_400_000_000_001, 4_102_444_800_000_000_007, 0)

_ODD_NAMES = ("with space", " leading and trailing ", "quote'\"quote", "back\\slash", "semi;colon",
              "-dash", "new\nline", "tab\there", "snow \u2603 \U0001F33E", "\u00e9 composed",
              "e\u0301 decomposed", "...", "x" * 200, "%s%n", "$(HOME)", "*")


def make_small_tree(root, seed):
    """A tree with one of everything; the same for the same seed."""
    rng = random.Random(seed)
    root.mkdir(parents=True)
    (root / "empty file").write_bytes(b"")
    (root / "empty folder").mkdir()
    (root / "one byte").write_bytes(b"x")
    nested = root / "a" / "b" / "c" / "d"
    nested.mkdir(parents=True)
    (nested / "deep").write_bytes(rng.randbytes(1_048_577))
    odd = root / "odd names"
    odd.mkdir()
    for name in _ODD_NAMES:
        (odd / name).write_bytes(name.encode())
    # Around the size of a block, and larger than one.
    for size in ((8 << 20) - 1, 8 << 20, (8 << 20) + 1, 20_000_003):
        (root / f"random of {size}").write_bytes(rng.randbytes(size))
    script = root / "script"
    script.write_text("#!/bin/sh\necho furrow\n", encoding="utf-8")
    script.chmod(0o755)
    (root / "one byte").chmod(0o400)
    (root / "link to a file").symlink_to("one byte")
    (root / "link to a folder").symlink_to("a/b")
    (root / "link to nothing").symlink_to("no such file/at all")
    set_times(root)


def make_large_files(root, seed, total):
    """Random files with `total` bytes in all."""
    rng = random.Random(seed)
    root.mkdir(parents=True, exist_ok=True)
    number = 0
    while total > 0:
        size = min(total, rng.randrange(1, 40_000_000))
        (root / f"large {number}").write_bytes(rng.randbytes(size))
        total -= size
        number += 1
    set_times(root)


def set_times(root):
    """Gives everything a modification time of its own, folders after what is in them."""
    number = 0
    for folder, names, files in os.walk(root, topdown=False):
        for name in sorted(files) + sorted(names) + ["."]:
            path = os.path.join(folder, name)
            if name != "." and os.path.isdir(path) and not os.path.islink(path):
                continue
            time = _TIMES_NS[number % len(_TIMES_NS)] + number * 1_000_000_001
            os.utime(path, ns=(time, time), follow_symlinks=False)
            number += 1


def describe(root):
    """What a tree consists of: relative path -> kind, mode, modification time, and contents."""
    result = {}
    for folder, names, files in os.walk(root):
        for name in names + files + ["."]:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            key = os.path.relpath(path, root)
            mode = stat.S_IMODE(status.st_mode)
            if stat.S_ISLNK(status.st_mode):
                result[key] = ("symlink", None, status.st_mtime_ns, os.readlink(path))
            elif stat.S_ISDIR(status.st_mode):
                result[key] = ("folder", mode, status.st_mtime_ns, None)
            else:
                with open(path, "rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                result[key] = ("file", mode, status.st_mtime_ns, (status.st_size, digest))
    return result


def differences(expected, actual):
    """Texts, one for each difference of two descriptions."""
    result = [f"missing: {key!r}" for key in sorted(expected.keys() - actual.keys())]
    result += [f"too much: {key!r}" for key in sorted(actual.keys() - expected.keys())]
    result += [f"{key!r}: expected {expected[key]}, actual {actual[key]}"
               for key in sorted(expected.keys() & actual.keys()) if expected[key] != actual[key]]
    return result
