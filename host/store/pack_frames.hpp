// SPDX-License-Identifier: Apache-2.0
// Single frames of a piece pack by their places, without its table (docs/formats/piece-pack.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>

#include "host/base/file.hpp"
#include "host/store/pack_format.hpp"

namespace furrow {

/// The frames of a pack for those who know where they are, from an index for example. Each frame is
/// verified by itself, so damage anywhere else in the file, header and table included, does not
/// matter to it. Thread-safe: reads are positioned.
class PackFrames {
 public:
  /// Throws IoError.
  static PackFrames open(const std::filesystem::path& file) {
    return PackFrames(File::open_read(file));
  }

  /// The frame that begins at a byte of the file. It is not known to be intact before it was read,
  /// but its sizes are allowed ones and lie within the file. Throws DamagedPack when no frame
  /// begins there; IoError.
  [[nodiscard]] PackEntry frame_at(std::uint64_t offset) const;
  /// Puts the chunk of a frame into `out`: raw bytes come straight from the file, compressed ones
  /// are decompressed there. Pre: the entry is from frame_at. Throws what read_chunk throws.
  void read(const PackEntry& entry, std::span<std::uint8_t> out) const;

  [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }

 private:
  explicit PackFrames(File file) : file_(std::move(file)) {}

  File file_;
};

/// Reads the chunk of a frame into `out` and verifies frame and chunk. Pre: the header of the frame
/// is allowed. Throws InvalidBytesLength unless `out` has the original size; DamagedPack for a
/// reference, which holds no chunk; ChecksumMismatch, MalformedData, IoError.
void read_chunk(const File& file, const PackEntry& entry, std::span<std::uint8_t> out);

/// Puts the chunk behind the stored bytes of a frame that is no reference into `out`. Pre: it has
/// the original size. Throws MalformedData or ChecksumMismatch unless it is the chunk with the hash
/// of the frame.
void unpack_chunk(const std::filesystem::path& file, const PackEntry& entry,
                  std::span<const std::uint8_t> stored, std::span<std::uint8_t> out);

}  // namespace furrow
