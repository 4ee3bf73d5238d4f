// SPDX-License-Identifier: Apache-2.0
// Which of the entries of one key count (docs/spec/08-storage-components.md, sections 3.6 and 3.9).
//
// At one height an add and a delete cancel, in whatever order and however often they came: the
// thing never existed there. Of what is left the greatest height decides. A key has one id at a
// height; of two different adds the later one counts.
//
// Merging may forget only what can no longer matter, hence the settled heights: those below the
// horizon (nothing is added there any more, and no window ends there) at which no run outside the
// merge has anything. At other heights all is kept, even a pair that cancels: half of it may stand
// once more in another run, or come again when a caller repeats what a crash lost.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "host/store/segment_index/index_entry.hpp"

namespace furrow {

/// An entry without its key.
struct KeyVersion {
  std::int32_t height = 0;
  EntryKind kind = EntryKind::kAdd;
  EntryId id = 0;
};

/// The answer for one key from its versions in the window, newest run first: nothing, an id, or
/// kDeletedId. Reorders `versions`.
std::optional<EntryId> decide(std::span<KeyVersion> versions);
/// The height that decides it.
std::optional<std::int32_t> deciding_height(std::span<KeyVersion> versions);

/// Heights after < height < before, wide enough to hold all.
struct SettledHeights {
  std::int64_t after = std::numeric_limits<std::int64_t>::min();
  std::int64_t before = std::numeric_limits<std::int64_t>::min();
  /// No run outside the merge has lower heights, so that a delete has nothing left to hide.
  bool is_bottom = false;

  [[nodiscard]] bool contains(std::int32_t height) const {
    return after < height && height < before;
  }
};

/// Lets through what has to be kept of a sorted sequence of entries; entries equal but for the id
/// come newest first. Holds two entries at most.
class VersionFilter {
 public:
  explicit VersionFilter(SettledHeights settled) : settled_(settled) {}

  /// `keep(const IndexEntry&)` takes what is certain to stay, in order.
  template <class Keep>
  void push(const IndexEntry& entry, Keep keep) {
    if (current_ && current_->key == entry.key && current_->height == entry.height) {
      if (current_->kind == entry.kind) {
        return;  // a newer one is held
      }
      if (settled_.contains(entry.height)) {
        is_cancelled_ = true;
        return;
      }
    }
    close_height(keep);
    if (latest_settled_ &&
        (latest_settled_->key != entry.key || !settled_.contains(entry.height))) {
      close_settled(keep);
    }
    current_ = entry;
  }
  template <class Keep>
  void finish(Keep keep) {
    close_height(keep);
    close_settled(keep);
  }

 private:
  template <class Keep>
  void close_height(Keep keep) {
    if (current_ && !is_cancelled_) {
      if (settled_.contains(current_->height)) {
        latest_settled_ = current_;
      } else {
        keep(*current_);
      }
    }
    current_.reset();
    is_cancelled_ = false;
  }
  template <class Keep>
  void close_settled(Keep keep) {
    if (latest_settled_ && !(settled_.is_bottom && latest_settled_->kind == EntryKind::kDelete)) {
      keep(*latest_settled_);
    }
    latest_settled_.reset();
  }

  SettledHeights settled_;
  /// The height under way.
  std::optional<IndexEntry> current_;
  bool is_cancelled_ = false;
  std::optional<IndexEntry> latest_settled_;
};

}  // namespace furrow
