# SPDX-License-Identifier: Apache-2.0
"""What the lint checks know about the repository: its files, and which header an #include means."""

import pathlib
import re
import subprocess

# Folders with C, C++ or CUDA sources of the project.
SOURCE_FOLDERS = ("include", "host", "cuda", "tools", "tests", "bench", "docs", "examples")
HEADER_SUFFIXES = (".h", ".hpp", ".cuh")
SOURCE_SUFFIXES = HEADER_SUFFIXES + (".c", ".cpp", ".cu")

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


class Include:
    """One #include line. `target` is the repository's file it means (relative, posix) or None."""

    def __init__(self, line, name, quoted, target):
        self.line = line
        self.name = name
        self.quoted = quoted
        self.target = target


def source_files(root):
    """Paths (relative, posix, sorted) of all sources of the project."""
    found = []
    for folder in SOURCE_FOLDERS:
        for path in (root / folder).rglob("*"):
            if path.suffix in SOURCE_SUFFIXES and path.is_file():
                found.append(path.relative_to(root).as_posix())
    return sorted(found)


def is_header(path):
    return path.endswith(HEADER_SUFFIXES)


def resolve(root, including, name):
    """The repository's file that `name` means when `including` (relative) includes it, or None."""
    here = pathlib.PurePosixPath(including).parent
    candidates = [root / here / name, root / name, root / "include" / name]
    if name.startswith("simt/"):
        candidates.append(root / "tests" / name)  # on the include path of the harness
    for candidate in candidates:
        if candidate.is_file():
            try:
                return candidate.resolve().relative_to(root.resolve()).as_posix()
            except ValueError:
                return None
    return None


def includes_of_text(root, path, text):
    """All #include lines of `text`, taken as the contents of `path`."""
    result = []
    for match in _INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        quoted = match.group(1) == '"'
        name = match.group(2)
        # Angle brackets do not look beside the including file.
        target = resolve(root, path if quoted else "x", name)
        result.append(Include(line, name, quoted, target))
    return result


def includes_of(root, path):
    return includes_of_text(root, path, (root / path).read_text(encoding="utf-8"))


def closure(root, path, cache):
    """`path` and every file of the repository it includes, directly or not. `cache` may be shared."""
    seen = set()
    waiting = [path]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        if current not in cache:
            cache[current] = [i.target for i in includes_of(root, current) if i.target]
        waiting.extend(cache[current])
    return sorted(seen)


def repository_files(root):
    """Files (relative, posix, sorted) that belong to the repository: what git knows or would add.
    Without git, everything but build folders and hidden folders."""
    answer = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if answer.returncode == 0 and answer.stdout:
        names = {name for name in answer.stdout.decode().split("\0") if name}
        return sorted(name for name in names if (root / name).is_file())
    found = []
    for path in root.rglob("*"):
        relative = path.relative_to(root)
        if relative.parts[0] in ("build", ".git", ".cache"):
            continue
        if path.is_file():
            found.append(relative.as_posix())
    return sorted(found)
