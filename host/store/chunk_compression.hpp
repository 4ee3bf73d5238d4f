// SPDX-License-Identifier: Apache-2.0
// Compression of single chunks with zstd, and its safe reversal.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/base/lease_pool.hpp"

namespace furrow {

/// What is done to a chunk before it is stored.
class Compressor {
 public:
  Compressor() = default;
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  virtual ~Compressor() = default;
  /// A zstd frame that is shorter than `bytes`, or none when there is no such. Called from several
  /// threads at once; the result depends on `bytes` only.
  [[nodiscard]] virtual std::optional<std::vector<std::uint8_t>> compress(
      std::span<const std::uint8_t> bytes) const = 0;
};

/// zstd at one level. Thread-safe: keeps one context, of a few MiB, for each thread that was ever
/// inside at the same time.
class ZstdCompressor : public Compressor {
 public:
  static constexpr int kDefaultLevel = 3;

  /// Throws InvalidArgument for a level that zstd does not have.
  explicit ZstdCompressor(int level = kDefaultLevel);
  ~ZstdCompressor() override;
  [[nodiscard]] std::optional<std::vector<std::uint8_t>> compress(
      std::span<const std::uint8_t> bytes) const override;

 private:
  struct Context;
  int level_;
  mutable LeasePool<Context> contexts_;
};

/// Fills `out` with the bytes that one zstd frame holds. Nothing else is ever allocated or written,
/// whatever the frame says. Throws MalformedData, naming `what`, for anything but one frame of
/// content of just that size. Thread-safe.
void zstd_decompress(std::span<const std::uint8_t> frame, std::span<std::uint8_t> out,
                     const std::string& what);

}  // namespace furrow
