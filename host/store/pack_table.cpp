// SPDX-License-Identifier: Apache-2.0
#include "host/store/pack_table.hpp"

#include <array>

namespace furrow {
namespace {

bool is_table_magic_at(const File& file, std::uint64_t offset, std::uint64_t size) {
  std::array<std::uint8_t, kPackTableMagic.size()> bytes{};
  if (size - offset < bytes.size()) {
    return false;
  }
  file.read_at(offset, bytes);
  return bytes == kPackTableMagic;
}

}  // namespace

void PackTable::add(const std::filesystem::path& file, const PackEntry& entry) {
  const PackFrameHeader& header = entry.header;
  if (find(header.key.value()) != nullptr) {
    throw DamagedPack(file, describe(entry) + ": the pack has a frame with this key already");
  }
  const PackEntry* const stored = find_stored(header.hash);
  const bool is_reference = header.codec() == PackCodec::kReference;
  if (is_reference) {
    if (stored == nullptr) {
      throw DamagedPack(file, describe(entry) + ": no frame before it has the chunk it refers to");
    }
    if (stored->header.original_size != header.original_size) {
      throw DamagedPack(file, describe(entry) + ": expected a chunk of " +
                                  std::to_string(stored->header.original_size.value()) +
                                  " bytes, actual " + std::to_string(header.original_size.value()));
    }
  } else if (stored != nullptr) {
    throw DamagedPack(
        file, describe(entry) + ": its chunk is stored before, in the " + describe(*stored));
  }

  const std::size_t place = entries_.size();
  entries_.push_back(entry);
  by_key_.emplace(header.key.value(), place);
  ++statistics_.chunks;
  statistics_.original_size += header.original_size.value();
  if (is_reference) {
    ++statistics_.references;
    return;
  }
  stored_.emplace(header.hash, place);
  ++(header.codec() == PackCodec::kRaw ? statistics_.raw_frames : statistics_.zstd_frames);
  statistics_.unique_size += header.original_size.value();
  statistics_.stored_size += header.stored_size.value();
}

const PackEntry* PackTable::find(std::uint64_t key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &entries_[found->second];
}

const PackEntry* PackTable::find_stored(const Hash& hash) const {
  const auto found = stored_.find(hash);
  return found == stored_.end() ? nullptr : &entries_[found->second];
}

FrameScan scan_frames(const File& file, PackTable& table, const std::stop_token& stop,
                      const FrameSink& sink) {
  const std::uint64_t size = file.size();
  FrameScan scan;
  while (scan.end < size) {
    if (is_table_magic_at(file, scan.end, size)) {
      scan.at_table = true;
      break;
    }
    if (stop.stop_requested()) {
      scan.stopped = true;
      break;
    }
    PackEntry entry{{}, scan.end};
    std::vector<std::uint8_t> stored;
    try {
      entry.header = read_frame_header(file, scan.end, size);
      stored = read_stored_bytes(file, entry);
      table.add(file.path(), entry);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCorrupt) {
        throw;
      }
      scan.damage = error.what();
      break;
    }
    if (sink) {
      sink(entry, stored);
    }
    scan.end = entry.end();
  }
  return scan;
}

}  // namespace furrow
