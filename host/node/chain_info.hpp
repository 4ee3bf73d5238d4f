// SPDX-License-Identifier: Apache-2.0
// What a controller tells of the chain (docs/spec/07-cluster-protocol.md, section 9), from the manifest of
// an archive alone, without a node of the chain: the history is that of the manifest and does not grow, and
// there are no slots and no blocks.
#pragma once

#include <chrono>
#include <map>
#include <vector>

#include "host/archive/manifest.hpp"
#include "host/cluster/chain_messages.hpp"

namespace furrow::node {

/// How long a farmer of the examples of section 9 has for a proof. Nobody is given a slot here that would have to be answered
/// in this time, but what is told must be a duration that farmers take.
inline constexpr std::chrono::milliseconds kFarmingTimeout(3'200);

/// Immutable, so thread-safe.
class ChainInfo {
 public:
  /// Pre: the manifest is valid.
  explicit ChainInfo(const Manifest& manifest);

  /// Genesis root and history of the manifest, the other numbers as the development chain has them; no
  /// bootstrap nodes, and not syncing.
  [[nodiscard]] const cluster::FarmerAppInfoResponse& farmer_app_info() const { return app_info_; }
  [[nodiscard]] cluster::SuperSegmentHeadersResponse super_segment_headers(
      const cluster::SuperSegmentHeadersRequest& request) const;
  [[nodiscard]] cluster::SuperSegmentRootResponse super_segment_root(
      const cluster::SuperSegmentRootRequest& request) const;

 private:
  cluster::FarmerAppInfoResponse app_info_;
  std::map<SuperSegmentIndex, SuperSegmentHeader> headers_;
  std::vector<SuperSegmentIndex> super_segment_of_;  // by segment
};

}  // namespace furrow::node
