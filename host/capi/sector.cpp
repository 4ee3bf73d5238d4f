// SPDX-License-Identifier: Apache-2.0
#include "furrow/c/sector.h"

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "furrow/c/piece.h"

#include "host/capi/handle.hpp"
#include "host/capi/last_error.hpp"
#include "host/capi/sector_plan.hpp"
#include "host/capi/structs.hpp"
#include "host/erasure/erasure_coding.hpp"
#include "host/farm/farm_errors.hpp"
#include "host/pos/proof_table.hpp"
#include "host/primitives/sector_id.hpp"
#include "host/sector/sector_layout.hpp"
#include "host/sector/sector_metadata.hpp"
#include "host/sector/sector_reader.hpp"

namespace furrow::capi {
namespace {

static_assert(FURROW_SECTOR_METADATA_SIZE == kSectorMetadataSize);

bool is_sector(std::size_t pieces_in_sector) {
  return pieces_in_sector >= 1 && pieces_in_sector <= FURROW_MAX_PIECES_IN_SECTOR;
}

SectorId sector_id_of(const SectorPlan& plan) {
  return derive_sector_id(Network::kAbundance, plan.public_key_hash, plan.shard_commitments_root,
                          plan.sector_index, plan.protocol_info.history_size);
}

void piece_indices(const furrow_sector_plan* given, std::uint64_t* out, std::size_t count) {
  const SectorPlan plan = read_sector_plan(given);
  check_pointer(out, "piece_indices");
  if (count != plan.pieces_in_sector) {
    refuse("furrow: count of piece indices",
           "pieces_in_sector of the plan, " + std::to_string(plan.pieces_in_sector), count);
  }
  check_apart(
      {{"plan", given, sizeof(*given), false}, {"piece_indices", out, count * sizeof(*out), true}});
  const SectorId sector_id = sector_id_of(plan);
  std::vector<std::uint64_t> indices;  // one may fail after others did not
  for (std::uint16_t offset = 0; offset < plan.pieces_in_sector; ++offset) {
    indices.push_back(
        derive_piece_index(sector_id, PieceOffset(offset), plan.protocol_info).value());
  }
  std::memcpy(out, indices.data(), indices.size() * sizeof(*out));
}

/// The caller's callback as the reader wants it. What it throws is no IoError, so it comes out of
/// the reader as it is, wherever the bytes belong.
SectorReadAt reader_of(const furrow_read_piece_request& request) {
  return [&request](std::uint64_t offset, std::span<std::uint8_t> out) {
    static_cast<void>(take_callback_error());  // of a call that did not fail in the end
    const furrow_status status = request.read_at(request.user, offset, out.data(), out.size());
    if (status == FURROW_OK) {
      return;
    }
    const std::string reason = take_callback_error();
    throw CallbackFailed(CallbackFailed::How::kFailed,
                         "furrow: read_at of " + std::to_string(out.size()) + " bytes at offset " +
                             std::to_string(offset) + " of the sector: " +
                             furrow_status_name(status) + (reason.empty() ? "" : ": " + reason),
                         {.offset = offset});
  };
}

void read_sector_piece(furrow_library* library, const furrow_read_piece_request& request) {
  const Call call(library, "library");
  const auto sector_id = fixed_bytes<SectorId>(request.sector_id, "sector_id");
  check_pointer(request.sector_metadata, "sector_metadata");
  check_pointer(reinterpret_cast<const void*>(request.read_at), "read_at");
  check_pointer(request.piece, "piece");
  check_apart({{"sector_id", request.sector_id, FURROW_HASH_SIZE, false},
               {"sector_metadata", request.sector_metadata, FURROW_SECTOR_METADATA_SIZE, false},
               {"piece", request.piece, FURROW_PIECE_SIZE, true}});
  const SectorMetadata metadata = SectorMetadata::decode(
      furrow::Network::kAbundance, {request.sector_metadata, FURROW_SECTOR_METADATA_SIZE},
      "sector metadata");
  if (request.piece_offset >= metadata.pieces_in_sector) {
    refuse("furrow: piece offset",
           "less than the pieces in the sector, " + std::to_string(metadata.pieces_in_sector),
           request.piece_offset);
  }
  if (metadata.holds_nothing()) {
    throw SectorHoldsNothing(metadata.sector_index);
  }
  const auto table =
      library->library()->tables.take([] { return make_proof_table(furrow::Network::kAbundance); });
  const PiecePtr piece =
      read_piece(PieceOffset(static_cast<std::uint16_t>(request.piece_offset)), sector_id, metadata,
                 reader_of(request), *table, RecordErasure());
  std::memcpy(request.piece, piece.get(), FURROW_PIECE_SIZE);
}

}  // namespace
}  // namespace furrow::capi

using furrow::capi::Call;
using furrow::capi::guarded;

extern "C" {

void furrow_sector_plan_init(furrow_sector_plan* plan, size_t size) {
  furrow::capi::init_struct(plan, size, furrow::capi::default_sector_plan());
}

furrow_status furrow_public_key_hash(const uint8_t* public_key, uint8_t* hash) {
  return guarded([&] {
    const auto key = furrow::capi::fixed_bytes<furrow::PublicKey>(public_key, "public_key");
    furrow::capi::check_pointer(hash, "hash");
    furrow::capi::check_apart({{"public_key", public_key, FURROW_HASH_SIZE, false},
                               {"hash", hash, FURROW_HASH_SIZE, true}});
    furrow::capi::write_bytes(furrow::public_key_hash(key), hash);
    return FURROW_OK;
  });
}

furrow_status furrow_shard_commitments_root(furrow_library* library,
                                            const uint8_t* shard_commitments_seed,
                                            uint64_t history_size, uint8_t* root) {
  return guarded([&] {
    const Call call(library, "library");
    const auto seed =
        furrow::capi::fixed_bytes<furrow::Hash>(shard_commitments_seed, "shard_commitments_seed");
    furrow::capi::check_pointer(root, "root");
    const furrow::HistorySize history =
        furrow::capi::segments(history_size, "furrow: history_size");
    furrow::capi::check_apart(
        {{"shard_commitments_seed", shard_commitments_seed, FURROW_HASH_SIZE, false},
         {"root", root, FURROW_HASH_SIZE, true}});
    furrow::capi::write_bytes(
        furrow::shard_commitments_root(furrow::SimdMode::kBest, seed, history), root);
    return FURROW_OK;
  });
}

furrow_status furrow_sector_id(const furrow_sector_plan* plan, uint8_t* sector_id) {
  return guarded([&] {
    const furrow::SectorPlan planned = furrow::capi::read_sector_plan(plan);
    furrow::capi::check_pointer(sector_id, "sector_id");
    furrow::capi::check_apart(
        {{"plan", plan, sizeof(*plan), false}, {"sector_id", sector_id, FURROW_HASH_SIZE, true}});
    furrow::capi::write_bytes(furrow::capi::sector_id_of(planned), sector_id);
    return FURROW_OK;
  });
}

furrow_status furrow_sector_piece_indices(const furrow_sector_plan* plan, uint64_t* piece_indices,
                                          size_t count) {
  return guarded([&] {
    furrow::capi::piece_indices(plan, piece_indices, count);
    return FURROW_OK;
  });
}

size_t furrow_sector_size(size_t pieces_in_sector) {
  return furrow::capi::is_sector(pieces_in_sector)
             ? furrow::sector_size(furrow::Network::kAbundance,
                                   static_cast<std::uint16_t>(pieces_in_sector))
             : 0;
}

size_t furrow_plotted_sector_size(size_t pieces_in_sector) {
  if (!furrow::capi::is_sector(pieces_in_sector)) {
    return 0;
  }
  const std::size_t length_bytes = pieces_in_sector < 64 ? 1 : 2;  // as a compact number
  return sizeof(furrow::SectorId) + sizeof(std::uint16_t) + FURROW_SECTOR_METADATA_SIZE +
         length_bytes + pieces_in_sector * sizeof(std::uint64_t);
}

void furrow_read_piece_request_init(furrow_read_piece_request* request, size_t size) {
  furrow::capi::init_struct(request, size, furrow_read_piece_request{});
}

furrow_status furrow_sector_read_piece(furrow_library* library,
                                       const furrow_read_piece_request* request) {
  return guarded([&] {
    furrow::capi::read_sector_piece(
        library, furrow::capi::read_struct(request, "furrow_read_piece_request"));
    return FURROW_OK;
  });
}

}  // extern "C"
