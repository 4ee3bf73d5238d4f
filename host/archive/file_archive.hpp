// SPDX-License-Identifier: Apache-2.0
// Archiving files into a piece store, and getting them back (docs/formats/piece-store.md,
// docs/formats/manifest.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "furrow/errors.hpp"

#include "host/archive/manifest.hpp"
#include "host/archive/source_file.hpp"
#include "host/archive/store_writer.hpp"
#include "host/base/observer.hpp"
#include "host/base/parallel_for.hpp"

namespace furrow {

/// The directory holds a finished archive already.
class StoreNotEmpty : public InvalidArgument {
 public:
  explicit StoreNotEmpty(const std::filesystem::path& store);
};
/// The directory holds what is named as a part of an archive is, without being one: it may be what
/// somebody has kept of an archive.
class ForeignStoreFile : public InvalidArgument {
 public:
  ForeignStoreFile(const std::filesystem::path& store, const std::string& name);
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
/// zstd level unless said otherwise: the next ones save 1 % and cost 5 % and more
/// (bench/results/2026-11-27-archive.md).
inline constexpr int kArchiveLevel = 1;

struct ArchiveProgress {
  std::uint64_t bytes_done = 0;    ///< read from files
  std::uint64_t bytes_stored = 0;  ///< of these, in pieces that are written
  std::uint64_t bytes_total = 0;
  std::uint64_t files_done = 0;  ///< read to the end
  std::uint64_t files_total = 0;
  std::uint64_t segments_written = 0;
};

struct ArchiveOptions {
  ShardIndex shard;
  /// Of the chain that the pieces are to belong to; the manifest names it then.
  std::optional<Hash> chain_genesis_root = {};
  /// Its threads make segments; as many more compress and hash pieces.
  ComputeOptions compute;
  /// zstd level of source pieces. The bytes of the store depend on it.
  int level = kArchiveLevel;
  /// How the store's directory comes to be.
  MakeDirectory make_directory = MakeDirectory::kLastOnly;
  /// Takes effect within a block, or the making of a segment.
  std::stop_token stop;
  /// Told on the calling thread, after each block of the first segment and each piece that is
  /// written.
  Observer<const ArchiveProgress&> progress;
  /// Gets remarks in plain text, such as leftovers that were removed.
  Observer<const std::string&> log;
};

struct ArchiveSummary {
  Manifest manifest;
  std::uint64_t n_files = 0;
  std::uint64_t n_directories = 0;
  std::uint64_t n_symlinks = 0;
  std::uint64_t n_bytes = 0;
};

/// Pieces that wait in either queue of the packing pipeline.
inline constexpr std::size_t kArchivePiecesInFlight = 16;

/// Bytes of memory that archive_files needs for data at most, with that many threads: a segment of
/// blocks that wait, the block being read, the pieces of a segment, the pieces in the pipeline
/// (host/store/pack_pipeline.hpp), and the index. The program itself, the tables and work space of
/// erasure coding, one zstd context for each thread, and the list of entries come on top: measured
/// 466 MiB in all with two threads, where this is 434 MiB.
constexpr std::uint64_t archive_memory(unsigned threads) {
  const std::uint64_t pieces_in_pipeline =
      2 * std::uint64_t{kArchivePiecesInFlight} + 2 * std::uint64_t{threads} + 2;
  return kSegmentSize + kArchiveBlockSize + (kNumPieces + pieces_in_pipeline) * kPieceSize +
         StoreWriter::kIndexEntries * 64;
}

/// Archives files, directories with everything in them, and symbolic links into `store`, a
/// directory that is created when it is absent (options.make_directory). The same tree gives the
/// same bytes, whatever the threads. None when a stop was requested.
///
/// One run of the packing pipeline over all pieces: while some of a segment are compressed and
/// written, the next segment is made. The manifest is written last: before that the store is not an
/// archive, and what a run left that was killed, which its mark in the store tells, is removed by
/// the next one. When this function throws or gives nothing, everything it created is gone again.
/// Throws what list_sources throws, StoreNotEmpty, ForeignStoreFile, StoreLocked, NothingToArchive,
/// FileChanged, InvalidArgument when the store and a path to archive lie within one another, or for
/// a level that zstd does not have; IoError.
std::optional<ArchiveSummary> archive_files(std::span<const std::filesystem::path> paths,
                                            const std::filesystem::path& store,
                                            const ArchiveOptions& options = {});

}  // namespace furrow
