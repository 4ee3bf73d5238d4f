# SPDX-License-Identifier: Apache-2.0
"""Debug information of an object file as a tree, read from what `readelf` prints of it: enough for the types
of a C header."""

import re
import subprocess

_ENTRY = re.compile(r"^ <([0-9a-f]+)><([0-9a-f]+)>: Abbrev Number: \d+ \(DW_TAG_(\w+)\)")
_ATTRIBUTE = re.compile(r"^ +<[0-9a-f]+> +DW_AT_(\w+) *: (.*)$")
_QUALIFIERS = ("const_type", "volatile_type", "restrict_type")
_REFERENCE = re.compile(r"^<0x([0-9a-f]+)>")


class Entry:
    """One entry: a type, a member, an enumerator, a variable."""

    def __init__(self, tag):
        self.tag = tag
        self.attributes = {}
        self.children = []

    def name(self):
        # "(indirect string, offset: 0x3d7): furrow_status", "(indexed string: 0x3): size", or the name itself
        return re.sub(r"^\(.*?: (0x)?[0-9a-f]+\): ", "", self.attributes.get("name", "")).strip()

    def number(self, attribute, default=None):
        text = self.attributes.get(attribute)
        return default if text is None else int(text.split()[0], 0)

    def of_tag(self, tag):
        return [child for child in self.children if child.tag == tag]


class Unit:
    """All entries of an object file that was compiled from one source."""

    def __init__(self, text):
        self._entries = {}
        self._pointer_size = int(re.search(r"Pointer Size: +(\d+)", text).group(1))
        self.top = []
        path = []  # the entries that the current one is in
        for line in text.splitlines():
            entry = _ENTRY.match(line)
            attribute = _ATTRIBUTE.match(line)
            if entry:
                depth = int(entry.group(1))  # printed as a decimal number
                one = Entry(entry.group(3))
                self._entries[int(entry.group(2), 16)] = one
                del path[depth:]
                if depth == 1:
                    self.top.append(one)
                elif depth > 1:
                    path[depth - 1].children.append(one)
                path.append(one)
            elif attribute and path:
                path[-1].attributes[attribute.group(1)] = attribute.group(2).strip()

    def type_of(self, entry):
        """The type that an entry refers to; None is void."""
        reference = _REFERENCE.match(entry.attributes.get("type", ""))
        return self._entries[int(reference.group(1), 16)] if reference else None

    def without_names(self, kind):
        """What a type is, past all typedefs."""
        while kind is not None and kind.tag == "typedef":
            kind = self.type_of(kind)
        return kind

    def size_of(self, kind):
        if kind.tag == "typedef" or kind.tag in _QUALIFIERS:
            return self.size_of(self.type_of(kind))
        if kind.tag == "array_type":
            size = self.size_of(self.type_of(kind))
            for extent in self._extents(kind):
                size *= extent
            return size
        return kind.number("byte_size", self._pointer_size if kind.tag == "pointer_type" else None)

    @staticmethod
    def _extents(array):
        return [one.number("count", one.number("upper_bound", -1) + 1) for one in array.of_tag("subrange_type")]

    def text_of(self, kind):
        """A type as C would write it, with its own names and those of typedefs."""
        if kind is None:
            return "void"
        below = self.type_of(kind)
        if kind.tag == "pointer_type":
            if below is not None and below.tag == "subroutine_type":
                return self.function_text(below, " (*)")
            return f"{self.text_of(below)}*"
        qualifiers = []  # compilers differ in which of them is outside
        while kind is not None and kind.tag in _QUALIFIERS:
            qualifiers.append(kind.tag.removesuffix("_type"))
            kind = self.type_of(kind)
        if qualifiers:
            words = " ".join(sorted(qualifiers))
            is_pointer = kind is not None and kind.tag == "pointer_type"
            return f"{self.text_of(kind)} {words}" if is_pointer else f"{words} {self.text_of(kind)}"
        if kind.tag == "array_type":
            return self.text_of(below) + "".join(f"[{extent}]" for extent in self._extents(kind))
        if kind.tag == "subroutine_type":
            return self.function_text(kind)
        return kind.name() or kind.tag.removesuffix("_type")

    def function_text(self, kind, between=" "):
        arguments = [self.text_of(self.type_of(one)) for one in kind.of_tag("formal_parameter")]
        arguments += ["..."] * len(kind.of_tag("unspecified_parameters"))
        return f"{self.text_of(self.type_of(kind))}{between}({', '.join(arguments) or 'void'})"


def read(path, readelf="readelf"):
    text = subprocess.run([readelf, "--debug-dump=info", str(path)], text=True, stdout=subprocess.PIPE,
                          check=True).stdout
    return Unit(text)
