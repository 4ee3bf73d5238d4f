// SPDX-License-Identifier: Apache-2.0
// A sector through the real kernels on the harness, K = 20, encoded by everything that plotting
// puts around them: two devices in a pool, each verified, one of which is lost in mid-sector.
#include <random>

#include <gtest/gtest.h>

#include "furrow/cuda.hpp"

#include "host/plotting/cpu_records_encoder.hpp"
#include "host/plotting/encoder_choice.hpp"
#include "simt/fake_cuda.hpp"

namespace furrow {
namespace {

std::vector<Record> random_records(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Record> records(n);
  for (Record& record : records) {
    for (RecordChunk& chunk : record) {
      for (std::uint8_t& byte : chunk.bytes) {
        byte = static_cast<std::uint8_t>(random());
      }
    }
  }
  return records;
}

TEST(CudaEncoderEndToEnd, ASectorOnTwoDevicesOneOfWhichIsLost) {
  constexpr std::size_t kRecords = 3;
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  SectorId sector_id;
  sector_id.bytes.fill(static_cast<std::uint8_t>(seed));
  std::vector<Record> records = random_records(kRecords, seed);
  std::vector<FoundProofs> found_proofs(kRecords);
  std::vector<Record> expected = records;
  std::vector<FoundProofs> expected_found_proofs(kRecords);
  CpuRecordsEncoder cpu({.threads = 2});
  ASSERT_EQ(cpu.encode_records(sector_id, expected, expected_found_proofs, {}),
            EncodeOutcome::kComplete);

  simt::FakeCuda::set_devices(simt::fake_devices(2));
  const EncoderChoice choice = choose_encoder("cuda");
  ASSERT_EQ(choice.devices.size(), 2U);
  std::vector<std::string> warnings;
  std::size_t n_done = 0;
  EncoderSettings settings;
  settings.on_record_done = [&] { ++n_done; };
  settings.verify_records = kRecords;
  settings.on_warning = [&](const std::string& line) { warnings.push_back(line); };
  settings.make_device_encoder = [](CudaEncoderOptions options) {
    options.lanes = 1;
    options.batch = 1;
    return make_cuda_records_encoder(std::move(options));
  };
  const auto pool = make_encoder_pool(choice, settings);
  // A record takes 16 launches, so device 0 dies within its first one.
  simt::FakeCuda::plant({.api = "cudaLaunchKernel",
                         .nth = 9,
                         .status = cudaErrorIllegalAddress,
                         .device = 0,
                         .sticky = true});
  ASSERT_EQ(pool->encode_records(sector_id, records, found_proofs, {}), EncodeOutcome::kComplete);
  EXPECT_EQ(found_proofs, expected_found_proofs);
  for (std::size_t i = 0; i < kRecords; ++i) {
    EXPECT_TRUE(records[i] == expected[i]) << "record " << i;
  }
  EXPECT_EQ(n_done, kRecords);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings[0].find("cuda 0 (Furrow SIMT harness) is lost and used no more: "
                             "cudaLaunchKernel failed at "),
            0U)
      << warnings[0];
  EXPECT_EQ(pool->name(), "cuda 1 (Furrow SIMT harness)");
}

}  // namespace
}  // namespace furrow
