// Archiving files into a piece store, and getting them back (docs/formats/piece-store.md,
// docs/formats/manifest.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

#include "furrow/errors.hpp"

#include "host/archive/manifest.hpp"
#include "host/archive/parallel_for.hpp"

namespace furrow {

/// The directory holds a finished archive already.
class StoreNotEmpty : public InvalidArgument {
 public:
  explicit StoreNotEmpty(const std::filesystem::path& store);
};
/// Another archiving run is at work in the directory.
class StoreLocked : public Error {
 public:
  explicit StoreLocked(const std::filesystem::path& store);
};
/// The paths hold no bytes at all, so there is no history to make.
class NothingToArchive : public InvalidArgument {
 public:
  NothingToArchive();
};
/// A file had another size when it was read than when it was listed.
class FileChanged : public Error {
 public:
  FileChanged(const std::filesystem::path& path, std::uint64_t expected_size,
              std::uint64_t actual_size);
};

struct ArchiveProgress {
  std::uint64_t bytes_done = 0;  ///< read from files
  std::uint64_t bytes_total = 0;
  std::uint64_t segments_written = 0;
};

struct ArchiveOptions {
  ShardIndex shard;
  ComputeOptions compute;
  /// Called after each block and each segment; may throw to give up.
  std::function<void(const ArchiveProgress&)> progress;
  /// Gets remarks in plain text, such as leftovers that were removed.
  std::function<void(const std::string&)> log;
};

struct ArchiveSummary {
  Manifest manifest;
  std::uint64_t n_files = 0;
  std::uint64_t n_directories = 0;
  std::uint64_t n_symlinks = 0;
  std::uint64_t n_bytes = 0;
};

/// Bytes of memory that archive_files needs for data at most: a segment of blocks that wait, the
/// block being read, and the pieces of a segment. The program itself, the tables and work space of
/// erasure coding, and the list of entries come on top: measured 397 MiB in all for a few files.
inline constexpr std::uint64_t kArchiveMemory =
    kSegmentSize + kArchiveBlockSize + kNumPieces * kPieceSize;

/// Archives files, directories with everything in them, and symbolic links into `store`, a
/// directory that is created when it is absent. The same tree always gives the same bytes.
///
/// The manifest is written last: before that the store is not an archive, and leftovers of a run
/// that was killed are removed by the next one. When this function throws, everything it created is
/// gone again. Throws what list_sources throws, StoreNotEmpty, StoreLocked, NothingToArchive,
/// FileChanged, InvalidArgument when the store and a path to archive lie within one another,
/// IoError.
ArchiveSummary archive_files(std::span<const std::filesystem::path> paths,
                             const std::filesystem::path& store,
                             const ArchiveOptions& options = {});

}  // namespace furrow
