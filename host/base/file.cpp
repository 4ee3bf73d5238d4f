// SPDX-License-Identifier: Apache-2.0
#include "host/base/file.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/base/pending_file.hpp"
#include "host/base/standard_descriptors.hpp"

namespace furrow {
namespace {

FileFaultHook& fault_hook() {
  static FileFaultHook hook;
  return hook;
}

void before(FileOperation operation, const std::filesystem::path& path) {
  if (fault_hook()) {
    fault_hook()(operation, path);
  }
}

/// Repeats a system call that a signal interrupted.
template <class Call>
auto retry_interrupted(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

/// Closes a descriptor.
struct OwnedDescriptor {
  explicit OwnedDescriptor(int descriptor) : value(descriptor) {}
  OwnedDescriptor(const OwnedDescriptor&) = delete;
  OwnedDescriptor& operator=(const OwnedDescriptor&) = delete;
  ~OwnedDescriptor() { ::close(value); }
  const int value;
};

int open_checked(const std::filesystem::path& path, int flags, std::string_view operation,
                 unsigned mode = 0644) {
  const int descriptor = above_standard_descriptors(
      retry_interrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); }));
  if (descriptor < 0) {
    throw IoError(operation, path.native(), errno);
  }
  return descriptor;
}

struct stat status_of(int descriptor, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) {
    throw IoError("look at", path.native(), errno);
  }
  return status;
}

constexpr std::chrono::duration<int, std::milli> kWriterWait{10'000};

constexpr std::string_view kBlockDevice = "a block device";
constexpr std::string_view kFifo = "a fifo";

/// What something is that is neither a file nor a directory; empty for those.
std::string_view kind_of_special(const struct stat& status) {
  switch (status.st_mode & S_IFMT) {
    case S_IFBLK:
      return kBlockDevice;
    case S_IFCHR:
      return "a character device";
    case S_IFIFO:
      return kFifo;
    case S_IFSOCK:
      return "a socket";
    default:
      return {};
  }
}

/// Of a fifo that is open for reading without O_NONBLOCK having waited: until then reading it gives
/// its end at once. One that nobody ever opens must not hold the process up for good.
void wait_for_writer(int descriptor, const std::filesystem::path& path) {
  pollfd fifo{.fd = descriptor, .events = POLLIN, .revents = 0};
  const int n = retry_interrupted([&] { return ::poll(&fifo, 1, kWriterWait.count()); });
  if (n < 0) {
    throw IoError("read", path.native(), errno);
  }
  if (n == 0) {
    throw IoError("read", path.native(),
                  "expected a writer of the fifo within " +
                      std::to_string(kWriterWait.count() / 1000) + " s, actual none");
  }
}

/// Makes the new name of something durable.
void sync_parent_of(const std::filesystem::path& path) {
  sync_directory(path.has_parent_path() ? path.parent_path() : ".");
}

}  // namespace

void set_file_fault_hook(FileFaultHook hook) {
  fault_hook() = std::move(hook);
}

File::File(int descriptor, std::filesystem::path path)
    : descriptor_(descriptor), path_(std::move(path)) {}

File File::open_read(const std::filesystem::path& path) {
  // Opening a fifo would wait for a writer otherwise; for files the flag means nothing.
  File file(open_checked(path, O_RDONLY | O_NONBLOCK, "open"), path);
  const std::string_view kind = kind_of_special(status_of(file.descriptor_, path));
  if (!kind.empty() && kind != kBlockDevice) {
    throw IoError("open", path.native(), "expected a file, actual " + std::string(kind));
  }
  return file;
}

File File::open_or_create(const std::filesystem::path& path) {
  before(FileOperation::kOpenForWriting, path);
  return {open_checked(path, O_RDWR | O_CREAT, "open for writing"), path};
}

File File::create_new(const std::filesystem::path& path, unsigned mode) {
  before(FileOperation::kOpenForWriting, path);
  return {open_checked(path, O_RDWR | O_CREAT | O_EXCL, "create", mode), path};
}

File::File(File&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);  // nothing to report: sync() is what makes data safe
  }
}

void File::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  while (!out.empty()) {
    const ssize_t n = retry_interrupted(
        [&] { return ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset)); });
    if (n < 0) {
      throw IoError("read", path_.native(), errno);
    }
    if (n == 0) {
      throw IoError("read", path_.native(),
                    "file ends at byte " + std::to_string(offset) + ", expected " +
                        std::to_string(out.size()) + " more bytes");
    }
    out = out.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

void File::write_at(std::uint64_t offset, std::span<const std::uint8_t> bytes) const {
  while (!bytes.empty()) {
    before(FileOperation::kWrite, path_);
    const ssize_t n = retry_interrupted([&] {
      return ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    });
    if (n < 0) {
      throw IoError("write", path_.native(), errno);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

void File::sync() const {
  before(FileOperation::kSync, path_);
  if (retry_interrupted([&] { return ::fsync(descriptor_); }) != 0) {
    throw IoError("sync", path_.native(), errno);
  }
}

std::uint64_t File::size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) {
    throw IoError("get the size of", path_.native(), errno);
  }
  return static_cast<std::uint64_t>(status.st_size);
}

File::Id File::id() const {
  const struct stat status = status_of(descriptor_, path_);
  return {.device = status.st_dev, .inode = status.st_ino};
}

void File::resize(std::uint64_t size) const {
  before(FileOperation::kResize, path_);
  if (retry_interrupted([&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); }) != 0) {
    throw IoError("resize", path_.native(), errno);
  }
}

void File::preallocate(std::uint64_t size) const {
  before(FileOperation::kPreallocate, path_);
  if (size == 0) {
    return;
  }
  // posix_fallocate writes zeros where the file system has no fallocate of its own.
  int error = 0;
  do {
    error = ::posix_fallocate(descriptor_, 0, static_cast<off_t>(size));
  } while (error == EINTR);
  if (error != 0) {
    throw IoError("reserve " + std::to_string(size) + " bytes for", path_.native(), error);
  }
}

void File::release(std::uint64_t offset, std::uint64_t size) const {
  before(FileOperation::kRelease, path_);
  if (size == 0) {
    return;
  }
  if (retry_interrupted([&] {
        return ::fallocate(descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                           static_cast<off_t>(offset), static_cast<off_t>(size));
      }) != 0 &&
      errno != EOPNOTSUPP && errno != ENOSYS) {
    throw IoError("release bytes of", path_.native(), errno);
  }
}

bool File::try_lock() const {
  if (retry_interrupted([&] { return ::flock(descriptor_, LOCK_EX | LOCK_NB); }) == 0) {
    return true;
  }
  if (errno == EWOULDBLOCK) {
    return false;
  }
  throw IoError("lock", path_.native(), errno);
}

std::vector<std::uint8_t> read_whole_file(const std::filesystem::path& path,
                                          std::uint64_t max_size) {
  const OwnedDescriptor file(open_checked(path, O_RDONLY | O_NONBLOCK, "open"));
  const struct stat status = status_of(file.value, path);
  const std::string_view kind = kind_of_special(status);
  if (!kind.empty() && kind != kFifo) {
    throw IoError("read", path.native(), "expected a file, actual " + std::string(kind));
  }
  const bool is_file = kind.empty();
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (is_file && size > max_size) {
    throw InvalidBytesLength(path.native() + ": too large", max_size, size);
  }
  if (!is_file) {
    wait_for_writer(file.value, path);
  }
  ::fcntl(file.value, F_SETFL, O_RDONLY);  // what the writer has not written yet is waited for
  constexpr std::size_t kStep = 4096;
  std::vector<std::uint8_t> bytes;
  bytes.reserve(is_file ? size + 1 : kStep);  // one more to see the end
  for (;;) {
    const std::size_t n_read = bytes.size();
    bytes.resize(std::max(bytes.capacity(), n_read + kStep));
    const ssize_t n = retry_interrupted(
        [&] { return ::read(file.value, bytes.data() + n_read, bytes.size() - n_read); });
    if (n < 0) {
      throw IoError("read", path.native(), errno);
    }
    bytes.resize(n_read + static_cast<std::size_t>(n));
    if (bytes.size() > max_size) {
      throw InvalidBytesLength(path.native() + ": too large", max_size, bytes.size());
    }
    if (n == 0) {
      return bytes;
    }
  }
}

void write_file_atomically(const std::filesystem::path& path, std::span<const std::uint8_t> bytes) {
  PendingFile file(path, PendingFile::Publish::kReplace);
  file.file().write_at(0, bytes);
  file.publish();
}

void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  before(FileOperation::kRename, to);
  if (::rename(from.c_str(), to.c_str()) != 0) {
    throw IoError("rename to", to.native(), errno);
  }
  sync_parent_of(to);
}

void rename_new_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  before(FileOperation::kRename, to);
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno != EINVAL && errno != ENOSYS) {
      throw IoError("rename to", to.native(), errno);
    }
    // Network file systems know no such rename, but links, which do not replace either.
    if (::link(from.c_str(), to.c_str()) != 0) {
      throw IoError("create", to.native(), errno);
    }
    ::unlink(from.c_str());
  }
  sync_parent_of(to);
}

void sync_directory(const std::filesystem::path& directory) {
  before(FileOperation::kSync, directory);
  const int descriptor = open_checked(directory, O_RDONLY | O_DIRECTORY, "open directory");
  const int result = retry_interrupted([&] { return ::fsync(descriptor); });
  const int error = errno;
  ::close(descriptor);
  if (result != 0) {
    throw IoError("sync directory", directory.native(), error);
  }
}

}  // namespace furrow
