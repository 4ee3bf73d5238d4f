// One batch in flight: a stream, a pipeline on it, and pinned staging for what goes in and out.
//
//   job's records ──copy──► pinned ──┐                      ┌──► pinned ──copy──► job's records
//                                    └► stream of the lane ─┘
//
// Source and result of a record use the same pinned MiB, since the stream reads all of a batch
// before it writes any of it. The source is still in the job until the result is taken over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "furrow/encoding_job.hpp"

#include "cuda/batch_pipeline.hpp"
#include "cuda/runtime/event.hpp"
#include "cuda/runtime/pinned_buffer.hpp"
#include "cuda/runtime/stream.hpp"

namespace furrow::cuda {

/// Thread-compatible; the thread has the device of the lane as its current one.
class Lane {
 public:
  /// Pinned host memory of a lane.
  static std::uint64_t pinned_bytes(std::size_t batch);

  /// Takes all memory that it will ever need. Throws CudaOutOfMemory or CudaError.
  Lane(int device, std::size_t batch, const BatchPipelines& pipelines);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  /// Waits for what is in flight.
  ~Lane();

  /// Claims a batch of `job`, at most as many as fit, and starts it; false when there was nothing
  /// to claim. The job must outlive the batch. Pre: the last batch is finished. Throws CudaError.
  bool start(EncodingJob& job);

  /// Encodes a record that the device could not encode, where it lies in the job.
  using EncodeElsewhere = std::function<void(PieceOffset offset)>;

  /// Waits for the batch, if there is one, takes over its results and is free for the next. Returns
  /// the number of records. Throws CudaError, and what `encode_elsewhere` throws; the lane has to
  /// be abandoned then.
  std::size_t finish(const EncodeElsewhere& encode_elsewhere);

  /// Gives back the records that are not done and waits for what is in flight, if there is
  /// anything.
  void abandon() noexcept;

  /// Encodes one record with the proofs of `seed` and waits for it; the record is unchanged unless
  /// the status says that it is encoded. Pre: the last batch is finished. Throws CudaError.
  RecordStatus encode(const PosSeed& seed, Record& record, FoundProofs& found_proofs);

 private:
  Stream stream_;
  Event done_;
  PinnedBuffer<PosSeed> seeds_;
  PinnedBuffer<Record> records_;
  PinnedBuffer<FoundProofs> found_;
  PinnedBuffer<RecordStatus> status_;
  std::unique_ptr<BatchPipeline> pipeline_;
  EncodingJob* job_ = nullptr;
  Claim claim_;
  std::vector<PieceOffset> offsets_;  ///< piece offset of each slot
  bool is_in_flight_ = false;
};

}  // namespace furrow::cuda
