// SPDX-License-Identifier: Apache-2.0
#include "host/archive/store_writer.hpp"

#include <utility>

#include "host/archive/store_layout.hpp"
#include "host/archive/store_place.hpp"

namespace furrow {

StoreWriter::StoreWriter(std::filesystem::path store, SegmentRoots roots, CreatedFiles& created)
    : store_(std::move(store)), roots_(std::move(roots)), created_(created) {
  const std::filesystem::path index = store_ / kStoreIndexName;
  created_.add_tree(index);
  index_ = AgeTieredIndex::open(index, {.memory_entries = kIndexEntries});
}

void StoreWriter::write(const PackedChunk& piece) {
  const PieceIndex index(piece.key);
  const SegmentIndex segment = segment_index_of(index);
  if (!pack_) {
    const std::filesystem::path path = store_ / segment_pack_name(segment);
    created_.add(path);
    pack_ = PiecePackWriter::create(path);
  }
  pack_->append(piece);
  if (position_of(index).value() == kNumPieces - 1) {
    finish_segment(segment);
  }
}

void StoreWriter::finish_segment(SegmentIndex segment) {
  pack_->finish();
  index_->append(index_entries(places_in(pack_->table(), segment), segment, roots_(segment)));
  while (index_->compact()) {
  }
  pack_.reset();
  ++segments_written_;
}

void StoreWriter::finish() {
  index_->flush();
  index_->compact_all();
  index_.reset();
}

}  // namespace furrow
