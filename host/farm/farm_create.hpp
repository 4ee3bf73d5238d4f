// SPDX-License-Identifier: Apache-2.0
// A new farm comes into being in this order: directory, mark, lock on the still empty info file,
// identity, metadata.bin and plot.bin with all their space, the text of the info file; and the mark
// goes when the farm has been opened. As long as the mark is there, files without an info file are
// what a creation of ours left that was interrupted. Without it nobody knows whose they are, and
// they are left alone.
#pragma once

#include <filesystem>
#include <memory>

#include "host/base/file.hpp"
#include "host/base/rollback.hpp"
#include "host/farm/farm_options.hpp"

namespace furrow {

/// Says that a farm is being made in its directory.
inline constexpr const char* kCreationMarkName = ".furrow-creating";

/// Whether there is no farm yet: no info file, or one without text, or, beside the mark, one with
/// text that is no info file, because a crash cut it off. (An info file that was damaged beside a
/// mark that a crash brought back looks like that, too; a creation goes on only where metadata.bin
/// counts nothing.)
bool is_farm_to_be_created(const std::filesystem::path& directory);

/// Makes the files of a new farm, or those that an interrupted creation did not come to, and opens
/// the info file, locked if wanted. `rollback` takes all of it back; `info_file` has to outlive it,
/// because nobody else may have the lock while files go by their paths. When somebody else was
/// faster the info file is theirs. Sets options.min_sectors where options.sectors_of_new_farm gives
/// it. Throws FileOfNoFarm for files that are not ours, MalformedData when sectors would be lost,
/// UnsupportedMetadataVersion, InvalidArgument, InsufficientSpace and FarmTooLarge for options that
/// make no farm, what sectors_of_new_farm throws, FarmInUse, FarmGone when what was locked was
/// removed by somebody else's rollback, and IoError.
void create_farm_files(FarmOptions& options, std::shared_ptr<File>& info_file, Rollback& rollback);

/// Throws what create_farm_files would throw because of what is in the directory, or because it
/// cannot be made; changes nothing.
void check_farm_can_be_created(const FarmOptions& options);

/// The farm is complete: removes the mark, if there is one. A crash may bring it back, which harms
/// nobody: beside an info file it says nothing.
void end_creation(const std::filesystem::path& directory);

}  // namespace furrow
