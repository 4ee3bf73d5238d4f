// SPDX-License-Identifier: Apache-2.0
#include "host/store/piece_pack.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "host/base/counted.hpp"
#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "host/store/pack_frames.hpp"

namespace furrow {
namespace {

/// Headers of one read of the table.
constexpr std::uint64_t kTableBlock = 8192;

}  // namespace

ChunkNotInPack::ChunkNotInPack(const std::filesystem::path& file, std::uint64_t key)
    : Error(ErrorKind::kUnavailable, "'" + file.native() + "' has no chunk " + std::to_string(key),
            {.path = file.native(), .expected = "chunk " + std::to_string(key)}) {}

PiecePack PiecePack::open(const std::filesystem::path& file) {
  PiecePack pack(File::open_read(file));
  check_pack_header(pack.file_);
  PackTrailer trailer{};
  if (pack.file_size_ < kPackHeaderSize + kPackTableMagic.size() + kPackTrailerSize) {
    throw UnfinishedPack(file);
  }
  pack.file_.read_at(pack.file_size_ - kPackTrailerSize, mutable_bytes_of(trailer));
  if (!trailer.has_magic()) {
    throw UnfinishedPack(file);
  }
  pack.read_table(trailer);
  return pack;
}

PiecePack::PiecePack(File file) : file_(std::move(file)), file_size_(file_.size()) {}

void PiecePack::read_table(const PackTrailer& trailer) {
  const std::uint64_t n_frames = trailer.n_frames.value();
  const std::uint64_t around =
      kPackHeaderSize + kPackTableMagic.size() + kPackTrailerSize;  // <= file_size_, see open
  // Each frame has its header twice, in front of its bytes and in the table.
  if (n_frames > (file_size_ - around) / (2 * kPackFrameHeaderSize)) {
    throw DamagedPack(file_.path(), "trailer: a file of " + std::to_string(file_size_) +
                                        " bytes cannot have " + counted(n_frames, "frame"));
  }
  std::uint64_t offset = file_size_ - kPackTrailerSize - n_frames * kPackFrameHeaderSize;
  const std::uint64_t frames_end = offset - kPackTableMagic.size();
  std::array<std::uint8_t, kPackTableMagic.size()> magic{};
  file_.read_at(frames_end, magic);
  if (magic != kPackTableMagic) {
    throw DamagedPack(file_.path(), "expected " + to_hex(kPackTableMagic) +
                                        " in front of the table, actual " + to_hex(magic));
  }

  Blake3Hasher hasher;
  std::vector<PackFrameHeader> block;
  std::uint64_t frame_offset = kPackHeaderSize;
  for (std::uint64_t n_left = n_frames; n_left > 0; n_left -= block.size()) {
    block.resize(std::min(n_left, kTableBlock));
    const std::span<std::uint8_t> bytes(reinterpret_cast<std::uint8_t*>(block.data()),
                                        block.size() * kPackFrameHeaderSize);
    file_.read_at(offset, bytes);
    offset += bytes.size();
    hasher.update(bytes);
    for (const PackFrameHeader& header : block) {
      // Before the checksum is known: a wrong number of frames is found at the first of them, and
      // not after gigabytes of table.
      const PackEntry entry{header, frame_offset};
      header.check(file_.path(), "table: frame at byte " + std::to_string(frame_offset));
      if (frames_end - frame_offset < kPackFrameHeaderSize + header.stored_size.value()) {
        throw DamagedPack(file_.path(), "table: the " + describe(entry) +
                                            " does not end before the table, at byte " +
                                            std::to_string(frames_end));
      }
      table_.add(file_.path(), entry);
      frame_offset = entry.end();
    }
  }
  const Hash actual = hasher.update(bytes_of(trailer.n_frames)).finalize();
  if (actual != trailer.checksum) {
    throw ChecksumMismatch("'" + file_.path().native() + "': table", to_hex(trailer.checksum.bytes),
                           to_hex(actual.bytes));
  }
  if (frame_offset != frames_end) {
    throw DamagedPack(file_.path(), "table: its frames end at byte " +
                                        std::to_string(frame_offset) + ", expected " +
                                        std::to_string(frames_end));
  }
}

void PiecePack::require_header(const PackEntry& entry) const {
  PackFrameHeader header{};
  file_.read_at(entry.offset, mutable_bytes_of(header));
  if (header != entry.header) {
    throw DamagedPack(file_.path(), describe(entry) + ": its header is not that of the table");
  }
}

std::vector<std::uint8_t> PiecePack::read(std::uint64_t key) const {
  const PackEntry* entry = table_.find(key);
  if (entry == nullptr) {
    throw ChunkNotInPack(file_.path(), key);
  }
  if (entry->header.codec() == PackCodec::kReference) {
    entry = table_.find_stored(entry->header.hash);  // there is one: the table was checked
  }
  require_header(*entry);
  std::vector<std::uint8_t> bytes(entry->header.original_size.value());
  read_chunk(file_, *entry, bytes);
  return bytes;
}

void PiecePack::verify(const PackEntry& entry) const {
  require_header(entry);
  if (entry.header.codec() == PackCodec::kReference) {
    static_cast<void>(read_stored_bytes(file_, entry));
  } else {
    std::vector<std::uint8_t> bytes(entry.header.original_size.value());
    read_chunk(file_, entry, bytes);
  }
}

}  // namespace furrow
