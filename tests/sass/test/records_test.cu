// SPDX-License-Identifier: Apache-2.0
// Whole records for K = 20 through the shipped kernels, each launch of the real pipeline, against
// the CPU encoder.
#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <random>

#include <gtest/gtest.h>

#include "cuda/record_pipeline.hpp"
#include "host/plotting/record_encoding.hpp"
#include "tests/cuda/cuda_test.hpp"
#include "tests/sass/card/card.hpp"
#include "tests/sass/test/architectures.hpp"
#include "tests/sass/test/barriers.hpp"
#include "tests/sass/test/committed_counts.hpp"

namespace furrow::cuda {
namespace {

struct Batch {
  explicit Batch(std::size_t n, std::uint64_t seed)
      : seeds(n), records(std::make_unique<Record[]>(n)), size(n) {
    std::mt19937_64 random(seed);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::uint8_t& byte : seeds[i].bytes) {
        byte = static_cast<std::uint8_t>(random());
      }
      auto* const bytes = reinterpret_cast<std::uint8_t*>(&records[i]);
      for (std::size_t k = 0; k < kRecordSize; ++k) {
        bytes[k] = static_cast<std::uint8_t>(random() >> 32);
      }
    }
  }
  std::vector<PosSeed> seeds;
  std::unique_ptr<Record[]> records;
  std::size_t size;
};

void encode_on_card(const Batch& batch, Record* encoded, FoundProofs* found, RecordStatus* status) {
  const Stream stream(0);
  RecordPipeline pipeline(stream.view(), batch.size);
  pipeline.enqueue(batch.size, batch.seeds.data(), batch.records.get(), encoded, found, status);
  stream.view().synchronize();
}

/// Encodes on the card and on the CPU; prints what each kernel cost.
void compare(std::size_t n_records) {
  const RandomSeed seed;
  const Batch batch(n_records, seed.value());
  const auto encoded = std::make_unique<Record[]>(n_records);
  std::vector<FoundProofs> found(n_records);
  std::vector<RecordStatus> status(n_records);
  encode_on_card(batch, encoded.get(), found.data(), status.data());
  sass::LaunchCount all;
  for (const sass::Launched& launched : sass::Card::instance().launches()) {
    std::printf("%s: %s\n", launched.name.c_str(), sass::text(launched.count).c_str());
    all += launched.count;
  }
  std::printf("all of %zu records: %s\n", n_records, sass::text(all).c_str());
  RecordEncoding cpu(kPosK, SimdMode::kBest);
  for (std::size_t i = 0; i < n_records; ++i) {
    SCOPED_TRACE("record " + std::to_string(i));
    FoundProofs wanted;
    cpu.encode(Network::kAbundance, batch.seeds[i], PieceOffset(0), batch.records[i], wanted);
    EXPECT_EQ(status[i].n_proofs, kNumChunks);
    EXPECT_EQ(status[i].n_overflows, 0U);
    EXPECT_EQ(found[i], wanted);
    EXPECT_TRUE(encoded[i] == batch.records[i]);
  }
}

/// As many blocks of make_table as a multiprocessor has registers and threads for find shared memory,
/// by what the pipeline has asked for.
void expect_room_for_blocks(const sass::Card& card) {
  const sass::Multiprocessor processor = sass::multiprocessor_of(card.architecture());
  // Of 9.0 the compiled kernel says itself what the driver keeps.
  const std::uint32_t kept = card.architecture() < 90 ? processor.kept_bytes : 0;
  unsigned n_tables = 0;
  for (const sass::Launched& launched : card.launches()) {
    if (!launched.name.starts_with("furrow::cuda::make_table")) {
      continue;
    }
    SCOPED_TRACE(launched.name);
    ++n_tables;
    const std::uint32_t n_threads = launched.shape.block[0];
    const std::uint32_t of_a_warp = (launched.n_registers * 32 + 255) / 256 * 256;
    const std::uint32_t by_registers = 65536 / of_a_warp / (n_threads / 32);
    const std::uint32_t n_blocks = std::min(by_registers, processor.threads / n_threads);
    EXPECT_GE(n_blocks, 3U);
    ASSERT_TRUE(launched.shared_percent.has_value());
    EXPECT_GE(processor.shared_bytes * static_cast<std::uint64_t>(*launched.shared_percent) / 100,
              n_blocks * (launched.shared_bytes + kept));
  }
  EXPECT_EQ(n_tables, 6U);
}

TEST(SassRecords, OneRecord) {
  compare(1);
  expect_room_for_blocks(sass::Card::instance());
}

TEST(SassRecords, TheModelsCountsAreOfTheseKernels) {
  const sass::CountedRecord counted = sass::counted_record();
  const auto encoded = std::make_unique<Record>();
  FoundProofs found;
  RecordStatus status;
  const Stream stream(0);
  RecordPipeline pipeline(stream.view(), 1);
  pipeline.enqueue(1, &counted.seed, counted.record.get(), encoded.get(), &found, &status);
  stream.view().synchronize();
  const sass::Card& card = sass::Card::instance();
  sass::expect_committed_counts(card.architecture(), card.launches());
}

TEST(SassRecordsLong, BatchOfTwo) {
  compare(2);
}

TEST(SassRecordsLong, EveryArchitecture) {
  sass::Card& card = sass::Card::instance();
  const unsigned before = card.architecture();
  for (const unsigned architecture : sass::compiled_architectures()) {
    SCOPED_TRACE("compute capability " + std::to_string(architecture));
    card.set_architecture(architecture);
    card.launches().clear();
    compare(1);
    expect_room_for_blocks(card);
  }
  card.set_architecture(before);
}

// Those of the kernels that only run on whole records; tables_test.cu has the others.
TEST(SassRecordsLong, EveryBarrierIsMissed) {
  const RandomSeed seed;
  const Batch batch(1, seed.value());
  const auto encoded = std::make_unique<Record[]>(1);
  FoundProofs found;
  RecordStatus status;
  sass::expect_every_barrier_is_missed("furrow::cuda::encode_chunks<20u>", [&] {
    encode_on_card(batch, encoded.get(), &found, &status);
  });
}

}  // namespace
}  // namespace furrow::cuda
