// The one seam between the host and any accelerator.
#pragma once

#include <span>
#include <stop_token>
#include <string>

#include "furrow/errors.hpp"
#include "furrow/types.hpp"

namespace furrow {

/// How an encoding ended. Being asked to stop is an outcome, a failure is an exception.
enum class EncodeOutcome {
  kComplete,
  /// A stop was requested; records and bitmaps are in an unspecified mixture of states.
  kCancelled,
};

/// The encoder cannot encode (any more).
class EncoderError : public Error {
 public:
  explicit EncoderError(const std::string& message) : Error(ErrorKind::kUnavailable, message) {}
};

/// A record has fewer than 32768 proofs and therefore cannot be encoded (docs/spec/03, section 2).
class TooFewProofs : public Error {
 public:
  TooFewProofs(PieceOffset offset, std::size_t found);
  [[nodiscard]] PieceOffset piece_offset() const noexcept { return offset_; }

 private:
  PieceOffset offset_;
};

/// Encodes the records of a sector (docs/spec/03-record-encoding-and-sector.md, section 2).
class RecordsEncoder {
 public:
  RecordsEncoder() = default;
  RecordsEncoder(const RecordsEncoder&) = delete;
  RecordsEncoder& operator=(const RecordsEncoder&) = delete;
  virtual ~RecordsEncoder() = default;

  /// Encodes `records` in place (shape [n][32768][32] bytes, record p at piece offset p) and writes
  /// the s-buckets used by record p to `found_proofs[p]` (shape [n][8192] bytes).
  ///
  /// Thread-compatible: one call at a time. A stop request takes effect within one batch of
  /// records. Throws InvalidArgument when the spans differ in length or hold more than 65535
  /// records, TooFewProofs when a record cannot be encoded, EncoderError when the device is lost.
  virtual EncodeOutcome encode_records(const SectorId& sector_id, std::span<Record> records,
                                       std::span<FoundProofs> found_proofs,
                                       std::stop_token stop) = 0;

  /// Short name for logs and progress, such as "cpu".
  [[nodiscard]] virtual std::string name() const = 0;
};

}  // namespace furrow
