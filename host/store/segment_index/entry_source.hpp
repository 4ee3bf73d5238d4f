// SPDX-License-Identifier: Apache-2.0
// A sorted sequence of entries, given out one by one.
#pragma once

#include <span>

#include "host/store/segment_index/index_entry.hpp"

namespace furrow {

class EntrySource {
 public:
  virtual ~EntrySource() = default;
  /// The next entry, valid until advance(); null at the end. May throw what reading throws.
  virtual const IndexEntry* peek() = 0;
  /// Pre: peek() gave an entry.
  virtual void advance() = 0;
};

/// Entries in memory, which must outlive it.
class SpanSource : public EntrySource {
 public:
  explicit SpanSource(std::span<const IndexEntry> entries) : entries_(entries) {}
  const IndexEntry* peek() override { return entries_.empty() ? nullptr : &entries_.front(); }
  void advance() override { entries_ = entries_.subspan(1); }

 private:
  std::span<const IndexEntry> entries_;
};

}  // namespace furrow
