// SPDX-License-Identifier: Apache-2.0
// Where the pieces of a store lie: what the index of the store says, and what the packs themselves
// say when the index is missing, damaged or wrong.
#pragma once

#include <cstdint>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/archive/manifest.hpp"
#include "host/archive/store_place.hpp"
#include "host/base/mutex.hpp"
#include "host/base/observer.hpp"
#include "host/store/segment_index/age_tiered_index.hpp"

namespace furrow {

/// A pack is sound, but is not that of its segment, or lacks the piece.
class PieceNotInPack : public Error {
 public:
  PieceNotInPack(const std::filesystem::path& pack, PieceIndex index);
};

/// The index is a copy of what the tables of the packs say, kept for its speed: nothing is lost
/// with it, and no answer depends on it. Thread-safe.
class StorePlaces {
 public:
  using Warning = Observer<const std::string&>;

  /// Opens the index. When that fails `warn` gets the reason, and the tables serve instead; it gets
  /// calls from several threads, one at a time. The manifest has to outlive this object.
  StorePlaces(std::filesystem::path store, const Manifest& manifest, Warning warn);

  /// What the index says of each piece, in one batch; none where it knows nothing, or nothing that
  /// can be. Pre: the pieces belong to the history.
  [[nodiscard]] std::vector<std::optional<StorePlace>> find(
      std::span<const PieceIndex> indices) const;
  /// What the pack of the piece says, as it was when it was first asked. When its table is damaged,
  /// its frames are read in order, up to the first damaged one. Throws PieceNotInPack; what is
  /// wrong with the pack, when the piece may be missing for that; IoError.
  [[nodiscard]] StorePlace by_pack(PieceIndex index) const;

  /// Why the index is not used; none when it is.
  [[nodiscard]] const std::optional<std::string>& problem() const { return problem_; }
  void warn(const std::string& message) const;

 private:
  struct Pack {
    SegmentPlaces places;
    std::exception_ptr problem;  // why pieces may be missing; null when the table is sound
  };
  static Pack read_pack(const std::filesystem::path& path, SegmentIndex segment);

  std::filesystem::path store_;
  const Manifest& manifest_;
  std::unique_ptr<const AgeTieredIndex> index_;  // null when it cannot be used
  std::optional<std::string> problem_;
  mutable Mutex warning_;
  const Warning warn_ FURROW_GUARDED_BY(warning_);  // one call at a time
  mutable Mutex mutex_;
  mutable std::map<SegmentIndex, Pack> packs_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow
