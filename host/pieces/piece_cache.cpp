// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/piece_cache.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <utility>

#include "host/archive/piece_validation.hpp"
#include "host/base/existence.hpp"

namespace furrow {
namespace {

constexpr std::uint64_t kPage = 4096;

constexpr std::uint64_t file_size(std::uint64_t capacity) {
  return (capacity * kPieceElementSize + kPage - 1) / kPage * kPage;
}
constexpr std::uint64_t offset_of(std::uint32_t slot) {
  return std::uint64_t{slot} * kPieceElementSize;
}

std::uint32_t capacity_for(std::uint64_t max_bytes) {
  const std::uint64_t capacity = max_bytes / kPage * kPage / kPieceElementSize;
  if (capacity == 0 || capacity > std::numeric_limits<std::uint32_t>::max()) {
    throw InvalidArgument("piece cache: expected " + std::to_string(file_size(1)) +
                          " bytes or more, and at most 2^32 pieces, actual " +
                          std::to_string(max_bytes) + " bytes");
  }
  return static_cast<std::uint32_t>(capacity);
}

/// Whether this is no file of a cache: none of the first elements that are not free has its
/// checksum, and they are more than the one that a crash may have torn, or the size is not one that
/// a cache has.
bool holds_foreign_bytes(const File& file) {
  constexpr std::uint64_t kEnough = 16;
  const std::uint64_t n_elements =
      std::min<std::uint64_t>(kEnough, file.size() / kPieceElementSize);
  unsigned n_bad = 0;
  const auto element = std::make_unique<PieceElement>();
  for (std::uint64_t i = 0; i < n_elements; ++i) {
    file.read_at(i * kPieceElementSize, mutable_bytes_of(*element));
    const std::span<const std::uint8_t> bytes = bytes_of(*element);
    if (std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; })) {
      continue;
    }
    try {
      element->verify_checksum("element");
      return false;
    } catch (const ChecksumMismatch&) {
      ++n_bad;
    }
  }
  return n_bad > 1 || file.size() % kPage != 0;
}

}  // namespace

File PieceCache::open_file(const std::filesystem::path& directory, MakeDirectory how) {
  const std::filesystem::path path = directory / kPieceCacheFileName;
  make_directory(directory, how);
  if (how == MakeDirectory::kNever) {
    static_cast<void>(File::open_read(path));  // an absent cache is not to be made
  }
  File file = File::open_or_create(path);
  if (!file.try_lock()) {
    throw PieceCacheInUse(file.path());
  }
  return file;
}

void PieceCache::require_usable(const std::filesystem::path& directory, std::uint64_t max_bytes) {
  static_cast<void>(capacity_for(max_bytes));
  const std::filesystem::path path = directory / kPieceCacheFileName;
  if (!is_there(path)) {
    return;
  }
  const File file = File::open_read(path);
  if (!file.try_lock()) {
    throw PieceCacheInUse(path);
  }
  if (holds_foreign_bytes(file)) {
    throw NoPieceCache(path);
  }
}

PieceCache::PieceCache(const std::filesystem::path& directory, std::uint64_t max_bytes,
                       MakeDirectory how)
    : file_(open_file(directory, how)), capacity_(capacity_for(max_bytes)), slots_(capacity_) {
  if (holds_foreign_bytes(file_)) {
    throw NoPieceCache(file_.path());
  }
  const std::uint64_t wanted = file_size(capacity());
  if (file_.size() > wanted) {
    file_.resize(wanted);
  }
  file_.preallocate(wanted);
  scan();
}

void PieceCache::scan() {
  LittleEndian<std::uint64_t> index;
  Hash checksum;
  const Lock lock(mutex_);
  for (std::uint32_t slot = 0; slot < capacity(); ++slot) {
    try {
      file_.read_at(offset_of(slot), mutable_bytes_of(index));
      file_.read_at(offset_of(slot) + kPieceElementSize - kHashSize, mutable_bytes_of(checksum));
    } catch (const IoError&) {
      ++counters_.io_errors;
      continue;
    }
    // No element has a checksum of zeros. Of two elements for a piece one is free.
    if (checksum != Hash{} && slot_of_.emplace(index.value(), slot).second) {
      slots_[slot].index = PieceIndex(index.value());
    }
  }
}

PiecePtr PieceCache::get(PieceIndex index) {
  std::uint32_t slot = 0;
  {
    const Lock lock(mutex_);
    const auto found = slot_of_.find(index.value());
    if (found == slot_of_.end() || slots_[found->second].is_written) {
      ++counters_.misses;
      return nullptr;
    }
    slot = found->second;
    slots_[slot].was_used = true;
    ++slots_[slot].n_readers;  // so that it stays what it is
  }
  std::shared_ptr<PieceElement> element;
  bool is_read = false;
  bool is_sound = false;
  try {
    element = std::make_shared<PieceElement>();
    file_.read_at(offset_of(slot), mutable_bytes_of(*element));
    is_read = true;
    element->verify_checksum("'" + path().native() + "': " + describe_piece(index));
    is_sound = element->piece_index.value() == index.value();
  } catch (const std::exception&) {
    // Told apart and counted below.
  }
  const Lock lock(mutex_);
  --slots_[slot].n_readers;
  if (is_sound) {
    ++counters_.hits;
    return {element, &element->piece};
  }
  ++counters_.misses;
  ++(is_read ? counters_.damaged : counters_.io_errors);
  if (slots_[slot].index == index) {
    forget(slot);
  }
  return nullptr;
}

void PieceCache::put(PieceIndex index, const Piece& piece) {
  const auto element = std::make_unique<PieceElement>();
  element->piece_index = index.value();
  element->piece = piece;
  element->seal();
  std::optional<std::uint32_t> slot;
  {
    const Lock lock(mutex_);
    if (slot_of_.contains(index.value())) {
      return;
    }
    slot = choose_victim();
    if (!slot.has_value()) {
      return;
    }
    if (slots_[*slot].index.has_value()) {
      ++counters_.evicted;
      forget(*slot);
    }
    slots_[*slot] = {.index = index, .is_written = true, .was_used = true};
    slot_of_.emplace(index.value(), *slot);
  }
  bool is_stored = false;
  try {
    file_.write_at(offset_of(*slot), bytes_of(*element));
    is_stored = true;
  } catch (const IoError&) {
    // Counted below; whatever the element is now, its checksum will say.
  }
  const Lock lock(mutex_);
  slots_[*slot].is_written = false;
  if (is_stored) {
    ++counters_.stored;
  } else {
    ++counters_.io_errors;
    if (slots_[*slot].index == index) {
      forget(*slot);
    }
  }
}

void PieceCache::drop(PieceIndex index) {
  const Lock lock(mutex_);
  const auto found = slot_of_.find(index.value());
  if (found != slot_of_.end() && !slots_[found->second].is_written) {
    forget(found->second);
  }
}

/// An element that nobody reads or writes: a free one, or the one at which the hand stops. None
/// when all are busy.
std::optional<std::uint32_t> PieceCache::choose_victim() {
  // After one round all have lost their mark, so the second finds one unless all are busy.
  for (std::uint64_t i = 0; i < 2 * std::uint64_t{capacity()}; ++i) {
    const std::uint32_t candidate = hand_;
    hand_ = hand_ + 1 == capacity() ? 0 : hand_ + 1;
    Slot& slot = slots_[candidate];
    if (slot.n_readers != 0 || slot.is_written) {
      continue;
    }
    if (!slot.index.has_value() || !slot.was_used) {
      return candidate;
    }
    slot.was_used = false;
  }
  return std::nullopt;
}

void PieceCache::forget(std::uint32_t slot) {
  slot_of_.erase(slots_[slot].index->value());
  slots_[slot].index.reset();
}

std::size_t PieceCache::size() const {
  const Lock lock(mutex_);
  return slot_of_.size();
}

PieceCacheCounters PieceCache::counters() const {
  const Lock lock(mutex_);
  return counters_;
}

PiecePtr CachingPieceGetter::cached(PieceIndex index) {
  PiecePtr piece = cache_.get(index);
  if (piece != nullptr) {
    try {
      validator_(index, *piece);
    } catch (const Error&) {
      cache_.drop(index);
      return nullptr;
    }
  }
  return piece;
}

void CachingPieceGetter::get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                                    std::stop_token stop) {
  std::vector<PieceIndex> missing;
  for (const PieceIndex index : indices) {
    if (stop.stop_requested()) {
      return;
    }
    if (PiecePtr piece = cached(index); piece != nullptr) {
      sink(index, PieceAnswer::found(std::move(piece)));
    } else {
      missing.push_back(index);
    }
  }
  if (missing.empty()) {
    return;
  }
  source_.get_pieces(
      missing,
      [&](PieceIndex index, PieceAnswer answer) {
        if (answer.piece != nullptr) {
          cache_.put(index, *answer.piece);
        }
        sink(index, std::move(answer));
      },
      stop);
}

}  // namespace furrow
