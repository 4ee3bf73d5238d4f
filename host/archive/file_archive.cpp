#include "host/archive/file_archive.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include "host/archive/archiver.hpp"
#include "host/archive/file_tree.hpp"
#include "host/archive/filesystem.hpp"
#include "host/archive/store_layout.hpp"
#include "host/archive/super_segment.hpp"
#include "host/store/file.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

/// Writes segments into a store and keeps the list of their headers.
class StoreWriter {
 public:
  StoreWriter(const fs::path& store, ShardIndex shard, CreatedFiles& created)
      : store_(store), shard_(shard), created_(created) {}

  void write(ArchivedSegment segment) {
    const std::optional<SuperSegmentHeader> previous =
        segments_.empty() ? std::nullopt : std::optional(segments_.back().super_segment);
    const SuperSegmentHeader header = lone_super_segment(shard_, segment.header, previous);
    set_super_segment(segment.pieces, SuperSegmentIndex(header.index.value()), SegmentPosition(0),
                      SegmentProof{});
    write_file(segment);
    segments_.push_back({segment.header, header});
  }

  [[nodiscard]] std::size_t size() const { return segments_.size(); }
  std::vector<ManifestSegment> take() { return std::move(segments_); }

 private:
  void write_file(const ArchivedSegment& segment) const {
    const SegmentIndex index(segment.header.index.value());
    const fs::path path = store_ / segment_file_name(index);
    fs::path temporary = path;
    temporary += ".tmp";
    created_.add(path);
    created_.add(temporary);

    const File file = File::create_new(temporary);
    const auto element = std::make_unique<PieceElement>();
    for (std::size_t i = 0; i < kNumPieces; ++i) {
      const PiecePosition position(static_cast<std::uint8_t>(i));
      element->piece_index = piece_index_at(index, position).value();
      element->piece = segment.pieces[i];
      element->seal();
      file.write_at(element_offset(position), bytes_of(*element));
    }
    file.sync();
    rename_durably(temporary, path);
  }

  const fs::path& store_;
  ShardIndex shard_;
  CreatedFiles& created_;
  std::vector<ManifestSegment> segments_;
};

/// Reads the files of an archive block by block.
class FileReader {
 public:
  explicit FileReader(const SourceEntry& source)
      : path_(source.source), size_(source.entry.size), file_(File::open_read(path_)) {
    require_size();
  }

  /// The next block; empty at the end of the file.
  std::vector<std::uint8_t> next_block() {
    std::vector<std::uint8_t> block(std::min(kArchiveBlockSize, size_ - done_));
    try {
      file_.read_at(done_, block);
    } catch (const IoError&) {
      require_size();  // a file cut short is the likely reason
      throw;
    }
    require_size();
    done_ += block.size();
    hasher_.update(block);
    return block;
  }

  [[nodiscard]] Hash contents() const { return hasher_.finalize(); }

 private:
  void require_size() const {
    const std::uint64_t actual = file_.size();
    if (actual != size_) {
      throw FileChanged(path_, size_, actual);
    }
  }

  const fs::path& path_;
  std::uint64_t size_;
  File file_;
  std::uint64_t done_ = 0;
  Blake3Hasher hasher_;
};

/// Whether `inner` is `outer` or lies below it. Pre: both are canonical.
bool is_within(const fs::path& inner, const fs::path& outer) {
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

/// A run must not archive what it is about to write, nor take what it is to archive for leftovers.
void require_store_apart(const fs::path& store, std::span<const fs::path> paths) {
  const fs::path canonical_store = fs::weakly_canonical(store);
  for (const fs::path& path : paths) {
    // A symbolic link is not followed; it lies where its directory is.
    const fs::path canonical = fs::is_symlink(path)
                                   ? fs::weakly_canonical(path.parent_path()) / path.filename()
                                   : fs::weakly_canonical(path);
    if (is_within(canonical_store, canonical) || is_within(canonical, canonical_store)) {
      throw InvalidArgument("the store '" + store.native() + "' and '" + path.native() +
                            "', which is to be archived, lie within one another");
    }
  }
}

void remove_leftovers(const fs::path& store, const std::function<void(const std::string&)>& log) {
  std::vector<fs::path> leftovers;
  for (const fs::directory_entry& entry : fs::directory_iterator(store)) {
    if (is_leftover_name(entry.path().filename().native())) {
      leftovers.push_back(entry.path());
    }
  }
  std::sort(leftovers.begin(), leftovers.end());
  for (const fs::path& path : leftovers) {
    fs::remove(path);
    if (log) {
      log("removed '" + path.native() + "', left behind by an interrupted run");
    }
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

void report(const ArchiveOptions& options, const ArchiveProgress& progress) {
  if (options.progress) {
    options.progress(progress);
  }
}

/// Feeds all files to the archiver and the segments to the store; completes the entries.
void archive_contents(std::vector<SourceEntry>& sources, StoreWriter& writer,
                      const ArchiveOptions& options, std::uint64_t bytes_total) {
  Archiver archiver(options.shard, options.compute);
  ArchiveProgress progress{0, bytes_total, 0};
  const auto write = [&](std::vector<ArchivedSegment> segments) {
    for (ArchivedSegment& segment : segments) {
      writer.write(std::move(segment));
      progress.segments_written = writer.size();
      report(options, progress);
    }
  };
  std::uint64_t next_block = 0;
  for (SourceEntry& source : sources) {
    if (source.entry.type != EntryType::kFile) {
      continue;
    }
    FileReader reader(source);
    source.entry.first_block = next_block;
    for (auto block = reader.next_block(); !block.empty(); block = reader.next_block()) {
      ++next_block;
      progress.bytes_done += block.size();
      write(archiver.add_block(std::move(block)).segments);
      report(options, progress);
    }
    source.entry.n_blocks = next_block - source.entry.first_block;
    source.entry.contents = reader.contents();
  }
  write(archiver.close());
}

}  // namespace

StoreNotEmpty::StoreNotEmpty(const fs::path& store)
    : InvalidArgument("'" + store.native() +
                      "' holds an archive already; choose another directory") {}

StoreLocked::StoreLocked(const fs::path& store)
    : Error(ErrorKind::kUnavailable,
            "'" + store.native() + "' is in use by another archiving run") {}

NothingToArchive::NothingToArchive()
    : InvalidArgument("nothing to archive: the paths hold no bytes at all") {}

FileChanged::FileChanged(const fs::path& path, std::uint64_t expected_size,
                         std::uint64_t actual_size)
    : Error(ErrorKind::kMismatch,
            "'" + path.native() + "' changed while it was archived: expected " +
                std::to_string(expected_size) + " bytes, actual " + std::to_string(actual_size)) {}

ArchiveSummary archive_files(std::span<const fs::path> paths, const fs::path& store,
                             const ArchiveOptions& options) {
  std::vector<SourceEntry> sources = list_sources(paths);
  ArchiveSummary summary = summarize(sources);
  if (summary.n_bytes == 0) {
    throw NothingToArchive();
  }
  with_io_errors("look up", [&] { require_store_apart(store, paths); });

  std::optional<File> lock;  // outlives the removal of what a failed run created
  CreatedFiles created;
  created.create_directories(store);
  lock = File::open_read(store);
  if (!lock->try_lock()) {
    throw StoreLocked(store);
  }
  const fs::path manifest_path = store / kManifestFileName;
  if (with_io_errors("look up", [&] { return fs::exists(fs::symlink_status(manifest_path)); })) {
    throw StoreNotEmpty(store);
  }
  with_io_errors("remove", [&] { remove_leftovers(store, options.log); });

  StoreWriter writer(store, options.shard, created);
  archive_contents(sources, writer, options, summary.n_bytes);

  summary.manifest.shard = options.shard;
  summary.manifest.segments = writer.take();
  for (SourceEntry& source : sources) {
    summary.manifest.entries.push_back(std::move(source.entry));
  }
  created.add(manifest_path);
  summary.manifest.save(manifest_path);
  created.keep();
  return summary;
}

}  // namespace furrow
