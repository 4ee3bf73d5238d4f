// SPDX-License-Identifier: Apache-2.0
// Sectors as plotters might deliver them: right, damaged, of something else, and made wrong on purpose
// with everything else in order.
#include "host/node/sector_check.hpp"

#include <gtest/gtest.h>

#include "host/crypto/blake3.hpp"
#include "host/sector/sector_layout.hpp"
#include "tests/support/memory_bus.hpp"
#include "tests/unit/node/node_fixture.hpp"

namespace furrow::test {
namespace {

class SectorCheckTest : public testing::Test {
 protected:
  static node::ReceivedSector right() {
    return {example_sector().plotted_sector, example_sector().bytes};
  }
  /// What is wrong with it; empty when nothing is.
  std::string check(const node::ReceivedSector& sector) {
    try {
      check_.check(node::plan_of(Network::kAbundance, example_request(), 1000), sector, {});
      return "";
    } catch (const node::WrongSector& error) {
      return error.what();
    }
  }
  void expect_wrong(const node::ReceivedSector& sector, const std::string& named) {
    const std::string reason = check(sector);
    EXPECT_NE(reason.find(named), std::string::npos) << reason;
  }
  static void renew_checksum(node::ReceivedSector& sector) {
    const std::span<std::uint8_t> bytes(sector.bytes);
    const Hash checksum = blake3(bytes.first(bytes.size() - kHashSize));
    std::copy(checksum.begin(), checksum.end(), bytes.end() - kHashSize);
  }

  MemoryServer server_;
  std::unique_ptr<MemoryBus> bus_ = server_.connect();
  node::SuperSegmentHeaders headers_{*bus_};
  node::SectorCheck check_{headers_, {.records = 2, .seed = 1}};
};

TEST_F(SectorCheckTest, TheRightOnePasses) {
  EXPECT_EQ(check(right()), "");
  EXPECT_EQ(check_.unverified(), 2U);  // nobody says what the chain has
}

TEST_F(SectorCheckTest, OneOfSomethingElseIsNone) {
  node::ReceivedSector sector = right();
  sector.plotted_sector.sector_index = SectorIndex(8);
  expect_wrong(sector, "sector index: expected 7, actual 8");
  sector = right();
  sector.plotted_sector.sector_metadata.sector_index = SectorIndex(9);
  expect_wrong(sector, "sector index of its metadata: expected 7, actual 9");
  sector = right();
  sector.plotted_sector.sector_id.bytes[0] ^= 1U;
  expect_wrong(sector, "sector id");
  sector = right();
  sector.plotted_sector.sector_metadata.history_size = HistorySize::from_count(5);
  expect_wrong(sector, "history size: expected 1, actual 5");
  sector = right();
  sector.plotted_sector.sector_metadata.pieces_in_sector = 3;
  expect_wrong(sector, "pieces in sector: expected 2, actual 3");
  sector = right();
  sector.plotted_sector.piece_indexes[1] = PieceIndex(255);
  expect_wrong(sector, "piece index at offset 1");
  sector = right();
  sector.plotted_sector.piece_indexes.pop_back();
  expect_wrong(sector, "piece indexes: expected 2, actual 1");
}

TEST_F(SectorCheckTest, DamageIsFound) {
  node::ReceivedSector sector = right();
  sector.bytes.pop_back();
  expect_wrong(sector, "bytes: expected");
  for (const std::uint64_t at :
       {std::uint64_t{0}, record_chunks_offset(2), record_metadata_offset(2),
        sector_size(Network::kAbundance, 2) - 1}) {
    sector = right();
    sector.bytes[at] ^= 1U;
    EXPECT_NE(check(sector), "") << "byte " << at;
  }
  sector = right();
  ++sector.plotted_sector.sector_metadata.s_bucket_sizes[100];
  expect_wrong(sector, "s-bucket 100");
}

TEST_F(SectorCheckTest, AChunkThatIsWrongOnPurposeIsFoundByEncoding) {
  // Checksum and contents map are in order. The piece can be rebuilt from other chunks, or not; in either
  // case the record is not as it is encoded.
  node::ReceivedSector sector = right();
  for (std::uint64_t chunk = 0; chunk < 4; ++chunk) {
    sector.bytes[record_chunks_offset(2) + chunk * kChunkSize] ^= 0x80U;
  }
  renew_checksum(sector);
  expect_wrong(sector, "piece offset");
}

TEST_F(SectorCheckTest, WithoutRecordsOnlyTheBytesAreLookedAt) {
  node::SectorCheck check(headers_, {.records = 0});
  node::ReceivedSector sector = right();
  sector.bytes[record_chunks_offset(2)] ^= 1U;
  renew_checksum(sector);
  EXPECT_NO_THROW(
      check.check(node::plan_of(Network::kAbundance, example_request(), 1000), sector, {}));
}

}  // namespace
}  // namespace furrow::test
