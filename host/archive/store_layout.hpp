// Names and sizes in a piece store, the directory that an archive is kept in
// (docs/formats/piece-store.md).
//
//   manifest.json               what the archive holds, written last
//   segment-0000000000.pieces   the pieces of segment 0: 256 piece elements in position order
//   segment-0000000001.pieces   ...
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "furrow/types.hpp"

#include "host/primitives/piece_element.hpp"

namespace furrow {

inline constexpr const char* kManifestFileName = "manifest.json";
inline constexpr std::uint64_t kSegmentFileSize = kNumPieces * kPieceElementSize;
static_assert(kSegmentFileSize == 268'697'600);

/// "segment-0000000007.pieces"; more than ten digits where they are needed.
std::string segment_file_name(SegmentIndex segment);
/// Place of the element of a piece in the file of its segment.
constexpr std::uint64_t element_offset(PiecePosition position) {
  return position.value() * std::uint64_t{kPieceElementSize};
}
/// Whether an archiving run may have left a file of this name behind when it was interrupted.
bool is_leftover_name(std::string_view name);

}  // namespace furrow
