// SPDX-License-Identifier: Apache-2.0
#include "host/store/pack_format.hpp"

#include <algorithm>
#include <cstddef>

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"

namespace furrow {
namespace {

constexpr std::array<std::uint8_t, 8> kHeaderMagic = {'F', 'R', 'W', 'P', 'A', 'C', 'K', '\n'};
constexpr std::uint32_t kVersion = 1;
constexpr std::array<std::uint8_t, 4> kFrameTag = {'F', 'R', 'M', 'E'};
constexpr std::array<std::uint8_t, 8> kTrailerMagic = {'F', 'R', 'W', 'P', 'K', 'E', 'N', 'D'};

std::string quoted(const std::filesystem::path& file) {
  return "'" + file.native() + "'";
}

std::array<std::uint8_t, 16> checksum_of(const PackHeader& header) {
  const Hash hash = blake3(bytes_of(header).first(offsetof(PackHeader, checksum)));
  std::array<std::uint8_t, 16> result{};
  std::copy_n(hash.begin(), result.size(), result.begin());
  return result;
}

}  // namespace

NotAPiecePack::NotAPiecePack(const std::filesystem::path& file, const std::string& reason)
    : Error(ErrorKind::kCorrupt, quoted(file) + " is no piece pack: " + reason,
            {.path = file.native()}) {}

UnsupportedPackVersion::UnsupportedPackVersion(const std::filesystem::path& file,
                                               std::uint32_t actual)
    : Error(ErrorKind::kMismatch,
            quoted(file) + ": expected a piece pack of version " + std::to_string(kVersion) +
                ", actual " + std::to_string(actual),
            {.path = file.native(),
             .expected = std::to_string(kVersion),
             .actual = std::to_string(actual)}) {}

UnfinishedPack::UnfinishedPack(const std::filesystem::path& file)
    : Error(ErrorKind::kCorrupt,
            quoted(file) + ": the pack is not finished, or its end is missing or damaged",
            {.path = file.native()}) {}

DamagedPack::DamagedPack(const std::filesystem::path& file, const std::string& reason)
    : MalformedData(quoted(file) + ": " + reason, {.path = file.native()}) {}

const char* name_of(PackCodec codec) {
  switch (codec) {
    case PackCodec::kRaw:
      return "raw";
    case PackCodec::kZstd:
      return "zstd";
    case PackCodec::kReference:
      return "reference";
  }
  return "unknown";
}

bool sizes_fit(PackCodec codec, std::uint64_t original_size, std::uint64_t stored_size) {
  switch (codec) {
    case PackCodec::kRaw:
      return stored_size == original_size;
    case PackCodec::kZstd:
      return stored_size < original_size;
    case PackCodec::kReference:
      return stored_size == 0;
  }
  return false;
}

PackHeader PackHeader::make() {
  PackHeader header{.magic = kHeaderMagic, .version = kVersion, .reserved = 0, .checksum = {}};
  header.checksum = checksum_of(header);
  return header;
}

PackFrameHeader PackFrameHeader::make(std::uint64_t key, PackCodec codec,
                                      std::uint32_t original_size, const Hash& hash,
                                      std::span<const std::uint8_t> stored) {
  PackFrameHeader header{.tag = kFrameTag,
                         .codec_byte = static_cast<std::uint8_t>(codec),
                         .reserved = {},
                         .key = key,
                         .stored_size = static_cast<std::uint32_t>(stored.size()),
                         .original_size = original_size,
                         .hash = hash,
                         .checksum = {}};
  header.checksum = header.checksum_with(stored);
  return header;
}

bool PackFrameHeader::has_tag() const {
  return tag == kFrameTag;
}

void PackFrameHeader::check(const std::filesystem::path& file, const std::string& what) const {
  const auto refuse = [&](const std::string& reason) {
    throw DamagedPack(file, what + ": " + reason);
  };
  if (!has_tag()) {
    refuse("expected the tag of a frame, actual " + to_hex(tag));
  }
  if (codec_byte > static_cast<std::uint8_t>(PackCodec::kReference)) {
    refuse("expected codec 0, 1 or 2, actual " + std::to_string(codec_byte));
  }
  if (reserved != std::array<std::uint8_t, 3>{}) {
    refuse("expected reserved bytes of zero, actual " + to_hex(reserved));
  }
  const std::uint32_t original = original_size.value();
  const std::uint32_t stored = stored_size.value();
  if (original > kMaxPackChunkSize) {
    refuse("expected a chunk of at most " + std::to_string(kMaxPackChunkSize) + " bytes, actual " +
           std::to_string(original));
  }
  if (!sizes_fit(codec(), original, stored)) {
    refuse("a chunk of " + std::to_string(original) + " bytes cannot have " +
           std::to_string(stored) + " stored bytes with codec " + name_of(codec()));
  }
}

Hash PackFrameHeader::checksum_with(std::span<const std::uint8_t> stored) const {
  return Blake3Hasher()
      .update(bytes_of(*this).first(offsetof(PackFrameHeader, checksum)))
      .update(stored)
      .finalize();
}

std::string describe(const PackEntry& entry) {
  return "frame of chunk " + std::to_string(entry.header.key.value()) + " at byte " +
         std::to_string(entry.offset);
}

PackTrailer PackTrailer::make(std::span<const PackEntry> entries) {
  PackTrailer trailer{.n_frames = entries.size(), .checksum = {}, .magic = kTrailerMagic};
  Blake3Hasher hasher;
  for (const PackEntry& entry : entries) {
    hasher.update(bytes_of(entry.header));
  }
  trailer.checksum = hasher.update(bytes_of(trailer.n_frames)).finalize();
  return trailer;
}

bool PackTrailer::has_magic() const {
  return magic == kTrailerMagic;
}

void check_pack_header(const File& file) {
  const std::uint64_t size = file.size();
  if (size < kPackHeaderSize) {
    throw NotAPiecePack(file.path(), "expected at least " + std::to_string(kPackHeaderSize) +
                                         " bytes, actual " + std::to_string(size));
  }
  PackHeader header{};
  file.read_at(0, mutable_bytes_of(header));
  if (header.magic != kHeaderMagic) {
    throw NotAPiecePack(file.path(), "expected " + to_hex(kHeaderMagic) + " in front, actual " +
                                         to_hex(header.magic));
  }
  const auto expected = checksum_of(header);
  if (header.checksum != expected) {
    throw NotAPiecePack(file.path(), "checksum of the header: expected " + to_hex(expected) +
                                         ", actual " + to_hex(header.checksum));
  }
  if (header.version.value() != kVersion) {
    throw UnsupportedPackVersion(file.path(), header.version.value());
  }
}

PackFrameHeader read_frame_header(const File& file, std::uint64_t offset, std::uint64_t limit) {
  const std::string what = "frame at byte " + std::to_string(offset);
  const auto check_room = [&](std::uint64_t expected) {
    if (limit - offset < expected) {
      throw DamagedPack(file.path(), what + ": expected " + std::to_string(expected) +
                                         " bytes, actual " + std::to_string(limit - offset));
    }
  };
  check_room(kPackFrameHeaderSize);
  PackFrameHeader header{};
  file.read_at(offset, mutable_bytes_of(header));
  header.check(file.path(), what);
  check_room(kPackFrameHeaderSize + header.stored_size.value());
  return header;
}

std::vector<std::uint8_t> read_stored_bytes(const File& file, const PackEntry& entry) {
  std::vector<std::uint8_t> stored(entry.header.stored_size.value());
  read_stored_bytes(file, entry, stored);
  return stored;
}

void read_stored_bytes(const File& file, const PackEntry& entry, std::span<std::uint8_t> out) {
  file.read_at(entry.stored_offset(), out);
  const Hash actual = entry.header.checksum_with(out);
  if (actual != entry.header.checksum) {
    throw ChecksumMismatch(quoted(file.path()) + ": " + describe(entry),
                           to_hex(entry.header.checksum.bytes), to_hex(actual.bytes));
  }
}

}  // namespace furrow
