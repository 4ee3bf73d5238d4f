#include "host/sector/sector_writer.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "furrow/errors.hpp"
#include "furrow/sector_contents.hpp"

#include "host/crypto/blake3.hpp"
#include "host/sector/sector_layout.hpp"

namespace furrow {
namespace {

/// Place of the first chunk of each s-bucket, in chunks.
std::vector<std::uint32_t> first_chunks(std::span<const std::uint16_t> sizes) {
  std::vector<std::uint32_t> first(sizes.size());
  std::uint32_t total = 0;
  for (std::size_t s = 0; s < sizes.size(); ++s) {
    first[s] = total;
    total += sizes[s];
  }
  return first;
}

}  // namespace

void assemble_sector(const SectorContentsMap& map, std::span<const Record> records,
                     std::span<const RecordMetadata> metadata, std::span<std::uint8_t> out) {
  const std::uint16_t pieces = map.pieces_in_sector();
  if (records.size() != pieces || metadata.size() != pieces) {
    throw InvalidArgument("sector of " + std::to_string(pieces) + " pieces: given " +
                          std::to_string(records.size()) + " records and " +
                          std::to_string(metadata.size()) + " record metadata");
  }
  if (out.size() != sector_size(pieces)) {
    throw InvalidBytesLength("buffer for the sector", sector_size(pieces), out.size());
  }
  for (std::size_t p = 0; p < pieces; ++p) {
    if (const std::size_t used = count_s_buckets(map.bitmaps()[p]); used > kNumChunks) {
      throw InvalidArgument(
          "sector: expected at most 32768 s-buckets of the record at piece offset " +
          std::to_string(p) + ", actual " + std::to_string(used));
    }
  }
  map.write_to(out.first(contents_map_size(pieces)));

  const std::span<std::uint8_t> chunks =
      out.subspan(record_chunks_offset(pieces), std::size_t{pieces} * kRecordSize);
  std::vector<std::uint32_t> next_chunk = first_chunks(map.s_bucket_sizes());
  std::size_t written = 0;
  // Records ascend, so within an s-bucket the chunks come to stand in the order of piece offsets.
  for (std::size_t p = 0; p < pieces; ++p) {
    std::size_t k = 0;
    for_each_s_bucket(map.bitmaps()[p], [&](SBucket s) {
      const RecordChunk& chunk = records[p][k++];
      std::copy(chunk.begin(), chunk.end(),
                chunks.begin() + static_cast<std::ptrdiff_t>(kChunkSize * next_chunk[s.value()]++));
    });
    written += k;
  }
  const std::span<std::uint8_t> unused = chunks.subspan(kChunkSize * written);
  std::fill(unused.begin(), unused.end(), std::uint8_t{0});

  auto place = out.begin() + static_cast<std::ptrdiff_t>(record_metadata_offset(pieces));
  for (const RecordMetadata& entry : metadata) {
    const std::span<const std::uint8_t> bytes = bytes_of(entry);
    place = std::copy(bytes.begin(), bytes.end(), place);
  }
  const Hash checksum = blake3(out.first(sector_checksum_offset(pieces)));
  std::copy(checksum.begin(), checksum.end(), place);
}

}  // namespace furrow
