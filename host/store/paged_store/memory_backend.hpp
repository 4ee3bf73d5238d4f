// SPDX-License-Identifier: Apache-2.0
// Tables of a paged store in memory: for tests, and for graphs that need not outlive the process.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "host/base/mutex.hpp"
#include "host/store/paged_store/paged_backend.hpp"

namespace furrow {

class MemoryBackend : public PagedBackend {
 public:
  [[nodiscard]] std::optional<Bytes> get_record(const DataKey& key) const override;
  void put_records(std::span<const PagedRecord> batch) override;
  void for_each_record(const std::function<void(const DataKey&, std::span<const std::uint8_t>)>&
                           visit) const override;
  [[nodiscard]] std::optional<Bytes> get_entry(std::string_view name) const override;
  void put_entry(std::string_view name, std::span<const std::uint8_t> bytes) override;
  /// Nothing to do: this is as durable as it gets.
  void flush() override {}

 private:
  mutable SharedMutex mutex_;
  std::unordered_map<DataKey, Bytes, DataKeyHash> records_ FURROW_GUARDED_BY(mutex_);
  std::unordered_map<std::string, Bytes> entries_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow
