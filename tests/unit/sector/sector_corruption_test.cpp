// SPDX-License-Identifier: Apache-2.0
// Damage in each region of a sector and its metadata is found and named when a piece is read.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "host/crypto/blake3.hpp"
#include "host/plotting/cpu_records_encoder.hpp"
#include "host/plotting/encode_sector.hpp"
#include "host/sector/sector_layout.hpp"
#include "host/sector/sector_reader.hpp"

namespace furrow {
namespace {

// Eight times faster than K = 20. Some seeds have too few proofs at this K; those used here do not.
constexpr unsigned kTestK = 17;
constexpr std::uint16_t kPieces = 2;

/// A sector of two random pieces, made once.
struct PlottedFixture {
  std::vector<std::uint8_t> bytes;
  SectorMetadata metadata;
  SectorId sector_id;
  std::vector<std::unique_ptr<Piece>> pieces;

  static const PlottedFixture& instance() {
    static const PlottedFixture kFixture;
    return kFixture;
  }

 private:
  PlottedFixture() {
    std::mt19937_64 random(7);
    sector_id.bytes.fill(42);
    DownloadedSector downloaded{sector_id,
                                SectorIndex(9),
                                {},
                                RawSector(Network::kAbundance, kPieces),
                                HistorySize::from_count(3)};
    for (std::uint16_t p = 0; p < kPieces; ++p) {
      auto piece = std::make_unique<Piece>();
      for (std::uint8_t& byte : mutable_bytes_of(*piece)) {
        byte = static_cast<std::uint8_t>(random());
      }
      downloaded.raw_sector.put(p, *piece, blake3(bytes_of(*piece)));
      downloaded.piece_indexes.emplace_back(p);
      pieces.push_back(std::move(piece));
    }
    CpuRecordsEncoder encoder({.threads = 2, .k = kTestK});
    const auto encoded = encode_sector(std::move(downloaded), encoder, {});
    lay_out_sector(*encoded, bytes);
    metadata = encoded->plotted_sector.sector_metadata;
  }
};

PiecePtr read(const std::vector<std::uint8_t>& bytes, const SectorMetadata& metadata,
              std::uint16_t offset) {
  static const auto kTable = make_proof_table(Network::kAbundance, kTestK);
  const auto read_at = [&](std::uint64_t at, std::span<std::uint8_t> out) {
    if (at + out.size() > bytes.size()) {
      throw IoError("read", "sector", "it ends at byte " + std::to_string(bytes.size()));
    }
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), out.size(), out.begin());
  };
  return read_piece(PieceOffset(offset), PlottedFixture::instance().sector_id, metadata, read_at,
                    *kTable, RecordErasure());
}

TEST(SectorReader, GivesThePiecesBack) {
  const PlottedFixture& sector = PlottedFixture::instance();
  for (std::uint16_t p = 0; p < kPieces; ++p) {
    const PiecePtr piece = read(sector.bytes, sector.metadata, p);
    EXPECT_TRUE(std::ranges::equal(bytes_of(*piece), bytes_of(*sector.pieces[p])));
  }
  EXPECT_THROW(read(sector.bytes, sector.metadata, kPieces), InvalidArgument);
}

TEST(SectorReader, NamesDamageInTheContentsMap) {
  const PlottedFixture& sector = PlottedFixture::instance();
  for (const std::size_t at : {std::size_t{0}, kFoundProofsSize, kPieces * kFoundProofsSize,
                               kPieces * kFoundProofsSize + 31}) {
    std::vector<std::uint8_t> bytes = sector.bytes;
    bytes[at] ^= 1;
    EXPECT_THROW(read(bytes, sector.metadata, 0), FailedToDecodeSectorContentsMap) << at;
  }
}

TEST(SectorReader, NamesDamageInChunksHeaderAndChecksum) {
  const PlottedFixture& sector = PlottedFixture::instance();
  const std::uint64_t chunks = record_chunks_offset(kPieces);
  const std::uint64_t metadata = record_metadata_offset(kPieces);
  for (const std::uint64_t at : {metadata, metadata + kPieceHeaderSize - 1,
                                 metadata + kPieceHeaderSize, metadata + kRecordMetadataSize - 1}) {
    std::vector<std::uint8_t> bytes = sector.bytes;
    bytes[at] ^= 0x80;
    EXPECT_THROW(read(bytes, sector.metadata, 0), PieceChecksumMismatch) << at;
    EXPECT_NO_THROW(read(bytes, sector.metadata, 1)) << "the other piece is not affected";
  }
  // A flipped chunk belongs to one of the two pieces.
  std::vector<std::uint8_t> bytes = sector.bytes;
  bytes[chunks + 12345] ^= 4;
  unsigned failures = 0;
  for (std::uint16_t p = 0; p < kPieces; ++p) {
    try {
      read(bytes, sector.metadata, p);
    } catch (const PieceChecksumMismatch&) {
      ++failures;
    }
  }
  EXPECT_EQ(failures, 1U);
}

TEST(SectorReader, NamesWhereATruncatedSectorEnds) {
  const PlottedFixture& sector = PlottedFixture::instance();
  std::vector<std::uint8_t> bytes = sector.bytes;
  bytes.resize(record_metadata_offset(kPieces));
  EXPECT_THROW(read(bytes, sector.metadata, 0), IoError) << "record metadata: fatal";
  bytes.resize(record_chunks_offset(kPieces) + kRecordSize);
  EXPECT_THROW(read(bytes, sector.metadata, 0), FailedToReadChunk) << "chunks: not fatal";
  bytes.resize(contents_map_size(kPieces) - 1);
  EXPECT_THROW(read(bytes, sector.metadata, 0), IoError) << "contents map: fatal";
}

TEST(SectorReader, NamesMetadataOfAnotherSector) {
  const PlottedFixture& sector = PlottedFixture::instance();
  SectorMetadata metadata = sector.metadata;
  std::swap(metadata.s_bucket_sizes[0], metadata.s_bucket_sizes[60000]);
  metadata.s_bucket_sizes[5] = static_cast<std::uint16_t>(metadata.s_bucket_sizes[5] + 1);
  EXPECT_THROW(read(sector.bytes, metadata, 0), ReadingError);
  std::fill(metadata.s_bucket_sizes.begin(), metadata.s_bucket_sizes.end(), std::uint16_t{65535});
  try {
    read(sector.bytes, metadata, 0);
    ADD_FAILURE() << "expected FailedToReadChunk";
  } catch (const FailedToReadChunk& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << "nobody read anything";
  }
}

/// Writes bitmaps and a checksum that fits them.
void reseal(std::vector<std::uint8_t>& bytes, const SectorContentsMap& map) {
  map.write_to(std::span(bytes).first(contents_map_size(kPieces)));
}

TEST(SectorReader, NamesAMapThatDoesNotFitTheSeed) {
  const PlottedFixture& sector = PlottedFixture::instance();
  std::vector<std::uint8_t> bytes = sector.bytes;
  SectorContentsMap map =
      SectorContentsMap::parse(std::span(bytes).first(contents_map_size(kPieces)), kPieces);
  SBucket unused(0);
  while (map.uses(PieceOffset(0), unused)) {
    unused = SBucket(static_cast<std::uint16_t>(unused.value() + 1));
  }
  map.bitmaps()[0].bytes[unused.value() / 8] |=
      static_cast<std::uint8_t>(1U << (unused.value() % 8));
  reseal(bytes, map);
  try {
    read(bytes, sector.metadata, 0);
    FAIL() << "read a piece with a wrong map";
  } catch (const MissingPosProof& error) {
    EXPECT_EQ(error.s_bucket(), unused);
  }
  map.bitmaps()[0] = FoundProofs{};
  map.bitmaps()[0].bytes[0] = sector.bytes[0];
  reseal(bytes, map);
  EXPECT_THROW(read(bytes, sector.metadata, 0), FailedToErasureDecodeRecord);
}

TEST(SectorMetadata, NamesDamageAndWrongLength) {
  std::vector<std::uint8_t> slot = PlottedFixture::instance().metadata.encode();
  EXPECT_EQ(SectorMetadata::decode(Network::kAbundance, slot, "slot"),
            PlottedFixture::instance().metadata);
  for (std::size_t at = 0; at < slot.size(); at += 4099) {
    slot[at] ^= 1;
    EXPECT_THROW(SectorMetadata::decode(Network::kAbundance, slot, "slot"), ChecksumMismatch) << at;
    slot[at] ^= 1;
  }
  slot.push_back(0);
  EXPECT_THROW(SectorMetadata::decode(Network::kAbundance, slot, "slot"), InvalidBytesLength);
  slot.resize(slot.size() - 2);
  EXPECT_THROW(SectorMetadata::decode(Network::kAbundance, slot, "slot"), InvalidBytesLength);
}

TEST(SectorContentsMap, ChecksLengthThenChecksum) {
  const SectorContentsMap map(3);
  std::vector<std::uint8_t> bytes(contents_map_size(3));
  map.write_to(bytes);
  EXPECT_NO_THROW(SectorContentsMap::parse(bytes, 3));
  EXPECT_THROW(SectorContentsMap::parse(bytes, 2), InvalidBytesLength);
  bytes[100] ^= 1;
  EXPECT_THROW(SectorContentsMap::parse(bytes, 3), ChecksumMismatch);
  bytes.pop_back();
  EXPECT_THROW(SectorContentsMap::parse(bytes, 3), InvalidBytesLength);
  EXPECT_THROW(map.write_to(bytes), InvalidBytesLength);
}

}  // namespace
}  // namespace furrow
