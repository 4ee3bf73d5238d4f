// SPDX-License-Identifier: Apache-2.0
// Writes packs and index of a piece store (docs/formats/piece-store.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "furrow/types.hpp"

#include "host/base/filesystem.hpp"
#include "host/store/pack_pipeline.hpp"
#include "host/store/piece_pack_writer.hpp"
#include "host/store/segment_index/age_tiered_index.hpp"

namespace furrow {

/// Takes the pieces of an archive in order and puts those of each segment into a pack of their own,
/// finished and indexed before the next one begins. Thread-compatible: the single stage behind
/// pack_chunks. What it creates goes with `created`, unless that keeps it.
class StoreWriter {
 public:
  /// Root of a segment, one of whose pieces was written.
  using SegmentRoots = std::function<Hash(SegmentIndex)>;
  /// Entries that the index holds in memory.
  static constexpr std::uint64_t kIndexEntries = std::uint64_t{1} << 16;

  /// Creates the index. Pre: the store has neither an index nor packs. Throws IoError.
  StoreWriter(std::filesystem::path store, SegmentRoots roots, CreatedFiles& created);

  /// Throws IoError, and InvalidArgument when the index cannot hold so many segments.
  void write(const PackedChunk& piece);
  /// Makes the index durable, in one segment. Pre: all pieces of the last segment were written.
  void finish();

  [[nodiscard]] std::uint64_t segments_written() const { return segments_written_; }

 private:
  void finish_segment(SegmentIndex segment);

  std::filesystem::path store_;
  SegmentRoots roots_;
  CreatedFiles& created_;
  std::unique_ptr<AgeTieredIndex> index_;
  std::unique_ptr<PiecePackWriter> pack_;  // null between segments
  std::uint64_t segments_written_ = 0;
};

}  // namespace furrow
