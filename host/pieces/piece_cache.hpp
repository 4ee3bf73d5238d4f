// SPDX-License-Identifier: Apache-2.0
// A cache of pieces in one file of fixed size, so that pieces that are drawn again need no network.
//
//   element 0 | element 1 | ... | element capacity - 1 | up to a multiple of 4096 bytes
//
// Elements are those of docs/spec/06-farm-format.md, section 2.7; a free one is zero. Nothing is
// synced and nothing else is stored: an element that was torn by a crash has a wrong checksum and
// is dropped when it is read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <stop_token>
#include <unordered_map>
#include <vector>

#include "furrow/piece_getter.hpp"

#include "host/base/file.hpp"
#include "host/base/make_directory.hpp"
#include "host/base/mutex.hpp"
#include "host/pieces/piece_validator.hpp"
#include "host/primitives/piece_element.hpp"

namespace furrow {

inline constexpr const char* kPieceCacheFileName = "piece_cache.bin";

/// Another process, or another cache of this one, has the file.
class PieceCacheInUse : public Error {
 public:
  explicit PieceCacheInUse(const std::filesystem::path& file)
      : Error(ErrorKind::kUnavailable, "'" + file.native() + "' is in use by another process") {}
};

/// A file that is called as the cache's is and holds no pieces.
class NoPieceCache : public InvalidArgument {
 public:
  explicit NoPieceCache(const std::filesystem::path& file)
      : InvalidArgument("'" + file.native() +
                            "' is no piece cache: it is not empty, and no piece in "
                            "it has its checksum; it is not overwritten",
                        {.path = file.native()}) {}
};

/// What a cache did since it was opened.
struct PieceCacheCounters {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t stored = 0;
  std::uint64_t evicted = 0;    ///< of those that had to go for another
  std::uint64_t damaged = 0;    ///< elements that were dropped when they were read
  std::uint64_t io_errors = 0;  ///< reads and writes that the system refused
};

/// Which piece goes is decided by a clock: a hand walks over the elements, passes those used since
/// it was there last, and takes the first that was not. Thread-safe.
class PieceCache {
 public:
  /// Opens the cache in `directory`, which is made as `how` says when absent (kNever wants a cache
  /// that is there), and reserves its space: as many elements as fit in `max_bytes`. Elements that
  /// a smaller bound leaves no room for are lost. Throws InvalidArgument when not even one fits,
  /// NoPieceCache, PieceCacheInUse and IoError.
  PieceCache(const std::filesystem::path& directory, std::uint64_t max_bytes,
             MakeDirectory how = MakeDirectory::kLastOnly);
  PieceCache(const PieceCache&) = delete;
  PieceCache& operator=(const PieceCache&) = delete;

  /// Throws what opening it would throw because of what is there, and changes nothing: for whoever
  /// makes something else before.
  static void require_usable(const std::filesystem::path& directory, std::uint64_t max_bytes);

  /// The piece, whose checksum was verified; null when it is not there, is being written, was
  /// damaged or cannot be read.
  [[nodiscard]] PiecePtr get(PieceIndex index);
  /// Keeps a piece. What goes wrong is counted only: a cache may forget.
  void put(PieceIndex index, const Piece& piece);
  /// Forgets a piece, for a caller to whom it is of no use.
  void drop(PieceIndex index);

  [[nodiscard]] std::uint32_t capacity() const { return capacity_; }
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] PieceCacheCounters counters() const;
  [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }

 private:
  struct Slot {
    std::optional<PieceIndex> index;
    std::uint32_t n_readers = 0;
    bool is_written = false;  // just now
    bool was_used = false;
  };

  static File open_file(const std::filesystem::path& directory, MakeDirectory how);
  void scan();
  [[nodiscard]] std::optional<std::uint32_t> choose_victim() FURROW_REQUIRES(mutex_);
  void forget(std::uint32_t slot) FURROW_REQUIRES(mutex_);

  File file_;
  const std::uint32_t capacity_;
  mutable Mutex mutex_;
  std::vector<Slot> slots_ FURROW_GUARDED_BY(mutex_);
  std::unordered_map<std::uint64_t, std::uint32_t> slot_of_ FURROW_GUARDED_BY(mutex_);
  std::uint32_t hand_ FURROW_GUARDED_BY(mutex_) = 0;
  PieceCacheCounters counters_ FURROW_GUARDED_BY(mutex_);
};

/// Asks the cache before the source, and keeps in the cache what the source gave. What the cache
/// has passes `validator`, too, since it may be of another history. Thread-safe.
class CachingPieceGetter : public PieceGetter {
 public:
  /// Cache and source outlive it.
  CachingPieceGetter(PieceCache& cache, PieceGetter& source, PieceValidator validator)
      : cache_(cache), source_(source), validator_(std::move(validator)) {}

  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override;

 private:
  [[nodiscard]] PiecePtr cached(PieceIndex index);

  PieceCache& cache_;
  PieceGetter& source_;
  PieceValidator validator_;
};

}  // namespace furrow
