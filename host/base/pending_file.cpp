// SPDX-License-Identifier: Apache-2.0
#include "host/base/pending_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/base/hex.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRandomBytes = 8;
constexpr std::size_t kDigits = 2 * kRandomBytes;
/// Of a name, so that the whole fits into the 255 bytes that file systems allow.
constexpr std::size_t kMaxNamePart = 200;

fs::path directory_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

bool is_file_of_ours(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         status.st_uid == ::geteuid();
}

/// Removes pending files that no living process has. What hinders that does not matter: a leftover
/// is in nobody's way.
void remove_abandoned(const fs::path& directory) {
  std::error_code error;
  std::vector<fs::path> candidates;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (is_pending_file_name(entry->path().filename().native()) && is_file_of_ours(entry->path())) {
      candidates.push_back(entry->path());
    }
  }
  for (const fs::path& path : candidates) {
    try {
      const File file = File::open_read(path);
      if (file.try_lock()) {
        fs::remove(path, error);
      }
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): see above
    }
  }
}

}  // namespace

std::string pending_name(std::string_view name, std::string_view ending) {
  std::array<std::uint8_t, kRandomBytes> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    throw IoError("get random bytes from", "the system", errno);
  }
  std::string result(1, '.');
  result.append(name.substr(0, kMaxNamePart)).append(1, '.').append(to_hex(random)).append(ending);
  return result;
}

bool is_pending_name(std::string_view candidate, std::string_view name, std::string_view ending) {
  name = name.substr(0, kMaxNamePart);
  if (candidate.size() != name.size() + kDigits + ending.size() + 2 ||
      !candidate.ends_with(ending) || candidate[0] != '.' || candidate[name.size() + 1] != '.' ||
      candidate.substr(1, name.size()) != name) {
    return false;
  }
  const std::string_view digits = candidate.substr(name.size() + 2, kDigits);
  return digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_pending_file_name(std::string_view candidate) {
  constexpr std::size_t kRest = kDigits + kPendingFileEnding.size() + 2;
  return candidate.size() > kRest &&
         is_pending_name(candidate, candidate.substr(1, candidate.size() - kRest),
                         kPendingFileEnding);
}

File PendingFile::create(const fs::path& path, unsigned mode) {
  const fs::path directory = directory_of(path);
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0) {
    throw IoError("create", path.native(), errno);
  }
  remove_abandoned(directory);
  for (;;) {
    File file = File::create_new(
        directory / pending_name(path.filename().native(), kPendingFileEnding), mode);
    try {
      // Another process may take a file that nobody has locked yet for abandoned.
      if (file.try_lock() && is_file_of_ours(file.path())) {
        return file;
      }
    } catch (const IoError&) {
      return file;  // no locks here, so nobody finds out that the file is abandoned either
    }
  }
}

PendingFile::PendingFile(fs::path path, Publish how, unsigned mode)
    : path_(std::move(path)), how_(how), file_(create(path_, mode)) {}

PendingFile::~PendingFile() {
  if (is_pending_) {
    std::error_code ignored;  // the failure that led here is the one to report
    fs::remove(file_.path(), ignored);
  }
}

void PendingFile::set_mode(unsigned mode) const {
  if (::chmod(file_.path().c_str(), mode) != 0) {
    throw IoError("set the mode of", file_.path().native(), errno);
  }
}

void PendingFile::publish() {
  file_.sync();
  if (how_ == Publish::kReplace) {
    rename_durably(file_.path(), path_);
  } else {
    try {
      rename_new_durably(file_.path(), path_);
    } catch (const IoError& error) {
      if (error.error_number() == EEXIST) {
        throw AlreadyExists(path_);
      }
      throw;
    }
  }
  is_pending_ = false;
}

}  // namespace furrow
