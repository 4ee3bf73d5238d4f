// SPDX-License-Identifier: Apache-2.0
#include "host/sector/sector_writer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "furrow/errors.hpp"
#include "furrow/sector_contents.hpp"

#include "host/base/counted.hpp"
#include "host/crypto/blake3.hpp"
#include "host/sector/plain_chunks.hpp"
#include "host/sector/sector_layout.hpp"

namespace furrow {
namespace {

/// The checksum advances by whole subtrees of this size, which is when hashing is fast, and while
/// the bytes are still in the caches.
constexpr std::size_t kHashedBytes = std::size_t{64} << 10;
/// Records and s-buckets whose bits are transposed together.
constexpr std::size_t kTileBits = 64;
/// How far ahead of a copied chunk its record is asked for: there are more records than streams
/// that the processor follows by itself.
constexpr std::size_t kPrefetchChunks = 16;
/// How far ahead of it the lines to be written are asked for: they are rarely in a cache.
constexpr std::size_t kWriteAheadBytes = 2048;

/// bits[i] bit j becomes bits[j] bit i.
void transpose(std::array<std::uint64_t, kTileBits>& bits) {
  std::uint64_t mask = 0x00000000FFFFFFFF;
  for (std::size_t half = kTileBits / 2; half != 0; half /= 2, mask ^= mask << half) {
    for (std::size_t i = 0; i < kTileBits; i = (i + half + 1) & ~half) {
      const std::uint64_t swapped = (bits[i] >> half ^ bits[i + half]) & mask;
      bits[i] ^= swapped << half;
      bits[i + half] ^= swapped;
    }
  }
}

/// The chunks of a record in the order of their s-buckets, and which those are.
struct OrderedRecord {
  FoundProofs occupied;
  Record chunks;
};

/// Records as they are laid out. What has plain chunks, which practically never happens, is put in
/// order first.
class RecordsInOrder {
 public:
  RecordsInOrder(const SectorContentsMap& map, std::span<const Record> records) {
    for (std::size_t p = 0; p < records.size(); ++p) {
      const FoundProofs& bitmap = map.bitmaps()[p];
      const std::size_t used = count_s_buckets(bitmap);
      if (used > kNumChunks) {
        throw InvalidArgument(
            "sector: expected at most 32768 s-buckets of the record at piece offset " +
            std::to_string(p) + ", actual " + std::to_string(used));
      }
      if (has_plain_chunks(map.network(), bitmap)) {
        const OrderedRecord& made = put_in_order(map.network(), bitmap, records[p]);
        add(made.occupied, made.chunks);
      } else {
        add(bitmap, records[p]);
      }
    }
  }

  [[nodiscard]] std::span<const FoundProofs* const> occupied() const { return occupied_; }
  [[nodiscard]] std::span<const Record* const> records() const { return records_; }

 private:
  const OrderedRecord& put_in_order(Network network, const FoundProofs& bitmap,
                                    const Record& record) {
    made_.push_back(std::make_unique<OrderedRecord>());
    OrderedRecord& made = *made_.back();
    made.occupied = occupied_s_buckets(network, bitmap);
    ChunkPlaces places(bitmap);
    std::size_t k = 0;
    for_each_s_bucket(made.occupied, [&](SBucket s) { made.chunks[k++] = record[places.next(s)]; });
    return made;
  }

  void add(const FoundProofs& occupied, const Record& record) {
    occupied_.push_back(&occupied);
    records_.push_back(&record);
  }

  std::vector<std::unique_ptr<OrderedRecord>> made_;
  std::vector<const FoundProofs*> occupied_;
  std::vector<const Record*> records_;
};

/// Lays out chunks s-bucket by s-bucket, each record's in the order it has them, so that all reads
/// and writes are streams.
class ChunkWriter {
 public:
  ChunkWriter(const RecordsInOrder& records, std::span<std::uint8_t> chunks)
      : occupied_(records.occupied()), begin_(chunks.data()), end_(chunks.data()) {
    for (const Record* record : records.records()) {
      next_.push_back(record->data());
    }
    next_.resize((next_.size() + kTileBits - 1) / kTileBits * kTileBits);
    users_.resize(next_.size());
  }

  /// The chunks of all records in s-buckets kTileBits * tile and following.
  void write_tile(std::size_t tile) {
    find_users(tile);
    const std::size_t n_groups = next_.size() / kTileBits;
    for (std::size_t s = 0; s < kTileBits; ++s) {
      for (std::size_t group = 0; group < n_groups; ++group) {
        const RecordChunk** const records = next_.data() + group * kTileBits;
        for (std::uint64_t users = users_[group * kTileBits + s]; users != 0; users &= users - 1) {
          const RecordChunk*& next = records[std::countr_zero(users)];
          __builtin_prefetch(next + kPrefetchChunks);
          __builtin_prefetch(end_ + kWriteAheadBytes, 1);
          std::memcpy(end_, next++, kChunkSize);
          end_ += kChunkSize;
        }
      }
    }
  }

  /// Bytes laid out so far.
  [[nodiscard]] std::size_t written() const { return static_cast<std::size_t>(end_ - begin_); }

 private:
  /// For each group of 64 records and s-bucket of the tile, which records use the s-bucket.
  void find_users(std::size_t tile) {
    std::array<std::uint64_t, kTileBits> bits;
    for (std::size_t first = 0; first < next_.size(); first += kTileBits) {
      for (std::size_t i = 0; i < kTileBits; ++i) {
        bits[i] = first + i < occupied_.size()
                      ? core::load_le64(occupied_[first + i]->data() + tile * kTileBits / 8)
                      : 0;
      }
      transpose(bits);
      std::copy(bits.begin(), bits.end(), users_.begin() + static_cast<std::ptrdiff_t>(first));
    }
  }

  std::span<const FoundProofs* const> occupied_;
  std::uint8_t* begin_;
  std::uint8_t* end_;                     // of what is laid out
  std::vector<const RecordChunk*> next_;  // chunk of each record
  std::vector<std::uint64_t> users_;
};

}  // namespace

void assemble_sector(const SectorContentsMap& map, std::span<const Record> records,
                     std::span<const std::uint8_t> metadata, std::span<std::uint8_t> out) {
  const Network network = map.network();
  const std::uint16_t pieces = map.pieces_in_sector();
  const std::size_t metadata_size = traits_of(network).record_metadata_size();
  if (records.size() != pieces || metadata.size() != pieces * metadata_size) {
    throw InvalidArgument(
        "sector of " + counted(pieces, "piece") + ": given " + counted(records.size(), "record") +
        " and " + counted(metadata.size(), "byte") + " of record metadata, of which each has " +
        std::to_string(metadata_size));
  }
  if (out.size() != sector_size(network, pieces)) {
    throw InvalidBytesLength("buffer for the sector", sector_size(network, pieces), out.size());
  }
  const RecordsInOrder in_order(map, records);
  map.write_to(out.first(contents_map_size(pieces)));

  const std::span<std::uint8_t> chunks =
      out.subspan(record_chunks_offset(pieces), std::size_t{pieces} * kRecordSize);
  Blake3Hasher hasher;
  std::size_t hashed = 0;
  const auto hash_to = [&](std::size_t end) {
    hasher.update(out.subspan(hashed, end - hashed));
    hashed = end;
  };
  ChunkWriter writer(in_order, chunks);
  for (std::size_t tile = 0; tile < kNumSBuckets / kTileBits; ++tile) {
    writer.write_tile(tile);
    const std::size_t complete = record_chunks_offset(pieces) + writer.written();
    hash_to(complete / kHashedBytes * kHashedBytes);
  }
  const std::span<std::uint8_t> unused = chunks.subspan(writer.written());
  std::fill(unused.begin(), unused.end(), std::uint8_t{0});

  const auto place =
      std::ranges::copy(metadata,
                        out.begin() + static_cast<std::ptrdiff_t>(record_metadata_offset(pieces)))
          .out;
  hash_to(sector_checksum_offset(network, pieces));
  const Hash checksum = hasher.finalize();
  std::copy(checksum.begin(), checksum.end(), place);
}

}  // namespace furrow
