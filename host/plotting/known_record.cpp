// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/known_record.hpp"

#include <string_view>

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"

namespace furrow {
namespace {

Hash hash_of(std::string_view hex) {
  Hash hash;
  from_hex(hex, hash.bytes, "hash of the known record");
  return hash;
}

}  // namespace

SectorId known_sector_id() {
  SectorId id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(i);
  }
  return id;
}

void fill_known_record(Record& record) {
  std::size_t at = 0;
  for (RecordChunk& chunk : record) {
    for (std::uint8_t& byte : chunk.bytes) {
      // Periods that no chunk, block or tile has, so that none of them is like another.
      byte = static_cast<std::uint8_t>(at % 251 + at / 65521);
      ++at;
    }
  }
}

Hash encoding_hash(const Record& record, const FoundProofs& found_proofs) {
  Blake3Hasher hasher;
  for (const RecordChunk& chunk : record) {
    hasher.update(chunk.bytes);
  }
  return hasher.update(found_proofs.bytes).finalize();
}

std::optional<Hash> known_encoding_hash(unsigned k) {
  switch (k) {
    case 16:
      return hash_of("7e568feb1bafd650f5890ca2875b3f41ae4c75cfbfc5933d0c0e7747058cc026");
    case kPosK:
      return hash_of("bff714df2857349ba714557a9f3cfcdb880b15ee46d4041064a308151ab0ad90");
    default:
      return std::nullopt;
  }
}

}  // namespace furrow
