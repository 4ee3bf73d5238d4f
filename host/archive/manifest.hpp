// SPDX-License-Identifier: Apache-2.0
// The description of an archive of files: which segments it has, and which blocks in them make up
// which file. It lies beside the segments as manifest.json (docs/formats/manifest.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/errors.hpp"
#include "furrow/types.hpp"

#include "host/archive/piece_validation.hpp"
#include "host/primitives/segment_header.hpp"

namespace furrow {

/// Of manifests that name no genesis root, and of those that do.
inline constexpr std::uint64_t kManifestVersion = 1;
inline constexpr std::uint64_t kManifestVersionWithGenesisRoot = 2;
/// Most bytes of a file that go into one block.
inline constexpr std::uint64_t kArchiveBlockSize = std::uint64_t{8} << 20;

/// The manifest breaks a rule of its format; the message names the member.
class InvalidManifest : public MalformedData {
 public:
  explicit InvalidManifest(const std::string& message) : MalformedData("manifest: " + message) {}
};
/// Written by another version of the format.
class ManifestVersionMismatch : public Error {
 public:
  explicit ManifestVersionMismatch(std::uint64_t actual);
};

/// The pieces belong to another chain than asked for.
class GenesisRootMismatch : public Error {
 public:
  /// `what` says that it is of a chain, such as "manifest".
  GenesisRootMismatch(const std::string& what, const Hash& expected, const Hash& actual);
};

enum class EntryType { kFile, kDirectory, kSymlink };

/// One file, directory or symbolic link.
struct ManifestEntry {
  /// Relative, UTF-8, components separated by '/', none of them empty, "." or "..".
  std::string path;
  EntryType type = EntryType::kFile;
  /// Permission bits, 0 to 07777.
  std::uint32_t mode = 0;
  std::int64_t mtime_seconds = 0;
  std::uint32_t mtime_nanoseconds = 0;
  /// Only for symbolic links: where it points to, not empty.
  std::string symlink_target;
  /// The rest only for files. Bytes `i * kArchiveBlockSize` and on are block first_block + i.
  std::uint64_t size = 0;
  std::uint64_t first_block = 0;
  std::uint64_t n_blocks = 0;
  /// BLAKE3 of the contents.
  Hash contents;
  bool operator==(const ManifestEntry&) const = default;
};

/// Segment i of the archive is both local segment i of its shard and global segment i.
struct ManifestSegment {
  SegmentHeader header;
  SuperSegmentHeader super_segment;
  bool operator==(const ManifestSegment&) const = default;
};

struct Manifest {
  ShardIndex shard;
  std::vector<ManifestSegment> segments;
  /// A directory precedes what is in it; files are in the order of their blocks.
  std::vector<ManifestEntry> entries;
  /// Of the chain that the pieces belong to, where that is not the root of segment 0.
  std::optional<Hash> chain_genesis_root = {};
  bool operator==(const Manifest&) const = default;

  /// Throws InvalidManifest unless all of docs/formats/manifest.md holds: at least one segment,
  /// both header chains unbroken, sound and unique paths below directories that are listed, blocks
  /// of the files numbered 0, 1, 2, ... up to the last archived one.
  void validate() const;

  /// Pre: validate() passes; so for the others below.
  [[nodiscard]] HistorySize history_size() const;
  /// What identifies the chain: the genesis root that the manifest names, else the root of segment
  /// 0.
  [[nodiscard]] const Hash& genesis_root() const;
  /// The same where somebody says which chain it is. Throws GenesisRootMismatch when the manifest
  /// names another one; the root of segment 0 is no contradiction.
  [[nodiscard]] const Hash& genesis_root(const std::optional<Hash>& wanted) const;
  /// What pieces of a segment are verified against. Throws InvalidArgument beyond the history.
  [[nodiscard]] SegmentIdentity segment_identity(SegmentIndex segment) const;

  /// The text of manifest.json. Throws InvalidManifest as validate().
  [[nodiscard]] std::string to_json() const;
  /// Reads such a text. Throws InvalidManifest, ManifestVersionMismatch, and ChecksumMismatch when
  /// the text is not what was written. `what` names it in the message.
  static Manifest parse(std::string_view json, const std::string& what);

  /// Reads and parses a file; throws IoError, too.
  static Manifest load(const std::filesystem::path& path);
  void save(const std::filesystem::path& path) const;
};

/// Number of blocks of a file of `size` bytes.
constexpr std::uint64_t block_count(std::uint64_t size) {
  return size / kArchiveBlockSize + (size % kArchiveBlockSize != 0 ? 1 : 0);
}

}  // namespace furrow
