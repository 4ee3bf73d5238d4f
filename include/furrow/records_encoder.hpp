// SPDX-License-Identifier: Apache-2.0
// The one seam between the host and any accelerator.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>

#include "furrow/encoding_job.hpp"
#include "furrow/errors.hpp"
#include "furrow/may_go_on.hpp"
#include "furrow/types.hpp"

namespace furrow {

/// How an encoding ended. Being asked to stop is an outcome, a failure is an exception.
enum class EncodeOutcome {
  kComplete,
  /// A stop was requested; some records and bitmaps are done, the others are as they were. If all
  /// of them are done, something else was cut short, such as their verification.
  kCancelled,
};

/// The encoder cannot encode (any more).
class EncoderError : public Error {
 public:
  explicit EncoderError(const std::string& message, ErrorFields fields = {})
      : Error(ErrorKind::kUnavailable, message, std::move(fields)) {}
};

/// The device of an encoder is of no more use to this process; its records can go elsewhere.
class DeviceLost : public EncoderError {
 public:
  DeviceLost(const std::string& encoder_name, const std::string& reason)
      : EncoderError("device lost: " + encoder_name + ": " + reason), reason_(reason) {}
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

 private:
  std::string reason_;
};

/// A device that hangs: what it was given is never finished, and what it may still use is left to it.
/// The process has to end without waiting for it: by _exit.
class DeviceSilent : public DeviceLost {
 public:
  using DeviceLost::DeviceLost;
};

/// A record that nobody can encode.
class UnencodableRecord : public Error {
 public:
  /// `reason` names what is wrong; `fields` get the offset.
  UnencodableRecord(PieceOffset offset, ErrorKind kind, const std::string& reason,
                    ErrorFields fields = {});
  [[nodiscard]] PieceOffset piece_offset() const noexcept { return offset_; }

 private:
  PieceOffset offset_;
};

/// It has fewer than 32768 proofs, and the network does not fill up (docs/spec/03, section 2).
class TooFewProofs : public UnencodableRecord {
 public:
  TooFewProofs(PieceOffset offset, std::size_t found);
};

/// Encodes the one record at `offset` of a sector in place and sets its bitmap. Thread-safe. kCancelled when
/// `may_go_on` said so; throws UnencodableRecord. Record and bitmap are as they were after
/// either.
using EncodeOneRecord = std::function<EncodeOutcome(
    Network network, const SectorId& sector_id, PieceOffset offset, Record& record,
    FoundProofs& found_proofs, const MayGoOn& may_go_on)>;

/// Encodes the records of a sector (docs/spec/03-record-encoding-and-sector.md, section 2).
class RecordsEncoder {
 public:
  RecordsEncoder() = default;
  RecordsEncoder(const RecordsEncoder&) = delete;
  RecordsEncoder& operator=(const RecordsEncoder&) = delete;
  virtual ~RecordsEncoder() = default;

  /// Claims records of `job` and encodes them in place, until none is left to claim. Other encoders
  /// may work on the same job; kComplete says nothing about their records.
  ///
  /// However it ends, no record stays claimed by it: each is either done, with its bitmap set, or
  /// as it was and given back. A stop request takes effect within one batch of records; an encoder
  /// that can, and the CPU can, ends inside a record.
  ///
  /// Thread-compatible: calls_at_once() calls at a time. Throws UnencodableRecord when a record cannot be encoded,
  /// DeviceLost when another encoder has to take over for good, EncoderError when this encoder
  /// cannot; another one may. After any other exception nobody knows what the records are.
  virtual EncodeOutcome encode(EncodingJob& job, std::stop_token stop) = 0;

  /// Encodes `records` in place (shape [n][32768][32] bytes, record i at piece offset first_offset
  /// + i) and writes the s-buckets used by record i to `found_proofs[i]` (shape [n][8192] bytes).
  /// Throws like encode, and InvalidArgument like EncodingJob.
  EncodeOutcome encode_records(const SectorId& sector_id, std::span<Record> records,
                               std::span<FoundProofs> found_proofs, std::stop_token stop,
                               PieceOffset first_offset = PieceOffset(0),
                               Network network = Network::kAbundance) {
    EncodingJob job(sector_id, records, found_proofs, first_offset, network);
    return encode_all(job, std::move(stop));
  }
  /// encode() for a job that nobody else works on: throws EncoderError, too, when it ends without a
  /// stop request before all records are done.
  EncodeOutcome encode_all(EncodingJob& job, std::stop_token stop) {
    const EncodeOutcome outcome = encode(job, std::move(stop));
    if (outcome == EncodeOutcome::kComplete && !job.all_done()) {
      throw EncoderError("encoder " + name() + " ended before all records were encoded");
    }
    return outcome;
  }

  /// For how long copies between host and device held this encoder up, since it was made: something
  /// was copied and nothing computed meanwhile. Part of the time that its calls took. None without
  /// a device. Thread-safe, also beside other calls; never goes down.
  [[nodiscard]] virtual std::chrono::duration<double> transfer_time() const { return {}; }

  /// How many calls of encode may be under way at the same time.
  [[nodiscard]] virtual std::size_t calls_at_once() const { return 1; }

  /// Short name for logs and progress, such as "cpu".
  [[nodiscard]] virtual std::string name() const = 0;
};

}  // namespace furrow
