// SPDX-License-Identifier: Apache-2.0
// A file that is archived: read block by block, and noticed when it changes meanwhile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "furrow/errors.hpp"
#include "furrow/types.hpp"

#include "host/base/file.hpp"
#include "host/crypto/blake3.hpp"

namespace furrow {

/// A file had another size when it was read than when it was listed.
class FileChanged : public Error {
 public:
  FileChanged(const std::filesystem::path& path, std::uint64_t expected_size,
              std::uint64_t actual_size);
};

/// Thread-compatible. All members throw FileChanged and IoError.
class SourceFile {
 public:
  SourceFile(const std::filesystem::path& path, std::uint64_t expected_size);

  [[nodiscard]] bool is_at_end() const { return done_ == size_; }
  /// The next kArchiveBlockSize bytes, or what is left. Pre: not at the end.
  std::vector<std::uint8_t> next_block();
  /// Hash of all that was read.
  [[nodiscard]] Hash finish() const;

 private:
  void require_size() const;

  std::uint64_t size_;
  File file_;
  std::uint64_t done_ = 0;
  Blake3Hasher hasher_;
};

}  // namespace furrow
