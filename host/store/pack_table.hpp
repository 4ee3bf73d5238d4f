// SPDX-License-Identifier: Apache-2.0
// What is in a piece pack, in memory: its frames in order, found by key and by hash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/store/pack_format.hpp"

namespace furrow {

/// Counts of a pack. Sizes are bytes.
struct PackStatistics {
  std::uint64_t chunks = 0;      ///< keys, references included
  std::uint64_t references = 0;  ///< chunks that are stored under another key
  std::uint64_t raw_frames = 0;
  std::uint64_t zstd_frames = 0;
  std::uint64_t original_size = 0;  ///< of all chunks, as often as they occur
  std::uint64_t unique_size = 0;    ///< of all different chunks
  std::uint64_t stored_size = 0;    ///< of their frames, headers left out
};

/// Frames of one pack. Each key has one frame, each content one frame with its bytes, and every
/// reference comes after the frame that it stands for. Thread-safe to read.
class PackTable {
 public:
  /// Takes the next frame. Throws DamagedPack for a frame that breaks the rules above; the table is
  /// unchanged then. Pre: the header passed check().
  void add(const std::filesystem::path& file, const PackEntry& entry);

  [[nodiscard]] std::span<const PackEntry> entries() const { return entries_; }
  /// Frame of a key, which may be a reference; null when there is none.
  [[nodiscard]] const PackEntry* find(std::uint64_t key) const;
  /// Frame that stores the bytes with this hash; null when there is none.
  [[nodiscard]] const PackEntry* find_stored(const Hash& hash) const;
  [[nodiscard]] const PackStatistics& statistics() const { return statistics_; }

 private:
  struct FirstBytes {
    std::size_t operator()(const Hash& hash) const {
      std::size_t result = 0;
      std::memcpy(&result, hash.data(), sizeof(result));
      return result;
    }
  };

  std::vector<PackEntry> entries_;
  std::unordered_map<std::uint64_t, std::size_t> by_key_;  // places in entries_
  std::unordered_map<Hash, std::size_t, FirstBytes> stored_;
  PackStatistics statistics_;
};

/// How far the frames of a pack go.
struct FrameScan {
  std::uint64_t end = kPackHeaderSize;  ///< first byte behind the last whole frame
  bool at_table = false;                ///< the table of the pack begins there
  /// Why the frames end before the file does; none at the table and at the end of the file.
  std::optional<std::string> damage;
  bool stopped = false;  ///< a stop was requested before all that
};
/// Called with each whole frame and its stored bytes, which have the checksum of the frame.
using FrameSink = std::function<void(const PackEntry&, std::span<const std::uint8_t> stored)>;
/// Reads frames from the beginning of a pack into `table` until one is damaged, the table of the
/// pack begins or the file ends. Pre: the header of the file was checked. Throws IoError and what
/// the sink throws.
FrameScan scan_frames(const File& file, PackTable& table, const std::stop_token& stop = {},
                      const FrameSink& sink = {});

}  // namespace furrow
