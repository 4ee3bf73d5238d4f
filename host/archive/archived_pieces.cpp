// SPDX-License-Identifier: Apache-2.0
#include "host/archive/archived_pieces.hpp"

#include <utility>

#include "host/archive/super_segment.hpp"

namespace furrow {

ArchivedPieces::ArchivedPieces(std::span<SourceEntry> sources, ShardIndex shard,
                               const ComputeOptions& compute, std::function<void()> on_block,
                               std::stop_token stop)
    : sources_(sources),
      shard_(shard),
      on_block_(std::move(on_block)),
      stop_(std::move(stop)),
      archiver_(shard, compute) {}

std::optional<RawChunk> ArchivedPieces::next() {
  if (next_position_ == kNumPieces && !begin_segment()) {
    return std::nullopt;
  }
  const std::size_t position = next_position_++;
  const std::span<const std::uint8_t> piece = bytes_of((*pieces_)[position]);
  return RawChunk{.key = first_key_ + position,
                  .data = {piece.begin(), piece.end()},
                  .compressible = position < kNumRawRecords};
}

Hash ArchivedPieces::segment_root(SegmentIndex segment) const {
  const Lock lock(mutex_);
  return segments_[segment.value()].header.root;
}

std::uint64_t ArchivedPieces::bytes_in(std::uint64_t n_pieces) const {
  const Lock lock(mutex_);
  const std::uint64_t segment = n_pieces / kNumPieces;
  const std::uint64_t begin = segment == 0 ? 0 : segment_ends_[segment - 1];
  if (segment == segment_ends_.size()) {
    return begin;
  }
  return begin + (segment_ends_[segment] - begin) * (n_pieces % kNumPieces) / kNumPieces;
}

std::vector<ManifestSegment> ArchivedPieces::take_segments() {
  const Lock lock(mutex_);
  return std::move(segments_);
}

/// False at the end, and after a stop request.
bool ArchivedPieces::begin_segment() {
  pieces_.reset();  // before the next one needs as much memory
  while (finished_.empty()) {
    if (is_closed_ || stop_.stop_requested()) {
      return false;
    }
    read_block();
  }
  ArchivedSegment segment = std::move(finished_.front());
  finished_.erase(finished_.begin());
  std::optional<SuperSegmentHeader> previous;
  {
    const Lock lock(mutex_);
    first_key_ = segments_.size() * kNumPieces;
    if (!segments_.empty()) {
      previous = segments_.back().super_segment;
    }
  }
  const SuperSegmentHeader header = lone_super_segment(shard_, segment.header, previous);
  set_super_segment(segment.pieces, SuperSegmentIndex(header.index.value()), SegmentPosition(0),
                    SegmentProof{});
  {
    const Lock lock(mutex_);
    segments_.push_back({segment.header, header});
  }
  pieces_ = std::move(segment.pieces);
  next_position_ = 0;
  return true;
}

/// Takes a block, or closes the archiver behind the last one.
void ArchivedPieces::read_block() {
  while (!file_ || file_->is_at_end()) {
    if (file_) {
      finish_file();
    }
    if (!open_file()) {
      finished_ = archiver_.close();
      is_closed_ = true;
      note_segment_ends();
      return;
    }
  }
  std::vector<std::uint8_t> block = file_->next_block();
  ++next_block_;
  bytes_read_ += block.size();
  finished_ = archiver_.add_block(std::move(block)).segments;
  note_segment_ends();
  on_block_();
}

void ArchivedPieces::note_segment_ends() {
  const Lock lock(mutex_);
  segment_ends_.resize(segment_ends_.size() + finished_.size(), bytes_read_);
}

/// Opens the next file; false when there is none.
bool ArchivedPieces::open_file() {
  for (; next_source_ < sources_.size(); ++next_source_) {
    SourceEntry& source = sources_[next_source_];
    if (source.entry.type == EntryType::kFile) {
      file_.emplace(source.source, source.entry.size);
      entry_ = &source;
      entry_->entry.first_block = next_block_;
      ++next_source_;
      return true;
    }
  }
  return false;
}

void ArchivedPieces::finish_file() {
  entry_->entry.n_blocks = next_block_ - entry_->entry.first_block;
  entry_->entry.contents = file_->finish();
  ++files_read_;
  file_.reset();
}

}  // namespace furrow
