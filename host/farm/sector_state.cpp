// SPDX-License-Identifier: Apache-2.0
#include "host/farm/sector_state.hpp"

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include "host/base/counted.hpp"
#include "host/base/mutex.hpp"
#include "host/farm/farm_errors.hpp"
#include "host/farm/own_files.hpp"
#include "host/store/paged_store/object_reader.hpp"
#include "host/store/paged_store/object_writer.hpp"

namespace furrow {
namespace {

constexpr const char* kRootName = "farm";

/// A store in which more is replaced than this many records beside twice the farm is made anew.
constexpr std::uint64_t kReplacedRecordsAllowed = 1024;

}  // namespace

/// The bytes of a slot, its checksum included.
template <>
struct PagedTraits<SectorMetadata> {
  static void serialize(const SectorMetadata& metadata, ObjectWriter& out) {
    out.raw(metadata.encode());
  }
  static std::shared_ptr<const SectorMetadata> deserialize(ObjectReader& in) {
    try {
      return std::make_shared<const SectorMetadata>(
          SectorMetadata::decode(Network::kAbundance, in.raw(in.remaining_bytes()), "slot"));
    } catch (const InvalidBytesLength& error) {
      in.fail(error.what());
    } catch (const ChecksumMismatch& error) {
      in.fail(error.what());
    }
  }
};

/// For each sector of the block u8: 1 if it has metadata, then the next child is theirs, else 0.
struct SectorBlock {
  std::vector<Paged<SectorMetadata>> sectors;  // those without metadata refer to nothing

  void serialize(ObjectWriter& out) const {
    for (const Paged<SectorMetadata>& sector : sectors) {
      out.u8(sector ? 1 : 0);
      if (sector) {
        out.child(sector);
      }
    }
  }
  static std::shared_ptr<const SectorBlock> deserialize(ObjectReader& in) {
    const std::size_t n = in.remaining_bytes();
    if (n > SectorStateTree::kSectorsInBlock) {
      in.fail("expected a block of at most " + counted(SectorStateTree::kSectorsInBlock, "sector") +
              ", actual " + std::to_string(n));
    }
    auto block = std::make_shared<SectorBlock>();
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint8_t has_metadata = in.u8();
      if (has_metadata > 1) {
        in.fail("expected 0 or 1 for sector " + std::to_string(i) + " of the block, actual " +
                std::to_string(has_metadata));
      }
      block->sectors.push_back(has_metadata == 1 ? in.child<SectorMetadata>()
                                                 : Paged<SectorMetadata>());
    }
    return block;
  }
};

namespace {

/// The id of the farm, then its blocks as children. No block is left out, the last one may be
/// short.
struct FarmState {
  Ulid farm_id;
  std::vector<Paged<SectorBlock>> blocks;

  void serialize(ObjectWriter& out) const {
    out.raw(farm_id.bytes);
    for (const Paged<SectorBlock>& block : blocks) {
      out.child(block);
    }
  }
  static std::shared_ptr<const FarmState> deserialize(ObjectReader& in) {
    auto state = std::make_shared<FarmState>();
    std::ranges::copy(in.raw(state->farm_id.bytes.size()), state->farm_id.bytes.begin());
    while (in.remaining_children() > 0) {
      state->blocks.push_back(in.child<SectorBlock>());
    }
    return state;
  }
};

}  // namespace

/// The raw entry that names what counts.
struct SectorStateTree::Root {
  DataKey farm_state;
  std::uint64_t sequence;
  std::uint64_t records_made;
};

SlotSummary summarize(const SectorMetadata& metadata) {
  return {.key = encode_record({.data = metadata.encode(), .children = {}}).key,
          .history_size = metadata.history_size,
          .holds_nothing = metadata.holds_nothing()};
}

SectorStateTree::SectorStateTree(std::unique_ptr<PagedBackend> backend,
                                 std::filesystem::path directory, const Ulid& farm_id)
    : store_(std::move(backend)), directory_(std::move(directory)), farm_id_(farm_id) {}

SectorStateTree::~SectorStateTree() = default;

/// Whether there is one.
bool SectorStateTree::read_root() {
  Root root{};
  try {
    root = store_.fetch_value<Root>(kRootName);
  } catch (const NoDataForKey&) {
    return false;
  }
  const auto state = store_.fetch<FarmState>(root.farm_state);
  if (state->farm_id != farm_id_) {
    throw StateOfAnotherFarm(directory_, farm_id_, state->farm_id);
  }
  blocks_ = state->blocks;
  sequence_ = root.sequence;
  records_made_ = root.records_made;
  return true;
}

std::optional<Ulid> SectorStateTree::stored_farm_id() {
  try {
    return store_.fetch<FarmState>(store_.fetch_value<Root>(kRootName).farm_state)->farm_id;
  } catch (const NoDataForKey&) {
    return std::nullopt;
  }
}

std::size_t SectorStateTree::synchronize(
    std::span<const SlotSummary> slots,
    const std::function<std::shared_ptr<const SectorMetadata>(SectorIndex)>& read) {
  const Lock lock(mutex_);
  bool is_changed = !read_root();
  if (records_made_ > 2 * slots.size() + kReplacedRecordsAllowed) {
    throw MalformedData("holds " + counted(records_made_, "record") + " for " +
                        counted(slots.size(), "sector") + ", most of them replaced");
  }
  const std::size_t n_blocks = (slots.size() + kSectorsInBlock - 1) / kSectorsInBlock;
  is_changed = is_changed || blocks_.size() != n_blocks;
  blocks_.resize(n_blocks);
  std::size_t n_missing = 0;
  for (std::size_t b = 0; b < n_blocks; ++b) {
    const auto wanted = slots.subspan(
        b * kSectorsInBlock, std::min(kSectorsInBlock, slots.size() - b * kSectorsInBlock));
    SectorBlock block = blocks_[b] ? *store_.load(blocks_[b]) : SectorBlock();
    bool is_block_changed = block.sectors.size() != wanted.size();
    block.sectors.resize(wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      Paged<SectorMetadata>& sector = block.sectors[i];
      if (wanted[i].is_lost_marker()) {
        is_block_changed = is_block_changed || sector;
        sector = {};
      } else if (!sector || sector.data_key() != wanted[i].key) {
        const SectorIndex index(static_cast<std::uint16_t>(b * kSectorsInBlock + i));
        sector = Paged<SectorMetadata>(read(index));
        // A thread of the store writes them while the next ones are read.
        store_.schedule_for_paging(sector);
        if (++n_missing % kPagedOutAtOnce == 0) {
          store_.drain();
        }
        is_block_changed = true;
      }
    }
    if (is_block_changed) {
      store_.drain();
      blocks_[b] = Paged<SectorBlock>(std::make_shared<const SectorBlock>(std::move(block)));
      store_.page_out(blocks_[b]);
      is_changed = true;
    }
  }
  records_made_ += n_missing;
  if (is_changed) {
    write_root();
    store_.flush();
  }
  return n_missing;
}

std::shared_ptr<const SectorMetadata> SectorStateTree::load(const DataKey& key) {
  return store_.fetch<SectorMetadata>(key);
}

void SectorStateTree::put(std::shared_ptr<const SectorMetadata> metadata) {
  const Lock lock(mutex_);
  const SectorIndex index = metadata->sector_index;
  change(index, std::move(metadata));
  store_.flush();
}

void SectorStateTree::remove(SectorIndex index) {
  const Lock lock(mutex_);
  change(index, nullptr);
}

void SectorStateTree::flush() {
  const Lock lock(mutex_);
  store_.flush();
}

void SectorStateTree::repair(std::shared_ptr<const SectorMetadata> metadata) {
  store_.page_out(Paged<SectorMetadata>(std::move(metadata)));
}

/// Replaces one leaf and the nodes above it. Leaf, block and farm are one write, children first.
void SectorStateTree::change(SectorIndex index, std::shared_ptr<const SectorMetadata> metadata) {
  const std::size_t b = index.value() / kSectorsInBlock;
  const std::size_t i = index.value() % kSectorsInBlock;
  while (blocks_.size() <= b) {
    blocks_.emplace_back(std::make_shared<const SectorBlock>());
  }
  SectorBlock block = *store_.load(blocks_[b]);
  block.sectors.resize(std::max(block.sectors.size(), i + 1));
  records_made_ += metadata != nullptr ? 1 : 0;
  block.sectors[i] =
      metadata != nullptr ? Paged<SectorMetadata>(std::move(metadata)) : Paged<SectorMetadata>();
  blocks_[b] = Paged<SectorBlock>(std::make_shared<const SectorBlock>(std::move(block)));
  write_root();
}

void SectorStateTree::write_root() {
  const DataKey key = store_.page_out(
      Paged<FarmState>(std::make_shared<const FarmState>(FarmState{farm_id_, blocks_})));
  store_.write_value(
      kRootName, Root{.farm_state = key, .sequence = ++sequence_, .records_made = records_made_});
}

namespace {

/// Whether something is wrong with what is stored. Anything else (a full disk, too few threads or
/// descriptors) may be over the next time, and removing would not help.
bool is_damage(const Error& error) {
  return error.kind() == ErrorKind::kCorrupt ||
         dynamic_cast<const NoDataForKey*>(&error) != nullptr;
}

}  // namespace

void check_state_is_of(const FarmOptions& options, const Ulid& farm_id) {
  const std::filesystem::path directory = options.directory / kStateDirectoryName;
  std::error_code ignored;
  if (!options.lock || !options.state_backend || !std::filesystem::exists(directory, ignored)) {
    return;
  }
  std::optional<Ulid> stored;
  try {
    stored = SectorStateTree(options.state_backend(directory), directory, farm_id).stored_farm_id();
  } catch (const Error&) {
    return;  // damage: it is found again when the state is opened, and dealt with there
  }
  if (stored.has_value() && *stored != farm_id) {
    throw StateOfAnotherFarm(directory, farm_id, *stored);
  }
}

std::unique_ptr<SectorStateTree> open_sector_state(
    const FarmOptions& options, const Ulid& farm_id, std::span<const SlotSummary> slots,
    const std::function<std::shared_ptr<const SectorMetadata>(SectorIndex)>& read,
    const Observer<const std::string&>& warn) {
  const std::filesystem::path directory = options.directory / kStateDirectoryName;
  for (const bool is_second_try : {false, true}) {
    try {
      auto tree =
          std::make_unique<SectorStateTree>(options.state_backend(directory), directory, farm_id);
      const std::size_t n_missing = tree->synchronize(slots, read);
      if (n_missing > 0) {
        warn(directory.native() + ": lacked the metadata of " + std::to_string(n_missing) + " of " +
             counted(slots.size(), "sector") + ", which were taken from metadata.bin");
      }
      return tree;
    } catch (const StateOfAnotherFarm&) {
      throw;
    } catch (const Error& error) {
      if (is_second_try || !is_damage(error)) {
        warn(directory.native() + ": " + error.what() +
             "; going on without it, sector metadata are read from metadata.bin");
        return nullptr;
      }
      warn(directory.native() + ": " + error.what() + "; it is made anew from metadata.bin");
    }
    remove_own_files(directory, is_rocksdb_name);  // what stays makes the second try fail
  }
  return nullptr;
}

}  // namespace furrow
