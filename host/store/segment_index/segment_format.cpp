// SPDX-License-Identifier: Apache-2.0
#include "host/store/segment_index/segment_format.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "furrow/core/bits.hpp"

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "host/crypto/blake3_many.hpp"
#include "host/store/segment_index/index_errors.hpp"

namespace furrow {
namespace {

constexpr std::size_t kContentsAt = 32;
constexpr std::size_t kHeaderZerosAt = 64;

/// Blocks hashed at once. Below kFewBlocks, one after the other is faster than a vector with most
/// of its lanes idle.
constexpr std::uint32_t kHashedAtOnce = kMaxLanes;
constexpr std::uint32_t kFewBlocks = 2;

/// Calls `visit(i, hash)` with the hash of the payload of each of the first n blocks, until it
/// returns false. The memory must hold a multiple of kHashedAtOnce blocks.
template <class Visit>
void hash_payloads(const std::uint8_t* blocks, std::uint32_t n_blocks, Visit visit) {
  std::array<Hash, kHashedAtOnce> hashes;
  for (std::uint32_t first = 0; first < n_blocks; first += kHashedAtOnce) {
    const std::uint32_t n = std::min(kHashedAtOnce, n_blocks - first);
    const std::uint32_t hashed = n < kFewBlocks ? n : kHashedAtOnce;
    blake3_many_strided(SimdMode::kBest,
                        {blocks + first * kEntryBlockSize, hashed * kEntryBlockSize},
                        kEntryBlockPayloadSize, kEntryBlockSize, std::span(hashes).first(hashed));
    for (std::uint32_t i = 0; i < n; ++i) {
      if (!visit(first + i, hashes[i])) {
        return;
      }
    }
  }
}

void expect_zeros(std::span<const std::uint8_t> bytes, const std::string& what) {
  if (std::any_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte != 0; })) {
    throw MalformedData(what + ": something stands where zeros are expected");
  }
}

}  // namespace

std::string segment_file_name(std::uint64_t number) {
  std::array<char, 40> name{};
  const int length = std::snprintf(name.data(), name.size(), "seg_%06llu.bin",
                                   static_cast<unsigned long long>(number));
  return {name.data(), static_cast<std::size_t>(length)};
}

std::vector<std::uint8_t> DiskSegmentHeader::encode() const {
  std::vector<std::uint8_t> bytes(kDiskSegmentHeaderSize);
  core::store_le64(bytes.data(), kDiskSegmentMagic);
  core::store_le32(bytes.data() + 8, kDiskSegmentVersion);
  core::store_le32(bytes.data() + 12, entry_count);
  core::store_le32(bytes.data() + 16, static_cast<std::uint32_t>(heights.min));
  core::store_le32(bytes.data() + 20, static_cast<std::uint32_t>(heights.max));
  core::store_le64(bytes.data() + 24, number);
  std::copy(contents.begin(), contents.end(), bytes.begin() + kContentsAt);
  const Hash hash = blake3(std::span(bytes).first(kEntryBlockPayloadSize));
  std::copy_n(hash.begin(), kEntryBlockTagSize, bytes.begin() + kEntryBlockPayloadSize);
  return bytes;
}

DiskSegmentHeader DiskSegmentHeader::decode(std::span<const std::uint8_t> bytes,
                                            const std::string& what) {
  const std::uint64_t magic = core::load_le64(bytes.data());
  if (magic != kDiskSegmentMagic) {
    throw MalformedData(what + ": magic: expected " + std::to_string(kDiskSegmentMagic) +
                        ", actual " + std::to_string(magic));
  }
  const Hash hash = blake3(bytes.first(kEntryBlockPayloadSize));
  const auto tag = bytes.subspan(kEntryBlockPayloadSize, kEntryBlockTagSize);
  if (!std::equal(tag.begin(), tag.end(), hash.begin())) {
    throw ChecksumMismatch(what + ": header", to_hex(tag),
                           to_hex(std::span(hash.bytes).first(kEntryBlockTagSize)));
  }
  if (const std::uint32_t version = core::load_le32(bytes.data() + 8);
      version != kDiskSegmentVersion) {
    throw UnsupportedSegmentVersion(what, kDiskSegmentVersion, version);
  }
  expect_zeros(bytes.subspan(kHeaderZerosAt, kEntryBlockPayloadSize - kHeaderZerosAt), what);
  expect_zeros(bytes.subspan(kEntryBlockSize), what);
  DiskSegmentHeader header;
  header.entry_count = core::load_le32(bytes.data() + 12);
  header.heights.min = static_cast<std::int32_t>(core::load_le32(bytes.data() + 16));
  header.heights.max = static_cast<std::int32_t>(core::load_le32(bytes.data() + 20));
  header.number = core::load_le64(bytes.data() + 24);
  std::copy_n(bytes.begin() + kContentsAt, Hash::size(), header.contents.begin());
  return header;
}

EntryBlockBuffer::EntryBlockBuffer(std::uint32_t n_blocks)
    : n_blocks_(n_blocks),
      bytes_((n_blocks + kHashedAtOnce - 1) / kHashedAtOnce * kHashedAtOnce * kEntryBlockSize) {}

void EntryBlockBuffer::seal(std::uint32_t n_blocks) {
  hash_payloads(bytes_.data(), n_blocks, [this](std::uint32_t i, const Hash& hash) {
    std::copy_n(hash.begin(), kEntryBlockTagSize, block(i) + kEntryBlockPayloadSize);
    return true;
  });
}

std::uint32_t EntryBlockBuffer::first_damaged(std::uint32_t n_blocks) const {
  std::uint32_t damaged = n_blocks;
  hash_payloads(bytes_.data(), n_blocks, [&](std::uint32_t i, const Hash& hash) {
    if (std::memcmp(block(i) + kEntryBlockPayloadSize, hash.data(), kEntryBlockTagSize) != 0) {
      damaged = i;
    }
    return damaged == n_blocks;
  });
  return damaged;
}

ChecksumMismatch EntryBlockBuffer::mismatch(std::uint32_t i, const std::filesystem::path& file,
                                            std::uint32_t number) const {
  const Hash hash = blake3({block(i), kEntryBlockPayloadSize});
  return {file.native() + ": block " + std::to_string(number),
          to_hex({block(i) + kEntryBlockPayloadSize, kEntryBlockTagSize}),
          to_hex(std::span(hash.bytes).first(kEntryBlockTagSize))};
}

}  // namespace furrow
