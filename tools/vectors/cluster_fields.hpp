// SPDX-License-Identifier: Apache-2.0
// Messages of a cluster from the fields that cluster.vectors has of them (tests/golden/README.md).
#pragma once

#include <string_view>
#include <vector>

#include "host/cluster/message.hpp"
#include "nlohmann/json.hpp"

namespace furrow::vectors {

/// A type of message, by the name that the vectors have for it.
struct ClusterType {
  std::string_view name;
  /// Makes a message of the fields and encodes it.
  cluster::Bytes (*encode_fields)(const nlohmann::json& fields);
  /// Whether the message at the start of the payload is the one with these fields.
  bool (*decodes_to)(std::span<const std::uint8_t> payload, const nlohmann::json& fields);
  /// Decodes the message at the start of the payload and encodes it again.
  cluster::Bytes (*recode)(std::span<const std::uint8_t> payload);
};

/// Throws MalformedData when the vectors have no such type.
const ClusterType& cluster_type(std::string_view name);

}  // namespace furrow::vectors
