// SPDX-License-Identifier: Apache-2.0
#include "host/store/segment_index/age_tiered_index.hpp"

#include <algorithm>
#include <string>
#include <system_error>

#include "host/store/segment_index/disk_segment_reader.hpp"
#include "host/store/segment_index/disk_segment_writer.hpp"
#include "host/store/segment_index/entry_merge.hpp"
#include "host/store/segment_index/index_errors.hpp"

namespace furrow {
namespace {

/// Sources of the parts first to end - 1, newest first.
std::vector<std::unique_ptr<EntrySource>> sources_of(const IndexSnapshot& snapshot,
                                                     std::size_t first, std::size_t end) {
  std::vector<std::unique_ptr<EntrySource>> sources;
  for (std::size_t part = first; part < end; ++part) {
    if (part < snapshot.runs.size()) {
      sources.push_back(std::make_unique<SpanSource>(snapshot.runs[part]->entries()));
    } else {
      sources.push_back(std::make_unique<DiskSegmentReader>(
          snapshot.segments[part - snapshot.runs.size()]->read()));
    }
  }
  return sources;
}

std::uint64_t entries_of(const IndexSnapshot& snapshot, std::size_t first, std::size_t end) {
  std::uint64_t sum = 0;
  for (std::size_t part = first; part < end; ++part) {
    sum += part < snapshot.runs.size()
               ? snapshot.runs[part]->entries().size()
               : snapshot.segments[part - snapshot.runs.size()]->entry_count();
  }
  return sum;
}

IndexManifest manifest_of(const IndexSnapshot& snapshot, std::uint64_t next_number,
                          std::int32_t horizon) {
  IndexManifest manifest;
  manifest.next_number = next_number;
  manifest.horizon = horizon;
  for (auto segment = snapshot.segments.rbegin(); segment != snapshot.segments.rend(); ++segment) {
    manifest.segments.push_back((*segment)->header());
  }
  return manifest;
}

void remove_quietly(const std::filesystem::path& path) {
  std::error_code ignored;  // the next opening removes what stays
  std::filesystem::remove(path, ignored);
}

}  // namespace

AgeTieredIndex::AgeTieredIndex(std::filesystem::path directory, const IndexOptions& options,
                               std::optional<File> lock, IndexManifest manifest,
                               std::unique_ptr<const IndexSnapshot> snapshot)
    : directory_(std::move(directory)),
      options_(options),
      lock_(std::move(lock)),
      manifest_(std::move(manifest)),
      next_number_(manifest_.next_number),
      snapshot_(std::move(snapshot)) {}

void AgeTieredIndex::append(std::span<const IndexEntry> entries) {
  const Lock lock(writing_);
  refuse_when_broken();
  IndexSnapshot next = *snapshot_.pin();
  for (const IndexEntry& entry : entries) {
    check_storable(entry);
    if (entry.height < next.horizon) {
      throw InvalidArgument("index entry: expected a height from the horizon " +
                            std::to_string(next.horizon) + " on, actual " +
                            std::to_string(entry.height));
    }
  }
  if (entries.empty()) {
    return;
  }
  next.runs.insert(next.runs.begin(),
                   std::make_shared<const MemoryRun>(MemoryRun::sorted(entries), 0));
  merge_ages(next);
  if (next.entries_in_memory() >= options_.memory_entries) {
    write_runs(next);
  }
  publish(std::move(next));
}

void AgeTieredIndex::merge_ages(IndexSnapshot& next) const {
  std::size_t first = 0;
  while (first < next.runs.size()) {
    const unsigned age = next.runs[first]->age();
    std::size_t end = first;
    while (end < next.runs.size() && next.runs[end]->age() == age) {
      ++end;
    }
    if (end - first < options_.fan_in) {
      first = end;
      continue;
    }
    std::vector<IndexEntry> merged;
    merged.reserve(entries_of(next, first, end));
    merge_entries(sources_of(next, first, end), next.settled_in(first, end),
                  [&](const IndexEntry& entry) { merged.push_back(entry); });
    const auto at = next.runs.erase(next.runs.begin() + static_cast<std::ptrdiff_t>(first),
                                    next.runs.begin() + static_cast<std::ptrdiff_t>(end));
    if (!merged.empty()) {
      next.runs.insert(at, std::make_shared<const MemoryRun>(std::move(merged), age + 1));
    }
  }
}

std::shared_ptr<const DiskSegment> AgeTieredIndex::merge_to_disk(const IndexSnapshot& snapshot,
                                                                 std::size_t first, std::size_t end,
                                                                 std::uint64_t number) const {
  DiskSegmentWriter writer(directory_, number, entries_of(snapshot, first, end));
  merge_entries(sources_of(snapshot, first, end), snapshot.settled_in(first, end),
                [&](const IndexEntry& entry) { writer.append(entry); });
  return writer.entry_count() == 0 ? nullptr : writer.finish();
}

void AgeTieredIndex::write_runs(IndexSnapshot& next) {
  std::shared_ptr<const DiskSegment> segment;
  if (!next.runs.empty()) {
    segment = merge_to_disk(next, 0, next.runs.size(), next_number_++);
  }
  next.runs.clear();
  if (segment) {
    next.segments.insert(next.segments.begin(), segment);
  }
  commit(next, next.horizon, segment);
}

void AgeTieredIndex::flush() {
  const Lock lock(writing_);
  refuse_when_broken();
  IndexSnapshot next = *snapshot_.pin();
  if (next.runs.empty() && next.horizon == manifest_.horizon) {
    return;
  }
  write_runs(next);
  publish(std::move(next));
}

void AgeTieredIndex::advance_horizon(std::int32_t height) {
  const Lock lock(writing_);
  refuse_when_broken();
  IndexSnapshot next = *snapshot_.pin();
  if (height < next.horizon) {
    throw InvalidArgument("horizon: expected " + std::to_string(next.horizon) +
                          " or above, actual " + std::to_string(height));
  }
  next.horizon = height;
  publish(std::move(next));
}

bool AgeTieredIndex::compaction_is_due() const {
  return snapshot_.pin()->segments.size() > options_.max_segments;
}

bool AgeTieredIndex::compact() {
  const Lock compaction(compaction_);
  return compaction_is_due() && compact_range(options_.fan_in);
}

void AgeTieredIndex::compact_all() {
  const Lock compaction(compaction_);
  const std::size_t n = snapshot_.pin()->segments.size();
  if (n > 0 && !compact_range(n)) {
    throw InvalidArgument(directory_.native() + ": a segment holds at most " +
                          std::to_string(DiskSegmentWriter::kMaxEntries) + " entries");
  }
}

/// Merges the `n` neighbouring segments with the fewest entries; false when a segment cannot hold
/// any n of them. Only compactions remove segments, so the chosen ones stay neighbours meanwhile.
bool AgeTieredIndex::compact_range(std::size_t n) {
  IndexSnapshot chosen;
  std::uint64_t number = 0;
  {
    const Lock lock(writing_);
    refuse_when_broken();
    chosen = *snapshot_.pin();
    chosen.horizon = manifest_.horizon;  // a later one becomes durable together with the runs
    number = next_number_++;
  }
  const std::size_t n_runs = chosen.runs.size();
  std::optional<std::size_t> fewest;  // its first part; any number is one when no run is in memory
  std::uint64_t fewest_entries = DiskSegmentWriter::kMaxEntries;
  for (std::size_t part = n_runs; part + n <= chosen.part_count(); ++part) {
    const std::uint64_t entries = entries_of(chosen, part, part + n);
    if (entries <= fewest_entries) {  // parts are newest first, and the oldest of equals counts
      fewest = part;
      fewest_entries = entries;
    }
  }
  if (!fewest.has_value()) {
    return false;
  }
  const std::size_t first = *fewest;
  const std::shared_ptr<const DiskSegment> merged = merge_to_disk(chosen, first, first + n, number);

  const auto inputs = std::span(chosen.segments).subspan(first - n_runs, n);
  const Lock lock(writing_);
  refuse_when_broken();
  IndexSnapshot next = *snapshot_.pin();
  const auto begin = std::find(next.segments.begin(), next.segments.end(), inputs.front());
  const auto at = next.segments.erase(begin, begin + static_cast<std::ptrdiff_t>(n));
  if (merged) {
    next.segments.insert(at, merged);
  }
  commit(next, manifest_.horizon, merged);  // it may have advanced meanwhile
  publish(std::move(next));
  for (const std::shared_ptr<const DiskSegment>& input : inputs) {
    remove_quietly(input->path());  // readers that are inside have the file open
  }
  return true;
}

void AgeTieredIndex::commit(const IndexSnapshot& next, std::int32_t horizon,
                            const std::shared_ptr<const DiskSegment>& added) {
  const std::filesystem::path path = directory_ / kIndexManifestName;
  IndexManifest manifest = manifest_of(next, next_number_, horizon);
  try {
    manifest.write(path);
  } catch (...) {
    // The old manifest or the new one? When it cannot be seen to be the old one, nothing may be
    // written any more that builds on either.
    try {
      is_broken_ = IndexManifest::read(path) != manifest_;
    } catch (const Error&) {
      is_broken_ = true;
    }
    if (!is_broken_ && added) {
      remove_quietly(added->path());
    }
    throw;
  }
  manifest_ = std::move(manifest);
}

void AgeTieredIndex::publish(IndexSnapshot next) {
  snapshot_.publish(std::make_unique<const IndexSnapshot>(std::move(next)));
}

void AgeTieredIndex::refuse_when_broken() const {
  if (is_broken_) {
    throw IndexNeedsReopening(directory_);
  }
}

std::optional<EntryId> AgeTieredIndex::lookup(const IndexKey& key, HeightWindow window) const {
  return snapshot_.pin()->lookup(key, window);
}

void AgeTieredIndex::batch_lookup(std::span<const IndexKey> keys, std::span<EntryId> ids,
                                  HeightWindow window) const {
  snapshot_.pin()->batch_lookup(keys, ids, window);
}

IndexStatus AgeTieredIndex::status() const {
  const auto snapshot = snapshot_.pin();
  IndexStatus status;
  status.entries_in_memory = snapshot->entries_in_memory();
  status.entries_on_disk = snapshot->entries_on_disk();
  status.memory_runs = snapshot->runs.size();
  status.segments = snapshot->segments.size();
  status.horizon = snapshot->horizon;
  for (const auto& run : snapshot->runs) {
    status.memory_bytes += run->memory_bytes();
  }
  for (const auto& segment : snapshot->segments) {
    status.memory_bytes += segment->memory_bytes();
  }
  return status;
}

}  // namespace furrow
