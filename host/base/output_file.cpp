// SPDX-License-Identifier: Apache-2.0
#include "host/base/output_file.hpp"

#include <cerrno>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/base/standard_descriptors.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

constexpr auto kReaderPoll = std::chrono::milliseconds(50);
constexpr mode_t kPermissions = 07777;

/// Writes all bytes to something without positions.
void write_stream(int descriptor, std::string_view name, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor, bytes.data(), bytes.size());
    if (n < 0 && errno == EAGAIN) {  // whoever shares a standard output may have made it so
      pollfd ready{.fd = descriptor, .events = POLLOUT, .revents = 0};
      ::poll(&ready, 1, -1);  // a failure shows at the next write
      continue;
    }
    if (n < 0 && errno != EINTR) {
      throw IoError("write", name, errno);
    }
    if (n > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
  }
}

/// A fifo or character device, open for writing.
class Stream {
 public:
  /// Not open when a stop was requested before a reader came.
  Stream(const fs::path& path, const std::stop_token& stop) {
    // Without O_NONBLOCK a fifo without a reader would hold the process up, deaf to any stop.
    const auto open = [&] {
      return above_standard_descriptors(
          ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    };
    while ((descriptor_ = open()) < 0) {
      const int error = errno;
      // Of a fifo it says that there is no reader yet, of a device that there is no device.
      const bool is_no_reader = error == ENXIO && fs::is_fifo(path);
      if (!is_no_reader && error != EINTR) {
        throw IoError("open for writing", path.native(), error);
      }
      if (stop.stop_requested()) {
        return;
      }
      std::this_thread::sleep_for(kReaderPoll);
    }
    ::fcntl(descriptor_, F_SETFL, O_WRONLY);  // from here on a slow reader is waited for
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }

  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  /// Whether it is what can be written to in this way: since it was looked at, something else may
  /// have taken its name.
  [[nodiscard]] bool is_stream() const {
    struct stat status {};
    return ::fstat(descriptor_, &status) == 0 &&
           (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode));
  }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

InvalidArgument cannot_write(const fs::path& path, const std::string& what) {
  return InvalidArgument("'" + path.native() + "' is " + what + ", which no output is written to",
                         {.path = path.native()});
}

}  // namespace

OutputFile::Kind OutputFile::look_at(const fs::path& path, bool may_replace) {
  if (path == "-") {
    return Kind::kStandardOutput;
  }
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT) {
      throw IoError("look at", path.native(), errno);
    }
    if (::lstat(path.c_str(), &status) == 0) {
      throw cannot_write(path, "a symbolic link that leads nowhere");
    }
    return Kind::kNew;
  }
  switch (status.st_mode & S_IFMT) {
    case S_IFREG:
      if (!may_replace) {
        throw AlreadyExists(path);
      }
      return Kind::kReplaced;
    case S_IFIFO:
    case S_IFCHR:
      return Kind::kStream;
    case S_IFDIR:
      throw cannot_write(path, "a directory");
    case S_IFBLK:
      throw cannot_write(path, "a block device");
    default:
      throw cannot_write(path, "a socket");
  }
}

OutputFile::OutputFile(fs::path path, bool may_replace)
    : path_(std::move(path)), kind_(look_at(path_, may_replace)) {}

bool OutputFile::write(std::span<const std::uint8_t> bytes, const std::stop_token& stop) const {
  switch (kind_) {
    case Kind::kStandardOutput:
      write_stream(STDOUT_FILENO, "standard output", bytes);
      return true;
    case Kind::kStream: {
      const Stream stream(path_, stop);
      if (!stream.is_open()) {
        return false;
      }
      if (!stream.is_stream()) {
        throw cannot_write(path_, "no longer what it was");
      }
      write_stream(stream.descriptor(), path_.native(), bytes);
      return true;
    }
    case Kind::kNew: {
      PendingFile file(path_, PendingFile::Publish::kNew, 0666);
      file.file().write_at(0, bytes);
      file.publish();
      return true;
    }
    case Kind::kReplaced: {
      std::error_code error;
      const fs::path resolved = fs::canonical(path_, error);  // a symbolic link stays one
      struct stat status {};
      if (error || ::stat(resolved.c_str(), &status) != 0) {
        throw IoError("look at", path_.native(), error ? error.value() : errno);
      }
      if (!S_ISREG(status.st_mode)) {
        throw cannot_write(path_, "no longer what it was");
      }
      PendingFile file(resolved, PendingFile::Publish::kReplace, 0600);
      file.file().write_at(0, bytes);
      file.set_mode(status.st_mode & kPermissions);
      file.publish();
      return true;
    }
  }
  return false;
}

}  // namespace furrow
