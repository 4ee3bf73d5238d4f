// SPDX-License-Identifier: Apache-2.0
// What a farmer is told of a sector while it is plotted, as the elements of a stream
// (docs/spec/07-cluster-protocol.md, section 7.4):
//
//   Ping, Downloading, Downloaded, Encoding, Encoded, Finished, SectorChunk ...
//
// with pings in between, so that the farmer knows that somebody is at work.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "host/base/mutex.hpp"
#include "host/base/permits.hpp"
#include "host/cluster/bus.hpp"
#include "host/cluster/plotter_messages.hpp"
#include "host/cluster/stream_responder.hpp"

namespace furrow::node {

/// The bytes of a sector, and the permit for the room that they take, where that is limited.
struct SectorBytes {
  std::vector<std::uint8_t> bytes;
  Permits::Permit room = {};
};

/// Between the thread that plots and the one that sends. tell(), finish(), fail() and end() are for the
/// former, in this order; next() and poll() for the latter. The first ping is due at once, each further
/// one an interval after the one before.
class PlottingElements final : public cluster::ElementSource {
 public:
  /// `longest_chunk` is in bytes of the sector. The clock must outlive this.
  PlottingElements(cluster::BusClock& clock, std::chrono::milliseconds ping_interval,
                   std::size_t longest_chunk);

  void tell(const cluster::PlottingProgress& progress);
  /// The sector is there. Its bytes are let go when the last of them is taken.
  void finish(cluster::PlottingProgress::Finished finished, SectorBytes sector);
  void fail(std::string error);
  /// Nothing more comes: the end of the stream, whether or not there is a sector.
  void end();
  /// Nobody takes what is left. After end().
  void drop();

  [[nodiscard]] std::optional<cluster::Bytes> next(const std::stop_token& stop) override;
  [[nodiscard]] Polled poll() override;

 private:
  void change(const auto& how);
  Polled take() FURROW_REQUIRES(mutex_);

  cluster::BusClock& clock_;
  const std::chrono::milliseconds ping_interval_;
  const std::size_t longest_chunk_;
  mutable Mutex mutex_;
  cluster::BusClock::TimePoint next_ping_ FURROW_GUARDED_BY(mutex_);
  std::deque<cluster::Bytes> told_ FURROW_GUARDED_BY(mutex_);
  SectorBytes sector_ FURROW_GUARDED_BY(mutex_);
  std::size_t sent_ FURROW_GUARDED_BY(mutex_) = 0;  ///< bytes of the sector
  bool has_ended_ FURROW_GUARDED_BY(mutex_) = false;
  std::stop_source changed_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow::node
