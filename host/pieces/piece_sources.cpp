#include "host/pieces/piece_sources.hpp"

#include <algorithm>
#include <condition_variable>
#include <thread>
#include <unordered_map>
#include <utility>

#include "host/archive/piece_validation.hpp"
#include "host/base/threads.hpp"
#include "host/pieces/source_errors.hpp"

namespace furrow {
namespace {

/// Watches over one batch.
class StallWatch {
 public:
  StallWatch(const PieceSourcesOptions& options, std::size_t n_missing)
      : options_(options), n_missing_(n_missing) {
    if (options_.on_stall) {
      try {
        thread_ = start_thread("fw-stall", [this](const std::stop_token& stop) { watch(stop); });
      } catch (const ResourceExhausted&) {
        // Pieces come without anybody watching, too.
      }
    }
  }
  void asks(const std::string& source) {
    const std::lock_guard lock(mutex_);
    source_ = source;
  }
  /// An answer, which leaves so many pieces missing.
  void hears(std::size_t n_missing) {
    const std::lock_guard lock(mutex_);
    n_missing_ = n_missing;
    last_ = PieceSourcesOptions::Clock::now();
    n_alarms_ = 0;
  }

 private:
  void watch(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      const auto alarm_at = last_ + options_.stall_time * (n_alarms_ + 1);
      changed_.wait_until(lock, stop, alarm_at, [] { return false; });
      const auto silent = PieceSourcesOptions::Clock::now() - last_;
      if (!stop.stop_requested() && n_missing_ != 0 &&
          silent >= options_.stall_time * (n_alarms_ + 1)) {
        ++n_alarms_;
        const PieceStall stall{n_missing_, source_,
                               std::chrono::floor<std::chrono::milliseconds>(silent)};
        lock.unlock();
        options_.on_stall(stall);
        lock.lock();
      }
    }
  }

  const PieceSourcesOptions& options_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::size_t n_missing_;
  std::string source_;
  PieceSourcesOptions::Clock::time_point last_ = PieceSourcesOptions::Clock::now();
  int n_alarms_ = 0;
  std::jthread thread_;
};

}  // namespace

/// One call of get_pieces.
class PieceSources::Batch {
 public:
  Batch(PieceSources& owner, std::span<const PieceIndex> indices, const Sink& sink,
        std::stop_token stop)
      : owner_(owner),
        sink_(sink),
        stop_(std::move(stop)),
        n_missing_(indices.size()),
        watch_(owner.options_, indices.size()) {
    for (const PieceIndex index : indices) {
      left_.push_back({index, {}, false});
    }
  }

  void run() {
    const bool all_are_down = std::all_of(owner_.sources_.begin(), owner_.sources_.end(),
                                          [this](const State& state) { return is_down(state); });
    for (State& state : owner_.sources_) {
      if (left_.empty() || stop_.stop_requested()) {
        return;
      }
      if (!all_are_down && is_down(state)) {
        skip(state);
      } else {
        ask(state);
      }
    }
    if (stop_.stop_requested()) {
      return;
    }
    for (const Left& piece : left_) {
      sink_(piece.index, piece.has_failed
                             ? PieceAnswer::failed(std::make_exception_ptr(AllSourcesFailed(
                                   describe_piece(piece.index) + ": " + piece.said)))
                             : PieceAnswer::not_found());
    }
  }

 private:
  /// A piece that no source gave so far.
  struct Left {
    PieceIndex index;
    std::string said;  // by the sources
    bool has_failed;   // not all of them said that they lack it
  };

  [[nodiscard]] bool is_down(const State& state) const {
    const std::lock_guard lock(owner_.mutex_);
    return state.n_failures != 0 && owner_.options_.now() < state.retry_at;
  }

  void note(Left& piece, const State& state, const std::string& said, bool has_failed) {
    piece.said += (piece.said.empty() ? "" : "; ") + state.source.name + ": " + said;
    piece.has_failed = piece.has_failed || has_failed;
  }

  void skip(State& state) {
    const std::lock_guard lock(owner_.mutex_);
    for (Left& piece : left_) {
      note(piece, state, "not asked, because " + state.last_failure, true);
    }
    state.counters.skipped += left_.size();
  }

  void ask(State& state) {
    watch_.asks(state.source.name);
    std::vector<PieceIndex> indices;
    std::unordered_multimap<std::uint64_t, Left> open;
    for (Left& piece : left_) {
      indices.push_back(piece.index);
      open.emplace(piece.index.value(), std::move(piece));
    }
    left_.clear();
    PieceSourceCounters counted{.asked = indices.size()};
    std::exception_ptr whole_failure;
    bool has_sink_thrown = false;
    try {
      state.source.getter->get_pieces(
          indices,
          [&](PieceIndex index, PieceAnswer answer) {
            const auto found = open.find(index.value());
            if (found == open.end()) {
              return;  // not asked for
            }
            Left piece = std::move(found->second);
            open.erase(found);
            if (answer.piece != nullptr) {
              ++counted.found;
              counted.bytes += kPieceSize;
              watch_.hears(--n_missing_);
              has_sink_thrown = true;
              sink_(index, std::move(answer));
              has_sink_thrown = false;
              return;
            }
            watch_.hears(n_missing_);
            if (answer.error == nullptr) {
              ++counted.not_found;
              note(piece, state, "not there", false);
            } else {
              ++counted.failed;
              note(piece, state, message_of(answer.error), true);
              if (is_of_the_source(fault_of(answer.error))) {
                whole_failure = answer.error;
              }
            }
            left_.push_back(std::move(piece));
          },
          stop_);
    } catch (const Error&) {
      if (has_sink_thrown) {
        throw;
      }
      whole_failure = std::current_exception();
    }
    // The source did not say a word about these.
    const std::string why = whole_failure != nullptr ? message_of(whole_failure) : "no answer";
    for (auto& [index, piece] : open) {
      ++counted.failed;
      note(piece, state, why, true);
      left_.push_back(std::move(piece));
    }
    if (!stop_.stop_requested()) {
      settle(state, counted, whole_failure);
    }
  }

  void settle(State& state, const PieceSourceCounters& counted,
              const std::exception_ptr& whole_failure) {
    const std::lock_guard lock(owner_.mutex_);
    state.counters.asked += counted.asked;
    state.counters.found += counted.found;
    state.counters.not_found += counted.not_found;
    state.counters.failed += counted.failed;
    state.counters.bytes += counted.bytes;
    if (whole_failure == nullptr) {
      state.n_failures = 0;
      return;
    }
    const PieceSourcesOptions& options = owner_.options_;
    state.retry_at =
        options.now() +
        std::min(options.backoff * (1U << std::min(state.n_failures, 20U)), options.max_backoff);
    ++state.n_failures;
    state.last_failure = message_of(whole_failure);
  }

  PieceSources& owner_;
  const Sink& sink_;
  std::stop_token stop_;
  std::size_t n_missing_;
  StallWatch watch_;
  std::vector<Left> left_;
};

PieceSources::PieceSources(std::vector<PieceSource> sources, PieceSourcesOptions options)
    : options_(std::move(options)) {
  if (sources.empty()) {
    throw InvalidArgument("expected at least one source of pieces, actual 0");
  }
  for (PieceSource& source : sources) {
    sources_.emplace_back().source = std::move(source);
  }
}
PieceSources::~PieceSources() = default;

void PieceSources::get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                              std::stop_token stop) {
  Batch(*this, indices, sink, std::move(stop)).run();
}

const std::string& PieceSources::name(std::size_t source) const {
  return sources_.at(source).source.name;
}

PieceSourceCounters PieceSources::counters(std::size_t source) const {
  const std::lock_guard lock(mutex_);
  return sources_.at(source).counters;
}

}  // namespace furrow
