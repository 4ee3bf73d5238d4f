// SPDX-License-Identifier: Apache-2.0
// A farmer's daemon in miniature: plots a farm from a source of pieces of its own, pauses while it
// "proves", and ends cleanly by Ctrl-C.
//
//   mini_daemon FARM STORE SECTORS PIECES_IN_SECTOR
//
// FARM is created when it is not there, with room for so many sectors; one that is there goes on where
// it is. STORE is a piece store, as `furrow archive` makes them.
//
// Exit codes: 0 all sectors are plotted, 1 some were given up, 2 bad arguments, 3 the operating system
// refused, 4 something is damaged, 5 the farm is another one, 6 something is not there, 70 something
// else failed, 130 interrupted; what was encoded by then is in the farm.
//
//   c++ -std=c++17 mini_daemon.cpp $(pkg-config --cflags --libs furrow) -pthread -o mini_daemon
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <furrow/furrow.hpp>
#include <signal.h>

namespace {

using namespace std::chrono_literals;

/// Set by Ctrl-C. The library looks at it while it works; a handler may do no more than this.
furrow::AbortFlag stop;

void end_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop.set(); };
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // a second one ends the process at once
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

/// Where a farmer would ask its cache and its network: here a store, and a count.
class Pieces {
 public:
  Pieces(const furrow::Library& library, const std::string& directory)
      : store_(furrow::PieceSource::open_store(library, directory)) {}

  /// Called by several threads of the library at once. What it throws is the error of the piece; one
  /// that the store does not have is rebuilt from others of its segment.
  bool get(std::uint64_t piece_index, furrow::MutableBytes piece) {
    // Nothing ends this call from outside, so it has to look at the flag itself.
    if (store_.get_piece(piece_index, piece, &stop) == furrow::Outcome::kCancelled) {
      throw std::runtime_error("interrupted");
    }
    ++given_;
    return true;
  }
  [[nodiscard]] furrow_history history() const { return store_.history(); }
  [[nodiscard]] int given() const { return given_; }

 private:
  furrow::PieceSource store_;
  std::atomic<int> given_ = 0;
};

/// Stands in for a farmer that finds a solution every second and wants the machine for its proof.
class Proving {
 public:
  explicit Proving(furrow::Gate& gate) : thread_([this, &gate] { run(gate); }) {}
  Proving(const Proving&) = delete;
  Proving& operator=(const Proving&) = delete;
  ~Proving() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      is_over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  void run(furrow::Gate& gate) {
    const auto is_over = [this] { return is_over_; };
    std::unique_lock<std::mutex> lock(mutex_);
    while (!changed_.wait_for(lock, 1s, is_over)) {
      const furrow::Pause pause = gate.pause();
      changed_.wait_for(lock, 100ms, is_over);
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_over_ = false;
  std::thread thread_;  // last: it uses the others
};

/// One line for each thing that a user wants to know. Called by several threads at once.
void print_progress(const furrow_plot_event& event) {
  switch (event.stage) {
    case FURROW_PLOT_DOWNLOADED:
      std::fprintf(stderr, "sector %u: pieces are there after %.1f s\n", event.sector_index,
                   event.seconds);
      break;
    case FURROW_PLOT_RECORD:
      std::fprintf(stderr, "sector %u: %llu records encoded\n", event.sector_index,
                   static_cast<unsigned long long>(event.records_done));
      break;
    case FURROW_PLOT_FINISHED:
      std::fprintf(stderr, "sector %u: finished after %.1f s\n", event.sector_index, event.seconds);
      break;
    case FURROW_PLOT_FAILED:
    case FURROW_PLOT_TRYING_AGAIN:
      std::fprintf(stderr, "sector %u: %s\n", event.sector_index, event.message);
      break;
    default:
      break;
  }
}

int exit_code_of(furrow_status status) {
  switch (status) {
    case FURROW_INVALID_ARGUMENT:
      return 2;
    case FURROW_IO_ERROR:
    case FURROW_OUT_OF_MEMORY:
    case FURROW_RESOURCE_EXHAUSTED:
      return 3;
    case FURROW_CORRUPT:
      return 4;
    case FURROW_MISMATCH:
      return 5;
    case FURROW_UNAVAILABLE:
    case FURROW_ENCODER_FAILED:
    case FURROW_CALLBACK_FAILED:
      return 6;
    default:
      return 70;
  }
}

int plot(const std::string& farm_directory, const std::string& store_directory,
         std::uint32_t sectors, std::uint32_t pieces_in_sector) {
  furrow::LibraryOptions hooks;
  hooks.on_log = [](furrow_log_level level, std::string_view line) {
    std::fprintf(stderr, "%s: %.*s\n", level == FURROW_LOG_WARNING ? "warning" : "note",
                 static_cast<int>(line.size()), line.data());
  };
  const furrow::Library library(std::move(hooks));
  furrow::Gate gate;

  Pieces pieces(library, store_directory);
  const furrow_history history = pieces.history();
  const furrow::PieceSource source = furrow::PieceSource::from_function(
      library,
      [&](std::uint64_t index, furrow::MutableBytes piece) { return pieces.get(index, piece); });

  furrow::FarmOptions farm_options;
  farm_options.mode = FURROW_FARM_CREATE;
  farm_options.min_sectors = sectors;
  farm_options.pieces_in_sector = pieces_in_sector;
  farm_options.genesis_root = furrow::to_hash(history.genesis_root);
  furrow::Farm farm(library, farm_directory, farm_options);

  furrow::EncoderConfig encoder_config;  // every CUDA device, or the CPU when there is none
  encoder_config.gate = &gate;
  const furrow::Encoder encoder(library, encoder_config);
  std::fprintf(stderr, "encoding on %s\n", encoder.info().name);

  furrow::PlotterOptions plotter_options;
  plotter_options.gate = &gate;
  furrow::Plotter plotter(library, encoder, source, plotter_options);

  furrow::PlotFarmRequest request;
  request.history_size = history.history_size;
  request.abort = &stop;
  request.on_event = print_progress;
  const Proving proving(gate);
  const auto plotted = plotter.plot_farm(farm, request);

  std::printf("%u sectors in the farm, %d pieces taken\n", farm.info().sector_count,
              pieces.given());
  if (!plotted.has_value()) {
    std::fprintf(stderr, "interrupted\n");
    return 130;
  }
  return plotted->given_up == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: mini_daemon FARM STORE SECTORS PIECES_IN_SECTOR\n");
    return 2;
  }
  end_on_signals();
  try {
    return plot(argv[1], argv[2], static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10)),
                static_cast<std::uint32_t>(std::strtoul(argv[4], nullptr, 10)));
  } catch (const furrow::Error& error) {
    std::fprintf(stderr, "mini_daemon: %s (%s)\n", error.what(), error.kind_name());
    return exit_code_of(error.status());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mini_daemon: %s\n", error.what());
    return 70;
  }
}
