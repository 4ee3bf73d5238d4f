// SPDX-License-Identifier: Apache-2.0
// Entries of the age-tiered index (docs/spec/08-storage-components.md, section 3.2): what is said
// about a key at a height.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

#include "furrow/types.hpp"

namespace furrow {

/// What is indexed: 36 bytes, ordered bytewise.
using IndexKey = FixedBytes<struct IndexKeyTag, 36>;

/// Key of a piece: root of its segment, then its position as u32 big-endian, so that the pieces of
/// a segment stand together and in order.
IndexKey piece_key(const Hash& segment_root, std::uint32_t position);

/// Where the thing lies; what the number means is the caller's business, but for two values.
using EntryId = std::uint64_t;
/// In the answers of a batch: nothing known.
inline constexpr EntryId kUnresolvedId = std::numeric_limits<EntryId>::max();
/// As an answer: the key was removed.
inline constexpr EntryId kDeletedId = kUnresolvedId - 1;

/// The height of things that belong to a history size: the number of its segments. Throws
/// InvalidArgument above 2^31 - 2.
std::int32_t height_of(HistorySize history_size);

/// Heights min to max, both included; empty when min > max.
struct HeightRange {
  std::int32_t min = std::numeric_limits<std::int32_t>::max();
  std::int32_t max = std::numeric_limits<std::int32_t>::min();
  bool operator==(const HeightRange&) const = default;

  void include(std::int32_t height) {
    min = std::min(min, height);
    max = std::max(max, height);
  }
};

/// Heights since <= height < before; by default all that an entry can have.
struct HeightWindow {
  std::int32_t since = std::numeric_limits<std::int32_t>::min();
  std::int32_t before = std::numeric_limits<std::int32_t>::max();

  [[nodiscard]] bool contains(std::int32_t height) const {
    return since <= height && height < before;
  }
  /// Whether a height of the range lies in the window.
  [[nodiscard]] bool overlaps(const HeightRange& range) const {
    return range.min <= range.max && range.max >= since && range.min < before;
  }
};

enum class EntryKind : std::uint32_t { kAdd = 0, kDelete = 1 };

struct IndexEntry {
  IndexKey key;
  std::int32_t height = 0;
  EntryId id = 0;
  EntryKind kind = EntryKind::kAdd;
  bool operator==(const IndexEntry&) const = default;
};

inline int compare(const IndexKey& a, const IndexKey& b) {
  return std::memcmp(a.data(), b.data(), IndexKey::size());
}

/// The order of entries everywhere: key, then height, then add before delete. The id does not
/// count.
inline bool comes_before(const IndexEntry& a, const IndexEntry& b) {
  const int keys = compare(a.key, b.key);
  if (keys != 0) {
    return keys < 0;
  }
  return a.height != b.height ? a.height < b.height : a.kind < b.kind;
}

/// Bytes of an encoded entry: key 36, height i32, id u64, kind u32, zero u32, all little-endian.
inline constexpr std::size_t kIndexEntrySize = 56;
void encode_entry(const IndexEntry& entry, std::uint8_t* out);
/// Throws MalformedData, naming `what`, when the bytes are no entry: another kind, a reserved id or
/// height, or something in the last field.
IndexEntry decode_entry(const std::uint8_t* bytes, const std::string& what);
/// The same for bytes that were checked before.
IndexEntry load_entry(const std::uint8_t* bytes);

/// Throws InvalidArgument when the entry cannot be stored: a reserved id (of an add), or the height
/// 2^31 - 1, which no window contains.
void check_storable(const IndexEntry& entry);

}  // namespace furrow
