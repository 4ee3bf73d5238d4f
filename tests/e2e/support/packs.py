# SPDX-License-Identifier: Apache-2.0
"""Piece packs (docs/formats/piece-pack.md), read and written without the program under test."""

import dataclasses
import subprocess

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


@dataclasses.dataclass
class Frame:
    """A frame of a pack that was read."""

    offset: int
    head: bytes
    key: int
    codec: int
    original_size: int
    digest: bytes
    stored: bytes

    @property
    def stored_at(self):
        return self.offset + FRAME_HEADER_SIZE

    @property
    def end(self):
        return self.stored_at + len(self.stored)


def read_frames(path):
    """All frames of a pack, in order."""
    data = path.read_bytes()
    frames = []
    at = HEADER_SIZE
    while data[at:at + 4] == b"FRME":
        stored_size, original_size = (int.from_bytes(data[at + i:at + i + 4], "little")
                                      for i in (16, 20))
        begin = at + FRAME_HEADER_SIZE
        frames.append(Frame(at, data[at:begin], int.from_bytes(data[at + 8:at + 16], "little"),
                            data[at + 4], original_size, data[at + 24:at + 56],
                            data[begin:begin + stored_size]))
        at = frames[-1].end
    if data[at:at + 8] != b"FRWTABLE":
        raise ValueError(f"{path}: neither a frame nor the table at byte {at}")
    return frames


def contents(frames):
    """Key -> chunk of all frames of a pack."""
    compressed = [frame for frame in frames if frame.codec == ZSTD]
    # One run of zstd for all: it decompresses frames one after the other.
    rest = subprocess.run(["zstd", "-d", "-c", "-q"], check=True, stdout=subprocess.PIPE,
                          input=b"".join(frame.stored for frame in compressed)).stdout
    if len(rest) != sum(frame.original_size for frame in compressed):
        raise ValueError("compressed frames are not of the sizes that they say")
    by_digest, at = {}, 0
    for frame in frames:
        if frame.codec == RAW:
            by_digest[frame.digest] = frame.stored
        elif frame.codec == ZSTD:
            by_digest[frame.digest] = rest[at:at + frame.original_size]
            at += frame.original_size
    return {frame.key: by_digest[frame.digest] for frame in frames}
