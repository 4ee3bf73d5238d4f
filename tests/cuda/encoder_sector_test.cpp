// SPDX-License-Identifier: Apache-2.0
// Sectors that the CUDA encoder lays out: the host's bytes, or a plain no.
#include <vector>

#include "furrow/core/sector_layout.hpp"

#include "cuda/device_sector.hpp"
#include "host/sector/contents_map.hpp"
#include "host/sector/sector_writer.hpp"
#include "tests/cuda/encoder_fixture.hpp"

namespace furrow::cuda {
namespace {

using simt::FakeCuda;

class CudaEncoderSectorTest : public CudaEncoderTest {
 protected:
  static constexpr std::uint16_t kPieces = 2;

  CudaEncoderSectorTest() : sector_(kPieces, seed_), map_(kPieces), metadata_(kPieces) {
    map_.bitmaps()[0].bytes.fill(0x0F);
    map_.bitmaps()[1].bytes.fill(0xAA);
    expected_.resize(sector_size(kPieces));
    assemble_sector(map_, sector_.records, metadata_, expected_);
  }

  bool assemble(RecordsEncoder& encoder) {
    actual_.assign(expected_.size(), 0xEE);
    return encoder.assemble_sector({map_.bitmaps(), sector_.records, metadata_}, actual_);
  }

  FakeCudaSector sector_;
  SectorContentsMap map_;
  std::vector<RecordMetadata> metadata_;
  std::vector<std::uint8_t> expected_;
  std::vector<std::uint8_t> actual_;
};

TEST_F(CudaEncoderSectorTest, IsTheHosts) {
  const auto encoder = fake_cuda_encoder();
  ASSERT_TRUE(assemble(*encoder));
  EXPECT_TRUE(actual_ == expected_);
  EXPECT_EQ(encode(*encoder, sector_), EncodeOutcome::kComplete);
}

TEST_F(CudaEncoderSectorTest, IsTheHostsInWhateverOrderTheDeviceWorks) {
  for (std::uint64_t order = 1; order <= orders_of_streams(8); ++order) {
    SCOPED_TRACE("FURROW_SIMT_STREAMS=late:" + std::to_string(order));
    FakeCuda::set_stream_order(order);
    FakeCuda::set_devices(simt::fake_devices(2));
    const auto encoder = fake_cuda_encoder({.device = 1, .lanes = 1, .batch = 1});
    ASSERT_TRUE(assemble(*encoder));
    EXPECT_TRUE(actual_ == expected_);
    EXPECT_EQ(FakeCuda::peak_bytes(0), 0U) << "the other device";
  }
}

TEST_F(CudaEncoderSectorTest, IsLeftToTheHostWhenItDoesNotFitTheLimits) {
  const auto small =
      fake_cuda_encoder({.vram_limit = FakePipeline::device_bytes(1) + 1, .lanes = 1, .batch = 1});
  EXPECT_FALSE(assemble(*small));
  EXPECT_TRUE(log_.warnings().empty());
}

TEST_F(CudaEncoderSectorTest, CopiesGoThroughTheOneBlockOfTheEncoder) {
  for (const bool can_pin : {true, false}) {
    SCOPED_TRACE(can_pin ? "pinned" : "ordinary memory");
    if (!can_pin) {
      FakeCuda::plant({.api = "cudaHostAlloc", .status = cudaErrorMemoryAllocation});
    }
    // As small as it may be: the sector goes through it in many parts.
    const auto encoder = fake_cuda_encoder({.pinned_limit = Lane::staging_bytes(1)});
    const std::uint64_t n_calls = FakeCuda::n_calls("cudaHostAlloc");
    EXPECT_EQ(encoder->state().pinned_bytes, can_pin ? Lane::staging_bytes(1) : 0);
    EXPECT_EQ(FakeCuda::live().host_bytes, encoder->state().pinned_bytes);
    ASSERT_TRUE(assemble(*encoder));
    EXPECT_TRUE(actual_ == expected_);
    FakeCudaSector sector(5, seed_);
    ASSERT_EQ(encode(*encoder, sector), EncodeOutcome::kComplete);
    EXPECT_TRUE(sector.is_encoded());
    ASSERT_TRUE(assemble(*encoder));
    EXPECT_TRUE(actual_ == expected_);
    EXPECT_EQ(FakeCuda::n_calls("cudaHostAlloc"), n_calls) << "it was pinned again";
  }
  expect_all_released();
}

TEST_F(CudaEncoderSectorTest, MemoryThatIsKeptForTheNextSectorCountsAsFree) {
  simt::FakeDevice card;
  card.memory_bytes = 12 * FakePipeline::device_bytes(1) + device_sector_bytes(kPieces) * 3 / 2;
  FakeCuda::set_devices({card});
  {
    const auto encoder = fake_cuda_encoder({.lanes = 3, .batch = 4});
    ASSERT_TRUE(assemble(*encoder));
    EXPECT_LT(free_device_bytes(), device_sector_bytes(kPieces)) << "it was not kept";
    EXPECT_TRUE(assemble(*encoder));
  }
  EXPECT_EQ(free_device_bytes(), card.memory_bytes) << "given back with the encoder";
}

/// Each call that laying out makes fails once; afterwards the encoder does it and encodes as
/// before.
TEST_F(CudaEncoderSectorTest, AFailedCallIsANoAndTheEncoderGoesOn) {
  for (const char* api :
       {"cudaMallocAsync", "cudaEventRecord", "cudaMemcpyAsync", "cudaLaunchKernel"}) {
    const auto encoder = fake_cuda_encoder();
    const std::uint64_t n_before = FakeCuda::n_calls(api);
    ASSERT_TRUE(assemble(*encoder));
    const std::uint64_t n_calls = FakeCuda::n_calls(api) - n_before;
    ASSERT_GT(n_calls, 0U) << api;
    const std::size_t n_warnings = log_.warnings().size();
    for (std::uint64_t nth = 1; nth <= n_calls; ++nth) {
      SCOPED_TRACE(std::string(api) + " number " + std::to_string(nth));
      FakeCuda::plant({.api = api, .nth = nth, .status = cudaErrorMemoryAllocation});
      EXPECT_FALSE(assemble(*encoder));
    }
    EXPECT_EQ(log_.warnings().size() - n_warnings, n_calls) << "each no is reported once";
    ASSERT_TRUE(assemble(*encoder));
    EXPECT_TRUE(actual_ == expected_);
  }
  expect_all_released();
}

TEST_F(CudaEncoderSectorTest, ALostDeviceIsANoNowAndDeviceLostLater) {
  const auto encoder = fake_cuda_encoder();
  FakeCuda::plant(
      {.api = "cudaLaunchKernel", .nth = 2, .status = cudaErrorIllegalAddress, .sticky = true});
  EXPECT_FALSE(assemble(*encoder));
  EXPECT_FALSE(assemble(*encoder));
  EXPECT_THROW(encode(*encoder, sector_), DeviceLost);
  EXPECT_TRUE(sector_.records == sector_.sources);
}

}  // namespace
}  // namespace furrow::cuda
