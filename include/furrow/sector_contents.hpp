// What a sector consists of once its records are encoded.
#pragma once

#include <span>

#include "furrow/piece.hpp"
#include "furrow/types.hpp"

namespace furrow {

/// All three by piece offset and of the same length, 1 to 65535. Chunk k of a record belongs to the
/// k-th s-bucket of its bitmap.
struct SectorContents {
  std::span<const FoundProofs> found_proofs;
  std::span<const Record> records;  ///< encoded
  std::span<const RecordMetadata> metadata;
};

}  // namespace furrow
