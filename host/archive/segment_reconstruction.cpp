// SPDX-License-Identifier: Apache-2.0
#include "host/archive/segment_reconstruction.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "host/archive/known_tree.hpp"
#include "host/archive/segment_builder.hpp"
#include "host/archive/super_segment.hpp"
#include "host/base/hex.hpp"

namespace furrow {
namespace {

/// One reconstruction: verify the inputs, decode the records that are needed, check them.
class Reconstruction {
 public:
  Reconstruction(PieceSlots slots, const SegmentIdentity& identity, const ErasureCoding& erasure,
                 const ComputeOptions& options)
      : identity_(identity), erasure_(erasure), options_(options), tree_(identity.root) {
    if (slots.size() != kNumPieces) {
      throw InvalidArgument(
          "reconstruction of segment " + std::to_string(identity.segment.value()) + ": expected " +
          std::to_string(kNumPieces) + " slots, actual " + std::to_string(slots.size()));
    }
    verify_inputs(slots);
  }

  /// The verified input at `position`, or null.
  [[nodiscard]] const Piece* input(std::size_t position) const { return inputs_[position]; }
  std::vector<RejectedPiece> take_rejected() { return std::move(rejected_); }

  /// Recovers the records of the missing positions in `wanted`, each into outputs[position], and
  /// whatever else it takes to check them; fills in commitments and tree.
  void recover(const std::vector<std::size_t>& wanted, std::array<Record*, kNumPieces> outputs);

  /// Header of the piece at a position that is an input or was wanted.
  [[nodiscard]] PieceHeader header(std::size_t position) const;

 private:
  void verify_inputs(PieceSlots slots);
  void decode(const std::array<Record*, kNumPieces>& outputs) const;
  void decode_slice(const std::array<Record*, kNumPieces>& outputs, std::size_t offset) const;

  const SegmentIdentity& identity_;
  const ErasureCoding& erasure_;
  const ComputeOptions& options_;
  std::array<const Piece*, kNumPieces> inputs_{};
  std::array<Hash, kNumPieces> record_roots_{};
  std::array<Hash, kNumPieces> parity_chunks_roots_{};
  std::vector<RejectedPiece> rejected_;
  const Piece* any_input_ = nullptr;
  KnownTree tree_;
};

void Reconstruction::verify_inputs(PieceSlots slots) {
  std::array<std::string, kNumPieces> reasons;
  parallel_for(kNumPieces, options_.threads, [&](std::size_t position) {
    const Piece* piece = slots[position];
    if (piece == nullptr) {
      return;
    }
    try {
      record_roots_[position] =
          verify_piece_of_segment(options_.simd_mode, *piece,
                                  PiecePosition(static_cast<std::uint8_t>(position)), identity_);
      inputs_[position] = piece;
    } catch (const InvalidPiece& error) {
      reasons[position] = error.what();
    }
  });

  std::size_t n_valid = 0;
  for (std::size_t i = 0; i < kNumPieces; ++i) {
    const PiecePosition position(static_cast<std::uint8_t>(i));
    if (const Piece* piece = inputs_[i]) {
      ++n_valid;
      any_input_ = piece;
      parity_chunks_roots_[i] = piece->header.parity_chunks_root;
      tree_.add_verified(position, record_roots_[i], piece->header.record_proof);
    } else if (slots[i] != nullptr) {
      rejected_.push_back({position, std::move(reasons[i])});
    }
  }
  if (n_valid < kNumRawRecords) {
    throw NotEnoughPieces(identity_.segment, n_valid,
                          rejected_.empty()
                              ? std::string()
                              : std::to_string(rejected_.size()) +
                                    " are not valid, the first: " + rejected_.front().reason);
  }
}

void Reconstruction::recover(const std::vector<std::size_t>& wanted,
                             std::array<Record*, kNumPieces> outputs) {
  std::vector<std::size_t> roots_to_check;
  roots_to_check.reserve(wanted.size());
  for (const std::size_t position : wanted) {
    roots_to_check.push_back(
        tree_.lowest_known(PiecePosition(static_cast<std::uint8_t>(position))));
  }
  std::sort(roots_to_check.begin(), roots_to_check.end());
  roots_to_check.erase(std::unique(roots_to_check.begin(), roots_to_check.end()),
                       roots_to_check.end());

  std::vector<std::unique_ptr<Record>> extra;
  std::vector<std::size_t> needed;
  for (const std::size_t node : roots_to_check) {
    const auto [first, last] = KnownTree::positions_below(node);
    for (std::size_t position = first; position < last; ++position) {
      needed.push_back(position);
      if (outputs[position] == nullptr) {
        outputs[position] = extra.emplace_back(std::make_unique<Record>()).get();
      }
    }
  }
  if (needed.empty()) {
    return;
  }
  decode(outputs);
  parallel_for(needed.size(), options_.threads, [&](std::size_t i) {
    const std::size_t position = needed[i];
    const RecordCommitment commitment =
        commit_record(options_.simd_mode, erasure_, *outputs[position]);
    parity_chunks_roots_[position] = commitment.parity_chunks_root;
    record_roots_[position] = commitment.record_root;
  });
  for (const std::size_t node : roots_to_check) {
    const Hash root = tree_.fill_below(node, record_roots_);
    if (root != identity_.root) {
      throw SegmentRootMismatch(identity_.segment, identity_.root, root);
    }
  }
}

void Reconstruction::decode(const std::array<Record*, kNumPieces>& outputs) const {
  parallel_for(kRecordSize / kErasureSliceSize, options_.threads,
               [&](std::size_t slice) { decode_slice(outputs, slice * kErasureSliceSize); });
}

void Reconstruction::decode_slice(const std::array<Record*, kNumPieces>& outputs,
                                  std::size_t offset) const {
  std::array<RecoveryShard, kNumPieces> shards;
  std::vector<std::vector<std::uint8_t>> unneeded;  // the decoder wants every missing source
  std::size_t n_present = 0;
  for (std::size_t position = 0; position < kNumPieces; ++position) {
    if (outputs[position] != nullptr) {
      shards[position] = RecoveryShard::wanted(
          mutable_bytes_of(*outputs[position]).subspan(offset, kErasureSliceSize));
    } else if (inputs_[position] != nullptr && n_present < kNumRawRecords) {
      ++n_present;
      shards[position] = RecoveryShard::present(
          bytes_of(inputs_[position]->record).subspan(offset, kErasureSliceSize));
    } else if (position < kNumRawRecords) {
      shards[position] = RecoveryShard::wanted(unneeded.emplace_back(kErasureSliceSize));
    }
  }
  const std::span<const RecoveryShard> all(shards);
  erasure_.recover(all.first(kNumRawRecords), all.subspan(kNumRawRecords));
}

PieceHeader Reconstruction::header(std::size_t position) const {
  PieceHeader header = any_input_->header;
  // What stands behind the end of the segment proof is not verified; an honest one has zeros there.
  const std::size_t used = used_part(header.segment_proof).size();
  std::fill(header.segment_proof.begin() + static_cast<std::ptrdiff_t>(used),
            header.segment_proof.end(), Hash{});
  header.parity_chunks_root = parity_chunks_roots_[position];
  header.record_proof = tree_.proof(PiecePosition(static_cast<std::uint8_t>(position)));
  return header;
}

}  // namespace

NotEnoughPieces::NotEnoughPieces(SegmentIndex segment, std::size_t valid,
                                 const std::string& why_not_more)
    : Error(ErrorKind::kUnavailable,
            "segment " + std::to_string(segment.value()) + ": expected at least " +
                std::to_string(kNumRawRecords) + " valid pieces, actual " + std::to_string(valid) +
                (why_not_more.empty() ? "" : "; " + why_not_more),
            {.segment_index = segment.value(),
             .expected = std::to_string(kNumRawRecords),
             .actual = std::to_string(valid)}),
      valid_(valid) {}

SegmentRootMismatch::SegmentRootMismatch(SegmentIndex segment, const Hash& expected,
                                         const Hash& actual)
    : Error(ErrorKind::kCorrupt,
            "segment " + std::to_string(segment.value()) + ": expected segment root " +
                to_hex(expected.bytes) + ", rebuilt from its pieces " + to_hex(actual.bytes),
            {.segment_index = segment.value(),
             .expected = to_hex(expected.bytes),
             .actual = to_hex(actual.bytes)}) {}

ReconstructedSegment reconstruct_segment(PieceSlots slots, const SegmentIdentity& identity,
                                         const ErasureCoding& erasure,
                                         const ComputeOptions& options) {
  Reconstruction reconstruction(slots, identity, erasure, options);
  ReconstructedSegment result;
  std::vector<std::size_t> missing;
  std::array<Record*, kNumPieces> outputs{};
  for (std::size_t position = 0; position < kNumPieces; ++position) {
    if (const Piece* piece = reconstruction.input(position)) {
      result.pieces[position].record = piece->record;
    } else {
      missing.push_back(position);
      outputs[position] = &result.pieces[position].record;
    }
  }
  reconstruction.recover(missing, outputs);
  for (std::size_t position = 0; position < kNumPieces; ++position) {
    result.pieces[position].header = reconstruction.header(position);
  }
  result.rejected = reconstruction.take_rejected();
  return result;
}

ReconstructedSources reconstruct_source_records(PieceSlots slots, const SegmentIdentity& identity,
                                                const ErasureCoding& erasure,
                                                const ComputeOptions& options) {
  Reconstruction reconstruction(slots, identity, erasure, options);
  ReconstructedSources result;
  std::vector<std::size_t> missing;
  std::array<Record*, kNumPieces> outputs{};
  for (std::size_t position = 0; position < kNumRawRecords; ++position) {
    if (const Piece* piece = reconstruction.input(position)) {
      result.records[position] = piece->record;
    } else {
      missing.push_back(position);
      outputs[position] = &result.records[position];
    }
  }
  reconstruction.recover(missing, outputs);
  result.rejected = reconstruction.take_rejected();
  return result;
}

ReconstructedPieces reconstruct_pieces(PieceSlots slots, std::span<const PiecePosition> positions,
                                       const SegmentIdentity& identity,
                                       const ErasureCoding& erasure,
                                       const ComputeOptions& options) {
  Reconstruction reconstruction(slots, identity, erasure, options);
  std::vector<std::shared_ptr<Piece>> pieces;
  std::vector<std::size_t> missing;
  std::array<Record*, kNumPieces> outputs{};
  for (const PiecePosition position : positions) {
    const std::size_t index = position.value();
    Piece& piece = *pieces.emplace_back(std::make_shared_for_overwrite<Piece>());
    if (const Piece* input = reconstruction.input(index)) {
      piece.record = input->record;
    } else {
      missing.push_back(index);
      outputs[index] = &piece.record;
    }
  }
  reconstruction.recover(missing, outputs);
  for (std::size_t i = 0; i < positions.size(); ++i) {
    pieces[i]->header = reconstruction.header(positions[i].value());
  }
  return {{pieces.begin(), pieces.end()}, reconstruction.take_rejected()};
}

}  // namespace furrow
