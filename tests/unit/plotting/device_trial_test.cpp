// SPDX-License-Identifier: Apache-2.0
// What a device has to show before it is used: the known record, and what becomes of devices that
// fail with it.
#include "host/plotting/device_trial.hpp"

#include <latch>
#include <memory>

#include <gtest/gtest.h>

#include "host/base/hex.hpp"
#include "host/plotting/driver_call.hpp"
#include "host/plotting/known_record.hpp"
#include "host/plotting/record_encoding.hpp"
#include "host/primitives/sector_id.hpp"

namespace furrow {
namespace {

constexpr unsigned kSmallK = 16;

/// What a device that works does, on the CPU.
CudaTrial encode_on_cpu(const PosSeed& seed, Record& record, FoundProofs& found_proofs,
                        unsigned k = kSmallK) {
  RecordEncoding encoding(k, SimdMode::kBest);
  encoding.encode(Network::kAbundance, seed, kKnownPieceOffset, record, found_proofs);
  return {.k = k, .free_bytes = 123};
}

CudaDeviceInfo after_trial(const TryCudaDevice& try_device,
                           std::chrono::milliseconds patience = kTrialPatience) {
  CudaDeviceInfo device;
  device.index = 3;
  prove_device(device, try_device, patience);
  return device;
}

TEST(KnownRecord, IsEncodedByTheCpuAsIsKnown) {
  for (const unsigned k : {kSmallK, kPosK}) {
    const auto record = std::make_unique<Record>();
    FoundProofs found_proofs;
    fill_known_record(*record);
    encode_on_cpu(derive_evaluation_seed(known_sector_id(), kKnownPieceOffset), *record,
                  found_proofs, k);
    ASSERT_TRUE(known_encoding_hash(k).has_value()) << k;
    EXPECT_EQ(to_hex(encoding_hash(*record, found_proofs).bytes),
              to_hex(known_encoding_hash(k)->bytes))
        << "K = " << k;
  }
  EXPECT_FALSE(known_encoding_hash(17).has_value());
}

TEST(DeviceTrial, ADeviceThatEncodesRightlyIsUsed) {
  const CudaDeviceInfo device =
      after_trial([](int index, const PosSeed& seed, Record& record, FoundProofs& found_proofs) {
        EXPECT_EQ(index, 3);
        return encode_on_cpu(seed, record, found_proofs);
      });
  EXPECT_TRUE(device.is_supported()) << device.unsupported_reason;
  EXPECT_EQ(device.free_bytes, 123U);
}

TEST(DeviceTrial, OneWrongBitIsEnoughToBeRefused) {
  for (const bool of_the_bitmap : {false, true}) {
    const CudaDeviceInfo device =
        after_trial([&](int, const PosSeed& seed, Record& record, FoundProofs& found_proofs) {
          const CudaTrial trial = encode_on_cpu(seed, record, found_proofs);
          (of_the_bitmap ? found_proofs.bytes[8191] : record[32767].bytes[31]) ^= 0x80;
          return trial;
        });
    EXPECT_EQ(device.unsupported_reason.find("it encodes a known record wrongly: expected BLAKE3 " +
                                             to_hex(known_encoding_hash(kSmallK)->bytes)),
              0U)
        << device.unsupported_reason;
  }
}

TEST(DeviceTrial, ADeviceThatFailsSaysWhy) {
  EXPECT_EQ(after_trial([](int, const PosSeed&, Record&, FoundProofs&) -> CudaTrial {
              throw EncoderError("out of order");
            }).unsupported_reason,
            "out of order");
  EXPECT_NE(after_trial([](int, const PosSeed&, Record&, FoundProofs&) {
              return CudaTrial{.k = 19};
            }).unsupported_reason.find("K = 19"),
            std::string::npos);
}

TEST(DeviceTrial, ADeviceThatHangsIsLeftBehind) {
  const auto released = std::make_shared<std::latch>(1);
  const CudaDeviceInfo device = after_trial(
      [released](int, const PosSeed&, Record&, FoundProofs&) {
        released->wait();
        return CudaTrial{};
      },
      std::chrono::milliseconds(5));
  EXPECT_EQ(device.unsupported_reason,
            "it does not answer: a known record is not encoded after 5 ms");
  EXPECT_TRUE(is_driver_silent());
  EXPECT_EQ(n_stuck_in_driver(), 1);
  released->count_down();
  while (n_stuck_in_driver() != 0) {
    std::this_thread::yield();
  }
}

}  // namespace
}  // namespace furrow
