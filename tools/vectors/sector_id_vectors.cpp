// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "furrow/piece.hpp"

#include "host/primitives/sector_id.hpp"
#include "tools/vectors/vector_file.hpp"
#include "tools/vectors/vector_input.hpp"

namespace furrow::vectors {
namespace {

HistorySize history_size(const nlohmann::json& object, const char* field) {
  return HistorySize::from_count(number(object, field));
}

std::uint64_t number_in_list(const nlohmann::json& list, std::size_t index) {
  return number(nlohmann::json{{"value", list.at(index)}}, "value");
}

FarmerProtocolInfo protocol_info(const nlohmann::json& expected) {
  const nlohmann::json& fraction = expected.at("recent_history_fraction");
  FarmerProtocolInfo info;
  info.history_size = history_size(expected, "history_size");
  info.max_pieces_in_sector = static_cast<std::uint16_t>(number(expected, "max_pieces_in_sector"));
  info.recent_segments = history_size(expected, "recent_segments");
  info.recent_history_numerator = HistorySize::from_count(number_in_list(fraction, 0));
  info.recent_history_denominator = HistorySize::from_count(number_in_list(fraction, 1));
  return info;
}

/// What follows from a sector id in the same way for both networks.
template <class Commitment>
void check_derivations(const nlohmann::json& expected, const SectorId& sector_id,
                       const FarmerProtocolInfo& info, const Commitment& commitment,
                       const VectorReport::Fail& fail) {
  const CaseChecker check(expected, fail);
  check.bytes("sector_id", sector_id.bytes);
  for (const nlohmann::json& piece : expected.at("pieces")) {
    const PieceOffset offset(static_cast<std::uint16_t>(number(piece, "piece_offset")));
    const CaseChecker one(piece, fail, "offset " + std::to_string(offset.value()) + ": ");
    one.number("piece_index", derive_piece_index(sector_id, offset, info).value());
    one.bytes("evaluation_seed", derive_evaluation_seed(sector_id, offset).bytes);
  }

  const SectorSlotChallenge challenge = derive_sector_slot_challenge(
      sector_id, fixed_bytes_at<GlobalChallenge>(expected, "global_challenge"));
  check.bytes("sector_slot_challenge", challenge.bytes);
  check.number("s_bucket_audit_index", s_bucket_audit_index(challenge).value());

  for (const nlohmann::json& one : expected.at("expiration")) {
    const std::optional<HistorySize> result =
        derive_expiration_history_size(sector_id, history_size(one, "history_size"), commitment,
                                       history_size(one, "min_sector_lifetime"));
    const CaseChecker expiration(one, fail, "expiration: ");
    if (result.has_value() && !one.at("result").is_null()) {
      expiration.number("result", result->count());
    } else {
      expiration.is_true(result.has_value() == !one.at("result").is_null(),
                         "expected " + one.at("result").dump() + ", actual " +
                             (result ? std::to_string(result->count()) : "null"));
    }
  }
}

void check_case(const nlohmann::json& expected, const VectorReport::Fail& fail) {
  const CaseChecker check(expected, fail);
  const auto inputs = stream(seed(expected, "seed"), 4 * kHashSize);
  check.bytes("public_key_hash", std::span(inputs).subspan(0, kHashSize));
  check.bytes("shard_commitments_root", std::span(inputs).subspan(kHashSize, kHashSize));
  check.bytes("global_challenge", std::span(inputs).subspan(2 * kHashSize, kHashSize));
  check.bytes("super_segment_root", std::span(inputs).subspan(3 * kHashSize, kHashSize));

  const FarmerProtocolInfo info = protocol_info(expected);
  const SectorId sector_id = derive_sector_id(
      Network::kAbundance, fixed_bytes_at<Hash>(expected, "public_key_hash"),
      fixed_bytes_at<Hash>(expected, "shard_commitments_root"),
      SectorIndex(static_cast<std::uint16_t>(number(expected, "sector_index"))), info.history_size);
  check_derivations(expected, sector_id, info, fixed_bytes_at<Hash>(expected, "super_segment_root"),
                    fail);
}

void check_autonomys_case(const nlohmann::json& expected, const VectorReport::Fail& fail) {
  const CaseChecker check(expected, fail);
  const auto inputs = stream(seed(expected, "seed"), kHashSize + kG1PointSize + kHashSize);
  check.bytes("public_key", std::span(inputs).first(kHashSize));
  check.bytes("segment_commitment", std::span(inputs).subspan(kHashSize, kG1PointSize));
  check.bytes("global_challenge", std::span(inputs).last(kHashSize));
  const Hash key_hash = public_key_hash(fixed_bytes_at<PublicKey>(expected, "public_key"));
  check.bytes("public_key_hash", key_hash.bytes);

  const FarmerProtocolInfo info = protocol_info(expected);
  const SectorId sector_id = derive_sector_id(
      Network::kAutonomys, key_hash, Hash{},
      SectorIndex(static_cast<std::uint16_t>(number(expected, "sector_index"))), info.history_size);
  check_derivations(expected, sector_id, info,
                    fixed_bytes_at<G1Point>(expected, "segment_commitment"), fail);
}

using CheckCase = void (*)(const nlohmann::json&, const VectorReport::Fail&);

void run_cases(const nlohmann::json& file, CheckCase check, VectorReport& report) {
  std::size_t index = 0;
  for (const nlohmann::json& expected : file.at("cases")) {
    report.run_case("sector id, case " + std::to_string(index++),
                    [&](const VectorReport::Fail& fail) { check(expected, fail); });
  }
}

}  // namespace

void run_sector_id_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport& report) {
  run_cases(file, check_case, report);
}

void run_autonomys_sector_id_vectors(const nlohmann::json& file, const VectorOptions&,
                                     VectorReport& report) {
  run_cases(file, check_autonomys_case, report);
}

}  // namespace furrow::vectors
