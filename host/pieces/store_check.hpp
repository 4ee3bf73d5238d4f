// SPDX-License-Identifier: Apache-2.0
// Verification of a whole piece store without changing it (docs/formats/piece-store.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "host/base/observer.hpp"

namespace furrow {

/// Something that is not as it should be.
struct StoreFinding {
  std::string thing;  ///< such as "pack of segment 3" or "piece 771"
  std::string reason;
};

struct StoreReport {
  /// Damage, in the order of segments: a pack that is missing, damaged outside of its frames or without some
  /// of its pieces; then those of its pieces that are not to be had, unless the pack cannot be opened at all.
  std::vector<StoreFinding> broken;
  /// What loses nothing: an index that is missing, damaged or wrong, once.
  std::vector<StoreFinding> notes;
  std::uint64_t segments = 0;       ///< of the manifest
  std::uint64_t pieces = 0;         ///< of the manifest
  std::uint64_t intact_pieces = 0;  ///< read, and proven to be those of the history
  /// A stop request came before the end; pieces that were not reached are in no count of damage.
  bool stopped = false;
};

struct StoreProgress {
  std::uint64_t pieces_done = 0;
  std::uint64_t pieces_total = 0;
};

/// Reads the table of each pack, then its pieces, as a plotter would: frames by their checksums, pieces by
/// their proofs against the manifest. Damage goes into the report; throws what Manifest::load throws, and
/// StoreGone when the store vanishes meanwhile. `progress` is told after each piece or pack that cannot be
/// opened, on the calling thread. A stop request takes effect within one piece.
StoreReport check_store(const std::filesystem::path& store,
                        const Observer<const StoreProgress&>& progress = {},
                        const std::stop_token& stop = {});

}  // namespace furrow
