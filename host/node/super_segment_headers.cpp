// SPDX-License-Identifier: Apache-2.0
#include "host/node/super_segment_headers.hpp"

#include <cstddef>
#include <limits>

#include "host/cluster/chain_messages.hpp"

namespace furrow::node {

SuperSegmentHeaders::Answer SuperSegmentHeaders::find(SuperSegmentIndex index,
                                                      const std::stop_token& stop) {
  const Lock lock(mutex_);
  auto found = headers_.find(index);
  if (found == headers_.end()) {
    if (silent_until_.has_value() && bus_.clock().now() < *silent_until_) {
      return {Known::kNoAnswer};
    }
    ask(index, stop);
    if (silent_until_.has_value() || stop.stop_requested()) {
      return {Known::kNoAnswer};
    }
    found = headers_.find(index);
  }
  return found == headers_.end() ? Answer{Known::kUnknown} : Answer{Known::kHeader, found->second};
}

void SuperSegmentHeaders::ask(SuperSegmentIndex index, const std::stop_token& stop) {
  // The pieces of a sector are of many segments; one request for each would take a sector a thousand
  // round trips.
  constexpr std::uint64_t kAtOnce = cluster::kMaxSuperSegmentHeaders;
  const std::uint64_t first = index.value() / kAtOnce * kAtOnce;
  cluster::SuperSegmentHeadersRequest request;
  for (std::uint64_t i = 0; i < kAtOnce && i <= std::numeric_limits<std::uint64_t>::max() - first;
       ++i) {
    request.super_segment_indices.emplace_back(first + i);
  }
  try {
    const std::optional<cluster::SuperSegmentHeadersResponse> response =
        send_request(bus_, std::nullopt, request, options_.request, stop);
    silent_until_.reset();
    if (!response.has_value()) {
      return;
    }
    const std::size_t n = std::min(response->headers.size(), request.super_segment_indices.size());
    for (std::size_t i = 0; i < n; ++i) {
      const std::optional<SuperSegmentHeader>& header = response->headers[i];
      // One that calls itself something else verifies nothing.
      if (header.has_value() && header->index == request.super_segment_indices[i].value()) {
        headers_.emplace(request.super_segment_indices[i], *header);
      }
    }
  } catch (const cluster::RequestUnanswered&) {
    silent_until_ = bus_.clock().after(options_.pause);
  } catch (const cluster::MalformedMessage&) {
    silent_until_ = bus_.clock().after(options_.pause);
  }
}

}  // namespace furrow::node
