// SPDX-License-Identifier: Apache-2.0
// What the device says about one encoded record.
#pragma once

#include <cstdint>

#include "furrow/core/params.hpp"

namespace furrow::cuda {

/// Read back with the record. A record with overflows, or with fewer than 32768 proofs, is not
/// encoded: its bytes mean nothing.
struct RecordStatus {
  /// S-buckets with a proof, 32768 at most.
  std::uint32_t n_proofs;
  /// Entries for which a bucket had no room.
  std::uint32_t n_overflows;
};

/// Whether the bytes of the record are its encoded form.
constexpr bool is_encoded(const RecordStatus& status) {
  return status.n_proofs == kNumChunks && status.n_overflows == 0;
}

}  // namespace furrow::cuda
