// SPDX-License-Identifier: Apache-2.0
// Headers of super segments as the controller of a cluster gives them
// (docs/spec/07-cluster-protocol.md, section 9): what pieces are verified against where nobody has a
// manifest.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>

#include "furrow/types.hpp"

#include "host/base/mutex.hpp"
#include "host/cluster/bus.hpp"
#include "host/cluster/request.hpp"
#include "host/primitives/segment_header.hpp"

namespace furrow::node {

struct SuperSegmentHeadersOptions {
  /// Of a request: one attempt, because pieces wait for it.
  cluster::RequestOptions request = {.timeout = std::chrono::seconds(10),
                                     .most_delay = std::chrono::milliseconds(0)};
  /// For how long a controller that gave no answer is not asked again.
  std::chrono::milliseconds pause = std::chrono::seconds(60);
};

/// What the controller says is believed, and kept: headers do not change. Thread-safe.
class SuperSegmentHeaders {
 public:
  enum class Known {
    kHeader,
    kUnknown,   ///< to the controller
    kNoAnswer,  ///< nobody said anything about it
  };
  struct Answer {
    Known known = Known::kNoAnswer;
    SuperSegmentHeader header = {};  ///< of kHeader
  };

  /// `bus` outlives it.
  explicit SuperSegmentHeaders(cluster::Bus& bus, SuperSegmentHeadersOptions options = {})
      : bus_(bus), options_(std::move(options)) {}

  /// Asks the controller when it has to, for those around this one as well. kNoAnswer also after a stop
  /// request. Throws what Bus::publish throws.
  [[nodiscard]] Answer find(SuperSegmentIndex index, const std::stop_token& stop);

 private:
  void ask(SuperSegmentIndex index, const std::stop_token& stop) FURROW_REQUIRES(mutex_);

  cluster::Bus& bus_;
  const SuperSegmentHeadersOptions options_;
  Mutex mutex_;  // held while the controller is asked: others would ask for the same
  std::map<SuperSegmentIndex, SuperSegmentHeader> headers_ FURROW_GUARDED_BY(mutex_);
  std::optional<cluster::BusClock::TimePoint> silent_until_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow::node
