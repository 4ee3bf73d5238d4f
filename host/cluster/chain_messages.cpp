// SPDX-License-Identifier: Apache-2.0
#include "host/cluster/chain_messages.hpp"

namespace furrow::cluster {
namespace {

constexpr std::uint16_t kMaxIntermediateShards = 1023;
constexpr std::uint32_t kMaxLeafShards = 1 << 20;

}  // namespace

std::string NewSuperSegmentHeader::message_id() const {
  return "new-super-segment-" + std::to_string(header.index.value());
}

std::string SlotInfoBroadcast::message_id() const {
  return "slot-info-" + std::to_string(slot_info.slot);
}

void SlotInfo::check(MessageReader& in) const {
  if (intermediate_shards == 0 || intermediate_shards > kMaxIntermediateShards) {
    in.refuse("1 to 1023 intermediate shards", std::to_string(intermediate_shards));
  }
  const std::uint32_t leaf_shards =
      std::uint32_t{intermediate_shards} * leaf_shards_per_intermediate_shard;
  if (leaf_shards == 0 || leaf_shards > kMaxLeafShards) {
    in.refuse("1 to " + std::to_string(kMaxLeafShards) + " leaf shards",
              std::to_string(leaf_shards));
  }
}

}  // namespace furrow::cluster
