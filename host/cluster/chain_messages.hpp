// SPDX-License-Identifier: Apache-2.0
// What controllers tell of the chain, and what farmers have to say to it
// (docs/spec/07-cluster-protocol.md, section 9). Integers are little-endian.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "furrow/piece.hpp"

#include "host/cluster/message.hpp"
#include "host/cluster/subjects.hpp"
#include "host/cluster/wire_values.hpp"
#include "host/primitives/segment_header.hpp"

namespace furrow::cluster {

/// Of one request.
inline constexpr std::size_t kMaxSuperSegmentHeaders = 1000;
/// Bootstrap addresses that are taken of a controller: the protocol knows no limit, but each may be one
/// byte long and takes many times its size in memory.
inline constexpr std::size_t kMaxBootstrapNodes = 4096;

struct FarmerAppInfo {
  Hash genesis_root;
  std::vector<Bytes> bootstrap_nodes;  ///< binary multiaddresses
  bool syncing = false;
  Duration farming_timeout;
  FarmerProtocolInfo protocol_info;
  bool operator==(const FarmerAppInfo&) const = default;
  static void visit(auto& self, auto& field) {
    field("genesis root", self.genesis_root);
    field.list("bootstrap nodes", self.bootstrap_nodes, kMaxBootstrapNodes);
    field("syncing", self.syncing);
    field("farming timeout", self.farming_timeout);
    field("farmer protocol info", self.protocol_info);
  }
};

struct FarmerAppInfoResponse {
  static constexpr std::string_view kName = "farmer app info response";
  ResultOf<FarmerAppInfo> result;
  bool operator==(const FarmerAppInfoResponse&) const = default;
  static void visit(auto& self, auto& field) { field("result", self.result); }
};

/// No bytes.
struct FarmerAppInfoRequest {
  static constexpr std::string_view kName = "farmer app info request";
  static constexpr SubjectTemplate kSubject{"controller.farmer-app-info", Sharing::kGroup,
                                            kControllerGroup};
  using Response = FarmerAppInfoResponse;
  bool operator==(const FarmerAppInfoRequest&) const = default;
  static void visit(auto&, auto&) {}
};

template <>
inline constexpr bool kIsWireImage<SuperSegmentHeader> = true;

/// In the order of the request; none where the controller knows no such super segment.
struct SuperSegmentHeadersResponse {
  static constexpr std::string_view kName = "super segment headers response";
  std::vector<std::optional<SuperSegmentHeader>> headers;
  bool operator==(const SuperSegmentHeadersResponse&) const = default;
  static void visit(auto& self, auto& field) {
    field.list("headers", self.headers, kMaxSuperSegmentHeaders);
  }
};

struct SuperSegmentHeadersRequest {
  static constexpr std::string_view kName = "super segment headers request";
  static constexpr SubjectTemplate kSubject{"controller.super-segment-headers", Sharing::kGroup,
                                            kControllerGroup};
  using Response = SuperSegmentHeadersResponse;
  std::vector<SuperSegmentIndex> super_segment_indices;  ///< at most kMaxSuperSegmentHeaders
  bool operator==(const SuperSegmentHeadersRequest&) const = default;
  static void visit(auto& self, auto& field) {
    field.list("super segment indices", self.super_segment_indices, kMaxSuperSegmentHeaders);
  }
};

struct SuperSegmentRootResponse {
  static constexpr std::string_view kName = "super segment root response";
  std::optional<Hash> root;
  bool operator==(const SuperSegmentRootResponse&) const = default;
  static void visit(auto& self, auto& field) { field("root", self.root); }
};

struct SuperSegmentRootRequest {
  static constexpr std::string_view kName = "super segment root request";
  static constexpr SubjectTemplate kSubject{"controller.super-segment-root-for-segment-index",
                                            Sharing::kGroup, kControllerGroup};
  using Response = SuperSegmentRootResponse;
  SegmentIndex segment_index;
  bool operator==(const SuperSegmentRootRequest&) const = default;
  static void visit(auto& self, auto& field) { field("segment index", self.segment_index); }
};

/// Broadcast. Several controllers send the same one.
struct NewSuperSegmentHeader {
  static constexpr std::string_view kName = "new super segment header";
  static constexpr SubjectTemplate kSubject{"controller.new-super-segment-header"};
  SuperSegmentHeader header;
  bool operator==(const NewSuperSegmentHeader&) const = default;
  static void visit(auto& self, auto& field) { field("header", self.header); }
  /// Value of the header Nats-Msg-Id.
  [[nodiscard]] std::string message_id() const;
};

using ShardMembershipEntropy = FixedBytes<struct ShardMembershipEntropyTag, 16>;

/// 68 bytes:
///
///    0  u64       slot number
///    8  32 bytes  global challenge
///   40  u64       solution range, times the number of leaf shards, saturating
///   48  16 bytes  shard membership entropy
///   64  u16       intermediate shards, 1 to 1023
///   66  u16       leaf shards of each, at least 1; product of both at most 2^20
struct SlotInfo {
  std::uint64_t slot = 0;
  GlobalChallenge global_challenge;
  std::uint64_t solution_range = 0;
  ShardMembershipEntropy shard_membership_entropy;
  std::uint16_t intermediate_shards = 1;
  std::uint16_t leaf_shards_per_intermediate_shard = 1;
  bool operator==(const SlotInfo&) const = default;
  static void visit(auto& self, auto& field) {
    field("slot", self.slot);
    field("global challenge", self.global_challenge);
    field("solution range", self.solution_range);
    field("shard membership entropy", self.shard_membership_entropy);
    field("intermediate shards", self.intermediate_shards);
    field("leaf shards per intermediate shard", self.leaf_shards_per_intermediate_shard);
  }
  void check(MessageReader& in) const;
};

/// Broadcast. Several controllers send the same one; farmers answer the one they took it from.
struct SlotInfoBroadcast {
  static constexpr std::string_view kName = "slot info";
  static constexpr SubjectTemplate kSubject{"controller.slot-info"};
  SlotInfo slot_info;
  std::string instance;  ///< of the controller
  bool operator==(const SlotInfoBroadcast&) const = default;
  static void visit(auto& self, auto& field) {
    field("slot info", self.slot_info);
    field("instance", self.instance);
  }
  /// Value of the header Nats-Msg-Id.
  [[nodiscard]] std::string message_id() const;
};

/// Broadcast.
struct BlockSealingInfo {
  static constexpr std::string_view kName = "block sealing info";
  static constexpr SubjectTemplate kSubject{"controller.block-sealing-info"};
  Hash pre_seal_hash;
  Hash public_key_hash;
  bool operator==(const BlockSealingInfo&) const = default;
  static void visit(auto& self, auto& field) {
    field("pre-seal hash", self.pre_seal_hash);
    field("public key hash", self.public_key_hash);
  }
};

using Ed25519Signature = FixedBytes<struct Ed25519SignatureTag, 64>;

/// The only kind of seal.
struct Ed25519Seal {
  PublicKey public_key;
  Ed25519Signature signature;  ///< of the pre-seal hash
  bool operator==(const Ed25519Seal&) const = default;
  static void visit(auto& self, auto& field) {
    field("public key", self.public_key);
    field("signature", self.signature);
  }
};

/// Notification: hash, `00`, public key, signature, 129 bytes. Its subject has no instance, its queue
/// group is that of a controller.
struct BlockSeal {
  static constexpr std::string_view kName = "block seal";
  static constexpr SubjectTemplate kSubject{"controller.block-seal", Sharing::kInstance};
  Hash pre_seal_hash;
  std::variant<Ed25519Seal> seal;
  bool operator==(const BlockSeal&) const = default;
  static void visit(auto& self, auto& field) {
    field("pre-seal hash", self.pre_seal_hash);
    field("seal", self.seal);
  }
};

/// 64 values of 20 bits.
using PosProof = FixedBytes<struct PosProofTag, 160>;

/// 2440 bytes; the memory image is the wire format.
///
///      0  32  public key hash            1712  32   chunk
///     32  32  shard commitments root     1744  512  chunk proof, 16 hashes
///     64 640  proof of the commitment    2256  160  proof of space
///    704  32  shard commitment leaf      2416  u64  history size minus one
///    736 u64  local segment index        2424  u16  sector index
///    744 u64  super segment index        2426  u16  piece offset
///    752  32  segment root               2428  u32  segment position
///    784 640  segment proof, 20 hashes   2432  u32  shard index of the piece
///   1424  32  record root                2436  u32  zero, which nobody looks at
///   1456 256  record proof, 8 hashes
struct Solution {
  Hash public_key_hash;
  Hash shard_commitments_root;
  std::array<Hash, 20> shard_commitment_proof{};
  Hash shard_commitment_leaf;
  LittleEndian<std::uint64_t> piece_local_segment_index;
  LittleEndian<std::uint64_t> piece_super_segment_index;
  Hash segment_root;
  std::array<Hash, kSegmentProofHashes> segment_proof{};
  Hash record_root;
  std::array<Hash, kRecordProofHashes> record_proof{};
  RecordChunk chunk;
  std::array<Hash, 16> chunk_proof{};
  PosProof proof_of_space;
  LittleEndian<std::uint64_t> stored_history_size;
  LittleEndian<std::uint16_t> sector_index;
  LittleEndian<std::uint16_t> piece_offset;
  LittleEndian<std::uint32_t> segment_position;
  LittleEndian<std::uint32_t> piece_shard_index;
  LittleEndian<std::uint32_t> padding;
  bool operator==(const Solution&) const = default;
};
static_assert(sizeof(Solution) == 2440 && alignof(Solution) == 1);

template <>
inline constexpr bool kIsWireImage<Solution> = true;

/// Notification: u64 slot number, then the solution. The instance is that of the last slot info.
struct SolutionNotification {
  static constexpr std::string_view kName = "solution";
  static constexpr SubjectTemplate kSubject{"controller.*.solution", Sharing::kInstance};
  std::uint64_t slot = 0;
  Solution solution;
  bool operator==(const SolutionNotification&) const = default;
  static void visit(auto& self, auto& field) {
    field("slot", self.slot);
    field("solution", self.solution);
  }
};

}  // namespace furrow::cluster
