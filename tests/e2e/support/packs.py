"""Piece packs (docs/formats/piece-pack.md), written without the program under test."""

from support.blake3 import blake3

HEADER_SIZE = 32
FRAME_HEADER_SIZE = 88
RAW, ZSTD, REFERENCE = 0, 1, 2


def header():
    start = b"FRWPACK\n" + (1).to_bytes(4, "little") + bytes(4)
    return start + blake3(start)[:16]


def frame(key, codec, original, stored):
    start = (b"FRME" + bytes([codec, 0, 0, 0]) + key.to_bytes(8, "little")
             + len(stored).to_bytes(4, "little") + len(original).to_bytes(4, "little")
             + blake3(original))
    return start + blake3(start + stored) + stored


def end(frames):
    """What makes a pack of these frames a finished one."""
    table = b"".join(frame[:FRAME_HEADER_SIZE] for frame in frames)
    count = len(frames).to_bytes(8, "little")
    return b"FRWTABLE" + table + count + blake3(table + count) + b"FRWPKEND"


def zstd_of_equal_bytes(byte, count):
    """A zstd frame of `count` equal bytes, 256 to 65791: one block that says how often."""
    block = (count << 3) | (1 << 1) | 1  # length, run of one byte, last block
    return (bytes.fromhex("28b52ffd") + bytes([0x60]) + (count - 256).to_bytes(2, "little")
            + block.to_bytes(3, "little") + byte)
