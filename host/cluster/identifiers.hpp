// SPDX-License-Identifier: Apache-2.0
// Who is who in a cluster (docs/spec/07-cluster-protocol.md, section 4). An identifier is a ULID: its
// text stands in subjects, and in payloads it is a u128, which is the 16 bytes of the ULID in the
// opposite of their usual order:
//
//   01ARZ3NDEKTSV4RRFFQ69G5FAV   5b bd 02 93 b9 ef 61 4c 76 d6 d3 b5 3a 3e 56 01
#pragma once

#include <functional>
#include <string>

#include "host/cluster/message.hpp"
#include "host/primitives/ulid.hpp"

namespace furrow::cluster {

/// `kHasVariant`: in payloads a zero byte comes first, the only variant of an enum.
template <class Tag, bool kHasVariant>
struct Identifier {
  Ulid ulid;
  bool operator==(const Identifier&) const = default;
  [[nodiscard]] std::string to_string() const { return ulid.to_string(); }
};

using FarmId = Identifier<struct FarmIdTag, true>;
/// One cache, a file of pieces. A process may have several.
using PieceCacheId = Identifier<struct PieceCacheIdTag, true>;
/// A process with caches.
using ClusterCacheId = Identifier<struct ClusterCacheIdTag, true>;
/// A process with farms.
using ClusterFarmerId = Identifier<struct ClusterFarmerIdTag, false>;
/// A plotter; its identifier is in payloads as text only.
struct PlotterId {
  Ulid ulid;
  bool operator==(const PlotterId&) const = default;
  [[nodiscard]] std::string to_string() const { return ulid.to_string(); }
};

template <class Tag, bool kHasVariant>
struct CodecOf<Identifier<Tag, kHasVariant>> {
  static void encode(const Identifier<Tag, kHasVariant>& id, ScaleWriter& out) {
    if constexpr (kHasVariant) {
      out.u8(0);
    }
    uint128 number = 0;
    for (const std::uint8_t byte : id.ulid.bytes) {
      number = (number << 8) | byte;
    }
    out.u128(number);
  }
  static void decode(Identifier<Tag, kHasVariant>& id, MessageReader& in) {
    if constexpr (kHasVariant) {
      in.variant(1);
    }
    uint128 number = in.u128();
    for (std::size_t i = id.ulid.bytes.size(); i-- > 0; number >>= 8) {
      id.ulid.bytes[i] = static_cast<std::uint8_t>(number);
    }
  }
};

/// Draws identifiers that nobody has drawn before.
using UlidSource = std::function<Ulid()>;

/// From the clock and the random numbers of the system. Thread-safe.
[[nodiscard]] Ulid draw_ulid();

}  // namespace furrow::cluster
