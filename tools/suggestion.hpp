// SPDX-License-Identifier: Apache-2.0
// Which known word somebody meant who wrote another one.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace furrow::cli {

/// The least number of letters that are added, left out, changed, or swapped with a neighbour to
/// make one word of the other.
[[nodiscard]] std::size_t edit_distance(std::string_view left, std::string_view right);

/// The word of `known` that is nearest to `word`, the first of several. Empty when none is near: a
/// third of the letters may be wrong, and an abbreviation of three letters is near, too.
[[nodiscard]] std::string nearest_word(std::string_view word, std::span<const std::string> known);

/// "; did you mean 'WORD'?", or nothing when there is none near.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}  // namespace furrow::cli
