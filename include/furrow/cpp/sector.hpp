// SPDX-License-Identifier: Apache-2.0
/** @file
 * Sectors: their contents and sizes, and a piece back out of one (furrow/c/sector.h). Part of
 * furrow/furrow.hpp. */
#ifndef FURROW_CPP_SECTOR_HPP
#define FURROW_CPP_SECTOR_HPP

#include <functional>
#include <vector>

#include "furrow/cpp/library.hpp"

namespace furrow {
inline namespace v0_1 {

/// Everything that decides the contents of a sector, with the defaults of a development chain.
struct SectorPlan : furrow_sector_plan {
  /// With the defaults.
  SectorPlan() noexcept : furrow_sector_plan(detail::initialised(furrow_sector_plan_init)) {}
  /// The same as a struct of the C interface.
  explicit SectorPlan(const furrow_sector_plan& plan) noexcept : furrow_sector_plan(plan) {}
};

/// Hash of an Ed25519 public key, as sectors use it.
[[nodiscard]] inline Hash public_key_hash(const Hash& public_key) {
  Hash result{};
  detail::check(furrow_public_key_hash(public_key.data(), result.data()));
  return result;
}

/// Root of the shard commitments of a farmer. Takes a good part of a second: keep it.
[[nodiscard]] inline Hash shard_commitments_root(const Library& library, const Hash& seed,
                                                 std::uint64_t history_size) {
  Hash root{};
  detail::check(
      furrow_shard_commitments_root(library.get(), seed.data(), history_size, root.data()));
  return root;
}

/// Id of the sector that is planned.
[[nodiscard]] inline Hash sector_id(const furrow_sector_plan& plan) {
  Hash id{};
  detail::check(furrow_sector_id(&plan, id.data()));
  return id;
}

/// Indices of the pieces of the sector that is planned, by piece offset.
[[nodiscard]] inline std::vector<std::uint64_t> sector_piece_indices(
    const furrow_sector_plan& plan) {
  std::vector<std::uint64_t> indices(plan.pieces_in_sector);
  detail::check(furrow_sector_piece_indices(&plan, indices.data(), indices.size()));
  return indices;
}

/// Bytes of a sector; 0 for a number of pieces that no sector has.
[[nodiscard]] inline std::size_t sector_size(std::size_t pieces_in_sector) noexcept {
  return furrow_sector_size(pieces_in_sector);
}

/// Bytes of a plotted sector in SCALE; 0 for a number of pieces that no sector has.
[[nodiscard]] inline std::size_t plotted_sector_size(std::size_t pieces_in_sector) noexcept {
  return furrow_plotted_sector_size(pieces_in_sector);
}

/// A piece to read out of a sector.
struct ReadPieceRequest {
  Hash sector_id{};
  /// FURROW_SECTOR_METADATA_SIZE bytes.
  Bytes sector_metadata;
  std::size_t piece_offset = 0;
  /// Reads bytes of the sector from an offset on, all that there is room for. Called on the calling
  /// thread; read_piece() throws what it throws.
  std::function<void(std::uint64_t offset, MutableBytes bytes)> read_at;
};

/// Reads a piece of FURROW_PIECE_SIZE bytes out of a sector, and verifies it.
inline void read_piece(const Library& library, const ReadPieceRequest& request,
                       MutableBytes piece) {
  detail::check_size("sector_metadata", request.sector_metadata.size(),
                     FURROW_SECTOR_METADATA_SIZE);
  detail::check_size("piece", piece.size(), FURROW_PIECE_SIZE);
  struct Reading {
    const ReadPieceRequest& request;
    std::exception_ptr thrown;
  } reading{request, nullptr};
  furrow_read_piece_request c = detail::initialised(furrow_read_piece_request_init);
  c.sector_id = request.sector_id.data();
  c.sector_metadata = request.sector_metadata.data();
  c.piece_offset = request.piece_offset;
  c.piece = piece.data();
  c.user = &reading;
  c.read_at = [](void* user, std::uint64_t offset, std::uint8_t* bytes,
                 std::size_t size) noexcept -> furrow_status {
    auto& read = *static_cast<Reading*>(user);
    try {
      read.request.read_at(offset, {bytes, size});
      return FURROW_OK;
    } catch (...) {
      read.thrown = std::current_exception();
      return FURROW_CALLBACK_FAILED;
    }
  };
  const furrow_status status = furrow_sector_read_piece(library.get(), &c);
  if (reading.thrown) {
    std::rethrow_exception(reading.thrown);
  }
  detail::check(status);
}

}  // namespace v0_1
}  // namespace furrow

#endif
