// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/archive/archive_tree.hpp"

#include <algorithm>
#include <fstream>
#include <memory>

#include <sys/stat.h>

#include "host/base/file.hpp"
#include "host/base/filesystem.hpp"
#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "host/pieces/segment_download.hpp"
#include "host/pieces/store_piece_getter.hpp"
#include "tests/support/temp_directory.hpp"

namespace furrow::test {

namespace fs = std::filesystem;

void write_file(const fs::path& path, std::span<const std::uint8_t> bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
}

void write_file(const fs::path& path, const std::string& text) {
  write_file(path, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

void make_tree(const fs::path& root) {
  fs::create_directories(root / "deep/er/and deeper");
  fs::create_directories(root / "empty directory");
  fs::create_directories(root / "read-only directory");
  write_file(root / "empty", "");
  write_file(root / "one byte", "1");
  write_file(root / "block", periodic_block(kArchiveBlockSize, 1));
  write_file(root / "block + 1", periodic_block(kArchiveBlockSize + 1, 2));
  write_file(root / "block - 1", periodic_block(kArchiveBlockSize - 1, 3));
  write_file(root / "deep/er/and deeper/last", "in the deep");
  write_file(root / "deep/er/zero", std::string(1000, '\0'));
  write_file(root / "read-only directory/secret", "do not look");
  write_file(root / "-rf \"quoted\" \\ back\nline \t tab", "odd name");
  write_file(root / "\xC3\xA9t\xC3\xA9 \xF0\x9F\x8C\xBE", "in four bytes");
  write_file(root / std::string(255, 'n'), "long name");
  fs::create_symlink("one byte", root / "link to file");
  fs::create_directory_symlink("deep", root / "link to directory");
  fs::create_symlink("/nowhere/at/all", root / "deep/dangling link");
  fs::create_symlink("link to itself", root / "link to itself");

  set_mode(root / "one byte", 0755);
  set_mode(root / "block", 0400);
  set_mode(root / "read-only directory/secret", 0600);
  set_mtime(root / "one byte", -1, 5);
  set_mtime(root / "block", 1'234'567'890, 123'456'789);
  set_mtime(root / "deep/dangling link", 1'000'000'000, 999'999'999);
  set_mtime(root / "deep/er/and deeper", 4'000'000'000, 1);
  set_mtime(root / "deep", 77, 0);
  set_mode(root / "read-only directory", 0555);
  set_mtime(root / "read-only directory", 88, 8);
}

std::map<std::string, std::string> describe_tree(const fs::path& root) {
  std::map<std::string, std::string> description;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    struct stat status {};
    if (::lstat(entry.path().c_str(), &status) != 0) {
      throw std::runtime_error("lstat " + entry.path().native());
    }
    std::string text =
        std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec);
    if (entry.is_symlink()) {
      text.append(" link to ").append(fs::read_symlink(entry.path()).native());
    } else {
      text.append(" mode ").append(std::to_string(status.st_mode));
    }
    if (S_ISREG(status.st_mode)) {
      text.append(" ").append(to_hex(blake3(read_whole_file(entry.path())).bytes));
    }
    description[fs::relative(entry.path().parent_path(), root) / entry.path().filename()] = text;
  }
  return description;
}

std::vector<std::string> list_tree(const fs::path& root) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    names.push_back(entry.path().native() + " " +
                    (entry.symlink_status().type() == fs::file_type::regular
                         ? std::to_string(entry.file_size())
                         : ""));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::map<std::string, Hash> contents_of(const fs::path& root) {
  std::map<std::string, Hash> result;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) {
      result[fs::relative(entry.path(), root)] = blake3(read_whole_file(entry.path()));
    }
  }
  return result;
}

ArchiveOptions two_threads() {
  ArchiveOptions options;
  options.compute = kTwoThreads;
  return options;
}

const ExampleStore& example_store() {
  static const TempDirectory directory;
  static const ExampleStore example = [] {
    ExampleStore result;
    result.tree = directory.path() / "tree";
    result.store = directory.path() / "store";
    make_tree(result.tree);
    result.summary = archive_files({{result.tree}}, result.store, two_threads()).value();
    return result;
  }();
  return example;
}

SegmentSource store_source(const fs::path& store) {
  const auto getter = std::make_shared<StorePieceGetter>(store);
  return [getter](SegmentIndex segment) {
    return std::move(*download_source_records(*getter, ErasureCoding(),
                                              getter->manifest().segment_identity(segment), {},
                                              {1, std::chrono::milliseconds(1)}, kTwoThreads));
  };
}

}  // namespace furrow::test
