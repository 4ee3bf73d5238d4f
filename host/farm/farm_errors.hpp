// SPDX-License-Identifier: Apache-2.0
// Ways in which a farm on disk can refuse (docs/spec/06-farm-format.md, sections 2 and 5).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "furrow/errors.hpp"
#include "furrow/types.hpp"

#include "host/primitives/ulid.hpp"

namespace furrow {

struct ChainParameters;

/// The directory holds no farm, and none was to be created.
class FarmNotFound : public Error {
 public:
  explicit FarmNotFound(const std::filesystem::path& directory);
};

/// A file with a name of ours lies where a farm is to be made, and no info file says whose it is.
class FileOfNoFarm : public Error {
 public:
  explicit FileOfNoFarm(const std::filesystem::path& file);
};

/// A file or the directory of an open farm is no more at its path: removed, replaced or unmounted.
/// What is written goes where nobody will find it.
class FarmGone : public IoError {
 public:
  explicit FarmGone(const std::filesystem::path& path);
};

/// Another process, or another Farm of this one, has the lock.
class FarmInUse : public Error {
 public:
  explicit FarmInUse(const std::filesystem::path& info_file);
};

/// The farm is intact, but not the one that was asked for. Base of the classes below it.
class FarmMismatch : public Error {
 public:
  FarmMismatch(const std::string& message, ErrorFields fields)
      : Error(ErrorKind::kMismatch, message, std::move(fields)) {}
};

/// The farm belongs to a chain with another genesis.
class WrongChain : public FarmMismatch {
 public:
  WrongChain(const std::filesystem::path& info_file, const Hash& expected, const Hash& actual);
};

/// The chain of the farm has decided other things about sectors than the one that is plotted.
class ChainParametersMismatch : public FarmMismatch {
 public:
  ChainParametersMismatch(const std::filesystem::path& chain_file, const ChainParameters& expected,
                          const ChainParameters& actual);

 private:
  ChainParametersMismatch(const std::filesystem::path& chain_file, const std::string& expected,
                          const std::string& actual);
};

/// The key of the farm is not the one in identity.bin.
class IdentityMismatch : public FarmMismatch {
 public:
  IdentityMismatch(const std::filesystem::path& info_file, const PublicKey& of_info,
                   const PublicKey& of_identity);
};

/// The seed in the info file is not the one that follows from identity.bin. Sectors plotted with it
/// could be read by nobody who goes by the key.
class ShardCommitmentsSeedMismatch : public FarmMismatch {
 public:
  ShardCommitmentsSeedMismatch(const std::filesystem::path& info_file, const Hash& of_identity,
                               const Hash& of_info);
};

/// The allocated space in the info file does not make files of the sizes that are there. Either it
/// was changed, or a change of size was interrupted: only a size that is asked for can tell.
class StoredSizeMismatch : public FarmMismatch {
 public:
  /// `mending_size` is an allocated space that makes files of these sizes.
  StoredSizeMismatch(const std::filesystem::path& info_file, std::uint64_t stored,
                     const std::string& differences, std::uint64_t mending_size);
  /// All that is missing is a piece cache with this share of the space.
  static StoredSizeMismatch without_cache(const std::filesystem::path& info_file,
                                          std::uint64_t stored, unsigned cache_percentage,
                                          std::uint64_t mending_size);
  [[nodiscard]] std::uint64_t mending_size() const noexcept { return mending_size_; }
  /// 0 unless all that is missing is a piece cache of this share.
  [[nodiscard]] unsigned cache_percentage() const noexcept { return cache_percentage_; }

 private:
  StoredSizeMismatch(const std::filesystem::path& info_file, std::uint64_t stored,
                     std::uint64_t mending_size, const std::string& what,
                     unsigned cache_percentage = 0);

  std::uint64_t mending_size_;
  unsigned cache_percentage_;
};

/// FARM/state was made for a farm with another id.
class StateOfAnotherFarm : public FarmMismatch {
 public:
  StateOfAnotherFarm(const std::filesystem::path& directory, const Ulid& expected,
                     const Ulid& actual);
};

/// A slot has its checksum, but is that of another sector or of sectors of another size: it is not
/// damaged, and nothing may be written over what it describes.
class SlotMismatch : public FarmMismatch {
 public:
  SlotMismatch(SectorIndex index, const std::string& what, std::uint64_t expected,
               std::uint64_t actual);
};

/// There is a farm, but its key is gone. A new one would not fit its sectors.
class IdentityMissing : public FarmMismatch {
 public:
  explicit IdentityMissing(const std::filesystem::path& identity_file);
};

/// The farm has sectors of another size than asked for, or larger ones than are supported.
class PiecesInSectorMismatch : public FarmMismatch {
 public:
  PiecesInSectorMismatch(const std::filesystem::path& info_file, const std::string& expected,
                         std::uint16_t actual);
};

/// metadata.bin was written in a format that this program does not know.
class UnsupportedMetadataVersion : public FarmMismatch {
 public:
  UnsupportedMetadataVersion(const std::filesystem::path& metadata_file, std::uint8_t actual);
};

/// A file ends before the last byte that the counted sectors need.
class FarmFileTooShort : public Error {
 public:
  FarmFileTooShort(const std::filesystem::path& file, const std::string& needed_for,
                   std::uint64_t expected, std::uint64_t actual);
  [[nodiscard]] std::uint64_t expected() const noexcept { return expected_; }
  [[nodiscard]] std::uint64_t actual() const noexcept { return actual_; }

 private:
  std::uint64_t expected_;
  std::uint64_t actual_;
};

/// The header of metadata.bin counts fewer sectors than there are. It has no checksum, so it is
/// that number which is wrong, and nothing may be written over those sectors.
class UncountedSectors : public FarmMismatch {
 public:
  /// `found` are those behind the counted ones up to `last`.
  UncountedSectors(const std::filesystem::path& metadata_file, std::uint16_t counted,
                   std::uint16_t found, SectorIndex last);
  [[nodiscard]] std::uint16_t counted() const noexcept { return counted_; }
  [[nodiscard]] std::uint16_t found() const noexcept { return found_; }

 private:
  std::uint16_t counted_;
  std::uint16_t found_;
};

/// No sector of the farm holds the piece, as far as it is plotted now.
class PieceNotInFarm : public Error {
 public:
  PieceNotInFarm(const std::filesystem::path& directory, PieceIndex piece, std::size_t sectors);
};

/// The wanted size would drop sectors that are plotted.
class WouldLoseSectors : public Error {
 public:
  /// `needed_space` has room for all of them with the same share for a piece cache.
  WouldLoseSectors(std::uint64_t allocated_space, unsigned cache_percentage, std::uint16_t room_for,
                   std::uint16_t plotted, std::uint64_t needed_space);
  [[nodiscard]] std::uint16_t lost() const noexcept { return lost_; }
  [[nodiscard]] std::uint64_t needed_space() const noexcept { return needed_space_; }

 private:
  std::uint16_t lost_;
  std::uint64_t needed_space_;
};

/// The sector is counted, but holds nothing: it is lost, or being plotted.
class SectorHoldsNothing : public Error {
 public:
  explicit SectorHoldsNothing(SectorIndex index);
};

/// The slot of a sector is sound, but not the one that was there when the farm was opened: another
/// process writes the farm.
class SlotChanged : public Error {
 public:
  explicit SlotChanged(SectorIndex index);
};

/// The metadata of a counted sector is damaged.
class DamagedSlot : public Error {
 public:
  DamagedSlot(SectorIndex index, const std::string& reason);
  [[nodiscard]] SectorIndex sector_index() const noexcept { return index_; }

 private:
  SectorIndex index_;
};

}  // namespace furrow
