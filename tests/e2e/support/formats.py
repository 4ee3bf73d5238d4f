"""Byte formats of stores and farms, read and forged without the program under test."""

import fcntl
import hashlib
import json
import os
import shutil

from support.blake3 import blake3

# docs/spec/01, section 4, and docs/spec/06, section 2.7.
PIECE_SIZE = 1_049_560
RECORD_PROOF_AT = 728
RECORD_AT = 984
ELEMENT_SIZE = 8 + PIECE_SIZE + 32
PIECES_IN_SEGMENT = 256

# docs/spec/06, sections 1 and 2.4.
SLOTS_AT = 1_048_576
SLOT_SIZE = 131_116


def sector_size(pieces_in_sector):
    return 1_057_784 * pieces_in_sector + 64


def segment_file(store, segment=0):
    return store / f"segment-{segment:010}.pieces"


def piece_indexes(store):
    """SHA-256 of every piece of a store, and the index of the piece."""
    result = {}
    for path in sorted(store.glob("segment-*.pieces")):
        with open(path, "rb") as file:
            while element := file.read(ELEMENT_SIZE):
                piece = element[8:8 + PIECE_SIZE]
                result[hashlib.sha256(piece).digest()] = int.from_bytes(element[:8], "little")
    return result


def copy_store(store, to, with_segments=True):
    to.mkdir(parents=True)
    shutil.copy(store / "manifest.json", to)
    if with_segments:
        for path in store.glob("segment-*.pieces"):
            shutil.copy(path, to)


def flip_byte(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x40]))


def damage_piece(store, index, offset, reseal):
    """Changes one byte of a piece in a store. With `reseal` the checksum of its element is made right
    again, so that only the proofs can tell."""
    path = segment_file(store, index // PIECES_IN_SEGMENT)
    at = index % PIECES_IN_SEGMENT * ELEMENT_SIZE
    flip_byte(path, at + 8 + offset)
    if reseal:
        with open(path, "r+b") as file:
            file.seek(at)
            body = file.read(8 + PIECE_SIZE)
            file.write(blake3(body))


def rewrite_manifest(path, change):
    """Applies `change` to the inner object of a manifest and makes the checksum right again."""
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document["manifest"])
    compact = json.dumps(document["manifest"], separators=(",", ":"), ensure_ascii=False)
    document["checksum"] = blake3(compact.encode()).hex()
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


def plotted_sector_count(farm):
    """Count in the header of metadata.bin; 0 when there is no whole header."""
    try:
        with open(farm / "metadata.bin", "rb") as file:
            header = file.read(3)
    except FileNotFoundError:
        return 0
    return int.from_bytes(header[1:3], "little") if len(header) == 3 else 0


def damage_of_counted_sectors(farm, pieces_in_sector):
    """What is wrong with slots and checksums of the sectors that the farm counts: a list of texts."""
    wrong = []
    size = sector_size(pieces_in_sector)
    with open(farm / "metadata.bin", "rb") as metadata, open(farm / "plot.bin", "rb") as plot:
        for index in range(plotted_sector_count(farm)):
            metadata.seek(SLOTS_AT + index * SLOT_SIZE)
            slot = metadata.read(SLOT_SIZE)
            if len(slot) != SLOT_SIZE or blake3(slot[:-32]) != slot[-32:]:
                wrong.append(f"sector {index}: slot does not have its checksum")
            elif int.from_bytes(slot[:2], "little") != index:
                wrong.append(f"sector {index}: slot is that of another sector")
            elif not any(slot[4:4 + 131_072]):
                wrong.append(f"sector {index}: slot says that the sector is lost")
            plot.seek(index * size)
            sector = plot.read(size)
            if len(sector) != size or blake3(sector[:-32]) != sector[-32:]:
                wrong.append(f"sector {index}: contents do not have their checksum")
    return wrong


class HeldLock:
    """The lock of a farm, held while a with statement runs."""

    def __init__(self, farm):
        self._path = farm / "single_disk_farm.json"

    def __enter__(self):
        self._descriptor = os.open(self._path, os.O_RDWR)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return self

    def __exit__(self, *_):
        os.close(self._descriptor)
