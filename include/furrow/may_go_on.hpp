// SPDX-License-Identifier: Apache-2.0
// How long work asks whether it is still wanted.
#pragma once

#include <functional>

namespace furrow {

/// Asked every few milliseconds by work that can be given up half-way: false ends it. May wait,
/// which makes the work pause. Empty means always true.
using MayGoOn = std::function<bool()>;

inline bool may_go_on(const MayGoOn& ask) {
  return !ask || ask();
}

}  // namespace furrow
