// SPDX-License-Identifier: Apache-2.0
// A piece of a batch that no source gave so far.
#pragma once

#include <string>
#include <vector>

#include "furrow/types.hpp"

namespace furrow {

/// What a source said of a piece in this batch.
struct SourceVerdict {
  enum class Kind { kOpen, kLacks, kFails };
  Kind kind = Kind::kOpen;  ///< it is not asked again unless it is open
  unsigned n_passing = 0;   ///< rounds in which it met with faults of the moment alone
  std::string text;
};

struct UngivenPiece {
  PieceIndex index;
  std::vector<SourceVerdict> said;  ///< by source
};

}  // namespace furrow
