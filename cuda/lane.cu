// SPDX-License-Identifier: Apache-2.0
#include "furrow/core/evaluation_seed.hpp"

#include "cuda/lane.hpp"
#include "cuda/runtime/check.hpp"

namespace furrow::cuda {
namespace {

static_assert(alignof(Record) == 1 && alignof(FoundProofs) == 1 && alignof(PosSeed) == 1);
static_assert((sizeof(Record) + sizeof(FoundProofs) + sizeof(PosSeed)) % alignof(RecordStatus) ==
              0);

/// Takes an array off the beginning of `memory`.
template <class T>
std::span<T> take(std::span<std::byte>& memory, std::size_t size) {
  const std::span<T> result(reinterpret_cast<T*>(memory.data()), size);
  memory = memory.subspan(size * sizeof(T));
  return result;
}

}  // namespace

std::uint64_t Lane::staging_bytes(std::size_t batch) {
  return std::uint64_t{batch} *
         (sizeof(Record) + sizeof(FoundProofs) + sizeof(PosSeed) + sizeof(RecordStatus));
}

Lane::Lane(int device, std::size_t batch, const BatchPipelines& pipelines,
           std::span<std::byte> staging)
    : stream_(device),
      begun_(device, EventKind::kTiming),
      uploaded_(device, EventKind::kTiming),
      computed_(device, EventKind::kTiming),
      done_(device, EventKind::kTiming),
      records_(take<Record>(staging, batch)),
      found_(take<FoundProofs>(staging, batch)),
      seeds_(take<PosSeed>(staging, batch)),
      status_(take<RecordStatus>(staging, batch)),
      pipeline_(pipelines.make(stream_, batch)) {}

Lane::~Lane() {
  abandon();
}

void Lane::enqueue(std::size_t n) {
  is_in_flight_ = true;  // also if only half of it can be enqueued
  begun_.record(stream_);
  pipeline_->enqueue(n, seeds_.data(), records_.data(), records_.data(), found_.data(),
                     status_.data(), {.uploaded = uploaded_, .computed = computed_});
  done_.record(stream_);
}

bool Lane::start(EncodingJob& job, const DeviceClock& clock) {
  job_ = &job;
  claim_ = Claim(job, records_.size());
  offsets_.assign(claim_.pending().begin(), claim_.pending().end());
  if (offsets_.empty()) {
    return false;
  }
  staged_.begin = clock.now();
  for (std::size_t slot = 0; slot < offsets_.size(); ++slot) {
    const PieceOffset offset = offsets_[slot];
    core::evaluation_seed(job.sector_id().data(), offset.value(), seeds_[slot].data());
    records_[slot] = job.record(offset);
  }
  staged_.end = clock.now();
  enqueue(offsets_.size());
  return true;
}

std::optional<double> Lane::in_flight_since() const {
  return is_in_flight_ ? std::optional(staged_.begin) : std::nullopt;
}

std::size_t Lane::finish(const EncodeElsewhere& encode_elsewhere, const DeviceClock& clock,
                         TransferTime& transfer) {
  if (!is_in_flight_) {
    return 0;
  }
  done_.synchronize();
  is_in_flight_ = false;
  const TimeSpan computed{clock.at(uploaded_), clock.at(computed_)};
  transfer.copied(staged_);
  transfer.copied({clock.at(begun_), computed.begin});
  transfer.computed(computed);
  transfer.copied({computed.end, clock.at(done_)});
  std::size_t n_done = 0;
  for (std::size_t slot = 0; slot < offsets_.size(); ++slot) {
    const PieceOffset offset = offsets_[slot];
    if (is_encoded(status_[slot])) {
      const double begin = clock.now();
      job_->record(offset) = records_[slot];
      job_->found_proofs(offset) = found_[slot];
      transfer.copied({begin, clock.now()});
    } else if (encode_elsewhere(offset) == EncodeOutcome::kCancelled) {
      continue;
    }
    claim_.done(offset);
    ++n_done;
  }
  claim_.give_back();
  return n_done;
}

void Lane::abandon() noexcept {
  claim_.give_back();
  if (is_in_flight_) {
    // The device may still be reading and writing the staging memory.
    stream_.view().synchronize_quietly();
    is_in_flight_ = false;
  }
}

RecordStatus Lane::encode(const PosSeed& seed, Record& record, FoundProofs& found_proofs) {
  seeds_[0] = seed;
  records_[0] = record;
  enqueue(1);
  stream_.view().synchronize();
  is_in_flight_ = false;
  if (is_encoded(status_[0])) {
    record = records_[0];
    found_proofs = found_[0];
  }
  return status_[0];
}

}  // namespace furrow::cuda
