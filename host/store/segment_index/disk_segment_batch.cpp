// SPDX-License-Identifier: Apache-2.0
// Lookup of many keys in one segment (docs/spec/08-storage-components.md, section 3.6): candidates
// that pass filter and directory, in the order of the file; neighbouring buckets in one read;
// several reads verified together, which is where hashing many blocks at once pays.
#include <algorithm>

#include "host/store/segment_index/block_search.hpp"
#include "host/store/segment_index/disk_segment.hpp"

namespace furrow {
namespace {

/// Probes whose memory is asked for ahead of the one that is answered.
constexpr std::size_t kPrefetchDistance = 16;

/// A key that filter and directory let through.
struct Candidate {
  BucketRange buckets;
  const KeyQuery* query;
};

/// Buckets that are read together, where they go in the buffer, and who wants them.
struct MergedRead {
  std::uint32_t first_block;
  std::uint32_t n_blocks;
  std::uint32_t at;
  std::span<const Candidate> candidates;
};

}  // namespace

BatchReads DiskSegment::collect_batch(std::span<const KeyQuery> queries, HeightWindow window,
                                      std::vector<FoundVersion>& out) const {
  BatchReads total;
  if (!window.overlaps(heights())) {
    return total;
  }
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    if (i + kPrefetchDistance < queries.size()) {
      filter_.prefetch(queries[i + kPrefetchDistance].hash);
    }
    if (filter_.may_contain(queries[i].hash)) {
      const BucketRange buckets = directory_.find(*queries[i].key);
      if (buckets.first < buckets.end) {
        candidates.push_back({buckets, &queries[i]});
      }
    }
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.buckets.first < b.buckets.first;
  });

  const auto blocks_of = [this](BucketRange buckets) {
    return std::min(buckets.end * kBlocksPerBucket, block_count()) -
           buckets.first * kBlocksPerBucket;
  };
  const auto buffer_size = static_cast<std::uint32_t>(
      std::min<std::size_t>(kMaxBlocksPerRead, 2 * kBlocksPerBucket * candidates.size()));
  EntryBlockBuffer buffer(buffer_size);
  std::vector<MergedRead> reads;
  std::uint32_t filled = 0;
  const auto answer = [&] {
    if (const std::uint32_t damaged = buffer.first_damaged(filled); damaged != filled) {
      const auto read = std::prev(std::find_if(
          reads.begin(), reads.end(), [&](const MergedRead& r) { return r.at > damaged; }));
      throw buffer.mismatch(damaged, path(), read->first_block + damaged - read->at);
    }
    for (const MergedRead& read : reads) {
      check_place(buffer, read.at, read.first_block, read.n_blocks);
      for (const Candidate& candidate : read.candidates) {
        const std::uint32_t first = candidate.buckets.first * kBlocksPerBucket;
        search_blocks(buffer, read.at + first - read.first_block,
                      entries_in(first, blocks_of(candidate.buckets)), *candidate.query->key,
                      window, [&](const KeyVersion& version) {
                        out.push_back({candidate.query->slot, version});
                      });
      }
    }
    reads.clear();
    filled = 0;
  };

  for (std::size_t begin = 0; begin < candidates.size();) {
    BucketRange merged = candidates[begin].buckets;
    std::size_t end = begin + 1;
    while (end < candidates.size() && candidates[end].buckets.first <= merged.end) {
      const BucketRange grown{merged.first, std::max(merged.end, candidates[end].buckets.end)};
      if (blocks_of(grown) > buffer_size) {
        break;
      }
      merged = grown;
      ++end;
    }
    const std::uint32_t n_blocks = blocks_of(merged);
    if (n_blocks > buffer_size) {  // more versions of one key than the buffer holds
      const KeyQuery& query = *candidates[begin].query;
      std::vector<KeyVersion> versions;
      collect(*query.key, query.hash, window, versions);
      for (const KeyVersion& version : versions) {
        out.push_back({query.slot, version});
      }
      total.reads += merged.end - merged.first;
    } else {
      if (filled + n_blocks > buffer_size) {
        answer();
      }
      const std::uint32_t first_block = merged.first * kBlocksPerBucket;
      file_.read_at(entry_block_offset(first_block),
                    {buffer.block(filled), n_blocks * kEntryBlockSize});
      reads.push_back(
          {first_block, n_blocks, filled, std::span(candidates).subspan(begin, end - begin)});
      filled += n_blocks;
      ++total.reads;
    }
    total.blocks += n_blocks;
    begin = end;
  }
  answer();
  return total;
}

}  // namespace furrow
