// SPDX-License-Identifier: Apache-2.0
#include "host/store/segment_index/index_errors.hpp"

namespace furrow {

UnsupportedSegmentVersion::UnsupportedSegmentVersion(const std::string& what,
                                                     std::uint32_t expected, std::uint32_t actual)
    : Error(ErrorKind::kMismatch,
            what + ": format version: expected " + std::to_string(expected) + ", actual " +
                std::to_string(actual),
            {.expected = std::to_string(expected), .actual = std::to_string(actual)}) {}

IndexManifestMissing::IndexManifestMissing(const std::filesystem::path& manifest,
                                           const std::string& segment)
    : Error(ErrorKind::kCorrupt,
            manifest.native() + ": expected beside " + segment + ", but there is no such file",
            {.path = manifest.native()}) {}

IndexInUse::IndexInUse(const std::filesystem::path& lock_file)
    : Error(ErrorKind::kUnavailable, lock_file.native() + ": the index is in use",
            {.path = lock_file.native()}) {}

IndexNeedsReopening::IndexNeedsReopening(const std::filesystem::path& directory)
    : Error(ErrorKind::kUnavailable,
            directory.native() +
                ": an earlier write failed half-way; the index has to be opened again",
            {.path = directory.native()}) {}

}  // namespace furrow
