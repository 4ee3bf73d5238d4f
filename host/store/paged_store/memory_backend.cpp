// SPDX-License-Identifier: Apache-2.0
#include "host/store/paged_store/memory_backend.hpp"

namespace furrow {

std::optional<PagedBackend::Bytes> MemoryBackend::get_record(const DataKey& key) const {
  const SharedLock lock(mutex_);
  const auto found = records_.find(key);
  return found == records_.end() ? std::nullopt : std::optional(found->second);
}

void MemoryBackend::put_records(std::span<const PagedRecord> batch) {
  std::unordered_map<DataKey, Bytes, DataKeyHash> added;  // all of it, before anything is changed
  for (const PagedRecord& record : batch) {
    added.insert_or_assign(record.key, record.value);
  }
  const Lock lock(mutex_);
  records_.reserve(records_.size() + added.size());
  for (auto& [key, value] : added) {
    if (const auto there = records_.find(key); there != records_.end()) {
      there->second.swap(value);
    }
  }
  records_.merge(added);  // nodes change hands; nothing here can fail
}

void MemoryBackend::for_each_record(
    const std::function<void(const DataKey&, std::span<const std::uint8_t>)>& visit) const {
  std::unordered_map<DataKey, Bytes, DataKeyHash> records;  // so that no lock is held meanwhile
  {
    const SharedLock lock(mutex_);
    records = records_;
  }
  for (const auto& [key, value] : records) {
    visit(key, value);
  }
}

std::optional<PagedBackend::Bytes> MemoryBackend::get_entry(std::string_view name) const {
  const SharedLock lock(mutex_);
  const auto found = entries_.find(std::string(name));
  return found == entries_.end() ? std::nullopt : std::optional(found->second);
}

void MemoryBackend::put_entry(std::string_view name, std::span<const std::uint8_t> bytes) {
  const Lock lock(mutex_);
  entries_.insert_or_assign(std::string(name), Bytes(bytes.begin(), bytes.end()));
}

}  // namespace furrow
