// SPDX-License-Identifier: Apache-2.0
#include "host/store/segment_index/index_entry.hpp"

#include "furrow/core/bits.hpp"
#include "furrow/errors.hpp"

namespace furrow {
namespace {

constexpr std::size_t kHeightAt = 36;
constexpr std::size_t kIdAt = 40;
constexpr std::size_t kKindAt = 48;
constexpr std::size_t kZeroAt = 52;

constexpr std::int32_t kNoHeight = std::numeric_limits<std::int32_t>::max();

/// Why an entry cannot be stored; empty when it can.
std::string objection_to(const IndexEntry& entry) {
  if (entry.height == kNoHeight) {
    return "height " + std::to_string(entry.height) + " is reserved";
  }
  if (entry.kind == EntryKind::kAdd && entry.id >= kDeletedId) {
    return "id " + std::to_string(entry.id) + " is reserved";
  }
  return {};
}

}  // namespace

IndexKey piece_key(const Hash& segment_root, std::uint32_t position) {
  IndexKey key;
  std::copy(segment_root.begin(), segment_root.end(), key.begin());
  for (unsigned i = 0; i < 4; ++i) {
    key.bytes[Hash::size() + i] = static_cast<std::uint8_t>(position >> (24 - 8 * i));
  }
  return key;
}

std::int32_t height_of(HistorySize history_size) {
  if (history_size.count() >= static_cast<std::uint64_t>(kNoHeight)) {
    throw InvalidArgument("history size as a height: expected less than " +
                          std::to_string(kNoHeight) + " segments, actual " +
                          std::to_string(history_size.count()));
  }
  return static_cast<std::int32_t>(history_size.count());
}

void encode_entry(const IndexEntry& entry, std::uint8_t* out) {
  std::memcpy(out, entry.key.data(), IndexKey::size());
  core::store_le32(out + kHeightAt, static_cast<std::uint32_t>(entry.height));
  core::store_le64(out + kIdAt, entry.id);
  core::store_le32(out + kKindAt, static_cast<std::uint32_t>(entry.kind));
  core::store_le32(out + kZeroAt, 0);
}

IndexEntry load_entry(const std::uint8_t* bytes) {
  IndexEntry entry;
  std::memcpy(entry.key.data(), bytes, IndexKey::size());
  entry.height = static_cast<std::int32_t>(core::load_le32(bytes + kHeightAt));
  entry.id = core::load_le64(bytes + kIdAt);
  entry.kind = static_cast<EntryKind>(core::load_le32(bytes + kKindAt));
  return entry;
}

IndexEntry decode_entry(const std::uint8_t* bytes, const std::string& what) {
  const std::uint32_t kind = core::load_le32(bytes + kKindAt);
  if (kind > static_cast<std::uint32_t>(EntryKind::kDelete)) {
    throw MalformedData(what + ": kind of an entry: expected 0 or 1, actual " +
                        std::to_string(kind));
  }
  const std::uint32_t zero = core::load_le32(bytes + kZeroAt);
  if (zero != 0) {
    throw MalformedData(what + ": last field of an entry: expected 0, actual " +
                        std::to_string(zero));
  }
  const IndexEntry entry = load_entry(bytes);
  if (const std::string objection = objection_to(entry); !objection.empty()) {
    throw MalformedData(what + ": entry: " + objection);
  }
  return entry;
}

void check_storable(const IndexEntry& entry) {
  if (const std::string objection = objection_to(entry); !objection.empty()) {
    throw InvalidArgument("index entry: " + objection);
  }
}

}  // namespace furrow
