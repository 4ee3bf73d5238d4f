// SPDX-License-Identifier: Apache-2.0
// What a furrow_encoder is to the plotters that use it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "furrow/c/encoder.h"

#include "host/base/gate.hpp"
#include "host/capi/handle.hpp"
#include "host/plotting/encoder_choice.hpp"

namespace furrow::capi {

/// An encoder with all that it uses; lives as long as the last handle that needs it. Thread-safe.
struct SharedEncoder {
  SharedEncoder() = default;
  SharedEncoder(const SharedEncoder&) = delete;
  SharedEncoder& operator=(const SharedEncoder&) = delete;
  ~SharedEncoder();

  std::shared_ptr<Library> library;  ///< null for furrow_encoder_create
  std::shared_ptr<Gate> gate;        ///< null without one
  std::string note;
  SimdMode simd_mode = SimdMode::kBest;
  unsigned threads = 0;
  std::uint64_t host_bytes = 0;
  std::uint64_t device_bytes = 0;
  std::unique_ptr<EncoderPool> pool;  // last: its threads use the others
};

/// The devices that a caller names.
std::vector<std::string> device_ids(const char* const* devices, std::size_t count);

}  // namespace furrow::capi

struct furrow_encoder final : furrow::capi::Handle {
  explicit furrow_encoder(std::shared_ptr<furrow::capi::SharedEncoder> shared)
      : Handle("encoder", shared->library), core(std::move(shared)) {}

  const std::shared_ptr<furrow::capi::SharedEncoder> core;
  std::atomic<std::uint32_t> n_encoding = 0;  ///< calls that encode
};
