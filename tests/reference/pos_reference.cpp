// SPDX-License-Identifier: Apache-2.0
#include "pos_reference.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "blake3_reference.hpp"

namespace furrow::reference {
namespace {

using Words = std::vector<std::uint32_t>;
using Bits = std::vector<bool>;

std::uint32_t rotate_left(std::uint32_t value, unsigned count) {
  return (value << count) | (value >> (32 - count));
}

std::uint32_t little_endian(const std::vector<std::uint8_t>& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value |= static_cast<std::uint32_t>(at + i < bytes.size() ? bytes[at + i] : 0) << (8 * i);
  }
  return value;
}

void append_little_endian(std::vector<std::uint8_t>& bytes, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

std::vector<std::uint8_t> chacha8_bytes(const std::array<std::uint8_t, 32>& key, std::size_t size) {
  const std::vector<std::uint8_t> key_bytes(key.begin(), key.end());
  std::vector<std::uint8_t> out;
  for (std::uint32_t counter = 0; out.size() < size; ++counter) {
    Words state = {0x61707865, 0x3320646E, 0x79622D32, 0x6B206574};
    for (std::size_t i = 0; i < 8; ++i) {
      state.push_back(little_endian(key_bytes, 4 * i));
    }
    state.insert(state.end(), {counter, 0, 0, 0});
    Words v = state;
    const auto quarter = [&](std::size_t a, std::size_t b, std::size_t c, std::size_t d) {
      v[a] += v[b];
      v[d] = rotate_left(v[d] ^ v[a], 16);
      v[c] += v[d];
      v[b] = rotate_left(v[b] ^ v[c], 12);
      v[a] += v[b];
      v[d] = rotate_left(v[d] ^ v[a], 8);
      v[c] += v[d];
      v[b] = rotate_left(v[b] ^ v[c], 7);
    };
    for (int pair_of_rounds = 0; pair_of_rounds < 4; ++pair_of_rounds) {
      for (std::size_t i = 0; i < 4; ++i) {
        quarter(i, 4 + i, 8 + i, 12 + i);
      }
      for (std::size_t i = 0; i < 4; ++i) {
        quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
      }
    }
    for (std::size_t i = 0; i < 16; ++i) {
      append_little_endian(out, v[i] + state[i]);
    }
  }
  out.resize(size);
  return out;
}

void append(Bits& bits, const Bits& more) {
  bits.insert(bits.end(), more.begin(), more.end());
}

Bits to_bits(std::uint64_t value, unsigned count) {
  Bits bits;
  for (unsigned i = count; i-- > 0;) {
    bits.push_back(((value >> i) & 1) != 0);
  }
  return bits;
}

std::uint64_t to_number(const Bits& bits, std::size_t from, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = from; i < from + count; ++i) {
    value = 2 * value + (bits[i] ? 1 : 0);
  }
  return value;
}

Bits bits_of_bytes(const std::vector<std::uint8_t>& bytes) {
  Bits bits;
  for (const std::uint8_t byte : bytes) {
    append(bits, to_bits(byte, 8));
  }
  return bits;
}

std::vector<std::uint8_t> bytes_of_bits(Bits bits) {
  while (bits.size() % 8 != 0) {
    bits.push_back(false);
  }
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < bits.size(); i += 8) {
    bytes.push_back(static_cast<std::uint8_t>(to_number(bits, i, 8)));
  }
  return bytes;
}

using Entry = PosEntry;
using Table = std::vector<PosEntry>;

constexpr std::uint64_t kB = 119;
constexpr std::uint64_t kC = 127;
constexpr std::uint64_t kBC = kB * kC;

unsigned metadata_size(unsigned k, unsigned table) {
  switch (table) {
    case 1:
      return k;
    case 2:
    case 6:
      return 2 * k;
    case 3:
    case 4:
      return 4 * k;
    case 5:
      return 3 * k;
    default:
      return 0;
  }
}

Table first_table(unsigned k, const std::array<std::uint8_t, 32>& seed) {
  const std::size_t entries = std::size_t{1} << k;
  const Bits stream = bits_of_bytes(chacha8_bytes(seed, (entries * k + 7) / 8));
  Table table;
  for (std::size_t x = 0; x < entries; ++x) {
    const std::uint64_t y = to_number(stream, k * x, k) * 64 + (x >> (k - 6));
    table.push_back({y, to_bits(x, k), 0, 0});
  }
  return table;
}

Entry combine(unsigned k, unsigned table, const Entry& left, const Entry& right) {
  Bits input = to_bits(left.y, k + 6);
  append(input, left.metadata);
  append(input, right.metadata);
  const std::array<std::uint8_t, 32> digest = blake3(bytes_of_bits(input));
  const Bits hash = bits_of_bytes({digest.begin(), digest.end()});
  Entry entry{to_number(hash, 0, k + 6), {}, 0, 0};
  if (table <= 3) {
    append(entry.metadata, left.metadata);
    append(entry.metadata, right.metadata);
  } else {
    entry.metadata.assign(hash.begin() + k + 6, hash.begin() + k + 6 + metadata_size(k, table));
  }
  return entry;
}

/// What may be left out: entries of a bucket, partners of a residue, matches of a pair of buckets.
struct Cuts {
  std::size_t bucket;
  std::size_t partners;
  std::size_t matches;
};
constexpr Cuts kAbundanceCuts = {272, 2, 288};
constexpr Cuts kNoCuts = {SIZE_MAX, SIZE_MAX, SIZE_MAX};

/// Positions of the kept entries of each bucket, in order.
std::vector<std::vector<std::size_t>> file_by_bucket(unsigned k, const Cuts& cuts,
                                                     const Table& table) {
  std::vector<std::vector<std::size_t>> buckets(((std::size_t{1} << (k + 6)) + kBC - 1) / kBC);
  for (std::size_t position = 0; position < table.size(); ++position) {
    std::vector<std::size_t>& bucket = buckets[table[position].y / kBC];
    if (bucket.size() < cuts.bucket) {
      bucket.push_back(position);
    }
  }
  return buckets;
}

std::vector<std::pair<std::size_t, std::size_t>> matches(
    const Cuts& cuts, const Table& table, std::size_t parity,
    const std::vector<std::size_t>& left_bucket, const std::vector<std::size_t>& right_bucket) {
  std::map<std::uint64_t, std::vector<std::size_t>> by_residue;
  for (const std::size_t position : right_bucket) {
    by_residue[table[position].y % kBC].push_back(position);
  }
  std::vector<std::pair<std::size_t, std::size_t>> result;
  for (const std::size_t position : left_bucket) {
    const std::uint64_t r = table[position].y % kBC;
    for (std::uint64_t m = 0; m < 64; ++m) {
      const std::uint64_t row = (r / kC + m) % kB;
      const std::uint64_t column = ((2 * m + parity) * (2 * m + parity) + r) % kC;
      const auto found = by_residue.find(row * kC + column);
      if (found != by_residue.end()) {
        for (std::size_t i = 0; i < std::min(cuts.partners, found->second.size()); ++i) {
          result.emplace_back(position, found->second[i]);
        }
      }
    }
  }
  result.resize(std::min(cuts.matches, result.size()));
  return result;
}

Table next_table(unsigned k, const Cuts& cuts, unsigned number, const Table& table) {
  const std::vector<std::vector<std::size_t>> buckets = file_by_bucket(k, cuts, table);
  Table next;
  for (std::size_t b = 0; b + 1 < buckets.size(); ++b) {
    for (const auto& [left, right] : matches(cuts, table, b % 2, buckets[b], buckets[b + 1])) {
      Entry entry = combine(k, number, table[left], table[right]);
      entry.left = left;
      entry.right = right;
      next.push_back(entry);
    }
  }
  return next;
}

/// The x values below an entry of table `number`, left before right.
void collect(const std::vector<Table>& tables, std::size_t number, std::size_t position,
             std::vector<std::uint64_t>& x) {
  const Entry& entry = tables[number - 1][position];
  if (number == 1) {
    x.push_back(to_number(entry.metadata, 0, entry.metadata.size()));
    return;
  }
  collect(tables, number - 1, entry.left, x);
  collect(tables, number - 1, entry.right, x);
}

/// The first 32768 s-buckets with a proof, given the entry of table 7 for each.
PosProofs with_proofs(unsigned k, std::vector<Table> tables,
                      const std::map<std::uint64_t, std::size_t>& position_of_s_bucket) {
  PosProofs result;
  result.found_proofs.resize(8192);
  for (const auto& [s, position] : position_of_s_bucket) {
    if (s > 65535 || result.proofs.size() == 32768) {
      break;
    }
    result.found_proofs[s / 8] |= static_cast<std::uint8_t>(1U << (s % 8));
    result.s_buckets.push_back(static_cast<std::uint16_t>(s));
    std::vector<std::uint64_t> x;
    collect(tables, 7, position, x);
    Bits proof;
    for (const std::uint64_t value : x) {
      append(proof, to_bits(value, k));
    }
    result.proofs.push_back(bytes_of_bits(proof));
    result.proof_hashes.push_back(blake3(result.proofs.back()));
  }
  result.tables = std::move(tables);
  return result;
}

void sort_by_rank(Table& table) {
  std::stable_sort(table.begin(), table.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.y, a.left, a.right) < std::tie(b.y, b.left, b.right);
  });
}

}  // namespace

PosProofs pos_proofs(unsigned k, const std::array<std::uint8_t, 32>& seed) {
  std::vector<Table> tables = {first_table(k, seed)};
  for (unsigned number = 2; number <= 7; ++number) {
    tables.push_back(next_table(k, kAbundanceCuts, number, tables.back()));
  }
  std::map<std::uint64_t, std::size_t> first;
  for (std::size_t position = 0; position < tables[6].size(); ++position) {
    first.emplace(tables[6][position].y >> 6, position);  // keeps the first
  }
  return with_proofs(k, std::move(tables), first);
}

PosProofs autonomys_pos_proofs(unsigned k, const std::array<std::uint8_t, 32>& seed) {
  std::vector<Table> tables = {first_table(k, seed)};
  sort_by_rank(tables[0]);  // stable, so that equal y stay in the order of x
  for (unsigned number = 2; number <= 7; ++number) {
    tables.push_back(next_table(k, kNoCuts, number, tables.back()));
    sort_by_rank(tables.back());
  }
  std::map<std::uint64_t, std::size_t> smallest;
  for (std::size_t position = 0; position < tables[6].size(); ++position) {
    Bits bits = to_bits(tables[6][position].y >> 6, k);
    bits.resize(32);
    const std::vector<std::uint8_t> bytes = bytes_of_bits(bits);
    smallest.emplace(little_endian(bytes, 0), position);  // keeps the first
  }
  return with_proofs(k, std::move(tables), smallest);
}

}  // namespace furrow::reference
