// SPDX-License-Identifier: Apache-2.0
// The database under a paged store, as the store sees it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "host/store/paged_store/data_key.hpp"
#include "host/store/paged_store/record.hpp"

namespace furrow {

/// Two tables of byte strings: records under data keys, and raw entries under names. Every call is
/// thread-safe and throws BackendError when the database fails; nothing is changed then.
class PagedBackend {
 public:
  using Bytes = std::vector<std::uint8_t>;

  virtual ~PagedBackend() = default;

  [[nodiscard]] virtual std::optional<Bytes> get_record(const DataKey& key) const = 0;
  /// Writes all or none of them, after a crash too. Writes keep their order: what a crash leaves is
  /// some first part of them (docs/spec/08-storage-components.md, S2).
  virtual void put_records(std::span<const PagedRecord> batch) = 0;
  /// Calls `visit` for every record, in any order. Holds no lock meanwhile.
  virtual void for_each_record(
      const std::function<void(const DataKey&, std::span<const std::uint8_t>)>& visit) const = 0;

  [[nodiscard]] virtual std::optional<Bytes> get_entry(std::string_view name) const = 0;
  virtual void put_entry(std::string_view name, std::span<const std::uint8_t> bytes) = 0;

  /// Makes everything written so far durable; also throws what failed meanwhile in threads of the
  /// database.
  virtual void flush() = 0;
};

}  // namespace furrow
