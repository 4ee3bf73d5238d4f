// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/plot_pipeline.hpp"

#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "host/base/bounded_queue.hpp"
#include "host/base/first_error.hpp"
#include "host/base/foreign_error.hpp"
#include "host/base/lease_pool.hpp"
#include "host/base/mutex.hpp"
#include "host/base/threads.hpp"
#include "host/plotting/verified_encoder.hpp"

namespace furrow {
namespace {

using Clock = std::chrono::steady_clock;

using SectorBytes = LeasePool<std::vector<std::uint8_t>>;

/// A buffer for the bytes of a sector, and the permit to have one.
struct Output {
  Permits::Permit permit;
  SectorBytes::Lease bytes;  // goes back before the permit does
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
        output_permits_(options.output_buffers),
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
    failure_.rethrow();
    const Lock lock(next_mutex_);
    return {user_stop_.stop_requested() ? PlotOutcome::kCancelled : PlotOutcome::kFinished,
            std::move(given_up_)};
  }

 private:
  /// A sector to be made, and how often the encoders failed with it.
  struct Task {
    SectorPlan plan;
    unsigned failures = 0;
  };
  /// A sector whose records are encoded.
  struct Made {
    EncodedSector encoded;
    Clock::time_point start;
    Clock::duration encode_time;
  };
  /// A sector whose bytes are complete.
  struct LaidOut {
    PlottedSector sector;
    Output output;
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
        if (memory.pieces_in_sector() != plan.pieces_in_sector ||
            memory.network() != plan.network) {
          memory = RawSector();  // before there is another one
          memory = RawSector(plan.network, plan.pieces_in_sector, options_.memory);
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
      const Lock lock(next_mutex_);
      again_.push_back(std::move(task));
    } else {
      report(index, Failed{error.what()});
      const Lock lock(next_mutex_);
      given_up_.push_back({index, error.what()});
    }
    return next_task();
  }

  /// Takes a sector up to the writer and gives its memory back; none when a stop was requested.
  std::optional<RawSector> plot_one(const SectorPlan& plan, RawSector memory) {
    std::optional<Made> made = download_and_encode(plan, std::move(memory));
    if (!made.has_value()) {
      return std::nullopt;
    }
    std::optional<LaidOut> laid_out = lay_out(*made);
    if (!laid_out.has_value() || !encoded_.send(*std::move(laid_out))) {
      return std::nullopt;
    }
    return std::move(made->encoded.raw_sector);
  }

  /// Once, unless a device gave wrong bytes. The records of such a sector are lost, since they are
  /// encoded in place; keeping 1 MiB of source for each just for that would double the memory of
  /// every sector that goes well, so the pieces are fetched again. Each further round has one
  /// device less, so this ends.
  std::optional<Made> download_and_encode(const SectorPlan& plan, RawSector memory) {
    const std::stop_token stop = end_.get_token();
    std::optional<Clock::time_point> start;
    while (pass_gate(stop)) {
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
      try {
        return encode(*std::move(downloaded), *start);
      } catch (const WrongEncoding&) {
        // The encoder has retired the device, and reported it.
        memory = RawSector(plan.network, plan.pieces_in_sector, options_.memory);
      }
    }
    return std::nullopt;
  }

  std::optional<Made> encode(DownloadedSector downloaded, Clock::time_point start) {
    const SectorIndex index = downloaded.sector_index;
    report(index, Encoding{});
    const Clock::time_point encode_start = Clock::now();
    const auto work = begin(Stage::kEncoder);
    std::optional<EncodedSector> encoded =
        encode_sector(std::move(downloaded), options_.encoders, end_.get_token(),
                      [&] { options_.on_record_done(index); });
    if (!encoded.has_value()) {
      return std::nullopt;
    }
    return Made{*std::move(encoded), start, Clock::now() - encode_start};
  }

  /// Not cut short by a stop or the failure of another sector: what is encoded is worth writing, as
  /// long as there is somebody to write it.
  std::optional<LaidOut> lay_out(Made& made) {
    std::optional<Permits::Permit> permit = output_permits_.acquire(writer_failed_.get_token());
    if (!permit.has_value()) {
      return std::nullopt;
    }
    Output output{*std::move(permit),
                  sector_bytes_.take([] { return std::make_unique<std::vector<std::uint8_t>>(); })};
    const Clock::time_point layout_start = Clock::now();
    {
      const auto work = begin(Stage::kLayout);
      options_.lay_out(made.encoded, *output.bytes);
    }
    PlottedSector& sector = made.encoded.plotted_sector;
    report(sector.sector_index, Encoded{made.encode_time + (Clock::now() - layout_start)});
    return LaidOut{std::move(sector), std::move(output), made.start};
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
                            [&] { write_(next->sector, *next->output.bytes); });
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
    const Lock lock(next_mutex_);
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
      const Lock lock(event_mutex_);
      options_.on_event(index, event);
    }
  }

  void fail(std::exception_ptr error) {
    failure_.keep(std::move(error));
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
  Permits output_permits_;
  SectorBytes sector_bytes_;
  BoundedQueue<LaidOut> encoded_;
  DownloadOptions download_;
  Mutex next_mutex_;  // also of calls of next_
  bool is_source_at_end_ FURROW_GUARDED_BY(next_mutex_) = false;
  std::deque<Task> again_ FURROW_GUARDED_BY(next_mutex_);
  std::vector<GivenUpSector> given_up_ FURROW_GUARDED_BY(next_mutex_);
  Mutex event_mutex_;  // of calls of on_event
  FirstError failure_;
};

}  // namespace

PlotResult plot_sectors(const SectorSource& next, const PlotPipelineOptions& options,
                        const SectorSink& write, std::stop_token stop) {
  check_at_least_one(options.sectors_in_memory, "sector in memory");
  check_at_least_one(options.output_buffers, "output buffer");
  return Pipeline(next, options, write, std::move(stop)).run();
}

}  // namespace furrow
