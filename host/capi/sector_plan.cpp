// SPDX-License-Identifier: Apache-2.0
#include "host/capi/sector_plan.hpp"

#include <algorithm>
#include <string>

#include "host/capi/structs.hpp"
#include "host/farm/farm_options.hpp"

namespace furrow::capi {
namespace {

static_assert(FURROW_HASH_SIZE == kHashSize);
static_assert(FURROW_MAX_PIECES_IN_SECTOR == kMaxPiecesInSector);

std::string member(const char* name) {
  return std::string("furrow_sector_plan: ") + name;
}

furrow_sector_plan read_plan(const furrow_sector_plan* given) {
  return read_struct(given, "furrow_sector_plan");
}

}  // namespace

HistorySize segments(std::uint64_t count, const std::string& what) {
  if (count == 0) {
    refuse(what, "at least 1", count);
  }
  return HistorySize::from_count(count);
}

furrow_sector_plan default_sector_plan() {
  const FarmerProtocolInfo chain;
  furrow_sector_plan plan{};
  plan.max_pieces_in_sector = chain.max_pieces_in_sector;
  plan.recent_segments = chain.recent_segments.count();
  plan.recent_history_numerator = chain.recent_history_numerator.count();
  plan.recent_history_denominator = chain.recent_history_denominator.count();
  plan.min_sector_lifetime = chain.min_sector_lifetime.count();
  return plan;
}

SectorPlan read_sector_plan(const furrow_sector_plan* given) {
  return sector_plan_of(read_plan(given));
}

ChainParameters read_chain_parameters(const furrow_sector_plan* given) {
  return chain_parameters_of(read_plan(given));
}

SectorPlan sector_plan_of(const furrow_sector_plan& plan) {
  if (plan.pieces_in_sector < 1 || plan.pieces_in_sector > kMaxPiecesInSector) {
    refuse(member("pieces_in_sector"), "1 to " + std::to_string(kMaxPiecesInSector),
           plan.pieces_in_sector);
  }
  return {.public_key_hash = fixed_bytes<Hash>(plan.public_key_hash, "public_key_hash"),
          .shard_commitments_root =
              fixed_bytes<Hash>(plan.shard_commitments_root, "shard_commitments_root"),
          .sector_index = SectorIndex(plan.sector_index),
          .protocol_info =
              chain_parameters_of(plan).at(segments(plan.history_size, member("history_size"))),
          .pieces_in_sector = plan.pieces_in_sector};
}

ChainParameters chain_parameters_of(const furrow_sector_plan& plan) {
  check_reserved("furrow_sector_plan", "reserved0", plan.reserved0);
  if (plan.max_pieces_in_sector == 0) {
    refuse(member("max_pieces_in_sector"), "at least 1", plan.max_pieces_in_sector);
  }
  return {.max_pieces_in_sector = plan.max_pieces_in_sector,
          .recent_segments = segments(plan.recent_segments, member("recent_segments")),
          .recent_history_numerator =
              segments(plan.recent_history_numerator, member("recent_history_numerator")),
          .recent_history_denominator =
              segments(plan.recent_history_denominator, member("recent_history_denominator")),
          .min_sector_lifetime = segments(plan.min_sector_lifetime, member("min_sector_lifetime"))};
}

furrow_sector_plan plan_of(const SectorPlan& plan) {
  const FarmerProtocolInfo& chain = plan.protocol_info;
  furrow_sector_plan result{};
  std::ranges::copy(plan.public_key_hash.bytes, result.public_key_hash);
  std::ranges::copy(plan.shard_commitments_root.bytes, result.shard_commitments_root);
  result.sector_index = plan.sector_index.value();
  result.pieces_in_sector = plan.pieces_in_sector;
  result.max_pieces_in_sector = chain.max_pieces_in_sector;
  result.history_size = chain.history_size.count();
  result.recent_segments = chain.recent_segments.count();
  result.recent_history_numerator = chain.recent_history_numerator.count();
  result.recent_history_denominator = chain.recent_history_denominator.count();
  result.min_sector_lifetime = chain.min_sector_lifetime.count();
  return result;
}

}  // namespace furrow::capi
