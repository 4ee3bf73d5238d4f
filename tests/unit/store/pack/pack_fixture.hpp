// SPDX-License-Identifier: Apache-2.0
// Chunks, sources and packs for the tests of packing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/crypto/blake3.hpp"
#include "host/store/pack_pipeline.hpp"
#include "host/store/piece_pack.hpp"
#include "host/store/piece_pack_writer.hpp"
#include "tools/vectors/golden_stream.hpp"

namespace furrow::test {

using Bytes = std::vector<std::uint8_t>;
/// What a pack should hold.
using Chunks = std::map<std::uint64_t, Bytes>;

/// Bytes that do not shrink.
inline Bytes random_bytes(std::uint64_t seed, std::size_t n_bytes) {
  return vectors::stream(seed, n_bytes);
}

/// Bytes that shrink; their period is coprime to every block size.
inline Bytes periodic_bytes(std::uint64_t seed, std::size_t n_bytes) {
  Bytes bytes = vectors::stream(seed, n_bytes);
  for (std::size_t i = 251; i < bytes.size(); ++i) {
    bytes[i] = bytes[i - 251];
  }
  return bytes;
}

/// Gives chunks out of a list.
class ListSource : public ChunkSource {
 public:
  explicit ListSource(std::vector<RawChunk> chunks) : chunks_(std::move(chunks)) {}
  std::optional<RawChunk> next() override {
    if (next_ == chunks_.size()) {
      return std::nullopt;
    }
    return std::move(chunks_[next_++]);
  }

 private:
  std::vector<RawChunk> chunks_;
  std::size_t next_ = 0;
};

/// A chunk as a worker would hand it on.
inline PackedChunk packed(std::uint64_t key, const Bytes& data) {
  std::optional<PackedChunk> result;
  ListSource source({{.key = key, .data = data}});
  pack_chunks(source, ZstdCompressor(), {.num_workers = 1, .max_chunks_in_flight = 0},
              [&](PackedChunk chunk) { result = std::move(chunk); });
  return *std::move(result);
}

/// A small pack of every kind of frame: compressed, raw, empty, and references to the first two.
inline const std::vector<std::pair<std::uint64_t, Bytes>>& sample_chunks() {
  static const std::vector<std::pair<std::uint64_t, Bytes>> chunks = {
      {7, periodic_bytes(1, 1000)},
      {1, random_bytes(2, 100)},
      {900, {}},
      {8, periodic_bytes(1, 1000)},
      {(1ULL << 63) + 1, random_bytes(2, 100)},
      {2, random_bytes(3, 33)}};
  return chunks;
}

/// Appends chunks `begin` to `end` - 1 of the sample.
inline void write_sample(PiecePackWriter& writer, std::size_t begin = 0,
                         std::size_t end = sample_chunks().size()) {
  for (std::size_t i = begin; i < end; ++i) {
    const auto& [key, data] = sample_chunks()[i];
    writer.append(packed(key, data));
  }
}

inline void make_sample_pack(const std::filesystem::path& file) {
  const auto writer = PiecePackWriter::create(file);
  write_sample(*writer);
  writer->finish();
}

/// An unfinished pack with the first `n` chunks of the sample, as a crash leaves it.
inline void make_unfinished_sample_pack(const std::filesystem::path& file, std::size_t n) {
  // A finished one without its end.
  const auto writer = PiecePackWriter::create(file);
  write_sample(*writer, 0, n);
  writer->finish();
  const std::uint64_t end = PiecePack::open(file).table().entries().empty()
                                ? kPackHeaderSize
                                : PiecePack::open(file).table().entries().back().end();
  std::filesystem::resize_file(file, end);
}

inline Chunks sample_as_chunks(std::size_t n = sample_chunks().size()) {
  return {sample_chunks().begin(), sample_chunks().begin() + static_cast<std::ptrdiff_t>(n)};
}

/// Everything in a pack, by its own table.
inline Chunks read_all(const PiecePack& pack) {
  Chunks chunks;
  for (const PackEntry& entry : pack.table().entries()) {
    const std::uint64_t key = entry.header.key.value();
    chunks.emplace(key, pack.read(key));
  }
  return chunks;
}

}  // namespace furrow::test
