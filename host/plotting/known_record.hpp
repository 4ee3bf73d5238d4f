// SPDX-License-Identifier: Apache-2.0
// A record whose encoded form is known: what a device has to make right before it is used.
#pragma once

#include <optional>

#include "furrow/types.hpp"

namespace furrow {

/// Its sector and place in it, which give the proofs, and fill_known_record its bytes.
SectorId known_sector_id();
inline constexpr PieceOffset kKnownPieceOffset{7};
void fill_known_record(Record& record);

/// BLAKE3 of an encoded record and its bitmap, one after the other.
Hash encoding_hash(const Record& record, const FoundProofs& found_proofs);

/// That of the known record with proofs of this K, as the CPU encodes it; of the K that devices
/// prove themselves with (try_cuda_device), and none of any other.
std::optional<Hash> known_encoding_hash(unsigned k);

}  // namespace furrow
