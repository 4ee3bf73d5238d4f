// SPDX-License-Identifier: Apache-2.0
#include "furrow/c/piece.h"

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "furrow/piece.hpp"

#include "host/archive/piece_validation.hpp"
#include "host/archive/segment_reconstruction.hpp"
#include "host/base/thread_count.hpp"
#include "host/capi/handle.hpp"
#include "host/capi/last_error.hpp"
#include "host/capi/structs.hpp"
#include "host/pieces/segment_download.hpp"

namespace furrow::capi {
namespace {

static_assert(FURROW_PIECE_SIZE == sizeof(Piece));
static_assert(FURROW_PIECE_HEADER_SIZE == sizeof(PieceHeader));
static_assert(FURROW_PIECES_IN_SEGMENT == kNumPieces);
static_assert(FURROW_SUPER_SEGMENT_HEADER_SIZE == sizeof(SuperSegmentHeader));

/// Piece consists of bytes with alignment 1, so the caller's buffer is one.
const Piece& piece_at(const std::uint8_t* bytes) {
  return *reinterpret_cast<const Piece*>(bytes);
}

SuperSegmentHeader super_segment_at(const std::uint8_t* bytes) {
  SuperSegmentHeader header;
  std::memcpy(&header, bytes, sizeof(header));
  return header;
}

/// The caller's pieces by position, which stay where they are.
SegmentSlots slots_of(const std::uint8_t* const* pieces) {
  SegmentSlots slots;
  for (std::size_t i = 0; i < kNumPieces; ++i) {
    if (pieces[i] != nullptr) {
      slots.set(PiecePosition(static_cast<std::uint8_t>(i)),
                PiecePtr(std::shared_ptr<void>(), &piece_at(pieces[i])));
    }
  }
  return slots;
}

/// The segment that the first valid piece belongs to. Throws NotEnoughPieces when there is none.
SegmentIdentity identity_in(const SuperSegmentHeader& header, const SegmentSlots& slots,
                            SegmentIndex segment) {
  std::string first_reason;
  for (std::size_t i = 0; i < kNumPieces; ++i) {
    if (slots[i] == nullptr) {
      continue;
    }
    const PiecePosition position(static_cast<std::uint8_t>(i));
    try {
      verify_piece(SimdMode::kBest, *slots[i], piece_index_at(segment, position), header);
    } catch (const InvalidPiece& error) {
      if (first_reason.empty()) {
        first_reason = error.what();
      }
      continue;
    }
    SegmentIdentity identity = segment_identity_of(*slots[i], segment);
    identity.super_segment = header;
    return identity;
  }
  throw NotEnoughPieces(segment, 0,
                        first_reason.empty()
                            ? "none was given"
                            : "none of those given is valid, the first: " + first_reason);
}

SegmentIdentity identity_of(const furrow_rebuild_request& request, const SegmentSlots& slots,
                            SegmentIndex segment) {
  if (request.super_segment_header != nullptr) {
    return identity_in(super_segment_at(request.super_segment_header), slots, segment);
  }
  if (slots.n_pieces() == 0) {
    throw NotEnoughPieces(segment, 0, "none was given");
  }
  return agreed_identity(slots, segment);
}

void check_buffers(const furrow_rebuild_request& request, const std::size_t* rejected) {
  std::vector<Buffer> buffers = {
      {"piece", request.piece, FURROW_PIECE_SIZE, true},
      {"rejected", rejected, sizeof(*rejected), true},
      {"super_segment_header", request.super_segment_header, FURROW_SUPER_SEGMENT_HEADER_SIZE,
       false},
      {"pieces", static_cast<const void*>(request.pieces), kNumPieces * sizeof(*request.pieces),
       false},
  };
  for (std::size_t i = 0; i < kNumPieces; ++i) {
    buffers.push_back({"pieces", request.pieces[i], FURROW_PIECE_SIZE, false, i});
  }
  check_apart(buffers);
}

void rebuild(furrow_library* library, const furrow_rebuild_request& request,
             std::size_t* rejected) {
  const Call call(library, "library");
  check_reserved("furrow_rebuild_request", "reserved0", request.reserved0);
  check_pointer(request.pieces, "pieces");
  check_pointer(request.piece, "piece");
  check_buffers(request, rejected);
  check_thread_count(request.threads);
  const PieceIndex index(request.piece_index);
  const SegmentSlots slots = slots_of(request.pieces);
  const SegmentIdentity identity = identity_of(request, slots, segment_index_of(index));
  const ReconstructedPieces result =
      reconstruct_pieces(slots.slots(), {{position_of(index)}}, identity, ErasureCoding(),
                         {.threads = request.threads});
  std::memcpy(request.piece, result.pieces.front().get(), FURROW_PIECE_SIZE);
  if (rejected != nullptr) {
    *rejected = result.rejected.size();
  }
}

}  // namespace
}  // namespace furrow::capi

using furrow::capi::Call;
using furrow::capi::guarded;

extern "C" {

furrow_status furrow_piece_verify(furrow_library* library, const uint8_t* piece,
                                  uint64_t piece_index, const uint8_t* super_segment_header) {
  return guarded([&] {
    const Call call(library, "library");
    furrow::capi::check_pointer(piece, "piece");
    furrow::capi::check_pointer(super_segment_header, "super_segment_header");
    furrow::verify_piece(furrow::SimdMode::kBest, furrow::capi::piece_at(piece),
                         furrow::PieceIndex(piece_index),
                         furrow::capi::super_segment_at(super_segment_header));
    return FURROW_OK;
  });
}

furrow_status furrow_piece_is_valid(furrow_library* library, const uint8_t* piece, uint8_t position,
                                    const uint8_t* super_segment_root, uint32_t num_segments,
                                    int* is_valid) {
  return guarded([&] {
    const Call call(library, "library");
    furrow::capi::check_pointer(piece, "piece");
    const auto root =
        furrow::capi::fixed_bytes<furrow::Hash>(super_segment_root, "super_segment_root");
    furrow::capi::check_pointer(is_valid, "is_valid");
    furrow::capi::check_apart({{"piece", piece, FURROW_PIECE_SIZE, false},
                               {"super_segment_root", super_segment_root, FURROW_HASH_SIZE, false},
                               {"is_valid", is_valid, sizeof(*is_valid), true}});
    *is_valid = furrow::is_valid_piece(furrow::SimdMode::kBest, furrow::capi::piece_at(piece), root,
                                       num_segments, furrow::PiecePosition(position))
                    ? 1
                    : 0;
    return FURROW_OK;
  });
}

void furrow_rebuild_request_init(furrow_rebuild_request* request, size_t size) {
  furrow_rebuild_request defaults{};
  defaults.threads = 1;
  furrow::capi::init_struct(request, size, defaults);
}

furrow_status furrow_piece_rebuild(furrow_library* library, const furrow_rebuild_request* request,
                                   size_t* rejected) {
  return guarded([&] {
    furrow::capi::rebuild(library, furrow::capi::read_struct(request, "furrow_rebuild_request"),
                          rejected);
    return FURROW_OK;
  });
}

}  // extern "C"
