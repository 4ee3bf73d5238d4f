#include "host/plotting/cpu_records_encoder.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

#include "host/primitives/sector_id.hpp"

namespace furrow {

CpuRecordsEncoder::CpuRecordsEncoder(Options options) : options_(std::move(options)) {
  if (options_.threads == 0) {
    throw InvalidArgument("CPU encoder: needs at least 1 thread, actual 0");
  }
  for (unsigned i = 0; i < options_.threads; ++i) {
    workers_.push_back(std::make_unique<RecordEncoding>(options_.k, options_.mode));
  }
}

EncodeOutcome CpuRecordsEncoder::encode_records(const SectorId& sector_id,
                                                std::span<Record> records,
                                                std::span<FoundProofs> found_proofs,
                                                std::stop_token stop) {
  if (records.size() != found_proofs.size()) {
    throw InvalidArgument("encoder: " + std::to_string(records.size()) + " records but " +
                          std::to_string(found_proofs.size()) + " bitmaps");
  }
  if (records.size() > std::numeric_limits<std::uint16_t>::max()) {
    throw InvalidArgument("encoder: expected at most 65535 records, actual " +
                          std::to_string(records.size()));
  }
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> cancelled = false;
  std::mutex failure_mutex;
  std::exception_ptr failure;
  // Ends the other workers when one fails, or when the caller wants to stop.
  std::stop_source end;
  const std::stop_callback forward(stop, [&] { end.request_stop(); });

  const auto work = [&](RecordEncoding& encoding) {
    try {
      while (true) {
        if (options_.gate != nullptr && !options_.gate->wait(end.get_token())) {
          cancelled = true;
          return;
        }
        const std::size_t i = next++;
        if (i >= records.size()) {
          return;
        }
        if (end.stop_requested()) {
          cancelled = true;
          return;
        }
        const PieceOffset offset(static_cast<std::uint16_t>(i));
        encoding.encode(derive_evaluation_seed(sector_id, offset), offset, records[i],
                        found_proofs[i]);
        if (options_.on_record_done) {
          options_.on_record_done();
        }
      }
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      if (failure == nullptr) {
        failure = std::current_exception();
      }
      end.request_stop();
    }
  };

  {
    std::vector<std::jthread> threads;
    const std::size_t n = std::min(workers_.size(), records.size());
    for (std::size_t i = 0; i < n; ++i) {
      threads.emplace_back([&work, &encoding = *workers_[i]] { work(encoding); });
    }
  }
  if (failure != nullptr) {
    std::rethrow_exception(failure);
  }
  return cancelled ? EncodeOutcome::kCancelled : EncodeOutcome::kComplete;
}

std::string CpuRecordsEncoder::name() const {
  return std::string("cpu (") + simd_target_name(options_.mode) + ", " +
         std::to_string(options_.threads) + " threads)";
}

}  // namespace furrow
