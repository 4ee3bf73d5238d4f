// SPDX-License-Identifier: Apache-2.0
#include "tools/suggestion.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace furrow::cli {
namespace {

constexpr std::size_t kLeastAbbreviation = 3;

}  // namespace

std::size_t edit_distance(std::string_view left, std::string_view right) {
  // Rows of the table of distances between beginnings of both words: the one of this letter of
  // `left`, and those of the two letters before.
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  std::vector<std::size_t> before = row;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::vector<std::size_t> next(right.size() + 1);
    next[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const bool is_same = left[i - 1] == right[j - 1];
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (is_same ? 0 : 1)});
      if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) {
        next[j] = std::min(next[j], before[j - 2] + 1);
      }
    }
    before = std::exchange(row, std::move(next));
  }
  return row.back();
}

std::string nearest_word(std::string_view word, std::span<const std::string> known) {
  std::string nearest;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  if (nearest.empty() && word.size() >= kLeastAbbreviation) {
    const auto whole = std::find_if(known.begin(), known.end(), [&](const std::string& candidate) {
      return candidate.starts_with(word);
    });
    nearest = whole == known.end() ? "" : *whole;
  }
  return nearest;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> known) {
  const std::string nearest = nearest_word(word, known);
  return nearest.empty() ? "" : "; did you mean '" + nearest + "'?";
}

}  // namespace furrow::cli
