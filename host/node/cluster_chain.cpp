// SPDX-License-Identifier: Apache-2.0
#include "host/node/cluster_chain.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "host/archive/manifest.hpp"
#include "host/pieces/source_errors.hpp"

namespace furrow::node {

std::optional<cluster::FarmerAppInfo> ask_for_chain(cluster::Bus& bus,
                                                    const cluster::RequestOptions& options,
                                                    const std::stop_token& stop) {
  std::optional<cluster::FarmerAppInfoResponse> response =
      send_request(bus, std::nullopt, cluster::FarmerAppInfoRequest{}, options, stop);
  if (!response.has_value()) {
    return std::nullopt;
  }
  if (const auto* const failure = std::get_if<cluster::RemoteFailure>(&response->result)) {
    throw SourceUnavailable("controller: " + failure->text);
  }
  return std::get<cluster::FarmerAppInfo>(std::move(response->result));
}

CurrentHistory::CurrentHistory(cluster::Bus& bus, const cluster::FarmerAppInfo& known,
                               CurrentHistoryOptions options)
    : bus_(bus),
      genesis_root_(known.genesis_root),
      options_(std::move(options)),
      size_(known.protocol_info.history_size),
      good_until_(bus.clock().after(options_.interval)) {}

HistorySize CurrentHistory::size(const std::stop_token& stop) {
  const Lock lock(mutex_);
  if (bus_.clock().now() < good_until_) {
    return size_;
  }
  try {
    const auto info = ask_for_chain(bus_, options_.request, stop);
    if (info.has_value()) {
      if (info->genesis_root != genesis_root_) {
        throw GenesisRootMismatch("controller", genesis_root_, info->genesis_root);
      }
      // A controller whose node is behind takes nothing away.
      size_ = std::max(size_, info->protocol_info.history_size);
    }
  } catch (const cluster::RequestUnanswered&) {
    // It comes back, or does not; the history that there was is still there.
  } catch (const cluster::MalformedMessage&) {
  } catch (const SourceUnavailable&) {
  }
  good_until_ = bus_.clock().after(options_.interval);
  return size_;
}

}  // namespace furrow::node
