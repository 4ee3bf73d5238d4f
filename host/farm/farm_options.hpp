// SPDX-License-Identifier: Apache-2.0
// What to open, and for what (docs/spec/06-farm-format.md, section 5).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "furrow/types.hpp"

#include "host/base/make_directory.hpp"
#include "host/base/observer.hpp"
#include "host/farm/chain_parameters.hpp"
#include "host/store/paged_store/paged_backend.hpp"

namespace furrow {

class Identity;

/// Most pieces in a sector that are supported.
inline constexpr std::uint16_t kMaxPiecesInSector = 1000;

inline constexpr const char* kIdentityFileName = "identity.bin";
inline constexpr const char* kFarmInfoFileName = "single_disk_farm.json";
inline constexpr const char* kMetadataFileName = "metadata.bin";
inline constexpr const char* kPlotFileName = "plot.bin";
/// What the chain of the farm has decided (chain_parameters.hpp).
inline constexpr const char* kChainFileName = "furrow.json";
/// Directories of what follows from the files above and may be removed at any time.
inline constexpr const char* kStateDirectoryName = "state";
inline constexpr const char* kIndexDirectoryName = "index";

enum class FarmMode {
  /// For looking at a farm that exists. Changes nothing and creates nothing.
  kReadOnly,
  /// For plotting: creates the farm when there is none, grows or shrinks it to the wanted size.
  kPlot,
};

struct FarmOptions {
  std::filesystem::path directory;
  FarmMode mode = FarmMode::kReadOnly;
  /// Chain of the farm. Needed to create one; checked when given.
  std::optional<Hash> genesis_root = {};
  /// What that chain has decided. A new farm gets them, those of a development chain when none are
  /// given; for a farm that is there they are checked when given.
  std::optional<ChainParameters> chain_parameters = {};
  /// 1 to 1000. The value stored in an existing farm stays in force, another one here is a
  /// mismatch; a new farm gets 1000 when none is given.
  std::optional<std::uint16_t> pieces_in_sector = {};
  /// Bytes. Needed to create a farm; kPlot only, without it an existing farm keeps its size.
  std::optional<std::uint64_t> allocated_space = {};
  /// Instead of it: room for at least so many sectors. A farm that has more stays as it is; one
  /// whose growing was interrupted is completed. kPlot only.
  std::optional<std::uint16_t> min_sectors = {};
  /// Instead of both, for a farm that is created: gives min_sectors once there is a key, on which
  /// it depends. What it throws leaves no farm.
  std::function<std::uint16_t(const Identity& identity, std::uint16_t pieces_in_sector)>
      sectors_of_new_farm = {};
  /// How the directory of a farm that is created comes to be; kNever wants a farm that is there.
  MakeDirectory make_directory = MakeDirectory::kLastOnly;
  /// Share of the space that is left to a piece cache, 0 to 99; kPlot only. Without it an existing
  /// farm keeps the one that its files tell, and a new one gets kDefaultCachePercentage.
  std::optional<unsigned> cache_percentage = {};
  /// Whether sectors that are plotted may be dropped, the last ones first, where the wanted size or
  /// share leaves no room for them; with min_sectors the farm gets exactly that many. kPlot only.
  bool may_drop_sectors = false;
  /// Whether to take the exclusive lock, kPlot only: whoever only looks needs none. To be switched
  /// off for file systems without locks only.
  bool lock = true;
  /// Opens, or creates, the database in FARM/state, where the metadata of sectors are kept besides
  /// metadata.bin. Used in kPlot mode with the lock only; without it slots are read from
  /// metadata.bin.
  std::function<std::unique_ptr<PagedBackend>(const std::filesystem::path& directory)>
      state_backend = {};
  /// Whether the index in FARM/index of which sector holds which piece is kept up to date. Used in
  /// kPlot mode with the lock only.
  bool keep_index = false;
  /// Told what Farm::warnings() lists when it is found, from any thread: the run may end before
  /// anybody asks. May be called by several threads at once.
  Observer<const std::string&> on_warning = {};
};

}  // namespace furrow
