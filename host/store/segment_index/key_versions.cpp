// SPDX-License-Identifier: Apache-2.0
#include "host/store/segment_index/key_versions.hpp"

#include <algorithm>

namespace furrow {
namespace {

/// The version that counts, or null.
const KeyVersion* latest_surviving(std::span<KeyVersion> versions) {
  if (versions.size() > 1) {
    std::stable_sort(versions.begin(), versions.end(),
                     [](const KeyVersion& a, const KeyVersion& b) { return a.height > b.height; });
  }
  for (std::size_t first = 0; first < versions.size();) {
    std::size_t end = first + 1;
    bool is_cancelled = false;
    while (end < versions.size() && versions[end].height == versions[first].height) {
      is_cancelled = is_cancelled || versions[end].kind != versions[first].kind;
      ++end;
    }
    if (!is_cancelled) {
      return &versions[first];
    }
    first = end;
  }
  return nullptr;
}

}  // namespace

std::optional<EntryId> decide(std::span<KeyVersion> versions) {
  const KeyVersion* version = latest_surviving(versions);
  if (version == nullptr) {
    return std::nullopt;
  }
  return version->kind == EntryKind::kAdd ? version->id : kDeletedId;
}

std::optional<std::int32_t> deciding_height(std::span<KeyVersion> versions) {
  const KeyVersion* version = latest_surviving(versions);
  return version == nullptr ? std::nullopt : std::optional(version->height);
}

}  // namespace furrow
