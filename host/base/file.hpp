// SPDX-License-Identifier: Apache-2.0
// Files with checked system calls: every failure is an IoError that names the operation and the
// path.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/errors.hpp"

namespace furrow {

/// A file descriptor. Move-only owner; reads and writes are positioned, so one File may be used by
/// several threads at once.
class File {
 public:
  /// Opens an existing file, or a directory to lock, for reading; never waits for a fifo.
  static File open_read(const std::filesystem::path& path);
  /// Opens for reading and writing; creates the file when it is absent, never truncates it.
  static File open_or_create(const std::filesystem::path& path);
  /// Creates a file that must not exist. `mode` are its permissions before the umask.
  static File create_new(const std::filesystem::path& path, unsigned mode = 0644);

  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  /// Reads exactly out.size() bytes; an early end of the file is an IoError.
  void read_at(std::uint64_t offset, std::span<std::uint8_t> out) const;
  /// Writes all bytes, also when the system takes them in parts.
  void write_at(std::uint64_t offset, std::span<const std::uint8_t> bytes) const;
  /// Makes data and size durable.
  void sync() const;
  [[nodiscard]] std::uint64_t size() const;
  /// Device and inode: as long as it is open, nothing else has the same.
  struct Id {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    bool operator==(const Id&) const = default;
  };
  [[nodiscard]] Id id() const;
  void resize(std::uint64_t size) const;
  /// Reserves real blocks for the first `size` bytes and extends the file to them; never shrinks
  /// it.
  void preallocate(std::uint64_t size) const;
  /// Gives the blocks of `size` bytes from `offset` on back to the file system: they read as zeros,
  /// and the size stays. Does nothing where the file system cannot do that.
  void release(std::uint64_t offset, std::uint64_t size) const;
  /// Takes the exclusive lock of the whole file, held until the file is closed; false when another
  /// process or another File has it.
  [[nodiscard]] bool try_lock() const;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  File(int descriptor, std::filesystem::path path);
  int descriptor_ = -1;
  std::filesystem::path path_;
};

/// Whole contents of a file, or of a pipe, whose writer is waited for (ten seconds until there is
/// one). Throws InvalidBytesLength above `max_size`.
std::vector<std::uint8_t> read_whole_file(const std::filesystem::path& path,
                                          std::uint64_t max_size = std::uint64_t{1} << 32);

/// Replaces `path` by a file with these bytes: temporary file, sync, rename, sync of the directory.
/// A crash leaves the old file or the new one. The temporary file is removed when something fails.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);

void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

/// Makes names created, renamed or removed in the directory durable.
void sync_directory(const std::filesystem::path& directory);

/// System calls that change what is on disk, as tests see them.
enum class FileOperation {
  kOpenForWriting,
  kWrite,
  kSync,
  kResize,
  kPreallocate,
  kRelease,
  kRename
};

/// Called before each such system call, when set. A test may throw from it (a failing call) or end
/// the process in it (a crash between two calls). Not thread-safe against running operations.
using FileFaultHook = std::function<void(FileOperation, const std::filesystem::path&)>;
void set_file_fault_hook(FileFaultHook hook);

}  // namespace furrow
