// SPDX-License-Identifier: Apache-2.0
// The pieces of an archive of files, one after another, for the packing pipeline.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "host/archive/archiver.hpp"
#include "host/archive/file_tree.hpp"
#include "host/archive/manifest.hpp"
#include "host/archive/source_file.hpp"
#include "host/base/mutex.hpp"
#include "host/store/pack_pipeline.hpp"

namespace furrow {

/// Reads files block by block, makes segments of the blocks, and hands out the pieces of each
/// segment: key is the piece index; parity pieces are not to be compressed. Everything of a segment
/// that is handed out whole is freed before the next one is made.
///
/// `next` is for one thread at a time; what is said of other threads below holds while it runs.
class ArchivedPieces : public ChunkSource {
 public:
  /// `on_block` is called after each block, on the thread that calls `next`. A stop request ends
  /// the pieces before the next block.
  ArchivedPieces(std::span<SourceEntry> sources, ShardIndex shard, const ComputeOptions& compute,
                 std::function<void()> on_block, std::stop_token stop);

  /// Throws FileChanged, IoError, and what `on_block` throws.
  std::optional<RawChunk> next() override;

  /// Bytes of files that are archived or wait for it. For any thread.
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }
  /// Files that are read to their ends. For any thread.
  [[nodiscard]] std::uint64_t files_read() const { return files_read_; }
  /// Bytes of files in the first `n_pieces` pieces, as if those of a segment were spread evenly
  /// over its pieces. For any thread. Pre: these pieces were handed out.
  [[nodiscard]] std::uint64_t bytes_in(std::uint64_t n_pieces) const;
  /// For any thread. Pre: a piece of the segment was handed out.
  [[nodiscard]] Hash segment_root(SegmentIndex segment) const;

  /// Whether all pieces were handed out; then the entries of files are complete.
  [[nodiscard]] bool is_at_end() const { return is_closed_ && next_position_ == kNumPieces; }
  std::vector<ManifestSegment> take_segments();

 private:
  bool begin_segment();
  void read_block();
  void note_segment_ends();
  bool open_file();
  void finish_file();

  std::span<SourceEntry> sources_;
  ShardIndex shard_;
  std::function<void()> on_block_;
  std::stop_token stop_;

  Archiver archiver_;
  SourceEntry* entry_ = nullptr;    // of the open file
  std::optional<SourceFile> file_;  // being read
  std::size_t next_source_ = 0;
  std::uint64_t next_block_ = 0;
  std::atomic<std::uint64_t> bytes_read_ = 0;
  std::atomic<std::uint64_t> files_read_ = 0;
  bool is_closed_ = false;

  std::vector<ArchivedSegment> finished_;  // at most one: a block is smaller than a segment
  std::optional<SegmentPieces> pieces_;    // of the segment that is handed out
  std::uint64_t first_key_ = 0;            // of that segment
  std::size_t next_position_ = kNumPieces;

  mutable Mutex mutex_;
  std::vector<ManifestSegment> segments_ FURROW_GUARDED_BY(mutex_);
  /// Bytes of files up to the end of each segment.
  std::vector<std::uint64_t> segment_ends_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow
