// SPDX-License-Identifier: Apache-2.0
#include "host/node/chain_info.hpp"

namespace furrow::node {

ChainInfo::ChainInfo(const Manifest& manifest)
    : app_info_{
          cluster::FarmerAppInfo{.genesis_root = manifest.genesis_root(),
                                 .bootstrap_nodes = {},
                                 .syncing = false,
                                 .farming_timeout = cluster::Duration::from(kFarmingTimeout),
                                 .protocol_info = {.history_size = manifest.history_size()}}} {
  super_segment_of_.reserve(manifest.segments.size());
  for (const ManifestSegment& segment : manifest.segments) {
    const SuperSegmentIndex index(segment.super_segment.index.value());
    headers_.emplace(index, segment.super_segment);
    super_segment_of_.push_back(index);
  }
}

cluster::SuperSegmentHeadersResponse ChainInfo::super_segment_headers(
    const cluster::SuperSegmentHeadersRequest& request) const {
  cluster::SuperSegmentHeadersResponse response;
  response.headers.reserve(request.super_segment_indices.size());
  for (const SuperSegmentIndex index : request.super_segment_indices) {
    const auto found = headers_.find(index);
    response.headers.push_back(found == headers_.end() ? std::nullopt
                                                       : std::optional(found->second));
  }
  return response;
}

cluster::SuperSegmentRootResponse ChainInfo::super_segment_root(
    const cluster::SuperSegmentRootRequest& request) const {
  if (request.segment_index.value() >= super_segment_of_.size()) {
    return {};
  }
  return {headers_.at(super_segment_of_[request.segment_index.value()]).root};
}

}  // namespace furrow::node
