// SPDX-License-Identifier: Apache-2.0
#include "simt/warp.hpp"

#include <algorithm>
#include <cstring>

namespace furrow::simt {
namespace {

const char* name(WarpOp op) {
  switch (op) {
    case WarpOp::kSync:
      return "__syncwarp";
    case WarpOp::kShuffle:
      return "a shuffle";
    case WarpOp::kBallot:
      return "__ballot_sync";
    case WarpOp::kAny:
      return "__any_sync";
    case WarpOp::kAll:
      return "__all_sync";
    case WarpOp::kMatchAny:
      return "__match_any_sync";
    case WarpOp::kMatchAll:
      return "__match_all_sync";
    default:
      return "a reduction";
  }
}

}  // namespace

bool same_line(std::source_location a, std::source_location b) {
  // The same object most of the time; a template has one for each instantiation.
  if (std::memcmp(&a, &b, sizeof(a)) == 0) {
    return true;
  }
  return a.line() == b.line() &&
         (a.file_name() == b.file_name() || std::strcmp(a.file_name(), b.file_name()) == 0);
}

std::string Warp::text(unsigned lane) const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string words = std::string(name(op_of(lane))) + " with mask 0x";
  for (int shift = 28; shift >= 0; shift -= 4) {
    words += kDigits[(mask_of(lane) >> shift) & 15U];
  }
  return words;
}

int Warp::mismatch(unsigned lane) const {
  for (std::uint32_t left = mask_of(lane) & waiting; left != 0; left &= left - 1) {
    const unsigned other = lowest_lane(left);
    if (keys[other] != keys[lane] || !same_line(places[other], places[lane])) {
      return static_cast<int>(other);
    }
  }
  return -1;
}

/// The lanes of `mask` that brought `value`.
std::uint32_t Warp::lanes_with(std::uint32_t mask, std::uint64_t value) const {
  std::uint32_t lanes = 0;
  for_each_lane(mask, [&](unsigned lane) {
    lanes |= static_cast<std::uint32_t>(values[lane] == value) << lane;
  });
  return lanes;
}

/// Gives all lanes the fold of their values, of which T is the type.
template <class T, class F>
void Warp::fold(std::uint32_t mask, F&& f) {
  T result = static_cast<T>(values[lowest_lane(mask)]);
  for_each_lane(mask & (mask - 1), [&](unsigned lane) {
    result = static_cast<T>(f(result, static_cast<T>(values[lane])));
  });
  for_each_lane(mask, [&](unsigned lane) { results[lane] = static_cast<std::uint32_t>(result); });
}

int Warp::complete(unsigned lane, std::uint32_t mask) {
  const auto give_all = [&](std::uint64_t result) {
    for_each_lane(mask, [&](unsigned other) { results[other] = result; });
  };
  int astray = -1;
  switch (op_of(lane)) {
    case WarpOp::kSync:
      break;
    case WarpOp::kShuffle:
      for_each_lane(mask, [&](unsigned other) {
        const std::uint32_t source = arguments[other];
        results[other] = values[source];
        astray = (mask >> source & 1U) == 0 ? static_cast<int>(other) : astray;
      });
      break;
    case WarpOp::kBallot:
      give_all(mask & ~lanes_with(mask, 0));
      break;
    case WarpOp::kAny:
      give_all(lanes_with(mask, 0) != mask ? 1 : 0);
      break;
    case WarpOp::kAll:
      give_all(lanes_with(mask, 0) == 0 ? 1 : 0);
      break;
    case WarpOp::kMatchAny:
      for_each_lane(mask,
                    [&](unsigned other) { results[other] = lanes_with(mask, values[other]); });
      break;
    case WarpOp::kMatchAll:
      give_all(lanes_with(mask, values[lane]) == mask ? mask : 0);
      break;
    case WarpOp::kAddReduce:
      fold<std::uint32_t>(mask, [](auto a, auto b) { return a + b; });
      break;
    case WarpOp::kMinSigned:
      fold<std::int32_t>(mask, [](auto a, auto b) { return std::min(a, b); });
      break;
    case WarpOp::kMinUnsigned:
      fold<std::uint32_t>(mask, [](auto a, auto b) { return std::min(a, b); });
      break;
    case WarpOp::kMaxSigned:
      fold<std::int32_t>(mask, [](auto a, auto b) { return std::max(a, b); });
      break;
    case WarpOp::kMaxUnsigned:
      fold<std::uint32_t>(mask, [](auto a, auto b) { return std::max(a, b); });
      break;
    case WarpOp::kAndReduce:
      fold<std::uint32_t>(mask, [](auto a, auto b) { return a & b; });
      break;
    case WarpOp::kOrReduce:
      fold<std::uint32_t>(mask, [](auto a, auto b) { return a | b; });
      break;
    case WarpOp::kXorReduce:
      fold<std::uint32_t>(mask, [](auto a, auto b) { return a ^ b; });
      break;
  }
  return astray;
}

}  // namespace furrow::simt
