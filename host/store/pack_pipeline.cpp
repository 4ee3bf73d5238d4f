// SPDX-License-Identifier: Apache-2.0
#include "host/store/pack_pipeline.hpp"

#include <atomic>
#include <map>
#include <string>
#include <utility>

#include "furrow/errors.hpp"

#include "host/base/bounded_queue.hpp"
#include "host/base/foreign_error.hpp"
#include "host/base/machine_limits.hpp"
#include "host/base/threads.hpp"
#include "host/crypto/blake3.hpp"

namespace furrow {
namespace {

constexpr std::size_t kMaxChunksInFlight = std::size_t{1} << 32;

void check(const PackConfig& config) {
  if (config.num_workers == 0) {
    throw InvalidArgument("packing: expected at least one worker, actual 0");
  }
  if (config.max_chunks_in_flight > kMaxChunksInFlight) {
    throw InvalidArgument("packing: expected at most " + std::to_string(kMaxChunksInFlight) +
                          " chunks in flight, actual " +
                          std::to_string(config.max_chunks_in_flight));
  }
}

PackedChunk pack(RawChunk raw, const Compressor& compressor) {
  if (raw.data.size() > kMaxPackChunkSize) {
    throw InvalidArgument("chunk " + std::to_string(raw.key) + ": expected at most " +
                          std::to_string(kMaxPackChunkSize) + " bytes, actual " +
                          std::to_string(raw.data.size()));
  }
  PackedChunk packed;
  packed.key = raw.key;
  packed.hash = blake3(raw.data);
  packed.original_size = static_cast<std::uint32_t>(raw.data.size());
  std::optional<std::vector<std::uint8_t>> compressed;
  if (raw.compressible) {
    compressed = with_typed_errors("the compressor of chunks",
                                   [&] { return compressor.compress(raw.data); });
  }
  if (compressed && compressed->size() < raw.data.size()) {
    packed.codec = PackCodec::kZstd;
    packed.stored = *std::move(compressed);
  } else {
    packed.stored = std::move(raw.data);
  }
  return packed;
}

/// A chunk with its number in the input.
template <class Chunk>
struct Numbered {
  std::uint64_t number;
  Chunk chunk;
};

class PackRun {
 public:
  PackRun(ChunkSource& source, const Compressor& compressor, const PackConfig& config,
          const std::stop_token& stop)
      : source_(source),
        compressor_(compressor),
        config_(config),
        threads_(stop),
        stop_(threads_.end()),
        window_(2 * config.max_chunks_in_flight + config.num_workers + 2),
        raw_(config.max_chunks_in_flight),
        packed_(config.max_chunks_in_flight),
        workers_left_(config.num_workers) {}

  PackOutcome run(const PackedChunkSink& write) {
    if (!take_place()) {
      return PackOutcome::kCancelled;
    }
    std::optional<RawChunk> first = next_chunk();
    if (!first) {
      return PackOutcome::kFinished;
    }
    threads_.take_part([&] {
      threads_.start("fw-feed", [this, &first] { feed(std::move(first)); });
      const std::size_t started =
          threads_.start_up_to(config_.num_workers, "fw-pack", [this](std::size_t) { work(); });
      end_workers(config_.num_workers - started);
    });
    threads_.take_part([&] { write_in_order(write); });
    threads_.finish();
    return source_ended_ && n_written_ == n_fed_ ? PackOutcome::kFinished : PackOutcome::kCancelled;
  }

 private:
  bool take_place() { return window_.send({}, stop_); }
  std::optional<RawChunk> next_chunk() {
    return with_typed_errors("the source of chunks", [this] { return source_.next(); });
  }
  void give_back_place() { static_cast<void>(window_.receive()); }  // never waits: it was taken

  /// Pre: the place of the first chunk is taken.
  void feed(std::optional<RawChunk> chunk) {
    while (chunk) {
      if (!raw_.send({n_fed_, *std::move(chunk)}, stop_)) {
        return;
      }
      ++n_fed_;
      if (!take_place()) {
        return;
      }
      chunk = next_chunk();
    }
    source_ended_ = true;
    raw_.close();
  }

  void work() {
    while (auto raw = raw_.receive(stop_)) {
      if (config_.verify) {
        with_typed_errors("the check of chunks", [&] { config_.verify(raw->chunk); });
      }
      const std::uint64_t number = raw->number;
      if (!packed_.send({number, pack(std::move(raw->chunk), compressor_)}, stop_)) {
        return;
      }
    }
    end_workers(1);
  }

  /// So many have no more to do, or were never started.
  void end_workers(std::size_t n) {
    if (n != 0 && (workers_left_ -= n) == 0) {
      packed_.close();
    }
  }

  void write_in_order(const PackedChunkSink& write) {
    std::map<std::uint64_t, PackedChunk> early;  // what overtook a chunk that is still to come
    while (auto packed = packed_.receive(stop_)) {
      early.emplace(packed->number, std::move(packed->chunk));
      for (auto next = early.begin(); next != early.end() && next->first == n_written_;
           next = early.begin()) {
        if (stop_.stop_requested()) {
          return;
        }
        PackedChunk chunk = std::move(early.extract(next).mapped());
        with_typed_errors("the sink of chunks", [&] { write(std::move(chunk)); });
        ++n_written_;
        give_back_place();
      }
    }
  }

  struct Place {};

  ChunkSource& source_;
  const Compressor& compressor_;
  const PackConfig& config_;
  ThreadGroup threads_;  // all of them have ended when run() returns
  const std::stop_token stop_;

  BoundedQueue<Place> window_;
  BoundedQueue<Numbered<RawChunk>> raw_;
  BoundedQueue<Numbered<PackedChunk>> packed_;

  // Of the feeder; read by others once it is joined.
  std::uint64_t n_fed_ = 0;
  bool source_ended_ = false;
  std::atomic<std::size_t> workers_left_;
  std::uint64_t n_written_ = 0;
};

}  // namespace

unsigned PackConfig::default_num_workers() {
  return usable_processors();
}

PackOutcome pack_chunks(ChunkSource& source, const Compressor& compressor, const PackConfig& config,
                        const PackedChunkSink& write, const std::stop_token& stop) {
  check(config);
  return PackRun(source, compressor, config, stop).run(write);
}

}  // namespace furrow
