// SPDX-License-Identifier: Apache-2.0
// Pieces out of a piece store (docs/formats/piece-store.md).
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "furrow/piece_getter.hpp"

#include "host/archive/manifest.hpp"
#include "host/base/mutex.hpp"
#include "host/base/observer.hpp"
#include "host/pieces/pooled_piece.hpp"
#include "host/pieces/store_places.hpp"
#include "host/store/pack_frames.hpp"

namespace furrow {

/// A frame is intact but holds another piece than the one that should be there.
class WrongPieceInFrame : public Error {
 public:
  WrongPieceInFrame(const std::filesystem::path& pack, PieceIndex expected, std::uint64_t actual);
};

/// A pack that is absent, damaged outside of its frames, or without some of its pieces.
struct SegmentPackProblem {
  SegmentIndex segment;
  std::string message;  ///< names the file
  bool is_unreadable;   ///< it cannot be opened, so none of its pieces can be had
};

struct StorePieceGetterOptions {
  /// Gets what is wrong with the index, which makes lookups slower and changes nothing else. Called
  /// on the thread that asks for pieces, one call at a time.
  Observer<const std::string&> on_warning = {};
  /// Gets, once for each, the packs that are missing although the manifest has their segments.
  /// Called on the threads that ask for pieces.
  Observer<const std::string&> on_missing_pack = {};
  /// Where the memory for pieces comes from.
  BlockSource block_source = make_page_block;
};

/// Reads the pieces of an archive from the directory that archive_files wrote. Every piece that it
/// finds was verified: checksum of its frame, key, hash of the piece, record proof against the
/// segment root in the manifest, and super segment.
///
/// Answers: not found for a piece beyond the history and for a segment whose pack is absent; failed
/// with StoreGone when the manifest is absent, too; failed with IoError, ChecksumMismatch,
/// MalformedData, DamagedPack, WrongPieceInFrame, PieceNotInPack, InvalidBytesLength or
/// InvalidPiece for a damaged frame; the pieces beside it are not affected, nor is any piece by
/// damage elsewhere in pack or index. Pieces lie in buffer pools, eight of each batch, and in
/// system memory beyond that. Thread-safe.
class StorePieceGetter : public PieceGetter {
 public:
  /// Throws what Manifest::load throws.
  explicit StorePieceGetter(std::filesystem::path store, StorePieceGetterOptions options = {});

  /// Answers come in the order in which the pieces lie on disk.
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override;

  [[nodiscard]] const Manifest& manifest() const { return manifest_; }
  /// Reads the table of a pack and no frames. Throws StoreGone when the manifest is absent, too. Pre: the
  /// manifest has the segment.
  [[nodiscard]] std::optional<SegmentPackProblem> check_pack(SegmentIndex segment) const;
  /// check_pack of all.
  [[nodiscard]] std::vector<SegmentPackProblem> check_files() const;
  /// Why the index is not used; none when it is.
  [[nodiscard]] const std::optional<std::string>& index_problem() const {
    return places_.problem();
  }

 private:
  class OpenPack;
  PieceAnswer read(PieceIndex index, const std::optional<StorePlace>& place, OpenPack& open,
                   BufferPool& pool) const;
  void require_store() const;
  void note_missing_pack(SegmentIndex segment) const;
  [[nodiscard]] PackEntry find_frame(const PackFrames& pack, PieceIndex index,
                                     const std::optional<StorePlace>& place) const;

  std::filesystem::path store_;
  Manifest manifest_;
  StorePlaces places_;
  PiecePools pools_;
  Observer<const std::string&> on_missing_pack_;
  mutable Mutex mutex_;
  mutable std::set<SegmentIndex> missing_packs_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow
