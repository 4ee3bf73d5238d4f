// SPDX-License-Identifier: Apache-2.0
#include "host/archive/source_file.hpp"

#include <algorithm>

#include "host/archive/manifest.hpp"

namespace furrow {

FileChanged::FileChanged(const std::filesystem::path& path, std::uint64_t expected_size,
                         std::uint64_t actual_size)
    : Error(ErrorKind::kMismatch,
            "'" + path.native() + "' changed while it was archived: expected " +
                std::to_string(expected_size) + " bytes, actual " + std::to_string(actual_size),
            {.path = path.native(),
             .expected = std::to_string(expected_size),
             .actual = std::to_string(actual_size)}) {}

SourceFile::SourceFile(const std::filesystem::path& path, std::uint64_t expected_size)
    : size_(expected_size), file_(File::open_read(path)) {
  require_size();
}

std::vector<std::uint8_t> SourceFile::next_block() {
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

Hash SourceFile::finish() const {
  require_size();
  return hasher_.finalize();
}

void SourceFile::require_size() const {
  const std::uint64_t actual = file_.size();
  if (actual != size_) {
    throw FileChanged(file_.path(), size_, actual);
  }
}

}  // namespace furrow
