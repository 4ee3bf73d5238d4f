# SPDX-License-Identifier: Apache-2.0
"""What libfurrow promises to programs that are compiled, as a list of facts: one for each function, struct,
member, enumeration, constant and handle of the C headers. Read from a shared library, and from what the
compiler makes of furrow.h with all that it includes.

    function NAME VERSION_NODE TYPE       macro NAME VALUE              enum NAME size N
    struct NAME size N align N            constant NAME VALUE ENUM      handle NAME
    member STRUCT.NAME offset N size N TYPE                             type NAME TYPE
"""

import pathlib
import re
import subprocess
import tempfile

import dwarf

HEADER = "furrow/furrow.h"
VERSION_MACRO = "FURROW_ABI_VERSION"

# Symbol versions themselves appear as absolute symbols.
_VERSION_TYPE = "A"
# They change with every version, which is what they are for.
_VERSIONS = re.compile(r"^FURROW_(ABI_VERSION|VERSION_\w+)$")
# What is left out: guards of headers (empty), attributes, macros that have arguments.
_NUMBER = re.compile(r"^(?:[\s()+*/<>|&~-]|\b0[xX][0-9a-fA-F]+[uUlL]*\b|\b[0-9]+[uUlL]*\b|\bFURROW_[A-Z0-9_]+\b)+$")
_MACRO = re.compile(r"^#define (FURROW_[A-Z0-9_]+) (.+)$", re.MULTILINE)
_FUNCTION = re.compile(r"\b(furrow_[a-z0-9_]+)\s*\((?!\s*\*)")
_ORDER = ("function", "macro", "handle", "type", "enum", "constant", "struct", "member")


class Compiler:
    """Compiles one text of C that begins with the header."""

    def __init__(self, compiler, include, readelf="readelf"):
        self._command = [compiler, "-std=c11", "-I", str(include)]
        self._readelf = readelf

    def _run(self, text, folder, *options):
        source = pathlib.Path(folder) / "abi.c"
        source.write_text(f"#include <{HEADER}>\n{text}", encoding="utf-8")
        done = subprocess.run([*self._command, *options, str(source)], text=True, capture_output=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{HEADER} does not compile:\n{done.stderr}")
        return done.stdout

    def preprocessed(self, *options):
        with tempfile.TemporaryDirectory() as folder:
            return self._run("", folder, "-E", *options)

    def debug_information(self, text):
        with tempfile.TemporaryDirectory() as folder:
            compiled = pathlib.Path(folder) / "abi.o"
            self._run(text, folder, "-g", "-gdwarf-5", "-fno-eliminate-unused-debug-types", "-c", "-o", str(compiled))
            return dwarf.read(compiled, self._readelf)


def exported_symbols(library, nm="nm"):
    """Version node of each symbol that a shared library exports; "" where it has none."""
    listing = subprocess.run([nm, "-D", "--defined-only", "--with-symbol-versions", "--format=posix", str(library)],
                             text=True, stdout=subprocess.PIPE, check=True).stdout
    symbols = {}
    for line in listing.splitlines():
        name, kind = line.split()[:2]
        if kind != _VERSION_TYPE:
            name, _, version = name.partition("@")
            symbols[name] = version.lstrip("@")
    return symbols


def abi_version(compiler):
    for name, text in _MACRO.findall(compiler.preprocessed("-dM")):
        if name == VERSION_MACRO:
            return int(text.rstrip("uUlL"), 0)
    raise SystemExit(f"{HEADER} has no {VERSION_MACRO}")


def declared_functions(compiler):
    """Names of the functions that the headers declare: furrow_ names directly before a parenthesis."""
    return sorted(set(_FUNCTION.findall(compiler.preprocessed("-P"))))


def _macro_names(compiler):
    return sorted(name for name, text in _MACRO.findall(compiler.preprocessed("-dM"))
                  if _NUMBER.match(text) and not _VERSIONS.match(name))


def _is_ours(name):
    return name.startswith("furrow_")


class _HeaderFacts:
    """Facts of the debug information, to which the compiler adds what is not in it: numbers of macros as
    enumerators, alignments as extents of arrays, types of functions as those of pointers to them."""

    MACRO = "abi_macro_"
    ALIGNMENT = "abi_alignment_"
    FUNCTION = "abi_function_"

    def __init__(self, compiler, functions):
        self.facts = {}
        self._unit = compiler.debug_information("")
        self._find_structs()
        text = [f"enum {{ {self.MACRO}{name} = ({name}) }};" for name in _macro_names(compiler)]
        text += [f"char {self.ALIGNMENT}{name}[_Alignof({spelled})];" for name, (_, spelled) in self._structs.items()]
        text += [f"__typeof__({name})* {self.FUNCTION}{name};" for name in functions]
        self._unit = compiler.debug_information("\n".join(text) + "\n")
        self._find_structs()
        for entry in self._unit.top:
            self._add(entry)
        for name, (entry, _) in self._structs.items():
            self._add_members(name, "", entry, 0)

    def _find_structs(self):
        """Structs and unions by the name that a program knows them by, and how it would write it."""
        self._structs = {}
        for entry in self._unit.top:
            kind = self._unit.without_names(entry) if entry.tag == "typedef" else entry
            if (kind is not None and kind.tag in ("structure_type", "union_type") and _is_ours(entry.name())
                    and "declaration" not in kind.attributes):
                keyword = kind.tag.removesuffix("_type").replace("structure", "struct")
                spelled = entry.name() if entry.tag == "typedef" else f"{keyword} {entry.name()}"
                self._structs[entry.name()] = (kind, spelled)

    def _add(self, entry):
        name = entry.name()
        if entry.tag == "enumeration_type":
            self._add_constants(entry)
        elif entry.tag == "typedef" and _is_ours(name):
            kind = self._unit.without_names(entry)
            if kind is not None and kind.tag == "enumeration_type":
                self.facts[f"enum {name}"] = f"size {kind.number('byte_size')}"
            elif kind is not None and "declaration" in kind.attributes:
                self.facts[f"handle {name}"] = ""
            elif kind is None or kind.tag not in ("structure_type", "union_type"):
                self.facts[f"type {name}"] = self._unit.text_of(self._unit.type_of(entry))
        elif entry.tag == "variable" and name.startswith(self.ALIGNMENT):
            struct = name.removeprefix(self.ALIGNMENT)
            size = self._structs[struct][0].number("byte_size")
            alignment = self._unit.size_of(self._unit.type_of(entry))
            self.facts[f"struct {struct}"] = f"size {size} align {alignment}"
        elif entry.tag == "variable" and name.startswith(self.FUNCTION):
            function = self._unit.type_of(self._unit.type_of(entry))
            self.facts[f"function {name.removeprefix(self.FUNCTION)}"] = self._unit.function_text(function)

    def _add_constants(self, entry):
        for one in entry.of_tag("enumerator"):
            name, value = one.name(), one.number("const_value")
            if name.startswith(self.MACRO):
                self.facts[f"macro {name.removeprefix(self.MACRO)}"] = str(value)
            elif name.startswith("FURROW_"):
                self.facts[f"constant {name}"] = f"{value} {entry.name()}".rstrip()

    def _add_members(self, struct, prefix, entry, base):
        """Members of nested structs, too: they are reached by their names alone where theirs has none."""
        for member in entry.of_tag("member"):
            kind = self._unit.type_of(member)
            offset = base + member.number("data_member_location", 0)
            below = kind if kind.tag in ("structure_type", "union_type") else None
            if below is not None and not below.name():
                self._add_members(struct, f"{prefix}{member.name()}." if member.name() else prefix, below, offset)
                continue
            self.facts[f"member {struct}.{prefix}{member.name()}"] = (
                f"offset {offset} size {self._unit.size_of(kind)} {self._unit.text_of(kind)}")


def facts_of(compiler, symbols):
    """All facts. Functions that are not exported have the version node "-"."""
    functions = declared_functions(compiler)
    facts = _HeaderFacts(compiler, functions).facts
    for name in functions:
        facts[f"function {name}"] = f"{symbols.get(name) or '-'} {facts[f'function {name}']}"
    return facts


def _sort_key(fact):
    key, value = fact
    kind, name = key.split(" ", 1)
    if kind == "member":  # behind its struct, in the order of memory
        place = re.match(r"offset (\d+)", value)
        return (_ORDER.index("struct"), name.split(".")[0], 1, int(place.group(1)), name)
    if kind == "constant":  # behind its enumeration, in the order of values
        value, _, enumeration = value.partition(" ")
        return (_ORDER.index("enum"), enumeration, 1, int(value), name)
    return (_ORDER.index(kind), name, 0, 0, name)


def to_text(version, facts):
    lines = [f"{key} {value}".rstrip() for key, value in sorted(facts.items(), key=_sort_key)]
    return "\n".join([f"abi {version}", *lines]) + "\n"


def from_text(text):
    """The version and the facts of a list; lines that begin with # say something about it."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    version = int(lines[0].removeprefix("abi "))
    facts = {}
    for line in lines[1:]:
        kind, name, *value = line.split(" ", 2)
        facts[f"{kind} {name}"] = value[0] if value else ""
    return version, facts
