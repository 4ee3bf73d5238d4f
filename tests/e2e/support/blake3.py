# SPDX-License-Identifier: Apache-2.0
"""BLAKE3 in plain Python: an implementation that shares nothing with the one under test.

All whole chunks of a message are compressed together: word w of chunk c lies in 64-bit lane c of one
big integer, so that one addition or shift works on every chunk at once. The upper half of each lane
takes carries and rotated bits and is cleared again.
"""

import array

_IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
_PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
_COLUMNS_AND_DIAGONALS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                          (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
_CHUNK_START, _CHUNK_END, _PARENT, _ROOT = 1, 2, 4, 8
_CHUNK_SIZE, _BLOCK_SIZE = 1024, 64


def _lanes(values):
    return int.from_bytes(array.array("Q", values).tobytes(), "little")


def _compress(chaining, message, counters, length, flags):
    """Eight words from eight words and sixteen words. Each word is a big integer with one lane for
    every element of `counters`."""
    n = len(counters)
    mask = _lanes([0xFFFFFFFF] * n)
    ones = _lanes([1] * n)

    def rotate(x, bits):
        return ((x >> bits) | (x << (32 - bits))) & mask

    v = [*chaining, *(word * ones for word in _IV[:4]), _lanes(c & 0xFFFFFFFF for c in counters),
         _lanes(c >> 32 for c in counters), length * ones, flags * ones]
    m = list(message)
    for _ in range(7):
        for i, (a, b, c, d) in enumerate(_COLUMNS_AND_DIAGONALS):
            for word, first, second in ((m[2 * i], 16, 12), (m[2 * i + 1], 8, 7)):
                v[a] = (v[a] + v[b] + word) & mask
                v[d] = rotate(v[d] ^ v[a], first)
                v[c] = (v[c] + v[d]) & mask
                v[b] = rotate(v[b] ^ v[c], second)
        m = [m[i] for i in _PERMUTATION]
    return [v[i] ^ v[i + 8] for i in range(8)]


def _chunk_values(data, first_chunk, root):
    """Chaining values (eight words each) of the chunks that `data` consists of: any number of whole
    ones, or a single one that may be shorter."""
    n = max(1, len(data) // _CHUNK_SIZE)
    n_blocks = max(1, -(-min(len(data), _CHUNK_SIZE) // _BLOCK_SIZE))
    words = array.array("I", data.ljust(n * n_blocks * _BLOCK_SIZE, b"\0"))
    counters = range(first_chunk, first_chunk + n)
    value = [word * _lanes([1] * n) for word in _IV]
    for block in range(n_blocks):
        message = [_lanes(words[16 * block + i::16 * n_blocks]) for i in range(16)]
        is_last = block == n_blocks - 1
        length = len(data) - block * _BLOCK_SIZE if n == 1 and is_last else _BLOCK_SIZE
        flags = (_CHUNK_START if block == 0 else 0) | (_CHUNK_END if is_last else 0)
        value = _compress(value, message, counters, length, flags | (_ROOT if root and is_last else 0))
    split = [array.array("Q", word.to_bytes(8 * n, "little")) for word in value]
    return [[split[i][lane] for i in range(8)] for lane in range(n)]


def blake3(data):
    """The 32-byte hash of `data`."""
    data = bytes(data)
    whole = len(data) // _CHUNK_SIZE * _CHUNK_SIZE
    is_single = len(data) <= _CHUNK_SIZE
    nodes = []
    if whole:
        nodes += _chunk_values(data[:whole], 0, is_single)
    if whole < len(data) or not data:
        nodes += _chunk_values(data[whole:], whole // _CHUNK_SIZE, is_single)
    while len(nodes) > 1:
        root = _ROOT if len(nodes) == 2 else 0
        pairs = [nodes[i] + nodes[i + 1] for i in range(0, len(nodes) - 1, 2)]
        message = [_lanes(pair[i] for pair in pairs) for i in range(16)]
        n = len(pairs)
        value = _compress([word * _lanes([1] * n) for word in _IV], message, [0] * n, _BLOCK_SIZE,
                          _PARENT | root)
        split = [array.array("Q", word.to_bytes(8 * n, "little")) for word in value]
        odd = nodes[len(nodes) // 2 * 2:]
        nodes = [[split[i][lane] for i in range(8)] for lane in range(n)] + odd
    return b"".join(word.to_bytes(4, "little") for word in nodes[0])
