// SPDX-License-Identifier: Apache-2.0
#include "host/store/pack_frames.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "host/store/chunk_compression.hpp"

namespace furrow {
namespace {

std::string named(const std::filesystem::path& file, const PackEntry& entry) {
  return "'" + file.native() + "': " + describe(entry);
}

void verify_hash(const std::filesystem::path& file, const PackEntry& entry,
                 std::span<const std::uint8_t> chunk) {
  const Hash actual = blake3(chunk);
  if (actual != entry.header.hash) {
    throw ChecksumMismatch(named(file, entry) + ": original bytes", to_hex(entry.header.hash.bytes),
                           to_hex(actual.bytes));
  }
}

}  // namespace

PackEntry PackFrames::frame_at(std::uint64_t offset) const {
  const std::uint64_t size = file_.size();
  if (offset > size) {
    throw DamagedPack(file_.path(), "frame at byte " + std::to_string(offset) +
                                        ": the file has only " + std::to_string(size) + " bytes");
  }
  return {read_frame_header(file_, offset, size), offset};
}

void PackFrames::read(const PackEntry& entry, std::span<std::uint8_t> out) const {
  read_chunk(file_, entry, out);
}

void read_chunk(const File& file, const PackEntry& entry, std::span<std::uint8_t> out) {
  if (out.size() != entry.header.original_size.value()) {
    throw InvalidBytesLength(named(file.path(), entry), out.size(),
                             entry.header.original_size.value());
  }
  switch (entry.header.codec()) {
    case PackCodec::kRaw:
      read_stored_bytes(file, entry, out);
      verify_hash(file.path(), entry, out);
      break;
    case PackCodec::kZstd:
      unpack_chunk(file.path(), entry, read_stored_bytes(file, entry), out);
      break;
    case PackCodec::kReference:
      throw DamagedPack(file.path(), describe(entry) + ": it is a reference, it holds no bytes");
  }
}

void unpack_chunk(const std::filesystem::path& file, const PackEntry& entry,
                  std::span<const std::uint8_t> stored, std::span<std::uint8_t> out) {
  if (entry.header.codec() == PackCodec::kZstd) {
    zstd_decompress(stored, out, named(file, entry));
  } else {
    std::copy(stored.begin(), stored.end(), out.begin());
  }
  verify_hash(file, entry, out);
}

}  // namespace furrow
