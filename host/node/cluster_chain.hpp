// SPDX-License-Identifier: Apache-2.0
// The chain as the controller of a cluster tells of it, for who makes sectors of its history
// (docs/spec/07-cluster-protocol.md, section 9).
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>

#include "furrow/types.hpp"

#include "host/base/mutex.hpp"
#include "host/cluster/bus.hpp"
#include "host/cluster/chain_messages.hpp"
#include "host/cluster/request.hpp"

namespace furrow::node {

/// What the controller says of its chain; none when a stop was requested. Throws RequestUnanswered and
/// MalformedMessage, and SourceUnavailable when it says that it does not know.
[[nodiscard]] std::optional<cluster::FarmerAppInfo> ask_for_chain(
    cluster::Bus& bus, const cluster::RequestOptions& options, const std::stop_token& stop);

struct CurrentHistoryOptions {
  /// Of a request: one attempt, because a sector waits for it.
  cluster::RequestOptions request = {.timeout = std::chrono::seconds(5),
                                     .most_delay = std::chrono::milliseconds(0)};
  /// For how long what the controller has said is good.
  std::chrono::milliseconds interval = std::chrono::seconds(30);
};

/// How much history there is by now, for sectors that begin now. The controller is asked for it: its
/// broadcasts of new super segments say the same, but who was not connected has missed them. Thread-safe.
class CurrentHistory {
 public:
  /// `known` is what the controller has just said. `bus` outlives it.
  CurrentHistory(cluster::Bus& bus, const cluster::FarmerAppInfo& known,
                 CurrentHistoryOptions options = {});

  /// The size that is known when the controller gives no answer. Throws GenesisRootMismatch when it is
  /// now the controller of another chain, and what Bus::publish throws.
  [[nodiscard]] HistorySize size(const std::stop_token& stop);

 private:
  cluster::Bus& bus_;
  const Hash genesis_root_;
  const CurrentHistoryOptions options_;
  Mutex mutex_;  // held while the controller is asked: others would ask for the same
  HistorySize size_ FURROW_GUARDED_BY(mutex_);
  cluster::BusClock::TimePoint good_until_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow::node
