// SPDX-License-Identifier: Apache-2.0
#include "host/archive/manifest.hpp"

#include <optional>
#include <unordered_map>

#include "host/archive/super_segment.hpp"
#include "host/base/counted.hpp"
#include "host/base/hex.hpp"
#include "host/base/utf8.hpp"

namespace furrow {
namespace {

void require(bool condition, const std::string& message) {
  if (!condition) {
    throw InvalidManifest(message);
  }
}

void validate_segments(const Manifest& manifest) {
  require(!manifest.segments.empty(), "there are no segments");
  Hash previous_hash;
  std::optional<SuperSegmentHeader> previous_super_segment;
  for (std::size_t i = 0; i < manifest.segments.size(); ++i) {
    const auto& [header, super_segment] = manifest.segments[i];
    const std::string what = "segment " + std::to_string(i);
    require(header.index.value() == i,
            what + ": its header has index " + std::to_string(header.index.value()));
    require(header.prev_segment_header_hash == previous_hash,
            what + ": its header does not follow the one before");
    require(super_segment == lone_super_segment(manifest.shard, header, previous_super_segment),
            what + ": its super segment header does not belong to it");
    previous_hash = header.hash();
    previous_super_segment = super_segment;
  }
}

/// Splits "a/b/c" into the directory "a/b" and the name "c"; the directory of "c" is "".
std::pair<std::string_view, std::string_view> split_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::pair{std::string_view(), path}
                                         : std::pair{path.substr(0, slash), path.substr(slash + 1)};
}

void validate_path(const std::string& path,
                   const std::unordered_map<std::string_view, EntryType>& earlier) {
  const std::string what = "entry '" + path + "': ";
  require(is_utf8(path), what + "its path is not UTF-8");
  require(path.find('\0') == std::string::npos, what + "its path holds a zero byte");
  // As its directory was checked the same way, checking the last component covers them all.
  const auto [directory, name] = split_path(path);
  require(!name.empty() && name != "." && name != ".." && path.front() != '/',
          what + "its path is not relative and normal");
  require(!earlier.contains(path), what + "its path appears twice");
  if (path.find('/') != std::string::npos) {
    const auto parent = earlier.find(directory);
    require(parent != earlier.end() && parent->second == EntryType::kDirectory,
            what + "no directory '" + std::string(directory) + "' precedes it");
  }
}

void validate_entry(const ManifestEntry& entry, std::uint64_t next_block) {
  const std::string what = "entry '" + entry.path + "': ";
  require(entry.mode <= 07777, what + "mode " + std::to_string(entry.mode) + " is above 07777");
  require(entry.mtime_nanoseconds < 1'000'000'000,
          what + std::to_string(entry.mtime_nanoseconds) + " nanoseconds are a second or more");
  if (entry.type == EntryType::kSymlink) {
    require(!entry.symlink_target.empty() && is_utf8(entry.symlink_target) &&
                entry.symlink_target.find('\0') == std::string::npos,
            what + "its target is empty or no UTF-8 text");
  } else {
    require(entry.symlink_target.empty(), what + "only a symlink can have a target");
  }
  if (entry.type == EntryType::kFile) {
    require(entry.n_blocks == block_count(entry.size),
            what + "expected " + counted(block_count(entry.size), "block") + " for " +
                std::to_string(entry.size) + " bytes, actual " + std::to_string(entry.n_blocks));
    require(entry.first_block == next_block, what + "expected first block " +
                                                 std::to_string(next_block) + ", actual " +
                                                 std::to_string(entry.first_block));
  } else {
    require(entry.size == 0 && entry.first_block == 0 && entry.n_blocks == 0 &&
                entry.contents == Hash{},
            what + "only a file can have contents");
  }
}

}  // namespace

ManifestVersionMismatch::ManifestVersionMismatch(std::uint64_t actual)
    : Error(ErrorKind::kMismatch,
            "manifest: expected version " + std::to_string(kManifestVersion) + " or " +
                std::to_string(kManifestVersionWithGenesisRoot) + ", actual " +
                std::to_string(actual),
            {.expected = std::to_string(kManifestVersionWithGenesisRoot),
             .actual = std::to_string(actual)}) {}

GenesisRootMismatch::GenesisRootMismatch(const std::string& what, const Hash& expected,
                                         const Hash& actual)
    : Error(ErrorKind::kMismatch,
            what + ": of another chain, expected genesis root " + to_hex(expected.bytes) +
                ", actual " + to_hex(actual.bytes),
            {.expected = to_hex(expected.bytes), .actual = to_hex(actual.bytes)}) {}

void Manifest::validate() const {
  validate_segments(*this);
  std::unordered_map<std::string_view, EntryType> earlier;
  std::uint64_t next_block = 0;
  std::uint64_t n_bytes = 0;
  for (const ManifestEntry& entry : entries) {
    validate_path(entry.path, earlier);
    validate_entry(entry, next_block);
    earlier.emplace(entry.path, entry.type);
    next_block += entry.n_blocks;
    n_bytes += entry.size;
    require(n_bytes >= entry.size, "entry '" + entry.path + "': the sizes overflow");
  }
  const LastArchivedBlock& last = segments.back().header.last_archived_block;
  require(next_block > 0, "no entry has contents");
  require(last.number.value() == next_block - 1 && last.partial_bytes.value() == 0,
          "the last segment must end with all of block " + std::to_string(next_block - 1) +
              ", actual block " + std::to_string(last.number.value()) + ", partial bytes " +
              std::to_string(last.partial_bytes.value()));
}

HistorySize Manifest::history_size() const {
  return HistorySize::from_count(segments.size());
}

const Hash& Manifest::genesis_root() const {
  return chain_genesis_root ? *chain_genesis_root : segments.front().header.root;
}

const Hash& Manifest::genesis_root(const std::optional<Hash>& wanted) const {
  if (!wanted) {
    return genesis_root();
  }
  if (chain_genesis_root && *chain_genesis_root != *wanted) {
    throw GenesisRootMismatch("manifest", *wanted, *chain_genesis_root);
  }
  return *wanted;
}

SegmentIdentity Manifest::segment_identity(SegmentIndex segment) const {
  if (segment.value() >= segments.size()) {
    throw InvalidArgument("segment " + std::to_string(segment.value()) + ": the archive has only " +
                          counted(segments.size(), "segment"));
  }
  const auto& [header, super_segment] = segments[segment.value()];
  return {segment, shard, LocalSegmentIndex(header.index.value()), header.root, super_segment};
}

}  // namespace furrow
