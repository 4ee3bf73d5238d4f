// SPDX-License-Identifier: Apache-2.0
// Sectors of Autonomys with the proofs of K = 15, which are too few: every record has plain chunks
// (docs/spec/09-autonomys.md, sections 7 to 9).
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "furrow/sector_contents.hpp"

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "host/plotting/cpu_records_encoder.hpp"
#include "host/plotting/encode_sector.hpp"
#include "host/sector/contents_map.hpp"
#include "host/sector/plain_chunks.hpp"
#include "host/sector/sector_layout.hpp"
#include "host/sector/sector_reader.hpp"
#include "tools/vectors/autonomys_inputs.hpp"

namespace furrow {
namespace {

constexpr unsigned kTestK = 15;
constexpr std::uint16_t kPieces = 3;

std::unique_ptr<AutonomysPiece> piece_number(std::uint64_t i) {
  return vectors::made_up_autonomys_piece("scalars", 100, 200, i);
}

/// A sector of made-up pieces, encoded once.
struct Fixture {
  Fixture() {
    sector_id.bytes.fill(0x42);
    DownloadedSector downloaded{sector_id,
                                SectorIndex(9),
                                {},
                                RawSector(Network::kAutonomys, kPieces),
                                HistorySize::from_count(3)};
    for (std::uint16_t p = 0; p < kPieces; ++p) {
      const auto piece = piece_number(p);
      downloaded.piece_indexes.emplace_back(p);
      downloaded.raw_sector.put(p, *piece, blake3(bytes_of(*piece)));
    }
    CpuRecordsEncoder encoder({.threads = 2, .k = kTestK});
    encoded = encode_sector(std::move(downloaded), encoder, {});
    lay_out_sector(*encoded, bytes);
  }
  [[nodiscard]] const SectorMetadata& metadata() const {
    return encoded->plotted_sector.sector_metadata;
  }

  static const Fixture& instance() {
    static const Fixture fixture;
    return fixture;
  }

  SectorId sector_id;
  std::optional<EncodedSector> encoded;
  std::vector<std::uint8_t> bytes;
};

SectorReadAt reader_of(const std::vector<std::uint8_t>& bytes) {
  return [&bytes](std::uint64_t offset, std::span<std::uint8_t> out) {
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
  };
}

AutonomysPiecePtr read(const std::vector<std::uint8_t>& bytes, std::uint16_t offset) {
  static const auto kTable = make_proof_table(Network::kAutonomys, kTestK);
  return read_piece_of<AutonomysPiece>(PieceOffset(offset), Fixture::instance().sector_id,
                                       Fixture::instance().metadata(), reader_of(bytes), *kTable,
                                       RecordErasure());
}

TEST(AutonomysSector, GivesThePiecesBack) {
  const Fixture& sector = Fixture::instance();
  ASSERT_EQ(sector.bytes.size(), sector_size(Network::kAutonomys, kPieces));
  for (std::uint16_t p = 0; p < kPieces; ++p) {
    EXPECT_TRUE(std::ranges::equal(bytes_of(*read(sector.bytes, p)), bytes_of(*piece_number(p))));
  }
}

/// Every chunk has its place, also where bits are missing, and it is found again by what map and
/// metadata say.
TEST(AutonomysSector, HasAllChunksOfRecordsWithTooFewProofs) {
  const Fixture& sector = Fixture::instance();
  std::uint64_t n_chunks = 0;
  for (const std::uint16_t size : sector.metadata().s_bucket_sizes) {
    n_chunks += size;
  }
  EXPECT_EQ(n_chunks, std::uint64_t{kPieces} * kNumChunks);
  for (std::uint16_t p = 0; p < kPieces; ++p) {
    const FoundProofs& wanted = sector.encoded->contents_map.bitmaps()[p];
    EXPECT_LT(count_s_buckets(wanted), kNumChunks);
    const auto record = std::make_unique<Record>();
    FoundProofs bitmap;
    read_encoded_record(PieceOffset(p), sector.metadata(), reader_of(sector.bytes), *record,
                        bitmap);
    EXPECT_EQ(bitmap, wanted);
    EXPECT_EQ(*record, sector.encoded->raw_sector.all_records()[p]);
  }
}

/// A plain chunk is a source or parity chunk as it is, in the s-bucket that it belongs to.
TEST(AutonomysSector, PlainChunksAreWhatTheErasureCodeGives) {
  const Fixture& sector = Fixture::instance();
  const FoundProofs& bitmap = sector.encoded->contents_map.bitmaps()[0];
  const auto source = piece_number(0);
  const auto parity = std::make_unique<Record>();
  RecordErasure().extend(Network::kAutonomys, source->record, *parity);
  const ExtendedChunks extended(Network::kAutonomys, source->record, *parity);
  const Record& encoded = sector.encoded->raw_sector.all_records()[0];
  std::size_t k = count_s_buckets(bitmap);
  for_each_s_bucket(occupied_s_buckets(Network::kAutonomys, bitmap), [&](SBucket s) {
    if (!has_s_bucket(bitmap, s)) {
      ASSERT_EQ(encoded[k++], extended[s]) << "s-bucket " << s.value();
    }
  });
  EXPECT_EQ(k, kNumChunks);
}

/// The first s-buckets without a bit fill up, as many as are missing; Abundance fills up nothing.
TEST(AutonomysSector, OccupiedSBucketsAreCounted) {
  FoundProofs bitmap;
  EXPECT_EQ(occupied_s_buckets(Network::kAbundance, bitmap), bitmap);
  FoundProofs first_half;
  std::fill_n(first_half.bytes.begin(), kFoundProofsSize / 2, std::uint8_t{0xFF});
  EXPECT_EQ(occupied_s_buckets(Network::kAutonomys, bitmap), first_half);
  bitmap.bytes.back() = 0x80;  // the last s-bucket has a proof
  FoundProofs wanted = first_half;
  wanted.bytes[kFoundProofsSize / 2 - 1] = 0x7F;
  wanted.bytes.back() = 0x80;
  EXPECT_EQ(occupied_s_buckets(Network::kAutonomys, bitmap), wanted);
  EXPECT_EQ(occupied_s_buckets(Network::kAutonomys, first_half), first_half);
}

/// The highest bit of every number below the modulus is clear, masked or not.
TEST(AutonomysSector, AChunkThatIsNoElementIsNamedAndSpoilsItsPieceAlone) {
  const Fixture& sector = Fixture::instance();
  std::vector<std::uint8_t> bytes = sector.bytes;
  bytes[record_metadata_offset(kPieces) - kChunkSize] ^= 0x80;  // the last chunk of all
  std::uint16_t last_s_bucket = 0xFFFF;
  while (sector.metadata().s_bucket_sizes[last_s_bucket] == 0) {
    --last_s_bucket;
  }
  std::size_t n_invalid = 0;
  for (std::uint16_t p = 0; p < kPieces; ++p) {
    try {
      EXPECT_TRUE(std::ranges::equal(bytes_of(*read(bytes, p)), bytes_of(*piece_number(p))));
    } catch (const InvalidChunk& error) {
      ++n_invalid;
      EXPECT_EQ(error.s_bucket(), SBucket(last_s_bucket));
    }
  }
  EXPECT_EQ(n_invalid, 1U);
}

TEST(AutonomysSector, IsNotReadAsOneOfTheOtherNetwork) {
  const auto table = make_proof_table(Network::kAbundance, kTestK);
  const Fixture& sector = Fixture::instance();
  EXPECT_THROW(read_piece(PieceOffset(0), sector.sector_id, sector.metadata(),
                          reader_of(sector.bytes), *table, RecordErasure()),
               InvalidArgument);
}

TEST(AutonomysSector, AMapWithTooManySBucketsIsRefusedWithTheirNumber) {
  const Fixture& sector = Fixture::instance();
  SectorContentsMap map = sector.encoded->contents_map;
  map.bitmaps()[1].bytes.fill(0xFF);
  std::vector<std::uint8_t> bytes = sector.bytes;
  map.write_to(std::span(bytes).first(contents_map_size(kPieces)));
  try {
    read(bytes, 0);
    FAIL();
  } catch (const FailedToDecodeSectorContentsMap& error) {
    EXPECT_NE(std::string(error.what()).find("actual 65536"), std::string::npos) << error.what();
  }
}

TEST(AutonomysSector, ARecordWithAChunkBeyondTheModulusCannotBeEncoded) {
  const auto piece = piece_number(0);
  piece->record[5].bytes.fill(0xFF);
  CpuRecordsEncoder encoder({.threads = 1, .k = kTestK});
  std::vector<Record> records = {piece->record};
  const std::vector<Record> before = records;
  std::vector<FoundProofs> found(1);
  try {
    encoder.encode_records(SectorId(), records, found, {}, PieceOffset(7), Network::kAutonomys);
    FAIL();
  } catch (const UnencodableRecord& error) {
    EXPECT_EQ(error.piece_offset(), PieceOffset(7));
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_NE(std::string(error.what()).find("chunk 5"), std::string::npos) << error.what();
  }
  EXPECT_EQ(records, before);
}

/// One encoder goes from network to network.
TEST(AutonomysSector, RecordsOfBothNetworksAlternate) {
  CpuRecordsEncoder encoder({.threads = 1, .k = kPosK});
  const auto encode = [&](Network network) {
    std::vector<Record> records = {piece_number(1)->record};
    std::vector<FoundProofs> found(1);
    EXPECT_EQ(encoder.encode_records(SectorId(), records, found, {}, PieceOffset(0), network),
              EncodeOutcome::kComplete);
    return std::pair(records, found);
  };
  const auto abundance = encode(Network::kAbundance);
  const auto autonomys = encode(Network::kAutonomys);
  EXPECT_NE(abundance, autonomys);
  EXPECT_EQ(encode(Network::kAbundance), abundance);
  EXPECT_EQ(encode(Network::kAutonomys), autonomys);
}

TEST(AutonomysSector, MetadataHaveTheCountAndNoEmptyHistory) {
  SectorMetadata metadata = Fixture::instance().metadata();
  std::vector<std::uint8_t> bytes = metadata.encode();
  EXPECT_EQ(bytes[131'076], 3);
  EXPECT_EQ(SectorMetadata::decode(Network::kAutonomys, bytes, "slot"), metadata);
  const auto dummy = SectorMetadata::expired_dummy(Network::kAutonomys, SectorIndex(0), 1000);
  const std::vector<std::uint8_t> dummy_bytes = dummy.encode();
  EXPECT_EQ(to_hex(std::span(dummy_bytes).last(kHashSize)),
            "078f95ae8d5a1c9f0b6730d62438948732f96414852408f227821c9f4165bd37");

  bytes[131'076] = 0;
  const Hash checksum = blake3(std::span(bytes).first(bytes.size() - kHashSize));
  std::ranges::copy(checksum.bytes, bytes.end() - kHashSize);
  EXPECT_THROW(SectorMetadata::decode(Network::kAutonomys, bytes, "slot"), MalformedData);
  EXPECT_EQ(SectorMetadata::decode(Network::kAbundance, bytes, "slot").history_size,
            HistorySize::from_count(1));
}

}  // namespace
}  // namespace furrow
