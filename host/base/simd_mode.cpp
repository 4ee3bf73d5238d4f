// SPDX-License-Identifier: Apache-2.0
// Compiled once for each target by foreach_target.h, so that the name of the target in use comes
// from the same dispatch as everything that is computed.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "host/base/simd_mode.cpp"
#include "host/base/simd_mode.hpp"

#include <algorithm>
#include <atomic>
#include <cctype>

#include <hwy/foreach_target.h>  // must come first
#include <hwy/highway.h>

#include "furrow/errors.hpp"

HWY_BEFORE_NAMESPACE();
namespace furrow::HWY_NAMESPACE {

std::int64_t TargetInUse() {
  return HWY_TARGET;
}

}  // namespace furrow::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow {

HWY_EXPORT(TargetInUse);

namespace {

constexpr std::string_view kScalarName = "scalar";

/// Whether kBest means the scalar twins.
std::atomic<bool> best_is_scalar{false};

std::string name_of(std::int64_t target) {
  if (target == HWY_SCALAR) {
    return "portable";
  }
  std::string name = hwy::TargetName(target);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

/// What this program was compiled for and this processor has, fastest first.
const std::vector<std::int64_t>& highway_targets() {
  static const std::vector<std::int64_t> targets = hwy::SupportedAndGeneratedTargets();
  return targets;
}

}  // namespace

std::vector<std::string> simd_targets() {
  std::vector<std::string> names;
  for (const std::int64_t target : highway_targets()) {
    names.push_back(name_of(target));
  }
  names.emplace_back(kScalarName);
  return names;
}

void choose_simd_target(std::string_view name) {
  if (name == kScalarName) {
    best_is_scalar = true;
    return;
  }
  for (const std::int64_t target : highway_targets()) {
    if (name_of(target) == name) {
      hwy::SetSupportedTargetsForTest(target);
      hwy::GetChosenTarget().DeInit();
      best_is_scalar = false;
      return;
    }
  }
  std::string known;
  for (const std::string& target : simd_targets()) {
    known += (known.empty() ? "" : ", ") + target;
  }
  throw InvalidArgument("instruction set '" + std::string(name) + "': this machine has " + known);
}

std::string simd_target_name(SimdMode mode) {
  return uses_scalar(mode) ? std::string(kScalarName)
                           : name_of(HWY_DYNAMIC_DISPATCH(TargetInUse)());
}

bool uses_scalar(SimdMode mode) {
  return mode == SimdMode::kScalar || best_is_scalar.load(std::memory_order_relaxed);
}

}  // namespace furrow
#endif  // HWY_ONCE
