// SPDX-License-Identifier: Apache-2.0
// Where the pieces of a farm are now: what its index knows, held against the state of the farm.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "host/farm/farm.hpp"
#include "host/farm/plotted_piece_index.hpp"

namespace furrow {

/// Sectors that FARM/index lacks, all of them when it is missing or damaged, are put into an index
/// in a temporary directory first, which takes a millisecond for each and 56 kB for each thousand
/// pieces. So a farm that is open for reading is not changed. Thread-safe.
class PieceFinder {
 public:
  /// `farm` must outlive the finder; sectors plotted later are found only when the farm keeps an
  /// index itself. Throws IoError when a temporary directory is needed and cannot be made.
  explicit PieceFinder(const Farm& farm);
  PieceFinder(const PieceFinder&) = delete;
  PieceFinder& operator=(const PieceFinder&) = delete;
  ~PieceFinder();

  /// All copies of a piece in sectors that are neither lost nor damaged nor being modified, by
  /// sector, then by offset. Throws what lookups in the index throw.
  [[nodiscard]] std::vector<PiecePlace> find(PieceIndex piece) const;
  /// What was wrong with FARM/index, one sentence each.
  [[nodiscard]] const std::vector<std::string>& remarks() const { return remarks_; }

 private:
  void open_index();
  void index_the_rest();
  [[nodiscard]] bool is_there(PieceIndex piece, const PlottedPiece& copy) const;

  const Farm& farm_;
  std::vector<std::string> remarks_;
  std::vector<std::shared_ptr<const PlottedPieceIndex>> indexes_;
  std::filesystem::path temporary_;  // empty when there is none
};

}  // namespace furrow
