// SPDX-License-Identifier: Apache-2.0
// What farmers and plotters say to one another (docs/spec/07-cluster-protocol.md, section 7;
// docs/spec/09-autonomys.md, section 13.1).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "furrow/types.hpp"

#include "host/cluster/message.hpp"
#include "host/cluster/subjects.hpp"
#include "host/cluster/wire_values.hpp"

namespace furrow::cluster {

/// The answer to a free-instance request: the identifier of a plotter as text, or none.
struct FreeInstanceResponse {
  static constexpr std::string_view kName = "free instance response";
  std::optional<std::string> plotter_id;
  bool operator==(const FreeInstanceResponse&) const = default;
  static void visit(auto& self, auto& field) { field("plotter id", self.plotter_id); }
};

/// Asks whichever plotter has capacity. No bytes.
struct FreeInstanceRequest {
  static constexpr std::string_view kName = "free instance request";
  static constexpr SubjectTemplate kSubject{"plotter.free-instance", Sharing::kGroup,
                                            kPlotterGroup};
  using Response = FreeInstanceResponse;
  bool operator==(const FreeInstanceRequest&) const = default;
  static void visit(auto&, auto&) {}
};

/// What a plotter tells of a sector while it plots it: an element of the stream. The first byte is the
/// index of the alternative; those of sector updates (farm_messages.hpp) are others.
struct PlottingProgress {
  static constexpr std::string_view kName = "plotting progress";

  struct Occupied : Nothing {};     ///< 0: no capacity, after all
  struct Ping : Nothing {};         ///< 1
  struct Downloading : Nothing {};  ///< 2
  /// 3: how long the download took.
  struct Downloaded {
    Duration time;
    bool operator==(const Downloaded&) const = default;
    static void visit(auto& self, auto& field) { field("download time", self.time); }
  };
  struct Encoding : Nothing {};  ///< 4
  /// 5: how long encoding took.
  struct Encoded {
    Duration time;
    bool operator==(const Encoded&) const = default;
    static void visit(auto& self, auto& field) { field("encoding time", self.time); }
  };
  /// 6: the sector, but for its bytes, and how long all of it took.
  struct Finished {
    PlottedSector plotted_sector;
    Duration time;
    bool operator==(const Finished&) const = default;
    static void visit(auto& self, auto& field) {
      field("plotted sector", self.plotted_sector);
      field("time", self.time);
    }
  };
  /// 7: the next bytes of the sector, at most nine tenths of max_payload.
  struct SectorChunk {
    ResultOf<Bytes> data;
    bool operator==(const SectorChunk&) const = default;
    static void visit(auto& self, auto& field) { field("sector chunk", self.data); }
  };
  /// 8: the sector will not come.
  struct Failed {
    std::string error;
    bool operator==(const Failed&) const = default;
    static void visit(auto& self, auto& field) { field("error", self.error); }
  };

  std::variant<Occupied, Ping, Downloading, Downloaded, Encoding, Encoded, Finished, SectorChunk,
               Failed>
      event;
  bool operator==(const PlottingProgress&) const = default;
  static void visit(auto& self, auto& field) { field("progress", self.event); }
};

/// The element SectorChunk around bytes that are not copied first: `07 00`, compact length, the bytes.
[[nodiscard]] Bytes encode_sector_chunk(std::span<const std::uint8_t> data);

/// Asks one plotter for a sector; answered by a stream of PlottingProgress.
///
///    0  32 bytes  public key
///   32  32 bytes  root of the shard commitments
///   64  u16       sector index
///   66  u64       history size minus one
///   74  u16       max pieces in sector
///   76  u64       recent segments minus one
///   84  u64       recent history fraction, numerator minus one
///   92  u64       recent history fraction, denominator minus one
///  100  u64       min sector lifetime minus one
///  108  u16       pieces in sector
///
/// Of Autonomys without the root, 78 bytes, and with history sizes as counts.
struct PlotSectorRequest {
  static constexpr std::string_view kName = "plot sector request";
  static constexpr SubjectTemplate kSubject{"plotter.*.plot-sector", Sharing::kInstance};
  using Element = PlottingProgress;

  PublicKey public_key;
  Hash shard_commitments_root;  ///< of Abundance only
  SectorIndex sector_index;
  FarmerProtocolInfo farmer_protocol_info;
  std::uint16_t pieces_in_sector = 0;
  bool operator==(const PlotSectorRequest&) const = default;
  static void visit(auto& self, auto& field) {
    field("public key", self.public_key);
    if (field.network() == Network::kAbundance) {
      field("shard commitments root", self.shard_commitments_root);
    }
    field("sector index", self.sector_index);
    field("farmer protocol info", self.farmer_protocol_info);
    field("pieces in sector", self.pieces_in_sector);
  }
};

}  // namespace furrow::cluster
