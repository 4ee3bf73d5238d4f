// SPDX-License-Identifier: Apache-2.0
// Index of where things lie: a key of 36 bytes at a height -> a number (docs/spec/08-storage-
// components.md, part 3). Made for the pieces in packs and for the plotted pieces of a farm: the
// key is a segment root with a position (piece_key), the height a history size (height_of).
//
//   append ──► runs of age 0 ──K──► one run of age 1 ──K──► ... ──all, when memory is full──►
//   segment
//                                                                                                │
//                         segments, oldest neighbours by fan-in ──compact──► one segment ◄───────┘
//
// What a lookup says is what a sorted map of all appended entries says: at one height an add and a
// delete of a key cancel, and of the rest in the window the greatest height counts
// (key_versions.hpp). No merge changes an answer, except that kDeletedId becomes nothing once it is
// forgotten altogether. To move a thing append one add with its new id; a delete beside it at the
// same height would cancel it.
//
// Durable is what a flush() that returned has covered, and what went to disk because memory was
// full. The rest is in memory only: a crash loses it, and the caller appends it again (the same
// entry twice does no harm). Nothing runs behind the caller's back: append and flush write
// segments, compact merges them, on the thread that calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "host/base/file.hpp"
#include "host/base/mutex.hpp"
#include "host/base/published.hpp"
#include "host/store/segment_index/index_manifest.hpp"
#include "host/store/segment_index/index_snapshot.hpp"

namespace furrow {

struct IndexOptions {
  /// Runs of one age, or neighbouring segments, that are merged into one. At least 2.
  std::size_t fan_in = 8;
  /// Entries in memory (56 bytes and a filter of 1.5 bytes each) at which all of them become a
  /// segment. At least 1.
  std::uint64_t memory_entries = std::uint64_t{1} << 20;
  /// Segments above which compaction is due. At least fan_in - 1.
  std::size_t max_segments = 16;
};

struct IndexStatus {
  std::uint64_t entries_in_memory = 0;
  std::uint64_t entries_on_disk = 0;
  std::size_t memory_runs = 0;
  std::size_t segments = 0;
  /// Entries in memory, filters and directories.
  std::size_t memory_bytes = 0;
  std::int32_t horizon = 0;
};

/// Thread-safe. Lookups take no lock and are not held up by append, flush or compact; these wait
/// for one another, but a compaction holds up the others only while it changes the manifest.
class AgeTieredIndex {
 public:
  /// Opens the index in a directory, or creates both. Every segment is read and verified; what a
  /// crash left half-made is removed. Throws InvalidArgument for options out of range, IndexInUse,
  /// IndexManifestMissing, IoError, and for damage what DiskSegment::open and IndexManifest::decode
  /// throw.
  static std::unique_ptr<AgeTieredIndex> open(const std::filesystem::path& directory,
                                              const IndexOptions& options = {});
  /// Opens the index in a directory for lookups alone, as it is on disk now: takes no lock, creates
  /// and removes nothing, sees nothing of what a writer adds later. Every segment is read and
  /// verified. Throws IoError, also when there is no index, and for damage as open does.
  static std::unique_ptr<const AgeTieredIndex> open_for_lookups(
      const std::filesystem::path& directory);

  /// Removes an index and its directory. Throws InvalidArgument, with everything as it was, when
  /// something is in the directory that no index puts there; IndexInUse; IoError.
  static void remove(const std::filesystem::path& directory);

  AgeTieredIndex(const AgeTieredIndex&) = delete;
  AgeTieredIndex& operator=(const AgeTieredIndex&) = delete;
  /// Does not flush.
  ~AgeTieredIndex() = default;

  /// Adds a batch; lookups see all of it or nothing. When memory becomes full it is written to disk
  /// first. When this throws, nothing of the batch is in: InvalidArgument for an entry that cannot
  /// be stored or is below the horizon, IoError, IndexNeedsReopening.
  void append(std::span<const IndexEntry> entries);
  /// Makes durable all that was appended before. Throws IoError or IndexNeedsReopening, and then
  /// nothing is lost that was there.
  void flush();
  /// Promises that no entry below `height` will come and no window end below it: merges may forget
  /// what happened there, but for the outcome. Durable with the next flush, together with all that
  /// was appended before; segments are merged by the durable one. Throws
  /// InvalidArgument when the horizon is above it already.
  void advance_horizon(std::int32_t height);

  [[nodiscard]] bool compaction_is_due() const;
  /// Merges fan_in neighbouring segments if that is due, those with the fewest entries together,
  /// the oldest of equals; returns whether it did. Memory: 448 KiB for each, and the new filter.
  bool compact();
  /// Merges all segments into one. Throws InvalidArgument when one cannot hold them.
  void compact_all();

  /// The id of the key in the window, kDeletedId, or nothing. Throws InvalidArgument when the
  /// window ends below the horizon; IoError, ChecksumMismatch or MalformedData when the disk lets
  /// it down.
  [[nodiscard]] std::optional<EntryId> lookup(const IndexKey& key, HeightWindow window = {}) const;
  /// The same for many keys, in a few reads. Only ids that are kUnresolvedId are looked up and
  /// changed; what is not found stays so.
  void batch_lookup(std::span<const IndexKey> keys, std::span<EntryId> ids,
                    HeightWindow window = {}) const;

  [[nodiscard]] IndexStatus status() const;

 private:
  AgeTieredIndex(std::filesystem::path directory, const IndexOptions& options,
                 std::optional<File> lock, IndexManifest manifest,
                 std::unique_ptr<const IndexSnapshot> snapshot);

  /// Merges ages that have fan_in runs.
  void merge_ages(IndexSnapshot& next) const;
  /// Turns all runs into a segment that the manifest names. Strong exception guarantee.
  void write_runs(IndexSnapshot& next) FURROW_REQUIRES(writing_);
  std::shared_ptr<const DiskSegment> merge_to_disk(const IndexSnapshot& snapshot, std::size_t first,
                                                   std::size_t end, std::uint64_t number) const;
  bool compact_range(std::size_t n) FURROW_REQUIRES(compaction_);
  /// Writes the manifest of the segments in `next`. Removes the file of `added` when the manifest
  /// surely does not name it.
  void commit(const IndexSnapshot& next, std::int32_t horizon,
              const std::shared_ptr<const DiskSegment>& added) FURROW_REQUIRES(writing_);
  void publish(IndexSnapshot next) FURROW_REQUIRES(writing_);
  void refuse_when_broken() const FURROW_REQUIRES(writing_);

  std::filesystem::path directory_;
  IndexOptions options_;
  std::optional<File> lock_;  // none when open for lookups
  Mutex compaction_;          // taken before writing_
  Mutex writing_;
  IndexManifest manifest_ FURROW_GUARDED_BY(writing_);
  std::uint64_t next_number_ FURROW_GUARDED_BY(writing_);
  bool is_broken_ FURROW_GUARDED_BY(writing_) = false;
  Published<IndexSnapshot> snapshot_;
};

}  // namespace furrow
