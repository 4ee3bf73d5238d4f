#include "furrow/core/evaluation_seed.hpp"

#include "cuda/lane.hpp"
#include "cuda/runtime/check.hpp"

namespace furrow::cuda {

std::uint64_t Lane::pinned_bytes(std::size_t batch) {
  return std::uint64_t{batch} *
         (sizeof(PosSeed) + sizeof(Record) + sizeof(FoundProofs) + sizeof(RecordStatus));
}

Lane::Lane(int device, std::size_t batch, const BatchPipelines& pipelines)
    : stream_(device),
      done_(device, EventKind::kCompletion),
      seeds_(batch),
      records_(batch),
      found_(batch),
      status_(batch),
      pipeline_(pipelines.make(stream_, batch)) {}

Lane::~Lane() {
  abandon();
}

bool Lane::start(EncodingJob& job) {
  job_ = &job;
  claim_ = Claim(job, records_.size());
  offsets_.assign(claim_.pending().begin(), claim_.pending().end());
  if (offsets_.empty()) {
    return false;
  }
  for (std::size_t slot = 0; slot < offsets_.size(); ++slot) {
    const PieceOffset offset = offsets_[slot];
    core::evaluation_seed(job.sector_id().data(), offset.value(), seeds_[slot].data());
    records_[slot] = job.record(offset);
  }
  is_in_flight_ = true;  // also if only half of it can be enqueued
  pipeline_->enqueue(offsets_.size(), seeds_.data(), records_.data(), records_.data(),
                     found_.data(), status_.data());
  done_.record(stream_);
  return true;
}

std::size_t Lane::finish(const EncodeElsewhere& encode_elsewhere) {
  if (!is_in_flight_) {
    return 0;
  }
  done_.synchronize();
  is_in_flight_ = false;
  for (std::size_t slot = 0; slot < offsets_.size(); ++slot) {
    const PieceOffset offset = offsets_[slot];
    if (is_encoded(status_[slot])) {
      job_->record(offset) = records_[slot];
      job_->found_proofs(offset) = found_[slot];
    } else {
      encode_elsewhere(offset);
    }
    claim_.done(offset);
  }
  return offsets_.size();
}

void Lane::abandon() noexcept {
  claim_.give_back();
  if (is_in_flight_) {
    // The device may still be reading and writing the pinned memory.
    log_unless_success(cudaStreamSynchronize(stream_.view().get()), "cudaStreamSynchronize");
    is_in_flight_ = false;
  }
}

RecordStatus Lane::encode(const PosSeed& seed, Record& record, FoundProofs& found_proofs) {
  seeds_[0] = seed;
  records_[0] = record;
  is_in_flight_ = true;
  pipeline_->enqueue(1, seeds_.data(), records_.data(), records_.data(), found_.data(),
                     status_.data());
  stream_.view().synchronize();
  is_in_flight_ = false;
  if (is_encoded(status_[0])) {
    record = records_[0];
    found_proofs = found_[0];
  }
  return status_[0];
}

}  // namespace furrow::cuda
