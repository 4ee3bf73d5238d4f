// Pieces out of a piece store (docs/formats/piece-store.md).
#pragma once

#include <filesystem>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "furrow/piece_getter.hpp"

#include "host/archive/manifest.hpp"
#include "host/crypto/simd_mode.hpp"

namespace furrow {

/// An element of a segment file holds another piece than its place says.
class WrongElementIndex : public Error {
 public:
  WrongElementIndex(const std::string& file, PieceIndex expected, std::uint64_t actual);
};

/// A segment file that is absent or not as long as it must be.
struct SegmentFileProblem {
  SegmentIndex segment;
  std::string message;  ///< names the file
};

/// Reads the pieces of an archive from the directory that archive_files wrote. Every piece that it
/// finds was verified: checksum, index, record proof against the segment root in the manifest, and
/// super segment.
///
/// Answers: not found for a piece beyond the history and for a segment whose file is absent; failed
/// with IoError, InvalidBytesLength (the file ends before the element), ChecksumMismatch,
/// WrongElementIndex or InvalidPiece for a damaged element; the pieces beside it are not affected.
/// Thread-safe.
class StorePieceGetter : public PieceGetter {
 public:
  /// Throws what Manifest::load throws.
  explicit StorePieceGetter(std::filesystem::path store, SimdMode mode = SimdMode::kBest);

  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override;

  [[nodiscard]] const Manifest& manifest() const { return manifest_; }
  /// Looks at the sizes of all segment files without reading them.
  [[nodiscard]] std::vector<SegmentFileProblem> check_files() const;

 private:
  class OpenSegment;
  PieceAnswer read(PieceIndex index, OpenSegment& open) const;

  std::filesystem::path store_;
  SimdMode mode_;
  Manifest manifest_;
};

}  // namespace furrow
