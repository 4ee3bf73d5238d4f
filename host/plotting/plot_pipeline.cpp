// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/plot_pipeline.hpp"

#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "host/base/bounded_queue.hpp"
#include "host/base/foreign_error.hpp"
#include "host/base/threads.hpp"
#include "host/plotting/verified_encoder.hpp"

namespace furrow {
namespace {

using Clock = std::chrono::steady_clock;

/// Buffers for the bytes of sectors, made when they are first needed and kept. Thread-safe.
class OutputBuffers {
 public:
  /// Goes back when dropped. Move-only; must not outlive the buffers.
  class Lease {
   public:
    Lease(OutputBuffers& owner, Permits::Permit permit, std::vector<std::uint8_t> idle)
        : bytes(std::move(idle)), owner_(&owner), permit_(std::move(permit)) {}
    Lease(Lease&& other) noexcept
        : bytes(std::move(other.bytes)),
          owner_(std::exchange(other.owner_, nullptr)),
          permit_(std::move(other.permit_)) {}
    Lease& operator=(Lease&&) = delete;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
      if (owner_ != nullptr) {
        const std::lock_guard lock(owner_->mutex_);
        owner_->idle_.push_back(std::move(bytes));
      }
    }

    std::vector<std::uint8_t> bytes;

   private:
    OutputBuffers* owner_;
    Permits::Permit permit_;  // given back after the bytes
  };

  explicit OutputBuffers(std::size_t most) : permits_(most) { idle_.reserve(most); }

  std::optional<Lease> take(const std::stop_token& stop) {
    std::optional<Permits::Permit> permit = permits_.acquire(stop);
    if (!permit.has_value()) {
      return std::nullopt;
    }
    std::vector<std::uint8_t> bytes;
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      bytes = std::move(idle_.back());
      idle_.pop_back();
    }
    return Lease(*this, *std::move(permit), std::move(bytes));
  }

 private:
  Permits permits_;
  std::mutex mutex_;
  std::vector<std::vector<std::uint8_t>> idle_;
};

void check_at_least_one(std::size_t value, const char* what) {
  if (value == 0) {
    throw InvalidArgument(std::string("plotting: expected at least 1 ") + what + ", actual 0");
  }
}

class Pipeline {
 public:
  Pipeline(const SectorSource& next, const PlotPipelineOptions& options, const SectorSink& write,
           std::stop_token stop)
      : next_(next),
        options_(options),
        write_(write),
        user_stop_(std::move(stop)),
        forward_(user_stop_, [this] { end_.request_stop(); }),
        download_turns_(1),
        encoding_(options.encoders.size()),
        outputs_(options.output_buffers),
        encoded_(options.output_buffers),
        download_(options.download) {
    download_.turns = &download_turns_;
  }

  PlotResult run() {
    {
      const std::jthread writer = start_thread("fw-write", [this] { write_all(); });
      const CloseAtEnd close{encoded_};
      ThreadGroup workers;  // what goes wrong in them they tell themselves
      try {
        workers.start_up_to(options_.sectors_in_memory, "fw-sector",
                            [this](std::size_t) { plot_all(); });
      } catch (const std::exception&) {
        fail(std::current_exception());
      }
    }
    if (failure_ != nullptr) {
      std::rethrow_exception(failure_);
    }
    return {user_stop_.stop_requested() ? PlotOutcome::kCancelled : PlotOutcome::kFinished,
            std::move(given_up_)};
  }

 private:
  /// A sector to be made, and how often the encoders failed with it.
  struct Task {
    SectorPlan plan;
    unsigned failures = 0;
  };
  /// A sector whose bytes are complete.
  struct LaidOut {
    PlottedSector sector;
    OutputBuffers::Lease output;
    Clock::time_point start;
  };
  struct CloseAtEnd {
    BoundedQueue<LaidOut>& queue;
    ~CloseAtEnd() { queue.close(); }
  };

  /// The life of a worker.
  void plot_all() {
    try {
      RawSector memory;
      for (std::optional<Task> task = next_task(); task.has_value();) {
        const SectorPlan& plan = task->plan;
        if (memory.metadata.size() != plan.pieces_in_sector) {
          memory = RawSector();  // before there is another one
          memory = RawSector(plan.pieces_in_sector);
        }
        std::optional<RecordsEncoderError> failure;
        try {
          std::optional<RawSector> used = plot_one(plan, std::move(memory));
          if (!used.has_value()) {
            return;
          }
          memory = *std::move(used);
        } catch (const RecordsEncoderError& error) {
          failure = error;
          memory = RawSector();
        } catch (...) {
          report(plan.sector_index, Failed{message_of(std::current_exception())});
          throw;
        }
        task = failure.has_value() ? after_failure(*std::move(task), *failure) : next_task();
      }
    } catch (...) {
      fail(std::current_exception());
    }
  }

  /// What to do when the encoders failed with a sector: the same one again, or another. Throws the
  /// error when no encoder is left to do anything.
  std::optional<Task> after_failure(Task task, const RecordsEncoderError& error) {
    const SectorIndex index = task.plan.sector_index;
    ++task.failures;
    if (!options_.encoders.has_encoders()) {
      report(index, Failed{error.what()});
      throw error;
    }
    if (task.failures == 1) {
      report(index, TryingAgain{error.what(), /*is_at_the_end=*/false});
      return task;
    }
    if (task.failures == 2) {
      report(index, TryingAgain{error.what(), /*is_at_the_end=*/true});
      const std::lock_guard lock(next_mutex_);
      again_.push_back(std::move(task));
    } else {
      report(index, Failed{error.what()});
      const std::lock_guard lock(next_mutex_);
      given_up_.push_back({index, error.what()});
    }
    return next_task();
  }

  /// Takes a sector up to the writer and gives its memory back; none when a stop was requested.
  std::optional<RawSector> plot_one(const SectorPlan& plan, RawSector memory) {
    const std::stop_token stop = end_.get_token();
    std::optional<Clock::time_point> start;
    Clock::time_point encode_start;
    std::optional<EncodedSector> encoded;
    // Once, unless a device gave wrong bytes. The records of such a sector are lost, since they are
    // encoded in place; keeping 1 MiB of source for each just for that would double the memory of
    // every sector that goes well, so the pieces are fetched again. Each further round has one
    // device less, so this ends.
    do {
      if (!pass_gate(stop)) {
        return std::nullopt;
      }
      start = start.value_or(Clock::now());
      // It comes back with the sector, or is made anew below.
      std::optional<DownloadedSector> downloaded =
          download(plan, std::move(memory));  // NOLINT(bugprone-use-after-move)
      if (!downloaded.has_value()) {
        return std::nullopt;
      }
      const auto permit = encoding_.acquire(stop);
      if (!permit.has_value()) {
        return std::nullopt;
      }
      report(plan.sector_index, Encoding{});
      encode_start = Clock::now();
      const auto work = begin(Stage::kEncoder);
      try {
        encoded = encode_sector(*std::move(downloaded), plan.sector_index, options_.encoders, stop,
                                [&] { options_.on_record_done(plan.sector_index); });
        if (!encoded.has_value()) {
          return std::nullopt;
        }
      } catch (const WrongEncoding&) {
        // The encoder has retired the device, and reported it.
        memory = RawSector(plan.pieces_in_sector);
      }
    } while (!encoded.has_value());

    const Clock::duration encode_time = Clock::now() - encode_start;
    // Not cut short by a stop or the failure of another sector: what is encoded is worth writing,
    // as long as there is somebody to write it.
    std::optional<OutputBuffers::Lease> output = outputs_.take(writer_failed_.get_token());
    if (!output.has_value()) {
      return std::nullopt;
    }
    const Clock::time_point layout_start = Clock::now();
    {
      // A device that lays sectors out does not encode meanwhile; on the host it is nobody's work.
      const auto work = options_.encoders.can_assemble_sectors()
                            ? begin(Stage::kEncoder)
                            : std::optional<StageClock::Work>();
      write_sector(*encoded, output->bytes, &options_.encoders);
    }
    report(plan.sector_index, Encoded{encode_time + (Clock::now() - layout_start)});
    LaidOut laid_out{std::move(encoded->plotted_sector), *std::move(output), *start};
    if (!encoded_.send(std::move(laid_out))) {
      return std::nullopt;
    }
    return std::move(encoded->raw_sector);
  }

  std::optional<DownloadedSector> download(const SectorPlan& plan, RawSector memory) {
    report(plan.sector_index, Downloading{});
    const Clock::time_point start = Clock::now();
    const auto work = begin(Stage::kPieces);
    std::optional<DownloadedSector> result =
        download_sector(plan, download_, end_.get_token(), std::move(memory));
    if (result.has_value()) {
      report(plan.sector_index, Downloaded{Clock::now() - start});
    }
    return result;
  }

  /// The life of the writer. It goes on after a stop request until the workers are gone.
  void write_all() {
    while (std::optional<LaidOut> next = encoded_.receive()) {
      const SectorIndex index = next->sector.sector_index;
      try {
        // Whoever asks for a stop does not want to wait for the gate.
        static_cast<void>(pass_gate(end_.get_token()));
        report(index, Writing{});
        {
          const auto work = begin(Stage::kDisk);
          with_typed_errors("the sink of sectors",
                            [&] { write_(next->sector, next->output.bytes); });
        }
        report(index, Finished{Clock::now() - next->start});
      } catch (...) {
        const std::exception_ptr error = std::current_exception();
        fail(error);
        writer_failed_.request_stop();
        encoded_.close();
        report(index, Failed{message_of(error)});
        return;
      }
    }
  }

  bool pass_gate(const std::stop_token& stop) const {
    return options_.gate == nullptr ? !stop.stop_requested() : options_.gate->wait(stop);
  }

  /// The next sector, then those that are to be tried once more.
  std::optional<Task> next_task() {
    const std::lock_guard lock(next_mutex_);
    if (end_.stop_requested()) {
      return std::nullopt;
    }
    if (!is_source_at_end_) {
      if (std::optional<SectorPlan> plan = with_typed_errors("the source of sectors", next_)) {
        return Task{*std::move(plan)};
      }
      is_source_at_end_ = true;
    }
    if (again_.empty()) {
      return std::nullopt;
    }
    Task task = std::move(again_.front());
    again_.pop_front();
    return task;
  }

  std::optional<StageClock::Work> begin(Stage stage) const {
    return options_.clock == nullptr ? std::nullopt : std::optional(options_.clock->work(stage));
  }

  void report(SectorIndex index, const PlottingEvent& event) {
    if (options_.on_event) {
      const std::lock_guard lock(event_mutex_);
      options_.on_event(index, event);
    }
  }

  void fail(std::exception_ptr error) {
    {
      const std::lock_guard lock(failure_mutex_);
      if (failure_ == nullptr) {
        failure_ = std::move(error);
      }
    }
    end_.request_stop();
  }

  const SectorSource& next_;
  const PlotPipelineOptions& options_;
  const SectorSink& write_;
  const std::stop_token user_stop_;
  std::stop_source end_;  // the user's stop, or a failure
  std::stop_source writer_failed_;
  std::stop_callback<std::function<void()>> forward_;
  Permits download_turns_;
  Permits encoding_;
  OutputBuffers outputs_;
  BoundedQueue<LaidOut> encoded_;
  DownloadOptions download_;
  std::mutex next_mutex_;  // of the next three
  bool is_source_at_end_ = false;
  std::deque<Task> again_;
  std::vector<GivenUpSector> given_up_;
  std::mutex event_mutex_;
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
};

}  // namespace

PlotResult plot_sectors(const SectorSource& next, const PlotPipelineOptions& options,
                        const SectorSink& write, std::stop_token stop) {
  check_at_least_one(options.sectors_in_memory, "sector in memory");
  check_at_least_one(options.output_buffers, "output buffer");
  return Pipeline(next, options, write, std::move(stop)).run();
}

std::uint64_t raw_sector_bytes(std::uint16_t pieces_in_sector) {
  return std::uint64_t{pieces_in_sector} *
         (sizeof(Record) + sizeof(RecordMetadata) + sizeof(FoundProofs));
}

}  // namespace furrow
