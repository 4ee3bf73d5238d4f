// SPDX-License-Identifier: Apache-2.0
// Getting archived files back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "furrow/errors.hpp"

#include "host/archive/manifest.hpp"
#include "host/archive/segment_pieces.hpp"
#include "host/base/make_directory.hpp"
#include "host/base/observer.hpp"

namespace furrow {

/// The directory to restore into exists and is not an empty directory.
class TargetNotEmpty : public InvalidArgument {
 public:
  explicit TargetNotEmpty(const std::filesystem::path& target);
};
/// Another file system is mounted on the directory to restore into, so that no tree can take its
/// place.
class TargetIsMountPoint : public InvalidArgument {
 public:
  explicit TargetIsMountPoint(const std::filesystem::path& target);
};
/// Another restoring run is at work on the same target.
class TargetLocked : public Error {
 public:
  explicit TargetLocked(const std::filesystem::path& target);
};
/// What came out of the archive is not what the manifest promises.
class RestoreMismatch : public Error {
 public:
  RestoreMismatch(const std::string& message, ErrorFields fields)
      : Error(ErrorKind::kCorrupt, message, std::move(fields)) {}
};

inline constexpr std::string_view kPendingTreeEnding = ".furrow-partial";

/// Gives the 128 MiB of a segment; throws when it cannot.
using SegmentSource = std::function<SourceRecords(SegmentIndex)>;

struct RestoreProgress {
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;
  std::uint64_t segments_read = 0;
  std::uint64_t files_done = 0;
  std::uint64_t files_total = 0;
};

struct RestoreOptions {
  /// Takes effect within a block; a segment that is asked for comes first.
  std::stop_token stop = {};
  /// Told after each block and each segment.
  Observer<const RestoreProgress&> progress;
  /// Gets remarks in plain text, such as leftovers that were removed.
  Observer<const std::string&> log;
  /// How the target comes to be; kNever wants an empty directory.
  MakeDirectory make_directory = MakeDirectory::kLastOnly;
};

/// Restores everything in the archive into `target`, which must be absent or an empty directory:
/// contents, modes, modification times and symbolic links. Segments are asked for once each, in
/// order. False when a stop was requested.
///
/// The tree is built beside `target` under a name that nobody can guess (pending_name with
/// kPendingTreeEnding) and renamed when all of it is verified and durable, so that `target` is
/// never a part of the archive. When this function throws or gives false, what it built is gone
/// again; what a killed run left is removed by the next one for the same target: a directory of
/// that name and of this user that nobody has locked. Throws TargetNotEmpty, TargetIsMountPoint,
/// TargetLocked, RestoreMismatch, InvalidManifest, IoError, MalformedSegment,
/// IncorrectSegmentOrder, and what `segments` throws.
bool restore_files(const Manifest& manifest, const SegmentSource& segments,
                   const std::filesystem::path& target, const RestoreOptions& options = {});

}  // namespace furrow
