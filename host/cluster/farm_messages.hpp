// SPDX-License-Identifier: Apache-2.0
// Farmers, farms and caches: who is there, what they have, what becomes of their sectors
// (docs/spec/07-cluster-protocol.md, section 10). Integers are little-endian.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "host/cluster/chain_messages.hpp"
#include "host/cluster/identifiers.hpp"
#include "host/cluster/message.hpp"
#include "host/cluster/subjects.hpp"
#include "host/cluster/wire_values.hpp"

namespace furrow::cluster {

/// A controller asks all farmers who they are. No bytes.
struct FarmerIdentifyRequest {
  static constexpr std::string_view kName = "farmer identify request";
  static constexpr SubjectTemplate kSubject{"controller.farmer-identify"};
  bool operator==(const FarmerIdentifyRequest&) const = default;
  static void visit(auto&, auto&) {}
};

/// The instance is the farmer itself.
struct FarmerIdentify {
  static constexpr std::string_view kName = "farmer identify";
  static constexpr SubjectTemplate kSubject{"farmer.*.farmer-identify"};
  ClusterFarmerId id;
  bool operator==(const FarmerIdentify&) const = default;
  static void visit(auto& self, auto& field) { field("cluster farmer id", self.id); }
};

/// A controller asks the caches of a group, its instance, who they are. No bytes.
struct CacheIdentifyRequest {
  static constexpr std::string_view kName = "cache identify request";
  static constexpr SubjectTemplate kSubject{"controller.*.cache-identify"};
  bool operator==(const CacheIdentifyRequest&) const = default;
  static void visit(auto&, auto&) {}
};

/// The instance is the cache group.
struct CacheIdentify {
  static constexpr std::string_view kName = "cache identify";
  static constexpr SubjectTemplate kSubject{"cache.*.cache-identify"};
  ClusterCacheId id;
  bool operator==(const CacheIdentify&) const = default;
  static void visit(auto& self, auto& field) { field("cluster cache id", self.id); }
};

struct CacheDetails {
  static constexpr std::string_view kName = "cache details";
  PieceCacheId piece_cache_id;
  std::uint32_t max_num_elements = 0;
  bool operator==(const CacheDetails&) const = default;
  static void visit(auto& self, auto& field) {
    field("piece cache id", self.piece_cache_id);
    field("max num elements", self.max_num_elements);
  }
};

/// The instance is a cluster cache. No bytes.
struct CacheDetailsRequest {
  static constexpr std::string_view kName = "cache details request";
  static constexpr SubjectTemplate kSubject{"cache.*.details", Sharing::kInstance};
  using Element = CacheDetails;
  bool operator==(const CacheDetailsRequest&) const = default;
  static void visit(auto&, auto&) {}
};

struct FarmDetails {
  static constexpr std::string_view kName = "farm details";
  FarmId farm_id;
  std::uint16_t total_sectors_count = 0;
  bool operator==(const FarmDetails&) const = default;
  static void visit(auto& self, auto& field) {
    field("farm id", self.farm_id);
    field("total sectors count", self.total_sectors_count);
  }
};

/// The instance is a cluster farmer. No bytes.
struct FarmDetailsRequest {
  static constexpr std::string_view kName = "farm details request";
  static constexpr SubjectTemplate kSubject{"farmer.*.farm.details", Sharing::kInstance};
  using Element = FarmDetails;
  bool operator==(const FarmDetailsRequest&) const = default;
  static void visit(auto&, auto&) {}
};

struct PlottedSectorsElement {
  static constexpr std::string_view kName = "plotted sectors element";
  ResultOf<PlottedSector> result;
  bool operator==(const PlottedSectorsElement&) const = default;
  static void visit(auto& self, auto& field) { field("result", self.result); }
};

/// The instance is a farm, as in all that follow. No bytes.
struct PlottedSectorsRequest {
  static constexpr std::string_view kName = "plotted sectors request";
  static constexpr SubjectTemplate kSubject{"farmer.*.farm.plotted-sectors", Sharing::kInstance};
  using Element = PlottedSectorsElement;
  bool operator==(const PlottedSectorsRequest&) const = default;
  static void visit(auto&, auto&) {}
};

struct FarmReadPieceResponse {
  static constexpr std::string_view kName = "farm read piece response";
  ResultOf<std::optional<SharedPiece>> result;
  bool operator==(const FarmReadPieceResponse&) const = default;
  static void visit(auto& self, auto& field) { field("result", self.result); }
};

struct FarmReadPieceRequest {
  static constexpr std::string_view kName = "farm read piece request";
  static constexpr SubjectTemplate kSubject{"farmer.*.farm.read-piece", Sharing::kInstance};
  using Response = FarmReadPieceResponse;
  SectorIndex sector_index;
  PieceOffset piece_offset;
  bool operator==(const FarmReadPieceRequest&) const = default;
  static void visit(auto& self, auto& field) {
    field("sector index", self.sector_index);
    field("piece offset", self.piece_offset);
  }
};

/// Alternatives of SectorPlotting.
namespace sector_plotting {
/// 0: `progress` in percent.
struct Starting {
  float progress = 0;
  bool replotting = false;
  bool last_queued = false;
  bool operator==(const Starting&) const = default;
  static void visit(auto& self, auto& field) {
    field("progress", self.progress);
    field("replotting", self.replotting);
    field("last queued", self.last_queued);
  }
};
struct Downloading : Nothing {};  ///< 1
/// 2: how long the download took.
struct Downloaded {
  Duration time;
  bool operator==(const Downloaded&) const = default;
  static void visit(auto& self, auto& field) { field("download time", self.time); }
};
struct Encoding : Nothing {};  ///< 3
/// 4: how long encoding took.
struct Encoded {
  Duration time;
  bool operator==(const Encoded&) const = default;
  static void visit(auto& self, auto& field) { field("encoding time", self.time); }
};
struct Writing : Nothing {};  ///< 5
/// 6: how long writing took.
struct Written {
  Duration time;
  bool operator==(const Written&) const = default;
  static void visit(auto& self, auto& field) { field("writing time", self.time); }
};
/// 7: what the sector is now, what it was before, and how long all of it took.
struct Finished {
  PlottedSector plotted_sector;
  std::optional<PlottedSector> old_plotted_sector;
  Duration time;
  bool operator==(const Finished&) const = default;
  static void visit(auto& self, auto& field) {
    field("plotted sector", self.plotted_sector);
    field("old plotted sector", self.old_plotted_sector);
    field("time", self.time);
  }
};
/// 8
struct Failed {
  std::string error;
  bool operator==(const Failed&) const = default;
  static void visit(auto& self, auto& field) { field("error", self.error); }
};
}  // namespace sector_plotting

/// How the plotting of a sector of a farm goes on; the first byte is the index of the alternative,
/// which is another one than in PlottingProgress.
struct SectorPlotting {
  std::variant<sector_plotting::Starting, sector_plotting::Downloading, sector_plotting::Downloaded,
               sector_plotting::Encoding, sector_plotting::Encoded, sector_plotting::Writing,
               sector_plotting::Written, sector_plotting::Finished, sector_plotting::Failed>
      event;
  bool operator==(const SectorPlotting&) const = default;
  static void visit(auto& self, auto& field) { field("plotting", self.event); }
};

/// When a sector has to be plotted again.
struct SectorExpiration {
  /// 0: at which segment it will expire.
  struct Determined {
    SegmentIndex expires_at;
    bool operator==(const Determined&) const = default;
    static void visit(auto& self, auto& field) { field("expires at", self.expires_at); }
  };
  struct AboutToExpire : Nothing {};  ///< 1
  struct Expired : Nothing {};        ///< 2

  std::variant<Determined, AboutToExpire, Expired> event;
  bool operator==(const SectorExpiration&) const = default;
  static void visit(auto& self, auto& field) { field("expiration", self.event); }
};

/// Broadcast.
struct SectorUpdateBroadcast {
  static constexpr std::string_view kName = "sector update";
  static constexpr SubjectTemplate kSubject{"farmer.*.sector-update"};
  FarmId farm_id;
  SectorIndex sector_index;
  std::variant<SectorPlotting, SectorExpiration> update;
  bool operator==(const SectorUpdateBroadcast&) const = default;
  static void visit(auto& self, auto& field) {
    field("farm id", self.farm_id);
    field("sector index", self.sector_index);
    field("update", self.update);
  }
};

/// Alternatives of FarmingNotification, and the results of proving.
namespace farming {
/// 0: of how many sectors, and how long it took.
struct Auditing {
  std::uint16_t sectors_count = 0;
  Duration time;
  bool operator==(const Auditing&) const = default;
  static void visit(auto& self, auto& field) {
    field("sectors count", self.sectors_count);
    field("auditing time", self.time);
  }
};
struct Success : Nothing {};
struct Timeout : Nothing {};
struct Rejected : Nothing {};
struct Failed : Nothing {};
/// 1
struct Proving {
  std::variant<Success, Timeout, Rejected, Failed> result;
  Duration time;
  bool operator==(const Proving&) const = default;
  static void visit(auto& self, auto& field) {
    field("proving result", self.result);
    field("proving time", self.time);
  }
};
/// 2
struct NonFatalError {
  std::string error;
  bool is_fatal = false;
  bool operator==(const NonFatalError&) const = default;
  static void visit(auto& self, auto& field) {
    field("error", self.error);
    field("is fatal", self.is_fatal);
  }
};
}  // namespace farming

/// What a farm does between slots.
struct FarmingNotification {
  std::variant<farming::Auditing, farming::Proving, farming::NonFatalError> event;
  bool operator==(const FarmingNotification&) const = default;
  static void visit(auto& self, auto& field) { field("notification", self.event); }
};

/// Broadcast.
struct FarmingNotificationBroadcast {
  static constexpr std::string_view kName = "farming notification";
  static constexpr SubjectTemplate kSubject{"farmer.*.farming-notification"};
  FarmId farm_id;
  FarmingNotification notification;
  bool operator==(const FarmingNotificationBroadcast&) const = default;
  static void visit(auto& self, auto& field) {
    field("farm id", self.farm_id);
    field("notification", self.notification);
  }
};

/// Broadcast.
struct SolutionBroadcast {
  static constexpr std::string_view kName = "solution response";
  static constexpr SubjectTemplate kSubject{"farmer.*.solution-response"};
  FarmId farm_id;
  std::uint64_t slot = 0;
  Solution solution;
  bool operator==(const SolutionBroadcast&) const = default;
  static void visit(auto& self, auto& field) {
    field("farm id", self.farm_id);
    field("slot", self.slot);
    field("solution", self.solution);
  }
};

}  // namespace furrow::cluster
