// SPDX-License-Identifier: Apache-2.0
#include "host/archive/file_archive.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "host/archive/archived_pieces.hpp"
#include "host/archive/file_tree.hpp"
#include "host/archive/store_layout.hpp"
#include "host/base/file.hpp"
#include "host/base/filesystem.hpp"
#include "host/base/nesting.hpp"
#include "host/store/chunk_compression.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

/// A run must not archive what it is about to write, nor take what it is to archive for leftovers.
void require_store_apart(const fs::path& store, std::span<const fs::path> paths) {
  for (const fs::path& path : paths) {
    // A symbolic link is not followed: nothing lies in it, and it lies where its directory is.
    const bool is_link = fs::is_symlink(path);
    const fs::path directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
    if (lies_within(is_link ? directory : path, store) || (!is_link && lies_within(store, path))) {
      throw InvalidArgument("the store '" + store.native() + "' and '" + path.native() +
                            "', which is to be archived, lie within one another");
    }
  }
}

/// Takes the store for this run: without an archive in it, and without anything that looks like a
/// part of one, unless the mark says that it is what a killed run left. Gives whether the mark is
/// there already.
bool check_contents(const fs::path& store) {
  const auto is_there = [&](const char* name) {
    return fs::exists(fs::symlink_status(store / name));
  };
  if (is_there(kManifestFileName)) {
    throw StoreNotEmpty(store);
  }
  if (is_there(kArchivingMarkName)) {
    return true;
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(store)) {
    const std::string name = entry.path().filename().native();
    if (name == kStoreIndexName || is_leftover_name(name)) {
      throw ForeignStoreFile(store, name);
    }
  }
  return false;
}

void remove_leftovers(const fs::path& store, const Observer<const std::string&>& log) {
  const auto say_removed = [&](const fs::path& path) {
    if (log) {
      log("removed '" + path.native() + "', left behind by an interrupted run");
    }
  };
  if (const fs::path index = store / kStoreIndexName; fs::exists(fs::symlink_status(index))) {
    AgeTieredIndex::remove(index);
    say_removed(index);
  }
  std::vector<fs::path> leftovers;
  for (const fs::directory_entry& entry : fs::directory_iterator(store)) {
    if (is_leftover_name(entry.path().filename().native())) {
      leftovers.push_back(entry.path());
    }
  }
  std::sort(leftovers.begin(), leftovers.end());
  for (const fs::path& path : leftovers) {
    fs::remove(path);
    say_removed(path);
  }
}

/// Counts what there is to archive.
ArchiveSummary summarize(const std::vector<SourceEntry>& sources) {
  ArchiveSummary summary;
  for (const SourceEntry& source : sources) {
    switch (source.entry.type) {
      case EntryType::kFile:
        ++summary.n_files;
        summary.n_bytes += source.entry.size;
        break;
      case EntryType::kDirectory:
        ++summary.n_directories;
        break;
      case EntryType::kSymlink:
        ++summary.n_symlinks;
        break;
    }
  }
  return summary;
}

/// Packs all pieces of the sources; false when a stop came first.
bool write_pieces(ArchivedPieces& pieces, StoreWriter& writer, const Compressor& compressor,
                  const ArchiveOptions& options, const std::function<void()>& on_piece) {
  PackConfig config;
  config.max_chunks_in_flight = kArchivePiecesInFlight;
  if (options.compute.threads != 0) {
    config.num_workers = options.compute.threads;
  }
  const PackOutcome outcome = pack_chunks(
      pieces, compressor, config,
      [&](const PackedChunk& piece) {
        writer.write(piece);
        on_piece();
      },
      options.stop);
  return outcome == PackOutcome::kFinished && pieces.is_at_end();
}

}  // namespace

StoreNotEmpty::StoreNotEmpty(const fs::path& store)
    : InvalidArgument("'" + store.native() + "' holds an archive already; choose another directory",
                      {.path = store.native()}) {}

ForeignStoreFile::ForeignStoreFile(const fs::path& store, const std::string& name)
    : InvalidArgument("'" + store.native() + "' holds '" + name +
                          "', which no archive and no interrupted run explains; choose another "
                          "directory, or remove it",
                      {.path = (store / name).native()}) {}

StoreLocked::StoreLocked(const fs::path& store)
    : Error(ErrorKind::kUnavailable, "'" + store.native() + "' is in use by another archiving run",
            {.path = store.native()}) {}

NothingToArchive::NothingToArchive()
    : InvalidArgument("nothing to archive: the paths hold no bytes at all") {}

std::optional<ArchiveSummary> archive_files(std::span<const fs::path> paths, const fs::path& store,
                                            const ArchiveOptions& options) {
  const ZstdCompressor compressor(options.level);
  std::vector<SourceEntry> sources = list_sources(paths);
  ArchiveSummary summary = summarize(sources);
  if (summary.n_bytes == 0) {
    throw NothingToArchive();
  }
  with_io_errors("look up", [&] { require_store_apart(store, paths); });

  std::optional<File> lock;  // outlives the removal of what a failed run created
  CreatedFiles created;
  created.make_directory(store, options.make_directory);
  lock = File::open_read(store);
  if (!lock->try_lock()) {
    throw StoreLocked(store);
  }
  const fs::path manifest_path = store / kManifestFileName;
  const fs::path mark = store / kArchivingMarkName;
  if (with_io_errors("look up", [&] { return check_contents(store); })) {
    with_io_errors("remove", [&] { remove_leftovers(store, options.log); });
    created.add(mark);
  } else {
    created.add(mark);
    static_cast<void>(File::create_new(mark));
    sync_directory(store);
  }

  ArchiveProgress progress{.bytes_total = summary.n_bytes, .files_total = summary.n_files};
  std::uint64_t pieces_written = 0;
  const auto report = [&](const ArchivedPieces& pieces, std::uint64_t segments_written) {
    progress.bytes_done = pieces.bytes_read();
    progress.bytes_stored = pieces.bytes_in(pieces_written);
    progress.files_done = pieces.files_read();
    progress.segments_written = segments_written;
    if (options.progress) {
      options.progress(progress);
    }
  };
  const std::thread::id caller = std::this_thread::get_id();
  ArchivedPieces pieces(
      sources, options.shard, options.compute,
      [&] {
        if (std::this_thread::get_id() == caller) {
          report(pieces, 0);  // the first segment; others are made while this thread writes
        }
      },
      options.stop);
  StoreWriter writer(
      store, [&](SegmentIndex segment) { return pieces.segment_root(segment); }, created);
  if (!write_pieces(pieces, writer, compressor, options, [&] {
        ++pieces_written;
        report(pieces, writer.segments_written());
      })) {
    return std::nullopt;
  }
  writer.finish();

  summary.manifest.shard = options.shard;
  summary.manifest.chain_genesis_root = options.chain_genesis_root;
  summary.manifest.segments = pieces.take_segments();
  for (SourceEntry& source : sources) {
    summary.manifest.entries.push_back(std::move(source.entry));
  }
  created.add(manifest_path);
  summary.manifest.save(manifest_path);
  created.keep();
  with_io_errors("remove", [&] { fs::remove(mark); });
  return summary;
}

}  // namespace furrow
