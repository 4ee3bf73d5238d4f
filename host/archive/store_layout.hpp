// SPDX-License-Identifier: Apache-2.0
// Names in a piece store, the directory that an archive is kept in (docs/formats/piece-store.md).
//
//   manifest.json             what the archive holds, written last
//   segment-0000000000.pack   the pieces of segment 0: a piece pack, keys are piece indexes
//   segment-0000000001.pack   ...
//   index/                    where in which pack each piece lies
//   .furrow-archiving         empty; while an archiving run is at work, or after one was killed:
//                             without a manifest beside it nobody can use packs and index
#pragma once

#include <string>
#include <string_view>

#include "furrow/types.hpp"

namespace furrow {

inline constexpr const char* kManifestFileName = "manifest.json";
inline constexpr const char* kStoreIndexName = "index";
inline constexpr const char* kArchivingMarkName = ".furrow-archiving";

/// "segment-0000000007.pack"; more than ten digits where they are needed.
std::string segment_pack_name(SegmentIndex segment);
/// Whether a file is called as one that an archiving run leaves behind when it is killed.
bool is_leftover_name(std::string_view name);

}  // namespace furrow
