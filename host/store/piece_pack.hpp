// SPDX-License-Identifier: Apache-2.0
// Reads a finished piece pack (docs/formats/piece-pack.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "host/base/file.hpp"
#include "host/store/pack_table.hpp"

namespace furrow {

/// The pack has no chunk of this key.
class ChunkNotInPack : public Error {
 public:
  ChunkNotInPack(const std::filesystem::path& file, std::uint64_t key);
};

/// Chunks of a pack by key. Thread-safe: reads are positioned. Memory: about 250 bytes a frame.
///
/// Nothing that is read is used before its checksum was compared, no length is believed before it
/// was found to fit the file, and no more than kMaxPackChunkSize bytes are allocated for a chunk.
class PiecePack {
 public:
  /// Reads and verifies header, table and trailer; the frames are not looked at. Throws
  /// UnfinishedPack, NotAPiecePack, UnsupportedPackVersion, ChecksumMismatch, DamagedPack, IoError.
  static PiecePack open(const std::filesystem::path& file);

  /// The bytes of a chunk as they went in. Throws ChunkNotInPack; for a damaged frame
  /// ChecksumMismatch, DamagedPack or MalformedData, other chunks are not affected; IoError.
  [[nodiscard]] std::vector<std::uint8_t> read(std::uint64_t key) const;
  /// Verifies everything about one frame of this pack. Throws what read throws.
  void verify(const PackEntry& entry) const;

  [[nodiscard]] bool contains(std::uint64_t key) const { return table_.find(key) != nullptr; }
  [[nodiscard]] const PackTable& table() const { return table_; }
  [[nodiscard]] const PackStatistics& statistics() const { return table_.statistics(); }
  [[nodiscard]] std::uint64_t file_size() const { return file_size_; }

 private:
  explicit PiecePack(File file);
  void read_table(const PackTrailer& trailer);
  /// A frame has to begin with what the table says of it.
  void require_header(const PackEntry& entry) const;

  File file_;
  std::uint64_t file_size_;
  PackTable table_;
};

}  // namespace furrow
