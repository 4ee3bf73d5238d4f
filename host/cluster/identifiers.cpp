// SPDX-License-Identifier: Apache-2.0
#include "host/cluster/identifiers.hpp"

#include <array>
#include <chrono>
#include <random>

namespace furrow::cluster {

Ulid draw_ulid() {
  std::random_device system;
  std::array<std::uint8_t, 10> random{};
  for (std::uint8_t& byte : random) {
    byte = static_cast<std::uint8_t>(system());
  }
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return Ulid::from_parts(
      static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count()),
      random);
}

}  // namespace furrow::cluster
