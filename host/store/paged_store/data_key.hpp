// SPDX-License-Identifier: Apache-2.0
// Names of what the paged store holds (docs/spec/08-storage-components.md, section 2.2).
#pragma once

#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "furrow/types.hpp"

namespace furrow {

/// Key of a record: the first 16 bytes of the BLAKE3 of its layout, so equal contents have equal
/// keys on every machine.
using DataKey = FixedBytes<struct DataKeyTag, 16>;

/// For hash tables. A key is a hash already.
struct DataKeyHash {
  std::size_t operator()(const DataKey& key) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, key.data(), sizeof(value));
    return value;
  }
};

/// How messages name a key, and the name of a raw entry.
std::string describe(const DataKey& key);
std::string describe(std::string_view entry_name);

}  // namespace furrow
