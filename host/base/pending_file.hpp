// SPDX-License-Identifier: Apache-2.0
// Files and directories that get their names when they are whole.
//
// Until then a file is called ".NAME.<16 hex digits>.furrow-tmp", in the directory that it is meant
// for. Nobody can guess such a name in advance, so nothing of anybody else is ever written to or
// removed. A process that was killed leaves it behind, and the next PendingFile in that directory
// removes it: it has such a name, is a file of ours, and nobody holds its lock.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "host/base/file.hpp"

namespace furrow {

/// A name that nobody can guess: ".NAME.<16 hex digits>ENDING", with a long NAME cut short. The
/// same form for whatever is made beside its final place.
std::string pending_name(std::string_view name, std::string_view ending);
/// Whether `candidate` is a pending_name of that name and ending.
bool is_pending_name(std::string_view candidate, std::string_view name, std::string_view ending);

inline constexpr std::string_view kPendingFileEnding = ".furrow-tmp";
/// Whether a file is called as the PendingFile of some name is.
bool is_pending_file_name(std::string_view candidate);

/// rename_durably that replaces nothing: an IoError with EEXIST when there is something at `to`.
void rename_new_durably(const std::filesystem::path& from, const std::filesystem::path& to);

/// Something has the name already that a new file was to get.
class AlreadyExists : public InvalidArgument {
 public:
  explicit AlreadyExists(const std::filesystem::path& path)
      : InvalidArgument("'" + path.native() + "' exists already", {.path = path.native()}) {}
};

/// Gone again unless published. Thread-compatible.
class PendingFile {
 public:
  enum class Publish {
    kNew,      ///< never replaces anything
    kReplace,  ///< takes the place of what is there
  };

  /// `mode` are the permissions before the umask. Throws IoError.
  PendingFile(std::filesystem::path path, Publish how, unsigned mode = 0644);
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;
  ~PendingFile();

  [[nodiscard]] const File& file() const { return file_; }
  /// Gives the file exactly these permissions.
  void set_mode(unsigned mode) const;
  /// Makes the file durable under its name. Throws AlreadyExists and IoError; after a failed sync
  /// of the directory, which comes last, the file may have its name all the same. To be called
  /// once.
  void publish();

 private:
  static File create(const std::filesystem::path& path, unsigned mode);

  std::filesystem::path path_;
  Publish how_;
  File file_;
  bool is_pending_ = true;
};

}  // namespace furrow
