# SPDX-License-Identifier: Apache-2.0
"""Reads compiled CUDA code: cubins, and objects that nvcc made with --no-compress and that hold one cubin
for each architecture.

A cubin is an ELF file. Each kernel NAME is a section `.text.NAME`; its statically shared memory is
`.nv.shared.NAME`, of which compute capability 9.0 and later keep the first 1024 bytes for themselves;
`.nv.info` says how many registers and how much stack each function takes, as entries of

    byte 0      4: a value of the length in bytes 2-3 follows; other forms have no value
    byte 1      what it says
    bytes 2-3   length, or the value itself
    value       number of the symbol and of what is counted, 4 bytes each
"""

import dataclasses
import pathlib
import struct

_MAGIC = b"\x7fELF\x02"
_MACHINE = 190
_NO_BITS = 8
_SIZED_VALUE = 4
_FRAME_SIZE = 0x11
_REGISTERS = 0x2F
_RESERVED_SHARED = 1024
_FIRST_WITH_RESERVED_SHARED = 90


class CubinError(Exception):
    """A file without code for a card, or one whose encoding is not the known one."""


@dataclasses.dataclass
class Section:
    """`size` counts also where there is no content in the file."""
    content: bytes
    size: int


@dataclasses.dataclass
class Function:
    """Registers of a thread, bytes of shared memory of a block, bytes of stack of a thread, and code."""
    name: str
    architecture: int
    registers: int
    shared: int
    stack: int
    code: bytes


def _elf_length(data, at):
    """Number of bytes of the ELF file that begins at `at`: its tables stand behind everything else."""
    programs, sections = struct.unpack_from("<QQ", data, at + 0x20)
    program_size, n_programs, section_size, n_sections = struct.unpack_from("<HHHH", data, at + 0x36)
    return max(programs + program_size * n_programs, sections + section_size * n_sections)


def _cubins_in(data):
    """The cubins that stand in `data`, one after another."""
    at = data.find(_MAGIC)
    while at >= 0:
        length = 1
        if len(data) >= at + 64 and struct.unpack_from("<H", data, at + 18) == (_MACHINE,):
            length = _elf_length(data, at)
            if at + length > len(data):
                raise CubinError(f"a cubin of {length} bytes begins at byte {at} of {len(data)}")
            yield data[at:at + length]
        at = data.find(_MAGIC, at + length)


def _sections(data):
    """Sections of an ELF file by name."""
    (table,) = struct.unpack_from("<Q", data, 0x28)
    entry_size, count, names_at = struct.unpack_from("<HHH", data, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", data, table + i * entry_size) for i in range(count)]
    names = data[headers[names_at][4]:][:headers[names_at][5]]
    return {_text_at(names, name_at): Section(b"" if kind == _NO_BITS else data[offset:offset + size],
                                              size)
            for name_at, kind, _, _, offset, size in headers}


def _text_at(texts, at):
    return texts[at:texts.index(b"\0", at)].decode()


def _properties(sections):
    """What `.nv.info` counts: a number by what it says and the name of the function."""
    symbols = sections[".symtab"].content
    names = sections[".strtab"].content
    info = sections[".nv.info"].content if ".nv.info" in sections else b""
    result = {}
    at = 0
    while at + 4 <= len(info):
        form, what, length = struct.unpack_from("<BBH", info, at)
        at += 4
        if form == _SIZED_VALUE:
            if what in (_FRAME_SIZE, _REGISTERS):
                symbol, number = struct.unpack_from("<II", info, at)
                (name_at,) = struct.unpack_from("<I", symbols, 24 * symbol)
                result[what, _text_at(names, name_at)] = number
            at += length
    return result


def _functions_of(data):
    # Bits 8-15 of the flags; before CUDA 13 the low byte.
    (flags,) = struct.unpack_from("<I", data, 0x30)
    architecture = flags >> 8 & 0xFF or flags & 0xFF
    sections = _sections(data)
    properties = _properties(sections)
    for section, what in sections.items():
        if not section.startswith(".text."):
            continue
        name = section.removeprefix(".text.")
        if (_REGISTERS, name) not in properties:
            raise CubinError(f"{name}: no number of registers")
        shared = sections.get(f".nv.shared.{name}", Section(b"", 0)).size
        if architecture >= _FIRST_WITH_RESERVED_SHARED and shared:
            shared -= _RESERVED_SHARED
        yield Function(name, architecture, properties[_REGISTERS, name], shared,
                       properties.get((_FRAME_SIZE, name), 0), what.content)


def functions(path):
    """All functions in a file, a cubin or an object."""
    data = pathlib.Path(path).read_bytes()
    try:
        result = [function for cubin in _cubins_in(data) for function in _functions_of(cubin)]
    except (CubinError, struct.error, ValueError, IndexError, KeyError) as error:
        raise CubinError(f"{path}: {error}") from error
    if not result:
        raise CubinError(f"{path}: no code for a card; is it compressed, or no cubin?")
    return result
