// SPDX-License-Identifier: Apache-2.0
#include "host/farm/farm_errors.hpp"

#include "host/base/counted.hpp"
#include "host/base/hex.hpp"
#include "host/farm/chain_parameters.hpp"

namespace furrow {

FarmNotFound::FarmNotFound(const std::filesystem::path& directory)
    : Error(ErrorKind::kIo,
            "no farm in " + directory.native() + ": single_disk_farm.json is missing",
            {.path = directory.native()}) {}

FileOfNoFarm::FileOfNoFarm(const std::filesystem::path& file)
    : Error(
          ErrorKind::kInvalidArgument,
          file.native() +
              ": expected no file of that name where a farm is to be made, actual one that belongs "
              "to no farm; move it away, or choose another directory",
          {.path = file.native()}) {}

FarmGone::FarmGone(const std::filesystem::path& path)
    : IoError("find", path.native(),
              "expected what was opened there, actual something else or nothing; it was removed, "
              "replaced or unmounted") {}

FarmInUse::FarmInUse(const std::filesystem::path& info_file)
    : Error(ErrorKind::kUnavailable,
            "cannot lock " + info_file.native() + ": the farm is likely already in use",
            {.path = info_file.native()}) {}

WrongChain::WrongChain(const std::filesystem::path& info_file, const Hash& expected,
                       const Hash& actual)
    : FarmMismatch(info_file.native() + ": wrong chain, expected genesis root " +
                       to_hex(expected.bytes) + ", actual " + to_hex(actual.bytes),
                   {.path = info_file.native(),
                    .expected = to_hex(expected.bytes),
                    .actual = to_hex(actual.bytes)}) {}

ChainParametersMismatch::ChainParametersMismatch(const std::filesystem::path& chain_file,
                                                 const ChainParameters& expected,
                                                 const ChainParameters& actual)
    : ChainParametersMismatch(chain_file, expected.differing_from(actual),
                              actual.differing_from(expected)) {}

ChainParametersMismatch::ChainParametersMismatch(const std::filesystem::path& chain_file,
                                                 const std::string& expected,
                                                 const std::string& actual)
    : FarmMismatch(chain_file.native() + ": other chain parameters, expected " + expected +
                       ", actual " + actual,
                   {.path = chain_file.native(), .expected = expected, .actual = actual}) {}

IdentityMismatch::IdentityMismatch(const std::filesystem::path& info_file, const PublicKey& of_info,
                                   const PublicKey& of_identity)
    : FarmMismatch(info_file.native() + ": identity mismatch, expected public key " +
                       to_hex(of_info.bytes) + ", identity.bin has " + to_hex(of_identity.bytes),
                   {.path = info_file.native(),
                    .expected = to_hex(of_info.bytes),
                    .actual = to_hex(of_identity.bytes)}) {}

ShardCommitmentsSeedMismatch::ShardCommitmentsSeedMismatch(const std::filesystem::path& info_file,
                                                           const Hash& of_identity,
                                                           const Hash& of_info)
    : FarmMismatch(info_file.native() +
                       ": \"shardCommitmentsSeed\", expected what follows from identity.bin, " +
                       to_hex(of_identity.bytes) + ", actual " + to_hex(of_info.bytes),
                   {.path = info_file.native(),
                    .expected = to_hex(of_identity.bytes),
                    .actual = to_hex(of_info.bytes)}) {}

StoredSizeMismatch::StoredSizeMismatch(const std::filesystem::path& info_file, std::uint64_t stored,
                                       const std::string& differences, std::uint64_t mending_size)
    : StoredSizeMismatch(info_file, stored, mending_size,
                         ", which is not the size of the files: " + differences + "; " +
                             std::to_string(mending_size) + " is the size of its files") {}

StoredSizeMismatch::StoredSizeMismatch(const std::filesystem::path& info_file, std::uint64_t stored,
                                       std::uint64_t mending_size, const std::string& what,
                                       unsigned cache_percentage)
    : FarmMismatch(info_file.native() + ": \"allocatedSpace\" is " + std::to_string(stored) + what,
                   {.path = info_file.native(),
                    .expected = std::to_string(mending_size),
                    .actual = std::to_string(stored)}),
      mending_size_(mending_size),
      cache_percentage_(cache_percentage) {}

StoredSizeMismatch StoredSizeMismatch::without_cache(const std::filesystem::path& info_file,
                                                     std::uint64_t stored,
                                                     unsigned cache_percentage,
                                                     std::uint64_t mending_size) {
  return {info_file, stored, mending_size,
          ", which is not the size of plot.bin and metadata.bin: if the number is wrong, " +
              std::to_string(mending_size) +
              " is the size of the files; if piece_cache.bin was removed, it had " +
              std::to_string(cache_percentage) + " % of the space",
          cache_percentage};
}

StateOfAnotherFarm::StateOfAnotherFarm(const std::filesystem::path& directory, const Ulid& expected,
                                       const Ulid& actual)
    : FarmMismatch(directory.native() +
                       ": made for another farm, expected the id in single_disk_farm.json, " +
                       expected.to_string() + ", actual " + actual.to_string() +
                       "; if the info file is right, remove the directories state and index",
                   {.path = directory.native(),
                    .expected = expected.to_string(),
                    .actual = actual.to_string()}) {}

SlotMismatch::SlotMismatch(SectorIndex index, const std::string& what, std::uint64_t expected,
                           std::uint64_t actual)
    : FarmMismatch("metadata of sector " + std::to_string(index.value()) + ": expected " + what +
                       " " + std::to_string(expected) + ", actual " + std::to_string(actual) +
                       " under a checksum that holds",
                   {.sector_index = index.value(),
                    .expected = std::to_string(expected),
                    .actual = std::to_string(actual)}) {}

IdentityMissing::IdentityMissing(const std::filesystem::path& identity_file)
    : FarmMismatch(identity_file.native() +
                       ": missing, but there is a farm; its sectors are of no use with another key",
                   {.path = identity_file.native()}) {}

PiecesInSectorMismatch::PiecesInSectorMismatch(const std::filesystem::path& info_file,
                                               const std::string& expected, std::uint16_t actual)
    : FarmMismatch(
          info_file.native() + ": pieces in sector, expected " + expected + ", actual " +
              std::to_string(actual),
          {.path = info_file.native(), .expected = expected, .actual = std::to_string(actual)}) {}

UnsupportedMetadataVersion::UnsupportedMetadataVersion(const std::filesystem::path& metadata_file,
                                                       std::uint8_t actual)
    : FarmMismatch(
          metadata_file.native() + ": unsupported version, expected 0, actual " +
              std::to_string(actual),
          {.path = metadata_file.native(), .expected = "0", .actual = std::to_string(actual)}) {}

FarmFileTooShort::FarmFileTooShort(const std::filesystem::path& file, const std::string& needed_for,
                                   std::uint64_t expected, std::uint64_t actual)
    : Error(ErrorKind::kCorrupt,
            file.native() + ": too short for " + needed_for + ", expected at least " +
                std::to_string(expected) + " bytes, actual " + std::to_string(actual),
            {.path = file.native(),
             .expected = std::to_string(expected),
             .actual = std::to_string(actual)}),
      expected_(expected),
      actual_(actual) {}

UncountedSectors::UncountedSectors(const std::filesystem::path& metadata_file,
                                   std::uint16_t counted, std::uint16_t found, SectorIndex last)
    : FarmMismatch(
          metadata_file.native() + ": header counts " + std::to_string(counted) +
              " plotted sectors, but " + std::to_string(found) +
              " more have a sound slot, and plot.bin has their bytes, the last one sector " +
              std::to_string(last.value()) + "; expected a count of " +
              std::to_string(last.value() + 1) +
              " (docs/manual/damaged-farm.md says how to write it by hand), unless the farm was "
              "being "
              "made smaller when that was interrupted: the same change again completes it",
          {.path = metadata_file.native(),
           .expected = std::to_string(last.value() + 1),
           .actual = std::to_string(counted)}),
      counted_(counted),
      found_(found) {}

PieceNotInFarm::PieceNotInFarm(const std::filesystem::path& directory, PieceIndex piece,
                               std::size_t sectors)
    : Error(ErrorKind::kUnavailable,
            directory.native() + ": expected piece " + std::to_string(piece.value()) +
                " in one of " + std::to_string(sectors) + " plotted sectors, actual none has it",
            {.piece_index = piece.value(), .path = directory.native()}) {}

WouldLoseSectors::WouldLoseSectors(std::uint64_t allocated_space, unsigned cache_percentage,
                                   std::uint16_t room_for, std::uint16_t plotted,
                                   std::uint64_t needed_space)
    : Error(ErrorKind::kInvalidArgument,
            "allocated space of " + std::to_string(allocated_space) + " bytes, of which " +
                std::to_string(cache_percentage) + " % are for a piece cache, has room for " +
                counted(room_for, "sector") + ", but " + std::to_string(plotted) +
                " are plotted: " + std::to_string(plotted - room_for) + " would be lost; " +
                std::to_string(needed_space) + " bytes keep them all",
            {.expected = std::to_string(needed_space), .actual = std::to_string(allocated_space)}),
      lost_(static_cast<std::uint16_t>(plotted - room_for)),
      needed_space_(needed_space) {}

SectorHoldsNothing::SectorHoldsNothing(SectorIndex index)
    : Error(ErrorKind::kUnavailable,
            "sector " + std::to_string(index.value()) +
                ": expected a plotted one, actual one that holds nothing; it is being plotted, or "
                "was lost",
            {.sector_index = index.value()}) {}

SlotChanged::SlotChanged(SectorIndex index)
    : Error(ErrorKind::kUnavailable,
            "metadata of sector " + std::to_string(index.value()) +
                ": expected the slot that was there when the farm was opened, actual another one; "
                "is somebody plotting?",
            {.sector_index = index.value()}) {}

DamagedSlot::DamagedSlot(SectorIndex index, const std::string& reason)
    : Error(ErrorKind::kCorrupt,
            "metadata of sector " + std::to_string(index.value()) + " is damaged: " + reason,
            {.sector_index = index.value()}),
      index_(index) {}

}  // namespace furrow
