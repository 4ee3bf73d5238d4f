// SPDX-License-Identifier: Apache-2.0
// A sector for the stand-in pipeline, and the CUDA encoder over it on the fake CUDA runtime.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/cuda_records_encoder.hpp"
#include "simt/fake_cuda.hpp"
#include "tests/cuda/fake_pipeline.hpp"

namespace furrow::cuda {

/// Random records, and what they should become.
struct FakeCudaSector {
  FakeCudaSector(std::size_t n, std::uint64_t seed)
      : records(n), found_proofs(n), expected(n), expected_found_proofs(n) {
    std::mt19937_64 random(seed);
    for (std::uint8_t& byte : sector_id.bytes) {
      byte = static_cast<std::uint8_t>(random());
    }
    for (std::size_t i = 0; i < n; ++i) {
      // A period coprime to every chunk and record size, so that swapped pieces would show.
      const auto start = static_cast<std::size_t>(random() % 251);
      auto* bytes = reinterpret_cast<std::uint8_t*>(&records[i]);
      for (std::size_t b = 0; b < kRecordSize; ++b) {
        bytes[b] = static_cast<std::uint8_t>((start + b) % 251);
      }
      expected[i] = records[i];
      fake_encode_on_cpu(Network::kAbundance, sector_id, PieceOffset(static_cast<std::uint16_t>(i)),
                         expected[i], expected_found_proofs[i], {});
    }
    sources = records;
  }
  [[nodiscard]] EncodingJob job() { return {sector_id, records, found_proofs}; }
  [[nodiscard]] bool is_encoded() const {
    return records == expected && found_proofs == expected_found_proofs;
  }
  /// Whether each record is either encoded, with its bitmap, or as it came.
  [[nodiscard]] bool is_encoded_or_unchanged() const {
    for (std::size_t i = 0; i < records.size(); ++i) {
      const bool is_done = records[i] == expected[i] && found_proofs[i] == expected_found_proofs[i];
      if (!is_done && records[i] != sources[i]) {
        return false;
      }
    }
    return true;
  }
  [[nodiscard]] std::uint64_t n_overflowing() const {
    std::uint64_t n = 0;
    for (std::size_t i = 0; i < records.size(); ++i) {
      n += fake_overflows(seed_of(sector_id, PieceOffset(static_cast<std::uint16_t>(i))).data());
    }
    return n;
  }

  SectorId sector_id;
  std::vector<Record> records;
  std::vector<FoundProofs> found_proofs;
  std::vector<Record> sources;
  std::vector<Record> expected;
  std::vector<FoundProofs> expected_found_proofs;
};

inline std::unique_ptr<CudaRecordsEncoder> fake_cuda_encoder(CudaEncoderOptions options = {}) {
  if (!options.fallback) {
    options.fallback = fake_encode_on_cpu;
  }
  return std::make_unique<CudaRecordsEncoder>(std::move(options), fake_pipelines());
}

/// How many orders to try: ThreadSanitizer sees all work done at the call, whatever the order.
constexpr std::uint64_t orders_of_streams([[maybe_unused]] std::uint64_t wanted) {
#if defined(__SANITIZE_THREAD__)
  return 1;
#else
  return wanted;
#endif
}

class CudaEncoderTest : public testing::Test {
 protected:
  void SetUp() override { simt::FakeCuda::reset(); }
  void TearDown() override { simt::FakeCuda::set_stream_order(1); }

  static EncodeOutcome encode(RecordsEncoder& encoder, FakeCudaSector& sector,
                              std::stop_token stop = {}) {
    return encoder.encode_records(sector.sector_id, sector.records, sector.found_proofs,
                                  std::move(stop));
  }
  /// Nothing of the fake runtime is in use any more.
  static void expect_all_released() {
    EXPECT_EQ(simt::FakeCuda::live(), simt::LiveObjects{}) << "something was not released";
  }

  const unsigned seed_ = std::random_device{}();
  testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed_)};
  LogCapture log_;
};

}  // namespace furrow::cuda
