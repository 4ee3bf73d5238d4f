# SPDX-License-Identifier: Apache-2.0
"""Byte formats of stores and farms, read and forged without the program under test."""

import fcntl
import hashlib
import json
import os
import shutil

from support import packs
from support.blake3 import blake3

# docs/spec/01, section 4, and docs/spec/06, section 2.7.
PIECE_SIZE = 1_049_560
SEGMENT_ROOT_AT = 24
RECORD_PROOF_AT = 728
RECORD_AT = 984
PIECES_IN_SEGMENT = 256

# docs/spec/06, sections 1 and 2.4.
SLOTS_AT = 1_048_576
SLOT_SIZE = 131_116


def sector_size(pieces_in_sector):
    return 1_057_784 * pieces_in_sector + 64


def segment_pack(store, segment=0):
    return store / f"segment-{segment:010}.pack"


def pieces_of(store, segment=0):
    """Piece index -> piece of one segment."""
    return packs.contents(packs.read_frames(segment_pack(store, segment)))


def piece_indexes(store):
    """SHA-256 of every piece of a store, and the index of the piece."""
    result = {}
    for segment in range(len(list(store.glob("segment-*.pack")))):
        for index, piece in pieces_of(store, segment).items():
            result[hashlib.sha256(piece).digest()] = index
    return result


def indexed_places(store):
    """Root and position of every piece that the index of a store knows -> height, pack, byte in it,
    and whether the frame there is that of an earlier, equal piece (docs/formats/segment-index.md)."""
    result = {}
    for path in (store / "index").glob("seg_*.bin"):
        data = path.read_bytes()
        for number in range(int.from_bytes(data[12:16], "little")):
            block, place = divmod(number, 18)
            entry = data[4096 + 1024 * block + 56 * place:][:56]
            place = int.from_bytes(entry[40:48], "little")
            result[entry[:32], int.from_bytes(entry[32:36], "big")] = (
                int.from_bytes(entry[36:40], "little"), place >> 32 & 0x7FFFFFFF,
                place & 0xFFFFFFFF, place >> 63)
    return result


def copy_store(store, to, with_segments=True):
    if with_segments:
        shutil.copytree(store, to)
    else:
        to.mkdir(parents=True)
        shutil.copy(store / "manifest.json", to)


def flip_byte(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x40]))


def flip_byte_of_pieces(store, *indexes):
    """Changes one byte of what is stored of each of these pieces of one segment."""
    path = segment_pack(store, indexes[0] // PIECES_IN_SEGMENT)
    frames = packs.read_frames(path)
    for index in indexes:
        frame = frames[index % PIECES_IN_SEGMENT]
        flip_byte(path, frame.stored_at + len(frame.stored) // 2)


def forge_pieces(store, indexes, offset):
    """Changes one byte of pieces of segment 0, so that only the proofs can tell: every checksum of the
    pack is made right again. What was compressed is not any more, so the index is wrong about the
    pieces behind."""
    path = segment_pack(store)
    frames = packs.read_frames(path)
    pieces = packs.contents(frames)
    forged = []
    for frame in frames:
        if frame.key in indexes:
            piece = pieces[frame.key]
            piece = piece[:offset] + bytes([piece[offset] ^ 0x40]) + piece[offset + 1:]
            forged.append(packs.frame(frame.key, packs.RAW, piece, piece))
        else:
            forged.append(frame.head + frame.stored)
    path.write_bytes(packs.header() + b"".join(forged) + packs.end(forged))


def rewrite_manifest(path, change):
    """Applies `change` to the inner object of a manifest and makes the checksum right again."""
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document["manifest"])
    compact = json.dumps(document["manifest"], separators=(",", ":"), ensure_ascii=False)
    document["checksum"] = blake3(compact.encode()).hex()
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


def begin_farm_with_key_of(farm, new):
    """What is left of the creation of a farm with the key of another one that was killed behind the key:
    the next plot goes on with it."""
    new.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(farm / "identity.bin", new)
    (new / ".furrow-creating").touch()


def plotted_sector_count(farm):
    """Count in the header of metadata.bin; 0 when there is no whole header."""
    try:
        with open(farm / "metadata.bin", "rb") as file:
            header = file.read(3)
    except FileNotFoundError:
        return 0
    return int.from_bytes(header[1:3], "little") if len(header) == 3 else 0


def lost_sectors(farm):
    """Sectors that the farm counts and marks as lost, to be plotted again."""
    lost = set()
    with open(farm / "metadata.bin", "rb") as metadata:
        for index in range(plotted_sector_count(farm)):
            metadata.seek(SLOTS_AT + index * SLOT_SIZE)
            if not any(metadata.read(SLOT_SIZE)[4:4 + 131_072]):
                lost.add(index)
    return lost


def mark_lost(farm, pieces_in_sector, sectors):
    """Puts the marker that they are lost into the slots of sectors, so that they are plotted again."""
    with open(farm / "metadata.bin", "r+b") as metadata:
        for index in sectors:
            slot = index.to_bytes(2, "little") + pieces_in_sector.to_bytes(2, "little")
            slot += bytes(131_072 + 8)
            metadata.seek(SLOTS_AT + index * SLOT_SIZE)
            metadata.write(slot + blake3(slot))


def sector_and_slot(farm, pieces_in_sector, index):
    """All bytes of one sector, and those of its slot."""
    size = sector_size(pieces_in_sector)
    with open(farm / "metadata.bin", "rb") as metadata, open(farm / "plot.bin", "rb") as plot:
        metadata.seek(SLOTS_AT + index * SLOT_SIZE)
        plot.seek(index * size)
        return plot.read(size), metadata.read(SLOT_SIZE)


def damage_of_counted_sectors(farm, pieces_in_sector, lost=()):
    """What is wrong with slots and checksums of the sectors that the farm counts: a list of texts. Those
    in `lost` may be lost, but for that their slots have to be right."""
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
            elif index in lost:
                continue
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
