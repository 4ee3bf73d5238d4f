// SPDX-License-Identifier: Apache-2.0
// Entry by entry, with the functions of core/pos.hpp: the oracle of the vector form.
#include "furrow/core/blake3.hpp"

#include "host/pos/supported_k.hpp"
#include "host/pos/table_function.hpp"

namespace furrow::scalar {
namespace {

template <unsigned K>
void make_children(unsigned table, std::uint32_t left_base, std::size_t count, EntryBatch& batch) {
  const std::size_t parent_words = entry_words(table - 1);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t* left = batch.left.data() + parent_words * i;
    const std::uint32_t* right = batch.right.data() + parent_words * i;
    const uint128 left_metadata = entry_metadata(table - 1, left);
    const uint128 right_metadata = entry_metadata(table - 1, right);
    std::array<std::uint32_t, 16> message{};
    core::pos::table_function_message<K>(table, left_base + entry_residue(table - 1, left),
                                         left_metadata, right_metadata, message.data());
    std::array<std::uint32_t, 8> hash{};
    core::blake3::hash_single_block(message.data(), core::pos::table_function_input_bytes<K>(table),
                                    hash.data());
    const std::uint32_t y = core::pos::y_from_hash<K>(hash[0]);
    if (table == core::pos::kNumTables) {
      batch.y[i] = y;
      continue;
    }
    std::uint32_t* child = batch.children.data() + entry_words(table) * i;
    write_entry(
        table,
        core::pos::table_function_metadata<K>(table, left_metadata, right_metadata, hash.data()),
        core::pos::residue_of(y), child);
    if (has_origin(table)) {
      child[kOriginWord] = left[kOriginWord];
    }
    batch.buckets[i] = core::pos::bucket_of(y);
  }
}

template <unsigned K>
void make_first(const std::uint8_t* keystream, std::uint32_t first_x, std::size_t count,
                EntryBatch& batch) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t x = first_x + static_cast<std::uint32_t>(i);
    const std::size_t bit = i * K;
    std::uint32_t window = 0;  // the K bits and up to 7 before them fit 32
    for (std::size_t byte = 0; byte < 4; ++byte) {
      window = window << 8 | keystream[bit / 8 + byte];
    }
    const std::uint32_t y = core::pos::table1_y<K>(window << (bit % 8) >> (32 - K), x);
    write_entry(1, x, core::pos::residue_of(y), batch.children.data() + entry_words(1) * i);
    batch.buckets[i] = core::pos::bucket_of(y);
  }
}

}  // namespace

void table_function_many(unsigned k, unsigned table, std::uint32_t left_base, std::size_t count,
                         EntryBatch& batch) {
  with_supported_k(k, [&]<unsigned K>() { make_children<K>(table, left_base, count, batch); });
}

void table1_entries(unsigned k, const std::uint8_t* keystream, std::uint32_t first_x,
                    std::size_t count, EntryBatch& batch) {
  with_supported_k(k, [&]<unsigned K>() { make_first<K>(keystream, first_x, count, batch); });
}

}  // namespace furrow::scalar
