// SPDX-License-Identifier: Apache-2.0
// How cluster.vectors writes the fields of messages (tests/golden/README.md).
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "host/cluster/chain_messages.hpp"
#include "host/cluster/farm_messages.hpp"
#include "host/cluster/piece_messages.hpp"
#include "host/cluster/plotter_messages.hpp"
#include "host/cluster/stream_message.hpp"
#include "tools/vectors/vector_input.hpp"

namespace furrow::vectors {

/// A value that is no message by itself.
template <class T>
struct Plain {
  static constexpr std::string_view kName = "value";
  T value;
  bool operator==(const Plain&) const = default;
  static void visit(auto& self, auto& field) { field("value", self.value); }
};

struct Empty : cluster::Nothing {
  static constexpr std::string_view kName = "empty message";
};

/// A message of a stream with its elements.
template <class Element>
struct StreamOf {
  bool is_last = false;
  std::uint32_t index = 0;
  std::vector<Element> elements;
  std::string ack_subject;
  bool operator==(const StreamOf&) const = default;
};

/// Sets values from JSON; throws where members are missing or of the wrong kind. A class, so that each
/// function finds all others.
class ClusterFieldReader {
 public:
  static std::uint16_t number16(const nlohmann::json& fields, const char* field) {
    return static_cast<std::uint16_t>(number(fields, field));
  }
  static std::uint32_t number32(const nlohmann::json& fields, const char* field) {
    return static_cast<std::uint32_t>(number(fields, field));
  }
  static std::uint64_t number64(const nlohmann::json& value) {
    return number(nlohmann::json{{"value", value}}, "value");
  }
  static std::string text(const nlohmann::json& fields, const char* field) {
    return fields.at(field).get<std::string>();
  }
  static HistorySize history_size(const nlohmann::json& value) {
    return HistorySize::from_count(number64(value));
  }

  // How a value of each type is written in the fields.

  static void read(const nlohmann::json& value, std::string& out) {
    out = value.get<std::string>();
  }
  static void read(const nlohmann::json& value, cluster::Bytes& out) {
    out = value.is_object() ? stream(seed(value, "stream"), number(value, "len"))
                            : from_hex(value.get<std::string>(), "bytes");
  }
  template <class Tag, class T>
  static void read(const nlohmann::json& value, Index<Tag, T>& out) {
    out = Index<Tag, T>(static_cast<T>(number64(value)));
  }
  template <class Tag, std::size_t N>
  static void read(const nlohmann::json& value, FixedBytes<Tag, N>& out) {
    from_hex(value.get<std::string>(), out.bytes, "bytes");
  }
  template <std::size_t N>
  static void read(const nlohmann::json& value, std::array<Hash, N>& out) {
    cluster::Bytes bytes(N * kHashSize);
    from_hex(value.get<std::string>(), bytes, "hashes");
    std::memcpy(out.data(), bytes.data(), bytes.size());
  }
  template <class Tag, bool kHasVariant>
  static void read(const nlohmann::json& value, cluster::Identifier<Tag, kHasVariant>& out) {
    out.ulid = Ulid::parse(value.get<std::string>());
  }
  static void read(const nlohmann::json&, cluster::Nothing&) {}
  static void read(const nlohmann::json& value, cluster::Duration& out) {
    out = {number(value, "secs"), number32(value, "nanos")};
  }
  static void read(const nlohmann::json& value, cluster::SharedPiece& out) {
    const auto piece = std::make_shared<Piece>();
    fill_stream(seed(value, "stream"), mutable_bytes_of(*piece));
    out.piece = piece;
  }
  static void read(const nlohmann::json& value, cluster::IndexedPiece& out) {
    read(value.at("piece_index"), out.piece_index);
    read(value.at("piece"), out.piece);
  }
  static void read(const nlohmann::json& value, FarmerProtocolInfo& out) {
    out.history_size = history_size(value.at("history_size"));
    out.max_pieces_in_sector = number16(value, "max_pieces_in_sector");
    out.recent_segments = history_size(value.at("recent_segments"));
    out.recent_history_numerator = history_size(value.at("recent_history_fraction").at(0));
    out.recent_history_denominator = history_size(value.at("recent_history_fraction").at(1));
    out.min_sector_lifetime = history_size(value.at("min_sector_lifetime"));
  }
  static void read(const nlohmann::json& value, PlottedSector& out) {
    read(value.at("sector_id"), out.sector_id);
    read(value.at("sector_index"), out.sector_index);
    const nlohmann::json& metadata = value.at("sector_metadata");
    read(metadata.at("sector_index"), out.sector_metadata.sector_index);
    out.sector_metadata.pieces_in_sector = number16(metadata, "pieces_in_sector");
    out.sector_metadata.history_size = history_size(metadata.at("history_size"));
    if (metadata.at("s_bucket_sizes") != "zero") {
      cluster::Bytes sizes;
      read(metadata.at("s_bucket_sizes"), sizes);
      for (std::size_t s = 0; s < kNumSBuckets; ++s) {
        out.sector_metadata.s_bucket_sizes[s] =
            static_cast<std::uint16_t>(sizes.at(2 * s) | sizes.at(2 * s + 1) << 8);
      }
    }
    for (const nlohmann::json& index : value.at("piece_indexes")) {
      read(index, out.piece_indexes.emplace_back());
    }
  }
  static void read(const nlohmann::json& value, cluster::CachedPlace& out) {
    read(value.at("piece_cache_id"), out.piece_cache_id);
    read(value.at("offset"), out.offset);
  }
  template <class T>
  static void read(const nlohmann::json& value, std::optional<T>& out) {
    if (!value.is_null()) {
      read(value, out.emplace());
    }
  }
  template <class T>
  static void read(const nlohmann::json& value, std::vector<T>& out) {
    for (const nlohmann::json& element : value) {
      read(element, out.emplace_back());
    }
  }
  template <class T>
  static void read(const nlohmann::json& value, cluster::ResultOf<T>& out) {
    if (value.contains("err")) {
      out = cluster::RemoteFailure{text(value, "err")};
    } else {
      read(value.at("ok"), out.template emplace<T>());
    }
  }
  static void read(const nlohmann::json& value, cluster::CacheSlot& out) {
    read(value.at("offset"), out.offset);
    read(value.at("found"), out.found);
  }
  static void read(const nlohmann::json& value, cluster::SlotIndex& out) {
    read(value.at("offset"), out.offset);
    read(value.at("piece_index"), out.piece_index);
  }
  static void read(const nlohmann::json& value, cluster::FarmerAppInfo& out) {
    read(value.at("genesis_root"), out.genesis_root);
    read(value.at("dsn_bootstrap_nodes"), out.bootstrap_nodes);
    out.syncing = value.at("syncing").get<bool>();
    read(value.at("farming_timeout"), out.farming_timeout);
    read(value.at("protocol_info"), out.protocol_info);
  }
  static void read(const nlohmann::json& value, SuperSegmentHeader& out) {
    out.index = number(value, "index");
    read(value.at("root"), out.root);
    read(value.at("prev_super_segment_header_hash"), out.prev_super_segment_header_hash);
    out.max_segment_index = number(value, "max_segment_index");
    out.target_beacon_chain_block_number = number(value, "target_beacon_chain_block_number");
    out.num_segments = number32(value, "num_segments");
  }
  static void read(const nlohmann::json& value, cluster::SlotInfo& out) {
    out.slot = number(value, "slot");
    read(value.at("global_challenge"), out.global_challenge);
    out.solution_range = number(value, "solution_range");
    read(value.at("shard_membership_entropy"), out.shard_membership_entropy);
    const nlohmann::json& shards = value.at("num_shards");
    out.intermediate_shards = number16(shards, "intermediate_shards");
    out.leaf_shards_per_intermediate_shard = number16(shards, "leaf_shards_per_intermediate_shard");
  }
  static void read(const nlohmann::json& value, cluster::Solution& out) {
    read(value.at("public_key_hash"), out.public_key_hash);
    const nlohmann::json& commitment = value.at("shard_commitment");
    read(commitment.at("root"), out.shard_commitments_root);
    read(commitment.at("proof"), out.shard_commitment_proof);
    read(commitment.at("leaf"), out.shard_commitment_leaf);
    out.piece_local_segment_index = number(value, "piece_local_segment_index");
    out.piece_super_segment_index = number(value, "piece_super_segment_index");
    read(value.at("segment_root"), out.segment_root);
    read(value.at("segment_proof"), out.segment_proof);
    read(value.at("record_root"), out.record_root);
    read(value.at("record_proof"), out.record_proof);
    read(value.at("chunk"), out.chunk);
    read(value.at("chunk_proof"), out.chunk_proof);
    read(value.at("proof_of_space"), out.proof_of_space);
    out.stored_history_size = history_size(value.at("history_size")).stored();
    out.sector_index = number16(value, "sector_index");
    out.piece_offset = number16(value, "piece_offset");
    out.segment_position = number32(value, "segment_position");
    out.piece_shard_index = number32(value, "piece_shard_index");
  }

  /// Makes the alternative whose name the fields have under "variant", and lets `fill` read its members.
  template <class... Alternatives, class Fill>
  static void choose(const nlohmann::json& value, std::variant<Alternatives...>& out,
                     const std::array<const char*, sizeof...(Alternatives)>& names,
                     const char* member, Fill fill) {
    const std::string name = text(value, member);
    std::size_t index = 0;
    const auto choose_if_named = [&]<class Alternative>(std::type_identity<Alternative>) {
      if (name == names[index++]) {
        fill(out.template emplace<Alternative>());
        return true;
      }
      return false;
    };
    if (!(choose_if_named(std::type_identity<Alternatives>()) || ...)) {
      throw MalformedData("unknown variant: " + name);
    }
  }

  /// Members of an alternative, for those that it has.
  template <class Alternative>
  static void read_members(const nlohmann::json& value, Alternative& out) {
    if constexpr (requires { out.time; }) {
      read(value.at("time"), out.time);
    }
    if constexpr (requires { out.error; }) {
      read(value.at("error"), out.error);
    }
    if constexpr (requires { out.plotted_sector; }) {
      read(value.at("plotted_sector"), out.plotted_sector);
    }
    if constexpr (requires { out.old_plotted_sector; }) {
      read(value.at("old_plotted_sector"), out.old_plotted_sector);
    }
    if constexpr (requires { out.data; }) {
      read(value.at("result"), out.data);
    }
    if constexpr (requires { out.expires_at; }) {
      read(value.at("expires_at"), out.expires_at);
    }
    if constexpr (requires { out.last_queued; }) {
      out.progress = value.at("progress").get<float>();
      out.replotting = value.at("replotting").get<bool>();
      out.last_queued = value.at("last_queued").get<bool>();
    }
    if constexpr (requires { out.sectors_count; }) {
      out.sectors_count = number16(value, "sectors_count");
    }
    if constexpr (requires { out.is_fatal; }) {
      out.is_fatal = value.at("is_fatal").get<bool>();
    }
    if constexpr (requires { out.result; }) {
      choose(value, out.result, {"Success", "Timeout", "Rejected", "Failed"}, "result",
             [](const auto&) {});
    }
  }

  static void read(const nlohmann::json& value, cluster::PlottingProgress& out) {
    choose(value, out.event,
           {"Occupied", "Ping", "Downloading", "Downloaded", "Encoding", "Encoded", "Finished",
            "SectorChunk", "Error"},
           "variant", [&](auto& alternative) { read_members(value, alternative); });
  }
  static void read(const nlohmann::json& value, cluster::SectorPlotting& out) {
    choose(value, out.event,
           {"Starting", "Downloading", "Downloaded", "Encoding", "Encoded", "Writing", "Written",
            "Finished", "Error"},
           "variant", [&](auto& alternative) { read_members(value, alternative); });
  }
  static void read(const nlohmann::json& value, cluster::SectorExpiration& out) {
    choose(value, out.event, {"Determined", "AboutToExpire", "Expired"}, "variant",
           [&](auto& alternative) { read_members(value, alternative); });
  }
  static void read(const nlohmann::json& value, cluster::FarmingNotification& out) {
    choose(value, out.event, {"Auditing", "Proving", "NonFatalError"}, "variant",
           [&](auto& alternative) { read_members(value, alternative); });
  }

  // Messages.

  template <class T>
  static void read(const nlohmann::json& fields, Plain<T>& out) {
    if constexpr (std::is_same_v<T, cluster::Duration>) {
      read(fields, out.value);
    } else {
      read(fields.at("id"), out.value);
    }
  }
  static void read(const nlohmann::json& fields, cluster::FreeInstanceResponse& out) {
    read(fields.at("id"), out.plotter_id);
  }
  static void read(const nlohmann::json& fields, cluster::PlotSectorRequest& out) {
    read(fields.at("public_key"), out.public_key);
    read(fields.at("shard_commitments_root"), out.shard_commitments_root);
    read(fields.at("sector_index"), out.sector_index);
    read(fields.at("farmer_protocol_info"), out.farmer_protocol_info);
    out.pieces_in_sector = number16(fields, "pieces_in_sector");
  }
  static void read(const nlohmann::json& fields, cluster::StreamAcknowledgement& out) {
    out.index = number32(fields, "index");
  }
  static void read(const nlohmann::json& fields, cluster::PieceRequest& out) {
    read(fields.at("piece_index"), out.piece_index);
  }
  static void read(const nlohmann::json& fields, cluster::FindPieceResponse& out) {
    read(fields.at("found"), out.found);
  }
  static void read(const nlohmann::json& fields, cluster::FindPiecesRequest& out) {
    read(fields.at("piece_indices"), out.piece_indices);
  }
  static void read(const nlohmann::json& fields, cluster::FoundPiece& out) {
    read(fields.at("piece_index"), out.piece_index);
    read(fields, out.place);
  }
  static void read(const nlohmann::json& fields, cluster::ReadPieceRequest& out) {
    read(fields.at("offset"), out.offset);
  }
  static void read(const nlohmann::json& fields, cluster::ReadPiecesRequest& out) {
    read(fields.at("offsets"), out.offsets);
  }
  static void read(const nlohmann::json& fields, cluster::WritePieceRequest& out) {
    read(fields.at("offset"), out.offset);
    read(fields, out.piece);
  }
  static void read(const nlohmann::json& fields, cluster::PieceResponse& out) {
    read(fields.at("piece"), out.piece);
  }
  static void read(const nlohmann::json& fields, cluster::PiecesElement& out) {
    read(fields, out.piece);
  }
  static void read(const nlohmann::json& fields, cluster::SuperSegmentHeadersRequest& out) {
    read(fields.at("super_segment_indices"), out.super_segment_indices);
  }
  static void read(const nlohmann::json& fields, cluster::SuperSegmentHeadersResponse& out) {
    read(fields.at("headers"), out.headers);
  }
  static void read(const nlohmann::json& fields, cluster::SuperSegmentRootRequest& out) {
    read(fields.at("segment_index"), out.segment_index);
  }
  static void read(const nlohmann::json& fields, cluster::SuperSegmentRootResponse& out) {
    read(fields.at("root"), out.root);
  }
  static void read(const nlohmann::json& fields, cluster::NewSuperSegmentHeader& out) {
    read(fields, out.header);
  }
  static void read(const nlohmann::json& fields, cluster::SlotInfoBroadcast& out) {
    read(fields.at("slot_info"), out.slot_info);
    out.instance = text(fields, "instance");
  }
  static void read(const nlohmann::json& fields, cluster::BlockSealingInfo& out) {
    read(fields.at("pre_seal_hash"), out.pre_seal_hash);
    read(fields.at("public_key_hash"), out.public_key_hash);
  }
  static void read(const nlohmann::json& fields, cluster::BlockSeal& out) {
    read(fields.at("pre_seal_hash"), out.pre_seal_hash);
    choose(fields.at("seal"), out.seal, {"Ed25519"}, "variant", [&](cluster::Ed25519Seal& seal) {
      read(fields.at("seal").at("public_key"), seal.public_key);
      read(fields.at("seal").at("signature"), seal.signature);
    });
  }
  static void read(const nlohmann::json& fields, cluster::SolutionNotification& out) {
    out.slot = number(fields, "slot_number");
    read(fields.at("solution"), out.solution);
  }
  static void read(const nlohmann::json& fields, cluster::CacheDetails& out) {
    read(fields.at("piece_cache_id"), out.piece_cache_id);
    out.max_num_elements = number32(fields, "max_num_elements");
  }
  static void read(const nlohmann::json& fields, cluster::FarmDetails& out) {
    read(fields.at("farm_id"), out.farm_id);
    out.total_sectors_count = number16(fields, "total_sectors_count");
  }
  static void read(const nlohmann::json& fields, cluster::FarmReadPieceRequest& out) {
    read(fields.at("sector_index"), out.sector_index);
    read(fields.at("piece_offset"), out.piece_offset);
  }
  static void read(const nlohmann::json& fields, cluster::SectorUpdateBroadcast& out) {
    read(fields.at("farm_id"), out.farm_id);
    read(fields.at("sector_index"), out.sector_index);
    const nlohmann::json& update = fields.at("sector_update");
    choose(update, out.update, {"Plotting", "Expiration"}, "variant",
           [&](auto& kind) { read(update.at("details"), kind); });
  }
  static void read(const nlohmann::json& fields, cluster::FarmingNotificationBroadcast& out) {
    read(fields.at("farm_id"), out.farm_id);
    read(fields.at("farming_notification"), out.notification);
  }
  static void read(const nlohmann::json& fields, cluster::SolutionBroadcast& out) {
    read(fields.at("farm_id"), out.farm_id);
    out.slot = number(fields, "slot_number");
    read(fields.at("solution"), out.solution);
  }
  /// Of messages whose only member is a result.
  template <class T>
  requires requires(T& message) { std::get<cluster::RemoteFailure>(message.result); }
  static void read(const nlohmann::json& fields, T& out) { read(fields, out.result); }
  template <class Element>
  static void read(const nlohmann::json& fields, StreamOf<Element>& out) {
    out.is_last = text(fields, "variant") == "Last";
    out.index = number32(fields, "index");
    read(fields.at("responses"), out.elements);
    if (!out.is_last) {
      out.ack_subject = text(fields, "ack_subject");
    }
  }
};

}  // namespace furrow::vectors
