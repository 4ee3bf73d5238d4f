// SPDX-License-Identifier: Apache-2.0
// An encoder whose work is checked by sample.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "furrow/records_encoder.hpp"

namespace furrow {

/// What is wrong with an encoded record that should be `expected`; empty when nothing is.
[[nodiscard]] std::string record_difference(const Record& expected,
                                            const FoundProofs& expected_bitmap,
                                            const Record& actual, const FoundProofs& actual_bitmap);

/// An encoder gave wrong bytes. Nobody knows which of its records are right, and their sources are
/// overwritten: the whole sector has to be made anew from its pieces, by somebody else.
class WrongEncoding : public EncoderError {
 public:
  /// `difference` says what is wrong with the record.
  WrongEncoding(const std::string& encoder_name, const SectorId& sector_id, PieceOffset offset,
                const std::string& difference);
  [[nodiscard]] PieceOffset piece_offset() const noexcept { return offset_; }

 private:
  PieceOffset offset_;
};

/// Piece offsets of the records to be verified: `n_samples` of the `n_records` from `first_offset`
/// on (or all of them), in ascending order, decided by `seed`, the sector and these numbers alone.
/// If they are enough, all are of the first half, which is encoded first: a fast card is done with a
/// sector in half a second, and would wait for the CPU if that began with its record at the end.
std::vector<PieceOffset> sampled_offsets(std::uint64_t seed, const SectorId& sector_id,
                                         std::size_t n_records, std::size_t n_samples,
                                         PieceOffset first_offset = PieceOffset(0));

/// Lets another encoder encode, keeps the sources of a few records, encodes those once more with
/// the reference, and compares. That happens beside the encoding, on one thread of its own;
/// encode() returns when all of it is done.
class VerifiedEncoder final : public RecordsEncoder {
 public:
  struct Options {
    /// Sampled records of each sector; those among them that this encoder claims are verified.
    std::size_t records_per_sector = 1;
    /// Encoders that share a job get the same seed: then they sample the same records, and as many
    /// as were asked for whoever takes them.
    std::uint64_t seed = 0;
    /// What is right.
    EncodeOneRecord reference = {};
  };

  VerifiedEncoder(std::unique_ptr<RecordsEncoder> encoder, Options options);

  /// kComplete means that what was sampled is verified, also after a stop request; kCancelled that
  /// a stop left some of it out, or records. Throws WrongEncoding at the first difference. The
  /// encoder is quarantined then: each later call throws DeviceLost.
  EncodeOutcome encode(EncodingJob& job, std::stop_token stop) override;
  [[nodiscard]] std::chrono::duration<double> transfer_time() const override {
    return encoder_->transfer_time();
  }
  [[nodiscard]] std::string name() const override { return encoder_->name(); }

 private:
  std::unique_ptr<RecordsEncoder> encoder_;
  Options options_;
  bool is_quarantined_ = false;
};

}  // namespace furrow
