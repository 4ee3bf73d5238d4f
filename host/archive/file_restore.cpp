// SPDX-License-Identifier: Apache-2.0
#include "host/archive/file_restore.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/archive/block_reader.hpp"
#include "host/base/file.hpp"
#include "host/base/filesystem.hpp"
#include "host/base/hex.hpp"
#include "host/base/pending_file.hpp"
#include "host/crypto/blake3.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kPrivateMode = 0700;

/// Builds the tree of a manifest in a directory from the blocks of the archive.
class TreeBuilder {
 public:
  TreeBuilder(const Manifest& manifest, fs::path root)
      : entries_(manifest.entries), root_(std::move(root)), cursor_(entries_.begin()) {
    for (const ManifestEntry& entry : entries_) {
      if (entry.type == EntryType::kDirectory) {
        with_io_errors("create directory", [&] { fs::create_directory(path_of(entry)); });
      } else if (entry.type == EntryType::kFile && entry.size == 0) {
        begin_file(entry);
        end_file(entry);
      }
    }
    skip_to_next_file();
  }

  [[nodiscard]] std::uint64_t files_done() const { return files_done_; }

  void add_block(BlockNumber number, std::span<const std::uint8_t> block) {
    if (number.value() != next_block_ || cursor_ == entries_.end()) {
      throw RestoreMismatch(
          "expected block " + std::to_string(next_block_) + " of " + std::to_string(n_blocks()) +
              ", actual block " + std::to_string(number.value()),
          {.expected = std::to_string(next_block_), .actual = std::to_string(number.value())});
    }
    const ManifestEntry& entry = *cursor_;
    if (next_block_ == entry.first_block) {
      begin_file(entry);
    }
    const std::uint64_t expected_size = std::min(kArchiveBlockSize, entry.size - file_bytes_);
    if (block.size() != expected_size) {
      throw RestoreMismatch("'" + entry.path + "': expected " + std::to_string(expected_size) +
                                " bytes in block " + std::to_string(next_block_) + ", actual " +
                                std::to_string(block.size()),
                            {.offset = file_bytes_,
                             .path = entry.path,
                             .expected = std::to_string(expected_size),
                             .actual = std::to_string(block.size())});
    }
    file_->write_at(file_bytes_, block);
    hasher_.update(block);
    file_bytes_ += block.size();
    ++next_block_;
    if (file_bytes_ == entry.size) {
      end_file(entry);
      ++cursor_;
      skip_to_next_file();
    }
  }

  /// When all blocks are there: makes the symbolic links, then gives directories their attributes,
  /// contents before containers, as every new name changes the time of its directory.
  void finish() {
    if (cursor_ != entries_.end()) {
      throw RestoreMismatch("the archive ends before block " + std::to_string(next_block_) +
                                " of " + std::to_string(n_blocks()) + ", in '" + cursor_->path +
                                "'",
                            {.offset = file_bytes_,
                             .path = cursor_->path,
                             .expected = std::to_string(n_blocks()) + " blocks",
                             .actual = std::to_string(next_block_) + " blocks"});
    }
    for (const ManifestEntry& entry : entries_) {
      if (entry.type == EntryType::kSymlink) {
        const fs::path path = path_of(entry);
        with_io_errors("create symbolic link",
                       [&] { fs::create_symlink(entry.symlink_target, path); });
        set_mtime(path, entry.mtime_seconds, entry.mtime_nanoseconds);
      }
    }
    for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
      if (entry->type == EntryType::kDirectory) {
        sync_directory(path_of(*entry));
        set_attributes(*entry);
      }
    }
    sync_directory(root_);
  }

 private:
  [[nodiscard]] fs::path path_of(const ManifestEntry& entry) const { return root_ / entry.path; }

  [[nodiscard]] std::uint64_t n_blocks() const {
    std::uint64_t n = 0;
    for (const ManifestEntry& entry : entries_) {
      n += entry.n_blocks;
    }
    return n;
  }

  void skip_to_next_file() {
    cursor_ = std::find_if(cursor_, entries_.end(),
                           [](const ManifestEntry& entry) { return entry.n_blocks > 0; });
  }

  void begin_file(const ManifestEntry& entry) {
    file_ = File::create_new(path_of(entry));
    file_bytes_ = 0;
    hasher_ = Blake3Hasher();
  }

  void end_file(const ManifestEntry& entry) {
    const Hash actual = hasher_.finalize();
    if (actual != entry.contents) {
      throw RestoreMismatch("'" + entry.path + "': expected BLAKE3 " +
                                to_hex(entry.contents.bytes) + ", actual " + to_hex(actual.bytes),
                            {.path = entry.path,
                             .expected = to_hex(entry.contents.bytes),
                             .actual = to_hex(actual.bytes)});
    }
    file_->sync();
    file_.reset();
    set_attributes(entry);
    ++files_done_;
  }

  void set_attributes(const ManifestEntry& entry) const {
    const fs::path path = path_of(entry);
    set_mode(path, entry.mode);
    set_mtime(path, entry.mtime_seconds, entry.mtime_nanoseconds);
  }

  const std::vector<ManifestEntry>& entries_;
  fs::path root_;
  std::vector<ManifestEntry>::const_iterator cursor_;  // file that the next block belongs to
  std::uint64_t next_block_ = 0;
  std::optional<File> file_;
  std::uint64_t file_bytes_ = 0;
  Blake3Hasher hasher_;
  std::uint64_t files_done_ = 0;
};

/// The directory that a tree is built in, beside its target. Gone at the end unless it became the
/// target.
class PartialTarget {
 public:
  PartialTarget(const fs::path& target, const RestoreOptions& options)
      : target_(resolve(target, options)),
        partial_(target_.parent_path() /
                 pending_name(target_.filename().native(), kPendingTreeEnding)) {
    make_parents(target, options);
    remove_leftovers(target, options);
    with_io_errors("create directory", [&] { fs::create_directory(partial_); });
    is_here_ = true;
    final_mode_ = target_mode_ ? *target_mode_ : mode_of(partial_);
    try {
      set_mode(partial_, kPrivateMode);
      lock_ = locked(partial_, target);
    } catch (...) {
      remove();
      throw;
    }
  }
  PartialTarget(const PartialTarget&) = delete;
  PartialTarget& operator=(const PartialTarget&) = delete;
  ~PartialTarget() { remove(); }

  [[nodiscard]] const fs::path& path() const { return partial_; }

  /// Makes the finished tree the target.
  void publish() {
    set_mode(partial_, final_mode_);
    try {
      rename_durably(partial_, target_);
    } catch (...) {
      take_back();
      throw;
    }
    is_here_ = false;
    created_.keep();
  }

 private:
  /// The target without symbolic links and trailing slash; notes the mode of an empty directory.
  fs::path resolve(const fs::path& target, const RestoreOptions& options) {
    return with_io_errors("look up", [&] {
      const fs::file_status status = fs::status(target);
      if (fs::exists(status)) {
        if (!fs::is_directory(status) || !fs::is_empty(target)) {
          throw TargetNotEmpty(target);
        }
        if (is_mount_point(target)) {
          throw TargetIsMountPoint(target);
        }
        target_mode_ = mode_of(target);
      } else if (options.make_directory == MakeDirectory::kNever) {
        throw IoError("open", target.native(), ENOENT);
      } else if (fs::exists(fs::symlink_status(target))) {
        throw TargetNotEmpty(target);  // a symbolic link that leads nowhere
      }
      const fs::path resolved = fs::weakly_canonical(fs::absolute(target));
      return resolved.has_filename() ? resolved : resolved.parent_path();
    });
  }

  void make_parents(const fs::path& target, const RestoreOptions& options) {
    const fs::path parent = target_.parent_path();
    if (options.make_directory == MakeDirectory::kParents) {
      created_.make_directory(parent, MakeDirectory::kParents);
    } else if (with_io_errors("look up", [&] { return !fs::exists(parent); })) {
      throw ParentMissing(target, parent);
    }
  }

  /// A file system that does not tell is no mount point, and the rename at the end fails.
  static bool is_mount_point(const fs::path& directory) {
    struct statx status {};
    return ::statx(AT_FDCWD, directory.c_str(), 0, 0, &status) == 0 &&
           (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  }

  /// Whether a directory may be what a run for this target left behind.
  [[nodiscard]] bool is_leftover(const fs::path& path) const {
    struct stat status {};
    return is_pending_name(path.filename().native(), target_.filename().native(),
                           kPendingTreeEnding) &&
           ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
           status.st_uid == ::geteuid();
  }

  void remove_leftovers(const fs::path& target, const RestoreOptions& options) const {
    std::vector<fs::path> leftovers;
    with_io_errors("list", [&] {
      for (const fs::directory_entry& entry : fs::directory_iterator(target_.parent_path())) {
        if (is_leftover(entry.path())) {
          leftovers.push_back(entry.path());
        }
      }
    });
    for (const fs::path& leftover : leftovers) {
      const File lock = locked(leftover, target);
      remove_tree(leftover);
      if (options.log) {
        options.log("removed '" + leftover.native() + "', left behind by an interrupted run");
      }
    }
  }

  static File locked(const fs::path& partial, const fs::path& target) {
    File lock = File::open_read(partial);
    if (!lock.try_lock()) {
      throw TargetLocked(target);
    }
    return lock;
  }

  /// After a failed publish(): the tree may have got its new name already.
  void take_back() {
    std::error_code error;
    if (!fs::exists(partial_, error) && ::rename(target_.c_str(), partial_.c_str()) == 0 &&
        target_mode_) {
      fs::create_directory(target_, error);
      fs::permissions(target_, static_cast<fs::perms>(*target_mode_), error);
    }
  }

  void remove() noexcept {
    if (is_here_) {
      try {
        remove_tree(partial_);
      } catch (const std::exception&) {
        // The failure that led here is the one to report; the next run removes the rest.
      }
    }
  }

  std::optional<std::uint32_t> target_mode_;  // set by resolve()
  fs::path target_;
  fs::path partial_;
  std::optional<File> lock_;
  CreatedFiles created_;
  std::uint32_t final_mode_ = 0;
  bool is_here_ = false;
};

}  // namespace

TargetNotEmpty::TargetNotEmpty(const fs::path& target)
    : InvalidArgument("'" + target.native() + "' exists and is not an empty directory",
                      {.path = target.native()}) {}

TargetIsMountPoint::TargetIsMountPoint(const fs::path& target)
    : InvalidArgument(
          "'" + target.native() +
              "' is a mount point, whose place nothing can take; name a directory in it",
          {.path = target.native()}) {}

TargetLocked::TargetLocked(const fs::path& target)
    : Error(ErrorKind::kUnavailable, "another run is restoring into '" + target.native() + "'",
            {.path = target.native()}) {}

bool restore_files(const Manifest& manifest, const SegmentSource& segments, const fs::path& target,
                   const RestoreOptions& options) {
  manifest.validate();
  RestoreProgress progress;
  for (const ManifestEntry& entry : manifest.entries) {
    progress.bytes_total += entry.size;
    progress.files_total += entry.type == EntryType::kFile ? 1 : 0;
  }
  const auto report = [&] {
    if (options.progress) {
      options.progress(progress);
    }
  };

  PartialTarget partial(target, options);
  TreeBuilder tree(manifest, partial.path());
  struct Stopped {};
  BlockReader reader([&](BlockNumber number, std::span<const std::uint8_t> block) {
    if (options.stop.stop_requested()) {
      throw Stopped();
    }
    tree.add_block(number, block);
    progress.bytes_done += block.size();
    progress.files_done = tree.files_done();
    report();
  });
  try {
    for (; progress.segments_read < manifest.segments.size(); report()) {
      reader.add_segment(segments(SegmentIndex(progress.segments_read)).bytes());
      ++progress.segments_read;
    }
    reader.finish(manifest.segments.back().header);
  } catch (const Stopped&) {
    return false;
  }
  tree.finish();
  partial.publish();
  return true;
}

}  // namespace furrow
