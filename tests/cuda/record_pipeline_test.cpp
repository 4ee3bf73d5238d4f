// SPDX-License-Identifier: Apache-2.0
// Whole records through the real pipeline, against the CPU encoder.

#include "cuda/record_pipeline.cuh"

#include <memory>
#include <random>

#include <gtest/gtest.h>

#include "host/plotting/record_encoding.hpp"
#include "tests/cuda/cuda_test.hpp"

namespace furrow::cuda {
namespace {

/// Bytes with a period coprime to every tile, so that swapped blocks show.
void fill(Record& record, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::array<std::uint8_t, 251> period;
  for (std::uint8_t& byte : period) {
    byte = static_cast<std::uint8_t>(random());
  }
  auto* bytes = reinterpret_cast<std::uint8_t*>(&record);
  for (std::size_t i = 0; i < kRecordSize; ++i) {
    bytes[i] = static_cast<std::uint8_t>(period[i % 251] + i / 65521);
  }
}

/// Draws a seed that has proofs enough, which with a small K not every seed has, and encodes the record.
FoundProofs draw_and_encode(RecordEncoding& cpu, std::mt19937_64& random, PosSeed& seed,
                            Record& record) {
  constexpr int kMostDrawn = 100;
  for (int drawn = 1;; ++drawn) {
    for (std::uint8_t& byte : seed.bytes) {
      byte = static_cast<std::uint8_t>(random());
    }
    try {
      FoundProofs found;
      cpu.encode(Network::kAbundance, seed, PieceOffset(0), record, found);
      return found;
    } catch (const TooFewProofs&) {  // the record is as it was
      if (drawn == kMostDrawn) {
        throw;
      }
    }
  }
}

/// `kRecords` records through a pipeline of this K and through the CPU.
template <unsigned K, std::size_t kRecords>
void compare_with_cpu() {
  const RandomSeed first;
  std::mt19937_64 random(first.value());
  RecordEncoding cpu(K, SimdMode::kBest);
  std::vector<PosSeed> seeds(kRecords);
  const auto records = std::make_unique<Record[]>(kRecords);
  const auto wanted = std::make_unique<Record[]>(kRecords);
  std::vector<FoundProofs> wanted_found;
  for (std::size_t i = 0; i < kRecords; ++i) {
    fill(records[i], first.value() + i);
    wanted[i] = records[i];
    wanted_found.push_back(draw_and_encode(cpu, random, seeds[i], wanted[i]));
  }

  const Stream stream(0);
  RecordPipelineOf<K> pipeline(stream, kRecords + 1);  // room for more than there is
  const auto encoded = std::make_unique<Record[]>(kRecords);
  std::vector<FoundProofs> found(kRecords);
  std::vector<RecordStatus> status(kRecords);
  pipeline.enqueue(kRecords, seeds.data(), records.get(), encoded.get(), found.data(),
                   status.data());
  stream.view().synchronize();

  for (std::size_t i = 0; i < kRecords; ++i) {
    SCOPED_TRACE("record " + std::to_string(i));
    EXPECT_EQ(status[i].n_proofs, kNumChunks);
    EXPECT_EQ(status[i].n_overflows, 0U);
    EXPECT_EQ(found[i], wanted_found[i]);
    EXPECT_TRUE(encoded[i] == wanted[i]);
  }
}

TEST(CudaRecordPipeline, EncodesLikeTheCpu) {
  compare_with_cpu<kPosK, 2>();
}

// All kernels of a record, quick enough for compute-sanitizer: the least K that gives proofs enough.
TEST(CudaSmallRecord, IsEncodedLikeByTheCpu) {
  compare_with_cpu<16, 1>();
}

/// A seed whose proofs do not suffice, and a record that is not encoded with it.
PosSeed draw_bad_seed(RecordEncoding& cpu, std::mt19937_64& random) {
  const auto record = std::make_unique<Record>();
  FoundProofs found;
  for (PosSeed seed;;) {
    for (std::uint8_t& byte : seed.bytes) {
      byte = static_cast<std::uint8_t>(random());
    }
    try {
      cpu.encode(Network::kAbundance, seed, PieceOffset(0), *record, found);
    } catch (const TooFewProofs&) {
      return seed;
    }
  }
}

// Each record of a batch has its own seed, bytes, proofs and status.
TEST(CudaSmallRecord, OneWithoutProofsEnoughSpoilsNoOther) {
  constexpr unsigned kK = 16;
  constexpr std::size_t kRecords = 3;
  constexpr std::size_t kBad = 0;  // the first, for which another one's place is most easily taken
  const RandomSeed first;
  std::mt19937_64 random(first.value());
  RecordEncoding cpu(kK, SimdMode::kBest);
  std::vector<PosSeed> seeds(kRecords);
  const auto records = std::make_unique<Record[]>(kRecords);
  const auto wanted = std::make_unique<Record[]>(kRecords);
  std::vector<FoundProofs> wanted_found(kRecords);
  for (std::size_t i = 0; i < kRecords; ++i) {
    fill(records[i], first.value() + i);
    wanted[i] = records[i];
    if (i != kBad) {
      wanted_found[i] = draw_and_encode(cpu, random, seeds[i], wanted[i]);
    }
  }
  seeds[kBad] = draw_bad_seed(cpu, random);

  const Stream stream(0);
  RecordPipelineOf<kK> pipeline(stream, kRecords);
  const auto encoded = std::make_unique<Record[]>(kRecords);
  std::vector<FoundProofs> found(kRecords);
  std::vector<RecordStatus> status(kRecords);
  pipeline.enqueue(kRecords, seeds.data(), records.get(), encoded.get(), found.data(),
                   status.data());
  stream.view().synchronize();
  for (std::size_t i = 0; i < kRecords; ++i) {
    SCOPED_TRACE("record " + std::to_string(i));
    EXPECT_EQ(is_encoded(status[i]), i != kBad);
    EXPECT_EQ(status[i].n_overflows, 0U);
    if (i != kBad) {
      EXPECT_EQ(found[i], wanted_found[i]);
      EXPECT_TRUE(encoded[i] == wanted[i]);
    }
  }
  EXPECT_LT(status[kBad].n_proofs, kNumChunks);
}

TEST(CudaRecordPipeline, RefusesBatchesItHasNoRoomFor) {
  const Stream stream(0);
  EXPECT_THROW(RecordPipeline(stream, 0), InvalidArgument);
  EXPECT_THROW(RecordPipeline(stream, 65536), InvalidArgument);
  RecordPipeline pipeline(stream, 1);
  EXPECT_THROW(pipeline.enqueue(0, nullptr, nullptr, nullptr, nullptr, nullptr), InvalidArgument);
  EXPECT_THROW(pipeline.enqueue(2, nullptr, nullptr, nullptr, nullptr, nullptr), InvalidArgument);
}

}  // namespace
}  // namespace furrow::cuda
