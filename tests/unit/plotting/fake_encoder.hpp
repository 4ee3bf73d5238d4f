// SPDX-License-Identifier: Apache-2.0
// Encoders for tests of what is around encoders: the "encoding" is quick, and faults are to order.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "furrow/records_encoder.hpp"

namespace furrow {

/// What the fakes take for encoding: every byte changes, and differently at each piece offset, so
/// that a record encoded twice, not at all or in the wrong place shows.
inline void fake_encode(PieceOffset offset, Record& record, FoundProofs& found_proofs) {
  const auto low = static_cast<std::uint8_t>(offset.value());
  const auto high = static_cast<std::uint8_t>(offset.value() >> 8);
  for (RecordChunk& chunk : record) {
    for (std::size_t i = 0; i < chunk.size(); ++i) {
      chunk.bytes[i] = static_cast<std::uint8_t>(3 * chunk.bytes[i] + low + 7 * high + i);
    }
  }
  found_proofs.bytes.fill(static_cast<std::uint8_t>(low ^ 0x5A));
}

inline EncodeOutcome fake_encode_one(Network, const SectorId&, PieceOffset offset, Record& record,
                                     FoundProofs& found_proofs, const MayGoOn&) {
  fake_encode(offset, record, found_proofs);
  return EncodeOutcome::kComplete;
}

/// Encodes batches with fake_encode. `before_batch` sees the claimed records before any is encoded
/// and may throw; `after_record` may spoil a record before it is reported done.
class FakeEncoder final : public RecordsEncoder {
 public:
  struct Options {
    std::string name = "fake";
    std::size_t batch = 2;
    std::function<void(const Claim&)> before_batch = {};
    /// The same, told of which sector.
    std::function<void(const SectorId&)> before_batch_of = {};
    std::function<void(PieceOffset, Record&, FoundProofs&)> after_record = {};
    /// Called when encode returns without an exception.
    std::function<void()> on_return = {};
    /// What it reports once it has encoded.
    std::chrono::duration<double> transfer_time{};
    std::size_t calls_at_once = 1;
    std::function<void()> on_destroy = {};
  };
  explicit FakeEncoder(Options options) : options_(std::move(options)) {}
  ~FakeEncoder() override {
    if (options_.on_destroy) {
      options_.on_destroy();
    }
  }

  EncodeOutcome encode(EncodingJob& job, std::stop_token stop) override {
    has_encoded_ = true;
    while (!stop.stop_requested()) {
      Claim claim(job, options_.batch);
      if (claim.empty()) {
        if (options_.on_return) {
          options_.on_return();
        }
        return EncodeOutcome::kComplete;
      }
      if (options_.before_batch) {
        options_.before_batch(claim);
      }
      if (options_.before_batch_of) {
        options_.before_batch_of(job.sector_id());
      }
      while (!claim.empty()) {
        const PieceOffset offset = claim.pending().front();
        fake_encode(offset, job.record(offset), job.found_proofs(offset));
        if (options_.after_record) {
          options_.after_record(offset, job.record(offset), job.found_proofs(offset));
        }
        claim.done(offset);
      }
    }
    return EncodeOutcome::kCancelled;
  }
  [[nodiscard]] std::chrono::duration<double> transfer_time() const override {
    return has_encoded_ ? options_.transfer_time : std::chrono::duration<double>{};
  }
  [[nodiscard]] std::size_t calls_at_once() const override { return options_.calls_at_once; }
  [[nodiscard]] std::string name() const override { return options_.name; }

 private:
  Options options_;
  std::atomic<bool> has_encoded_ = false;
};

/// A sector of random records, and what they should become.
struct FakeSector {
  FakeSector(std::size_t n, std::uint64_t seed)
      : records(n), found_proofs(n), expected(n), expected_found_proofs(n) {
    std::mt19937_64 random(seed);
    for (std::uint8_t& byte : sector_id.bytes) {
      byte = static_cast<std::uint8_t>(random());
    }
    for (std::size_t i = 0; i < n; ++i) {
      for (RecordChunk& chunk : records[i]) {
        chunk.bytes.fill(static_cast<std::uint8_t>(random()));
      }
      expected[i] = records[i];
      fake_encode(PieceOffset(static_cast<std::uint16_t>(i)), expected[i],
                  expected_found_proofs[i]);
    }
  }
  [[nodiscard]] EncodingJob job() { return {sector_id, records, found_proofs}; }
  [[nodiscard]] bool is_encoded() const {
    return records == expected && found_proofs == expected_found_proofs;
  }

  SectorId sector_id;
  std::vector<Record> records;
  std::vector<FoundProofs> found_proofs;
  std::vector<Record> expected;
  std::vector<FoundProofs> expected_found_proofs;
};

}  // namespace furrow
