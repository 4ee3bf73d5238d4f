// SPDX-License-Identifier: Apache-2.0
// One sector asked of one plotter, as a farmer sees it (docs/spec/07-cluster-protocol.md, sections 7.2 to
// 7.4). What comes is held against the rules of the protocol; whether it is the sector, sector_check.hpp
// says.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "host/base/observer.hpp"
#include "host/cluster/bus.hpp"
#include "host/cluster/identifiers.hpp"
#include "host/cluster/plotter_messages.hpp"
#include "host/cluster/subjects.hpp"
#include "host/plotting/plotted_sector.hpp"
#include "host/plotting/plotting_event.hpp"

namespace furrow::node {

struct ReceivedSector {
  PlottedSector plotted_sector;
  std::vector<std::uint8_t> bytes;
};

/// What comes of a request.
struct SectorAnswer {
  /// All places of the plotter are taken after all.
  struct Occupied {};
  /// Nothing more comes: the plotter is gone, or what it sent was lost.
  struct Lost {
    std::string reason;
  };
  /// The plotter says that the sector will not come.
  struct Refused {
    std::string reason;
  };
  /// What came is none of the protocol.
  struct Wrong {
    std::string reason;
  };
  struct Stopped {};

  std::variant<ReceivedSector, Occupied, Lost, Refused, Wrong, Stopped> what;
};

struct SectorRequestOptions {
  /// How long a plotter may be silent; it pings every ten seconds.
  std::chrono::milliseconds ping_timeout = std::chrono::seconds(60);
  cluster::UlidSource draw_ulid = cluster::draw_ulid;
  /// Told as PlotPipelineOptions::on_event, up to Encoded.
  Observer<const PlottingEvent&> on_event = {};
};

/// Asks, and takes what comes. A stop request ends it; once the sector is finished and only its bytes are
/// still to come it ends a ping timeout later, since these take seconds and save minutes. In memory are the bytes of the sector,
/// from when it is finished, and what a StreamRequest has. Throws what Bus::publish throws.
[[nodiscard]] SectorAnswer request_sector(cluster::Bus& bus, const cluster::SubjectToken& plotter,
                                          const cluster::PlotSectorRequest& request,
                                          const SectorRequestOptions& options,
                                          const std::stop_token& stop);

}  // namespace furrow::node
