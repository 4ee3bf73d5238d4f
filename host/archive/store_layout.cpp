// SPDX-License-Identifier: Apache-2.0
#include "host/archive/store_layout.hpp"

#include <algorithm>

#include "host/base/pending_file.hpp"

namespace furrow {
namespace {

constexpr std::string_view kPrefix = "segment-";
constexpr std::string_view kSuffix = ".pack";
constexpr std::size_t kDigits = 10;

}  // namespace

std::string segment_pack_name(SegmentIndex segment) {
  std::string digits = std::to_string(segment.value());
  if (digits.size() < kDigits) {
    digits.insert(0, kDigits - digits.size(), '0');
  }
  return std::string(kPrefix) + digits + std::string(kSuffix);
}

bool is_leftover_name(std::string_view name) {
  if (is_pending_name(name, kManifestFileName, kPendingFileEnding)) {
    return true;
  }
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix) ||
      name.size() < kPrefix.size() + kDigits + kSuffix.size()) {
    return false;
  }
  const std::string_view digits =
      name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  return std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace furrow
