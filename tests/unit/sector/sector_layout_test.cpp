// SPDX-License-Identifier: Apache-2.0
// Sector layout against the slow reference and the known answers of docs/spec/03, section 9.
#include "host/sector/sector_layout.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "host/crypto/chacha8.hpp"
#include "host/erasure/erasure_coding.hpp"
#include "host/plotting/cpu_records_encoder.hpp"
#include "host/primitives/merkle.hpp"
#include "host/primitives/sector_id.hpp"
#include "host/sector/sector_metadata.hpp"
#include "host/sector/sector_writer.hpp"
#include "tests/reference/sector_reference.hpp"

namespace furrow {
namespace {

std::vector<std::uint8_t> to_vector(std::span<const std::uint8_t> bytes) {
  return {bytes.begin(), bytes.end()};
}

TEST(SectorLayout, ChunksStandWhereTheReferencePutsThem) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  // 64 records are laid out together, so 65 take two groups.
  for (const std::uint16_t pieces : {std::uint16_t{1}, std::uint16_t{2}, std::uint16_t{5},
                                     std::uint16_t{64}, std::uint16_t{65}}) {
    SCOPED_TRACE(std::to_string(pieces) + " pieces");
    SectorContentsMap map(pieces);
    std::vector<Record> records(pieces);
    std::vector<RecordMetadata> metadata(pieces);
    std::vector<std::vector<std::uint8_t>> used;
    std::vector<std::vector<std::uint8_t>> encoded;
    for (std::size_t p = 0; p < pieces; ++p) {
      // Exactly half of the s-buckets, and in the last record fewer.
      std::vector<std::uint16_t> order(kNumSBuckets);
      std::iota(order.begin(), order.end(), std::uint16_t{0});
      std::shuffle(order.begin(), order.end(), random);
      order.resize(p + 1 == pieces ? kNumChunks - 7 : kNumChunks);
      for (const std::uint16_t s : order) {
        map.bitmaps()[p].bytes[s / 8] |= static_cast<std::uint8_t>(1U << (s % 8));
      }
      for (RecordChunk& chunk : records[p]) {
        const std::uint64_t value = random();
        std::memcpy(chunk.data(), &value, sizeof(value));
      }
      used.push_back(to_vector(map.bitmaps()[p].bytes));
      encoded.push_back(to_vector(bytes_of(records[p])));
    }
    std::vector<std::uint8_t> sector(sector_size(Network::kAbundance, pieces), 0xEE);
    assemble_sector(map, records, metadata, sector);
    EXPECT_TRUE(
        to_vector(std::span(sector).subspan(record_chunks_offset(pieces), pieces * kRecordSize)) ==
        reference::sector_chunks(used, encoded));
    EXPECT_EQ(to_vector(std::span(sector).last(kHashSize)),
              to_vector(blake3(std::span(sector).first(sector.size() - kHashSize)).bytes));
  }
}

TEST(SectorLayout, RefusesWrongSizes) {
  const SectorContentsMap map(2);
  std::vector<Record> records(2);
  std::vector<RecordMetadata> metadata(2);
  std::vector<std::uint8_t> out(sector_size(Network::kAbundance, 2));
  EXPECT_THROW(assemble_sector(map, std::span(records).first(1), metadata, out), InvalidArgument);
  EXPECT_THROW(assemble_sector(map, records, std::span(metadata).first(1), out), InvalidArgument);
  out.pop_back();
  EXPECT_THROW(assemble_sector(map, records, metadata, out), InvalidBytesLength);
}

TEST(SectorLayout, SBucketsAreCountedAsOneByOne) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (const std::uint16_t pieces : {std::uint16_t{1}, std::uint16_t{63}, std::uint16_t{300}}) {
    SectorContentsMap map(pieces);
    std::vector<std::uint16_t> expected(kNumSBuckets);
    for (FoundProofs& bitmap : map.bitmaps()) {
      const std::uint64_t all = random() % 4 == 0 ? ~std::uint64_t{0} : 0;
      for (std::size_t i = 0; i < bitmap.size(); ++i) {
        bitmap.bytes[i] = static_cast<std::uint8_t>(random() | all);
      }
      for (std::size_t s = 0; s < kNumSBuckets; ++s) {
        expected[s] += static_cast<std::uint16_t>(bitmap.bytes[s / 8] >> (s % 8) & 1);
      }
    }
    EXPECT_EQ(map.s_bucket_sizes(), expected) << pieces << " pieces";
  }
}

// Sector C: one piece, record = ChaCha8 keystream of the zero key, header zero but for the root of
// the parity chunks.
TEST(SectorLayout, KnownAnswersOfTheSpecification) {
  std::vector<Record> records(1);
  chacha8_keystream(std::array<std::uint8_t, 32>{},
                    {reinterpret_cast<std::uint8_t*>(records.data()), kRecordSize});
  const auto parity = std::make_unique<Record>();
  ErasureCoding().extend_record(records[0], *parity);
  const auto piece = std::make_unique<Piece>();
  piece->record = records[0];
  piece->header.parity_chunks_root = balanced_merkle_root(SimdMode::kBest, bytes_of(*parity));
  const Hash source_root = balanced_merkle_root(SimdMode::kBest, bytes_of(records[0]));
  EXPECT_EQ(to_hex(source_root.bytes),
            "a0b4775f23ae81d5a5be7ccb180ea92082f67cb302e5917ef4497895c4e932f2");
  EXPECT_EQ(to_hex(merkle_node(source_root, piece->header.parity_chunks_root).bytes),
            "b724fefcd8af49e0ed77e4299a63ee2bbed10f21ad2d30ec780e05e5141e8641");

  Hash key_hash;
  key_hash.bytes.fill(1);
  const SectorId sector_id = derive_sector_id(Network::kAbundance, key_hash, Hash{}, SectorIndex(1),
                                              HistorySize::from_count(1));
  EXPECT_EQ(to_hex(sector_id.bytes),
            "41cac2d759a86be940034166c079ab2a3f6f41f71bdd2bc548661effaaae7b78");
  SectorContentsMap map(1);
  CpuRecordsEncoder encoder({.threads = 1});
  ASSERT_EQ(encoder.encode_records(sector_id, records, map.bitmaps(), {}),
            EncodeOutcome::kComplete);
  const std::vector<RecordMetadata> metadata = {{piece->header, blake3(bytes_of(*piece))}};
  EXPECT_EQ(to_hex(metadata[0].piece_checksum.bytes),
            "15cd9db8389592de702e11ea20e611e8cc1bb28d2cd684edcbfa9f60a920101f");
  std::vector<std::uint8_t> sector(sector_size(Network::kAbundance, 1));
  assemble_sector(map, records, metadata, sector);
  EXPECT_EQ(to_hex(std::span(sector).last(kHashSize)),
            "980e28c82ede0013ab22bff3aa105de07d38474c945612d873f6c0ce0eb6d026");

  SectorMetadata slot;
  slot.sector_index = SectorIndex(1);
  slot.pieces_in_sector = 1;
  slot.s_bucket_sizes = map.s_bucket_sizes();
  slot.history_size = HistorySize::from_count(1);
  const std::vector<std::uint8_t> encoded_slot = slot.encode();
  EXPECT_EQ(to_hex(std::span(encoded_slot).last(kHashSize)),
            "3956a4acbfc29d50b03e90f40288bc545b739d868b62529132b3a703157ba13d");
}

}  // namespace
}  // namespace furrow
