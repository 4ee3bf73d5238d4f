// SPDX-License-Identifier: Apache-2.0
// One batch in flight: a stream, a pipeline on it, and staging memory for what goes in and out.
//
//   job's records ──copy──► staging ──┐                      ┌──► staging ──copy──► job's records
//                                     └► stream of the lane ─┘
//
// Staging memory of a batch of n, one part after the other:
//
//   records [n]      1 MiB each: first the source, then the result, since the stream reads all of a
//                    batch before it writes any of it; the source is in the job until then
//   bitmaps [n]      8 KiB each
//   seeds [n]       32 bytes each
//   status [n]       8 bytes each
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "furrow/records_encoder.hpp"

#include "cuda/batch_pipeline.hpp"
#include "cuda/runtime/device_clock.hpp"
#include "cuda/runtime/event.hpp"
#include "cuda/runtime/stream.hpp"
#include "cuda/transfer_time.hpp"

namespace furrow::cuda {

/// Thread-compatible; the thread has the device of the lane as its current one.
class Lane {
 public:
  /// Staging memory of a lane; a multiple of 8.
  static std::uint64_t staging_bytes(std::size_t batch);

  /// Takes all device memory that it will ever need. `staging` has staging_bytes(batch), starts at
  /// a multiple of 8, is the lane's while it has a batch in flight, and outlives it. Throws
  /// CudaOutOfMemory or CudaError.
  Lane(int device, std::size_t batch, const BatchPipelines& pipelines,
       std::span<std::byte> staging);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  /// Waits for what is in flight.
  ~Lane();

  /// Claims a batch of `job`, at most as many as fit, and starts it; false when there was nothing
  /// to claim. The job must outlive the batch. Pre: the last batch is finished. Throws CudaError.
  bool start(EncodingJob& job, const DeviceClock& clock);
  /// When the batch in flight began to be copied, by the clock that it was started with.
  [[nodiscard]] std::optional<double> in_flight_since() const;

  /// Encodes a record that the device could not encode, where it lies in the job.
  using EncodeElsewhere = std::function<EncodeOutcome(PieceOffset offset)>;

  /// Waits for the batch, if there is one, takes over its results and is free for the next. Tells
  /// `transfer` what was copied and computed when. Returns the number of records that are done:
  /// what `encode_elsewhere` left is given back. Throws CudaError, and what `encode_elsewhere`
  /// throws; the lane has to be abandoned then.
  std::size_t finish(const EncodeElsewhere& encode_elsewhere, const DeviceClock& clock,
                     TransferTime& transfer);

  /// Gives back the records that are not done and waits for what is in flight, if there is
  /// anything.
  void abandon() noexcept;

  /// Encodes one record with the proofs of `seed` and waits for it; the record is unchanged unless
  /// the status says that it is encoded. Pre: the last batch is finished. Throws CudaError.
  RecordStatus encode(const PosSeed& seed, Record& record, FoundProofs& found_proofs);

  [[nodiscard]] StreamView stream() const noexcept { return stream_; }

 private:
  void enqueue(std::size_t n);

  Stream stream_;
  Event begun_;
  Event uploaded_;
  Event computed_;
  Event done_;
  std::span<Record> records_;
  std::span<FoundProofs> found_;
  std::span<PosSeed> seeds_;
  std::span<RecordStatus> status_;
  std::unique_ptr<BatchPipeline> pipeline_;
  EncodingJob* job_ = nullptr;
  Claim claim_;
  std::vector<PieceOffset> offsets_;  ///< piece offset of each slot
  TimeSpan staged_;                   ///< when the batch was copied into the staging memory
  bool is_in_flight_ = false;
};

}  // namespace furrow::cuda
