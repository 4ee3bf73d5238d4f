// SPDX-License-Identifier: Apache-2.0
// Compresses and hashes many chunks on several threads, in front of one stage that finds duplicates
// and writes (docs/spec/08-storage-components.md, part 1).
//
//   source --feeder--> queue of raw chunks --N workers--> queue of packed chunks --caller--> writer
//
// Memory. With m = max_chunks_in_flight, at most
//
//     2 m + num_workers + 2    chunks were taken from the source and are not written yet: m in each
//                              queue, one with each worker, the feeder and the writer;
//     + num_workers            because a worker has its chunk twice, as it was and compressed;
//
// 2 m + 2 num_workers + 2 chunks in all (P5). The chunk that the source is about to return is one
// of them. Chunks that overtook a slow one wait for it in the caller's stage; the first line holds
// for them too, because the feeder takes a place in a window of that length before each chunk.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

#include "furrow/types.hpp"

#include "host/store/chunk_compression.hpp"
#include "host/store/pack_format.hpp"

namespace furrow {

/// A chunk as it comes from the source.
struct RawChunk {
  /// What the chunk is found by: a piece index, or the offset in a stream.
  std::uint64_t key = 0;
  std::vector<std::uint8_t> data;
  /// False for what is known not to shrink, such as parity pieces: it is stored as it is.
  bool compressible = true;
};

/// A chunk as it is stored.
struct PackedChunk {
  std::uint64_t key = 0;
  Hash hash;  ///< BLAKE3 of the original bytes, whatever the compressor does
  std::uint32_t original_size = 0;
  PackCodec codec = PackCodec::kRaw;  ///< kRaw or kZstd
  std::vector<std::uint8_t> stored;
};

/// Where chunks come from. One call at a time: the first on the thread of pack_chunks, the others
/// on the feeder thread.
class ChunkSource {
 public:
  ChunkSource() = default;
  ChunkSource(const ChunkSource&) = delete;
  ChunkSource& operator=(const ChunkSource&) = delete;
  virtual ~ChunkSource() = default;
  /// The next chunk, none at the end; throws when it cannot be had. Not called again after either.
  virtual std::optional<RawChunk> next() = 0;
};

struct PackConfig {
  /// Threads that compress and hash; one for each processor unless said otherwise.
  unsigned num_workers = default_num_workers();
  /// Capacity of either queue; 0 makes them hand-overs.
  std::size_t max_chunks_in_flight = 1000;
  /// Called by the workers, several at once, with each chunk before it is compressed, when set.
  /// Throws to refuse the chunk, and with it the run.
  std::function<void(const RawChunk&)> verify = {};

  static unsigned default_num_workers();
};

/// Takes one chunk at a time, always on the thread that called pack_chunks; throws when it fails.
using PackedChunkSink = std::function<void(PackedChunk)>;

enum class PackOutcome {
  kFinished,   ///< the source is at its end and all of it was written
  kCancelled,  ///< a stop was requested first; what was written is the beginning of the input
};

/// Packs all chunks of `source`: exactly one call of `write` for each, in the order of the source,
/// so that what is written does not depend on the number of workers or on their timing (P7).
///
/// The first error of the source, a worker, `verify` or `write` stops all stages and is thrown from
/// here, as a ForeignError (host/base) when it is none of ours; what was written until then is the
/// beginning of the input. No thread of the run is alive on return, whatever the outcome (P3). A
/// stop request takes effect within one chunk of each stage. An empty source starts no thread.
/// Fewer workers than wanted do, as long as the system starts one; without one and a feeder it
/// throws ResourceExhausted, when one chunk was taken.
///
/// Throws InvalidArgument for no workers and for a queue of more than 2^32 chunks, before anything
/// is taken from the source; and for a chunk of more than kMaxPackChunkSize bytes.
PackOutcome pack_chunks(ChunkSource& source, const Compressor& compressor, const PackConfig& config,
                        const PackedChunkSink& write, const std::stop_token& stop = {});

}  // namespace furrow
