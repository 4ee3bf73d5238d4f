// SPDX-License-Identifier: Apache-2.0
// CudaRecordsEncoder over a stand-in pipeline on the fake CUDA runtime: lanes, batches, memory,
// fallback, stop.
#include <thread>

#include "cuda/record_pipeline.hpp"
#include "tests/cuda/encoder_fixture.hpp"

namespace furrow::cuda {
namespace {

using simt::FakeCuda;

TEST_F(CudaEncoderTest, EncodesWhateverTheLanesAndBatches) {
  for (const std::size_t lanes : {1U, 2U, 3U}) {
    for (const std::size_t batch : {1U, 2U, 5U}) {
      const auto encoder = fake_cuda_encoder({.lanes = lanes, .batch = batch});
      EXPECT_EQ(encoder->state().lanes, lanes);
      EXPECT_EQ(encoder->state().batch, batch);
      std::uint64_t n_records = 0;
      std::uint64_t n_fallbacks = 0;
      for (const std::size_t n : {0U, 1U, 4U, 5U, 6U, 14U, 15U, 16U}) {
        SCOPED_TRACE(std::to_string(lanes) + " lanes of " + std::to_string(batch) + ", " +
                     std::to_string(n) + " records");
        FakeCudaSector sector(n, seed_ + n);
        ASSERT_EQ(encode(*encoder, sector), EncodeOutcome::kComplete);
        EXPECT_TRUE(sector.is_encoded());
        n_records += n;
        n_fallbacks += sector.n_overflowing();
      }
      EXPECT_EQ(encoder->state().n_records, n_records);
      EXPECT_EQ(encoder->state().n_fallbacks, n_fallbacks);
    }
    expect_all_released();
  }
  EXPECT_TRUE(log_.warnings().empty());
}

// What a device does late, or before something else, is right at any time: not on the first of two devices,
// so that work without a device of its own would go to the wrong one.
TEST_F(CudaEncoderTest, EncodesInWhateverOrderTheDeviceWorks) {
  for (std::uint64_t order = 1; order <= orders_of_streams(20); ++order) {
    SCOPED_TRACE("FURROW_SIMT_STREAMS=late:" + std::to_string(order));
    FakeCuda::set_stream_order(order);
    FakeCuda::set_devices(simt::fake_devices(2));
    {
      const auto encoder = fake_cuda_encoder({.device = 1, .lanes = 1 + order % 3, .batch = 2});
      for (const std::size_t n : {7U, 4U}) {
        FakeCudaSector sector(n, seed_ + order + n);
        ASSERT_EQ(encode(*encoder, sector), EncodeOutcome::kComplete);
        EXPECT_TRUE(sector.is_encoded());
      }
      FakeCudaSector one(1, seed_);
      PosSeed seed;
      seed.bytes.fill(0x40);
      Record expected = one.records[0];
      fake_encode_from_seed(seed, expected, one.expected_found_proofs[0]);
      encoder->encode_from_seed(seed, one.records[0], one.found_proofs[0]);
      EXPECT_EQ(one.records[0], expected);
      EXPECT_EQ(one.found_proofs[0], one.expected_found_proofs[0]);
    }
    expect_all_released();
    EXPECT_EQ(FakeCuda::peak_bytes(0), 0U) << "the other device";
  }
}

TEST_F(CudaEncoderTest, IsNamedAfterTheDevice) {
  FakeCuda::set_devices(simt::fake_devices(2));
  EXPECT_EQ(fake_cuda_encoder({.device = 1})->name(), "cuda 1 (Furrow SIMT harness)");
}

/// Rather than encoding them by the rules of another one.
TEST_F(CudaEncoderTest, RefusesRecordsOfANetworkThatItHasNoKernelsFor) {
  const auto encoder = fake_cuda_encoder({});
  FakeCudaSector sector(2, seed_);
  EncodingJob job(sector.sector_id, sector.records, sector.found_proofs, PieceOffset(0),
                  Network::kAutonomys);
  EXPECT_THROW(encoder->encode(job, {}), EncoderError);
  EXPECT_EQ(sector.records, sector.sources);
  EXPECT_EQ(job.claim(2).size(), 2U) << "nothing is left claimed";
}

TEST_F(CudaEncoderTest, RefusesBadOptions) {
  EXPECT_THROW(fake_cuda_encoder({.lanes = 0}), InvalidArgument);
  EXPECT_THROW(fake_cuda_encoder({.batch = 65536}), InvalidArgument);
  EXPECT_THROW(CudaRecordsEncoder({}, fake_pipelines()), InvalidArgument);
  EXPECT_THROW(fake_cuda_encoder({.device = 7}), CudaError);
  EXPECT_THROW(make_cuda_records_encoder({.device = 7, .fallback = fake_encode_on_cpu}),
               EncoderError);
}

TEST_F(CudaEncoderTest, WorksOnAnotherThreadThanItWasMadeOn) {
  FakeCuda::set_devices(simt::fake_devices(2));
  const auto encoder = fake_cuda_encoder({.device = 1});
  FakeCudaSector sector(9, seed_);
  std::jthread([&] { EXPECT_EQ(encode(*encoder, sector), EncodeOutcome::kComplete); }).join();
  EXPECT_TRUE(sector.is_encoded());

  FakeCudaSector one(1, seed_);
  PosSeed seed;
  seed.bytes.fill(0x40);
  Record expected = one.records[0];
  fake_encode_from_seed(seed, expected, one.expected_found_proofs[0]);
  std::jthread([&] {
    EXPECT_NO_THROW(encoder->encode_from_seed(seed, one.records[0], one.found_proofs[0]));
  }).join();
  EXPECT_EQ(one.records[0], expected);
}

TEST_F(CudaEncoderTest, KeepsItsLimits) {
  const std::uint64_t one = FakePipeline::device_bytes(1);
  for (std::uint64_t records = 1; records <= 14; ++records) {
    const auto encoder = fake_cuda_encoder({.vram_limit = records * one + one / 2});
    const CudaEncoderState state = encoder->state();
    EXPECT_LE(state.lanes * state.batch, records);
    EXPECT_EQ(state.device_bytes, FakeCuda::used_bytes(0)) << "the footprint is as stated";
    EXPECT_LE(FakeCuda::peak_bytes(0), records * one + one / 2);
    FakeCudaSector sector(7, seed_);
    ASSERT_EQ(encode(*encoder, sector), EncodeOutcome::kComplete);
    EXPECT_TRUE(sector.is_encoded());
    EXPECT_LE(FakeCuda::peak_bytes(0), records * one + one / 2);
  }
  const auto encoder = fake_cuda_encoder({.pinned_limit = 4 * Lane::staging_bytes(1)});
  EXPECT_EQ(encoder->state().lanes, 3U);
  EXPECT_EQ(encoder->state().batch, 1U);
  EXPECT_EQ(encoder->state().pinned_bytes, FakeCuda::live().host_bytes);
}

TEST_F(CudaEncoderTest, ALimitBelowOneRecordIsAnErrorThatSaysWhatIsMissing) {
  try {
    fake_cuda_encoder({.vram_limit = 1000});
    FAIL() << "made an encoder of nothing";
  } catch (const InvalidArgument& error) {
    EXPECT_EQ(std::string(error.what()),
              "device memory limit: an encoder on CUDA device 0 takes at least " +
                  std::to_string(FakePipeline::device_bytes(1)) + " bytes, allowed are 1000");
  }
  try {
    fake_cuda_encoder({.pinned_limit = 1000});
    FAIL() << "made an encoder of nothing";
  } catch (const InvalidArgument& error) {
    EXPECT_EQ(std::string(error.what()),
              "pinned memory limit: an encoder on CUDA device 0 takes at least " +
                  std::to_string(Lane::staging_bytes(1)) + " bytes, allowed are 1000");
  }
  simt::FakeDevice tiny;
  tiny.memory_bytes = 1 << 20;
  FakeCuda::set_devices({tiny});
  try {
    make_cuda_records_encoder({.fallback = fake_encode_on_cpu});
    FAIL() << "made an encoder of nothing";
  } catch (const EncoderError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("encoder cuda 0: "), std::string::npos) << text;
    EXPECT_NE(text.find("asked for " + std::to_string(RecordPipeline::device_bytes(1))),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("free 943719"), std::string::npos) << text;
  }
}

TEST_F(CudaEncoderTest, ACardOf6GiBTakesTheRealPipeline) {
  BatchPipelines pipelines = fake_pipelines();  // its memory is small, but it states the real one
  pipelines.device_bytes = [](std::size_t batch) { return RecordPipeline::device_bytes(batch); };
  for (const unsigned gib : {1U, 4U, 6U}) {
    simt::FakeDevice card;
    card.memory_bytes = std::uint64_t{gib} << 30;
    FakeCuda::set_devices({card});
    const CudaRecordsEncoder encoder({.batch = 64, .fallback = fake_encode_on_cpu}, pipelines);
    const CudaEncoderState state = encoder.state();
    EXPECT_EQ(state.lanes, 3U) << gib << " GiB";
    EXPECT_GE(state.batch, gib * 3) << gib << " GiB";
    EXPECT_LE(state.device_bytes, card.memory_bytes - card.memory_bytes / 20);
  }
}

TEST_F(CudaEncoderTest, EncodesFromASeed) {
  const auto encoder = fake_cuda_encoder();
  FakeCudaSector sector(1, seed_);
  PosSeed seed;
  seed.bytes.fill(0x40);
  Record expected = sector.records[0];
  FoundProofs expected_bitmap;
  fake_encode_from_seed(seed, expected, expected_bitmap);
  encoder->encode_from_seed(seed, sector.records[0], sector.found_proofs[0]);
  EXPECT_EQ(sector.records[0], expected);
  EXPECT_EQ(sector.found_proofs[0], expected_bitmap);

  seed.bytes[0] = 3;  // for which the stand-in has no room
  try {
    encoder->encode_from_seed(seed, sector.records[0], sector.found_proofs[0]);
    FAIL() << "took what is not encoded";
  } catch (const DeviceLost&) {
    FAIL() << "the device is well";
  } catch (const EncoderError& error) {
    EXPECT_NE(std::string(error.what()).find("4 proofs, and had no room for 9"), std::string::npos)
        << error.what();
  }
  EXPECT_EQ(sector.records[0], expected) << "unchanged";
}

TEST_F(CudaEncoderTest, ARecordThatNobodyCanEncodeEndsTheJobAndNothingElse) {
  bool refuses = true;
  const auto encoder = fake_cuda_encoder(
      {.batch = 2,
       .fallback = [&](Network network, const SectorId& sector_id, PieceOffset offset,
                       Record& record, FoundProofs& found_proofs, const MayGoOn& go_on) {
         if (refuses) {
           throw TooFewProofs(offset, 4);
         }
         return fake_encode_on_cpu(network, sector_id, offset, record, found_proofs, go_on);
       }});
  std::uint64_t sector_seed = seed_;
  while (FakeCudaSector(24, sector_seed).n_overflowing() == 0) {
    ++sector_seed;
  }
  FakeCudaSector sector(24, sector_seed);
  EncodingJob job = sector.job();
  EXPECT_THROW(encoder->encode(job, {}), TooFewProofs);
  EXPECT_TRUE(sector.is_encoded_or_unchanged());
  refuses = false;
  EXPECT_EQ(encoder->encode(job, {}), EncodeOutcome::kComplete);
  EXPECT_TRUE(job.all_done());
  EXPECT_TRUE(sector.is_encoded());
}

TEST_F(CudaEncoderTest, AStopRequestLetsTheBatchesInFlightFinish) {
  const auto encoder = fake_cuda_encoder({.lanes = 3, .batch = 2});
  FakeCudaSector sector(40, seed_);
  EncodingJob job = sector.job();
  std::stop_source stop;
  std::size_t done = 0;
  EncodingJob watched = job.watched({.on_done = [&](PieceOffset) {
    ++done;
    stop.request_stop();
  }});
  EXPECT_EQ(encoder->encode(watched, stop.get_token()), EncodeOutcome::kCancelled);
  EXPECT_LE(done, 6U);
  EXPECT_TRUE(sector.is_encoded_or_unchanged());
  EXPECT_EQ(encoder->encode(job, stop.get_token()), EncodeOutcome::kCancelled);
  EXPECT_EQ(encoder->encode(job, {}), EncodeOutcome::kComplete);
  EXPECT_TRUE(sector.is_encoded());
}

}  // namespace
}  // namespace furrow::cuda
