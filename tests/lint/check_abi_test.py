#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The check of the interface, on a small library: what is in its list, and what it makes of each change.

    check_abi_test.py C_COMPILER
"""

import contextlib
import io
import pathlib
import subprocess
import sys
import tempfile
import unittest

import abi
import check_abi

HEADER = """\
#ifndef FURROW_FURROW_H
#define FURROW_FURROW_H
#include <stddef.h>
#include <stdint.h>
#define FURROW_API __attribute__((visibility("default")))
#define FURROW_ABI_VERSION 1u
#define FURROW_VERSION_MINOR 7
#define FURROW_HASH_SIZE (2 * 16u)
/* furrow_of_a_comment(1) */
typedef enum furrow_status { FURROW_OK = 0, FURROW_WRONG = -3 } furrow_status;
typedef struct furrow_thing furrow_thing;
typedef void (*furrow_report)(void* user, furrow_status status, ...);
typedef struct furrow_options {
  size_t size;
  const char* const* names;
  uint16_t tags[3][2];
  union { uint64_t number; struct { uint32_t low; uint32_t high; } halves; };
  furrow_status (*read)(void* user);
  uint64_t reserved[2];
} furrow_options;
typedef struct { uint16_t row; uint16_t column; } furrow_place;
FURROW_API furrow_status furrow_begin(const furrow_options* options, furrow_thing** thing);
FURROW_API void furrow_end(furrow_thing* thing, const volatile uint8_t* flag);
#endif
"""
FACTS = """\
abi 1
function furrow_begin FURROW_1 furrow_status (const furrow_options*, furrow_thing**)
function furrow_end FURROW_1 void (furrow_thing*, const volatile uint8_t*)
macro FURROW_HASH_SIZE 32
handle furrow_thing
type furrow_report void (*)(void*, furrow_status, ...)
enum furrow_status size 4
constant FURROW_WRONG -3 furrow_status
constant FURROW_OK 0 furrow_status
struct furrow_options size 64 align 8
member furrow_options.size offset 0 size 8 size_t
member furrow_options.names offset 8 size 8 const char* const*
member furrow_options.tags offset 16 size 12 uint16_t[3][2]
member furrow_options.halves.low offset 32 size 4 uint32_t
member furrow_options.number offset 32 size 8 uint64_t
member furrow_options.halves.high offset 36 size 4 uint32_t
member furrow_options.read offset 40 size 8 furrow_status (*)(void*)
member furrow_options.reserved offset 48 size 16 uint64_t[2]
struct furrow_place size 4 align 2
member furrow_place.row offset 0 size 2 uint16_t
member furrow_place.column offset 2 size 2 uint16_t
"""
NODES = {"furrow_begin": "FURROW_1", "furrow_end": "FURROW_1"}
DEFINITIONS = """\
#include <furrow/furrow.h>
furrow_status furrow_begin(const furrow_options* options, furrow_thing** thing) {
  (void)options; (void)thing; return FURROW_OK; }
void furrow_end(furrow_thing* thing, const volatile uint8_t* flag) { (void)thing; (void)flag; }
"""

COMPILER = "cc"


def make_header(folder, text):
    path = pathlib.Path(folder) / "include/furrow/furrow.h"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return path.parent.parent


def list_of(header, nodes):
    """Version and facts of a header, read as those of the project are."""
    with tempfile.TemporaryDirectory() as folder:
        compiler = abi.Compiler(COMPILER, make_header(folder, header))
        return abi.abi_version(compiler), abi.facts_of(compiler, nodes)


def library_of(folder, definitions, version_script):
    """Symbols of a library that is made of the header."""
    folder = pathlib.Path(folder)
    include = make_header(folder, HEADER)
    (folder / "a.c").write_text(definitions, encoding="utf-8")
    (folder / "exports.map").write_text(version_script, encoding="utf-8")
    library = folder / "libfurrow.so"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-I", include, folder / "a.c", "-o", library,
                    f"-Wl,--version-script={folder}/exports.map"], check=True)
    return abi.exported_symbols(library)


class ListTest(unittest.TestCase):
    def test_everything_is_in_it(self):
        self.assertEqual(abi.to_text(*list_of(HEADER, NODES)), FACTS)

    def test_text_is_read_back(self):
        self.assertEqual(abi.from_text("# why\n" + FACTS), list_of(HEADER, NODES))

    def test_nodes_are_those_of_the_library(self):
        script = "FURROW_1 { global: furrow_begin; local: *; };\nFURROW_2 { global: furrow_end; } FURROW_1;"
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(library_of(folder, DEFINITIONS, script),
                             {"furrow_begin": "FURROW_1", "furrow_end": "FURROW_2"})

    def test_library_that_exports_more_or_less(self):
        script = "FURROW_1 { global: furrow_begin; other; local: *; };"
        with tempfile.TemporaryDirectory() as folder:
            symbols = library_of(folder, DEFINITIONS + "int other(void) { return 1; }\n", script)
        self.assertEqual(check_abi.complaints_about_exports(symbols, ["furrow_begin", "furrow_end"]),
                         ["exported, but no part of the C interface: other", "declared, but not exported: furrow_end"])
        self.assertEqual(check_abi.complaints_about_exports(NODES, sorted(NODES)), [])


class ChangeTest(unittest.TestCase):
    """Each test changes the header; `bumped` gives it the next version, too."""

    def judge(self, old_text, new_text, bumped=False, nodes=NODES):
        self.assertIn(old_text, HEADER)
        changed = HEADER.replace(old_text, new_text)
        if bumped:
            changed = changed.replace("ABI_VERSION 1u", "ABI_VERSION 2u")
        old_version, old = abi.from_text(FACTS)
        version, new = list_of(changed, nodes)
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = check_abi.report(check_abi.Comparison(old_version, old, version, new), old_version, version,
                                    "THE COMMAND")
        return code, said.getvalue()

    def passes(self, mention, *change, **options):
        code, said = self.judge(*change, **options)
        self.assertEqual(code, 0, said)
        self.assertIn(mention, said)

    def breaks(self, mention, *change, **options):
        """With a new version as without."""
        for bumped in (False, True):
            code, said = self.judge(*change, bumped=bumped, **options)
            self.assertEqual(code, 1, said)
            self.assertIn(f"breaks programs that were compiled: {mention}", said)

    def is_an_addition(self, mention, *change, nodes=NODES):
        code, said = self.judge(*change, nodes=nodes)
        self.assertEqual(code, 1, said)
        self.assertIn(mention, said)
        self.assertIn("needs a FURROW_ABI_VERSION greater than 1", said)
        self.assertNotIn("breaks", said)
        code, said = self.judge(*change, bumped=True, nodes=nodes)
        self.assertEqual(code, 0, said)
        self.assertIn(mention, said)
        self.assertIn("THE COMMAND", said)

    def test_nothing(self):
        self.passes("", "#endif\n", "#endif\n")

    def test_only_the_version(self):
        self.passes("THE COMMAND", "ABI_VERSION 1u", "ABI_VERSION 2u")
        self.passes("", "VERSION_MINOR 7", "VERSION_MINOR 8")

    def test_version_that_goes_back(self):
        code, said = self.judge("ABI_VERSION 1u", "ABI_VERSION 0u")
        self.assertEqual(code, 1)
        self.assertIn("FURROW_ABI_VERSION is 0, in the list 1", said)

    def test_function_removed(self):
        self.breaks("removed: function furrow_end",
                    "FURROW_API void furrow_end(furrow_thing* thing, const volatile uint8_t* flag);\n", "")

    def test_function_of_another_type(self):
        self.breaks("changed: function furrow_end", "const volatile uint8_t* flag", "const volatile uint16_t* flag")

    def test_function_of_another_node(self):
        self.breaks("changed: function furrow_end from FURROW_1 void", "#endif\n", "#endif\n",
                    nodes={**NODES, "furrow_end": "FURROW_2"})

    def test_function_added(self):
        self.is_an_addition("added: function furrow_more", "FURROW_API void", "FURROW_API int furrow_more(void);\n"
                            "FURROW_API void", nodes={**NODES, "furrow_more": "FURROW_2"})

    def test_function_added_to_an_old_node(self):
        code, said = self.judge("FURROW_API void", "FURROW_API int furrow_more(void);\nFURROW_API void", bumped=True,
                                nodes={**NODES, "furrow_more": "FURROW_1"})
        self.assertEqual(code, 1)
        self.assertIn("function furrow_more is of the version node FURROW_1", said)

    def test_member_moved(self):
        self.breaks("changed: member furrow_options.names from offset 8",
                    "const char* const* names;\n  uint16_t tags[3][2];",
                    "uint16_t tags[3][2];\n  const char* const* names;")

    def test_member_of_a_nested_struct_moved(self):
        self.breaks("changed: member furrow_options.halves.low", "uint32_t low; uint32_t high;",
                    "uint32_t high; uint32_t low;")

    def test_member_of_another_type(self):
        self.breaks("changed: member furrow_options.read", "(*read)(void* user)", "(*read)(const void* user)")

    def test_member_in_place_of_reserved_bytes(self):
        self.is_an_addition("added: member furrow_options.more offset 48", "uint64_t reserved[2];",
                            "uint64_t more;\n  uint64_t reserved[1];")
        self.is_an_addition("removed: member furrow_options.reserved", "uint64_t reserved[2];",
                            "uint64_t more;\n  uint64_t much_more;")

    def test_member_at_the_end_of_a_struct_that_tells_its_size(self):
        self.is_an_addition("added: member furrow_options.more offset 64", "uint64_t reserved[2];",
                            "uint64_t reserved[2];\n  uint64_t more;")

    def test_member_in_padding(self):
        self.breaks("member furrow_options.more lies in bytes", "uint16_t tags[3][2];",
                    "uint16_t tags[3][2];\n  uint32_t more;")

    def test_member_of_a_struct_that_does_not_tell_its_size(self):
        self.breaks("changed: struct furrow_place", "uint16_t column;", "uint16_t column; uint16_t more;")

    def test_alignment(self):
        self.breaks("changed: struct furrow_place", "uint16_t column;", "_Alignas(8) uint16_t column;")

    def test_constants(self):
        self.breaks("removed: constant FURROW_WRONG", ", FURROW_WRONG = -3", "")
        self.breaks("changed: constant FURROW_WRONG", "FURROW_WRONG = -3", "FURROW_WRONG = -4")
        self.breaks("changed: macro FURROW_HASH_SIZE", "(2 * 16u)", "(2 * 17u)")
        self.is_an_addition("added: constant FURROW_NEW 4", "FURROW_WRONG = -3", "FURROW_WRONG = -3, FURROW_NEW = 4")
        self.is_an_addition("added: macro FURROW_NEW 0", "#define FURROW_HASH_SIZE", "#define FURROW_NEW 0\n"
                            "#define FURROW_HASH_SIZE")

    def test_struct_added(self):
        self.is_an_addition("added: struct furrow_new size 1 align 1", "typedef void",
                            "typedef struct furrow_new { char c; } furrow_new;\ntypedef void")


if __name__ == "__main__":
    COMPILER = sys.argv.pop(1)
    unittest.main()
