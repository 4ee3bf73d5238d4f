// SPDX-License-Identifier: Apache-2.0
#include "host/archive/file_tree.hpp"

#include <algorithm>
#include <cerrno>
#include <string_view>

#include <sys/stat.h>

#include "host/base/file.hpp"
#include "host/base/printable.hpp"
#include "host/base/utf8.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

void require_utf8(const std::string& what, const std::string& name) {
  if (!is_utf8(name)) {
    throw NameNotUtf8(what, name);
  }
}

std::string type_name(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFIFO:
      return "fifo";
    case S_IFSOCK:
      return "socket";
    case S_IFCHR:
      return "character device";
    case S_IFBLK:
      return "block device";
    default:
      return "file of unknown type";
  }
}

/// The name under which a path given by the user is archived.
std::string base_name(const fs::path& path) {
  fs::path name = path.filename();
  if (name.empty() || name == "." || name == "..") {
    std::error_code error;
    const fs::path canonical = fs::canonical(path, error);
    if (error) {
      throw IoError("find", path.native(), error.value());
    }
    name = canonical.filename();
  }
  if (name.empty()) {
    throw InvalidArgument("'" + path.native() + "' has no name to archive it under");
  }
  return name.native();
}

std::vector<std::string> sorted_names(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator iterator(directory, error);
  while (!error && iterator != fs::directory_iterator()) {
    names.push_back(iterator->path().filename().native());
    iterator.increment(error);
  }
  if (error) {
    throw IoError("list directory", directory.native(), error.value());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class SourceLister {
 public:
  void add(const fs::path& source, const std::string& path) {
    require_utf8("name of '" + printable(source.native()) + "'", path);
    struct stat status {};
    if (::lstat(source.c_str(), &status) != 0) {
      throw IoError("look up", source.native(), errno);
    }
    ManifestEntry entry;
    entry.path = path;
    entry.mode = status.st_mode & 07777;
    entry.mtime_seconds = status.st_mtim.tv_sec;
    entry.mtime_nanoseconds = static_cast<std::uint32_t>(status.st_mtim.tv_nsec);
    if (S_ISREG(status.st_mode)) {
      entry.size = File::open_read(source).size();
      entries_.push_back({std::move(entry), source});
    } else if (S_ISLNK(status.st_mode)) {
      entry.type = EntryType::kSymlink;
      entry.symlink_target = read_symlink(source);
      entries_.push_back({std::move(entry), source});
    } else if (S_ISDIR(status.st_mode)) {
      entry.type = EntryType::kDirectory;
      entries_.push_back({std::move(entry), source});
      for (const std::string& name : sorted_names(source)) {
        add(source / name, std::string(path).append("/").append(name));
      }
    } else {
      throw UnsupportedFileType(source, type_name(status.st_mode));
    }
  }

  std::vector<SourceEntry> take() { return std::move(entries_); }

 private:
  static std::string read_symlink(const fs::path& source) {
    std::error_code error;
    const fs::path target = fs::read_symlink(source, error);
    if (error) {
      throw IoError("read symbolic link", source.native(), error.value());
    }
    require_utf8("target of symbolic link '" + source.native() + "'", target.native());
    return target.native();
  }

  std::vector<SourceEntry> entries_;
};

}  // namespace

UnsupportedFileType::UnsupportedFileType(const fs::path& path, const std::string& type)
    : InvalidArgument("'" + path.native() +
                      "': expected a file, directory or symbolic link, actual " + type) {}

DuplicateName::DuplicateName(const std::string& name, const fs::path& first, const fs::path& second)
    : InvalidArgument("'" + first.native() + "' and '" + second.native() +
                      "' have the same name '" + name + "'; only one of them can be archived") {}

NameNotUtf8::NameNotUtf8(const std::string& what, const std::string& name)
    : InvalidArgument(what + ": expected UTF-8, actual '" + printable(name) + "'") {}

std::vector<SourceEntry> list_sources(std::span<const fs::path> paths) {
  std::vector<std::pair<std::string, fs::path>> roots;
  for (const fs::path& path : paths) {
    roots.emplace_back(base_name(path), path);
  }
  std::stable_sort(roots.begin(), roots.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 1; i < roots.size(); ++i) {
    if (roots[i - 1].first == roots[i].first) {
      throw DuplicateName(roots[i].first, roots[i - 1].second, roots[i].second);
    }
  }
  SourceLister lister;
  for (const auto& [name, path] : roots) {
    lister.add(path, name);
  }
  return lister.take();
}

}  // namespace furrow
