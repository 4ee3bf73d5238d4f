// SPDX-License-Identifier: Apache-2.0
// The parts of a piece pack as bytes, and the ways in which a pack can refuse. How they make up a
// file is drawn in piece_pack_writer.hpp and docs/formats/piece-pack.md.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "furrow/errors.hpp"
#include "furrow/piece.hpp"
#include "furrow/types.hpp"

#include "host/base/file.hpp"

namespace furrow {

/// Largest chunk that a pack takes; bounds what a reader ever allocates for one. A piece element
/// has 1049600 bytes.
inline constexpr std::uint32_t kMaxPackChunkSize = std::uint32_t{16} << 20;

/// The file is no piece pack, or its first bytes are damaged. Never changed by anybody.
class NotAPiecePack : public Error {
 public:
  NotAPiecePack(const std::filesystem::path& file, const std::string& reason);
};

/// A piece pack in a format that this program does not know.
class UnsupportedPackVersion : public Error {
 public:
  UnsupportedPackVersion(const std::filesystem::path& file, std::uint32_t actual);
};

/// The pack has no end: its writer was interrupted or is still at work, or the file was cut short.
class UnfinishedPack : public Error {
 public:
  explicit UnfinishedPack(const std::filesystem::path& file);
};

/// Bytes inside a pack that do not follow the format, or do not fit one another.
class DamagedPack : public MalformedData {
 public:
  DamagedPack(const std::filesystem::path& file, const std::string& reason);
};

/// How the bytes of a frame stand for those of its chunk.
enum class PackCodec : std::uint8_t {
  kRaw = 0,        ///< as they are
  kZstd = 1,       ///< one zstd frame, shorter than the chunk
  kReference = 2,  ///< nothing stored: an earlier frame has a chunk of the same hash
};
/// "raw", "zstd", "reference".
const char* name_of(PackCodec codec);
/// Whether a frame of this codec may store that many bytes for a chunk of that size.
bool sizes_fit(PackCodec codec, std::uint64_t original_size, std::uint64_t stored_size);

/// First bytes of the file.
struct PackHeader {
  std::array<std::uint8_t, 8> magic;
  LittleEndian<std::uint32_t> version;
  LittleEndian<std::uint32_t> reserved;
  std::array<std::uint8_t, 16> checksum;

  static PackHeader make();
};
inline constexpr std::uint64_t kPackHeaderSize = 32;
static_assert(sizeof(PackHeader) == kPackHeaderSize && alignof(PackHeader) == 1);

/// First bytes of a frame. The memory image is what is on disk.
struct PackFrameHeader {
  std::array<std::uint8_t, 4> tag;
  std::uint8_t codec_byte;
  std::array<std::uint8_t, 3> reserved;
  LittleEndian<std::uint64_t> key;
  LittleEndian<std::uint32_t> stored_size;
  LittleEndian<std::uint32_t> original_size;
  Hash hash;      ///< BLAKE3 of the original bytes
  Hash checksum;  ///< BLAKE3 of the members before, then the stored bytes

  /// A sealed header. Pre: sizes that check() accepts.
  static PackFrameHeader make(std::uint64_t key, PackCodec codec, std::uint32_t original_size,
                              const Hash& hash, std::span<const std::uint8_t> stored);
  /// Pre: check() passed.
  [[nodiscard]] PackCodec codec() const { return static_cast<PackCodec>(codec_byte); }
  [[nodiscard]] bool has_tag() const;
  /// Throws DamagedPack, naming `what`, unless all members but the digests are allowed.
  void check(const std::filesystem::path& file, const std::string& what) const;
  [[nodiscard]] Hash checksum_with(std::span<const std::uint8_t> stored) const;
  bool operator==(const PackFrameHeader&) const = default;
};
inline constexpr std::uint64_t kPackFrameHeaderSize = 88;
static_assert(sizeof(PackFrameHeader) == kPackFrameHeaderSize && alignof(PackFrameHeader) == 1);

/// A frame and where it is.
struct PackEntry {
  PackFrameHeader header;
  std::uint64_t offset = 0;  ///< of the header in the file

  [[nodiscard]] std::uint64_t stored_offset() const { return offset + kPackFrameHeaderSize; }
  [[nodiscard]] std::uint64_t end() const { return stored_offset() + header.stored_size.value(); }
};
/// "frame of chunk 7 at byte 32".
std::string describe(const PackEntry& entry);

/// Between the last frame and the table: the end of the frames for those who read them in order.
inline constexpr std::array<std::uint8_t, 8> kPackTableMagic = {'F', 'R', 'W', 'T',
                                                                'A', 'B', 'L', 'E'};

/// Last bytes of the file.
struct PackTrailer {
  LittleEndian<std::uint64_t> n_frames;
  Hash checksum;  ///< BLAKE3 of the table, then n_frames
  std::array<std::uint8_t, 8> magic;

  static PackTrailer make(std::span<const PackEntry> entries);
  [[nodiscard]] bool has_magic() const;
};
inline constexpr std::uint64_t kPackTrailerSize = 48;
static_assert(sizeof(PackTrailer) == kPackTrailerSize && alignof(PackTrailer) == 1);

/// Throws NotAPiecePack or UnsupportedPackVersion unless the file begins as a pack of this version.
void check_pack_header(const File& file);
/// The header of a frame that ends before byte `limit`. Throws DamagedPack; the stored bytes are
/// not looked at.
PackFrameHeader read_frame_header(const File& file, std::uint64_t offset, std::uint64_t limit);
/// The stored bytes of a frame, verified with its checksum. Pre: the header passed
/// read_frame_header or comes from a table. Throws ChecksumMismatch.
std::vector<std::uint8_t> read_stored_bytes(const File& file, const PackEntry& entry);
/// The same into `out`. Pre: it has the stored size.
void read_stored_bytes(const File& file, const PackEntry& entry, std::span<std::uint8_t> out);

}  // namespace furrow
