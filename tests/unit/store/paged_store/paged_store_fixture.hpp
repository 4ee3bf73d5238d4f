// SPDX-License-Identifier: Apache-2.0
// A paged store over each backend, found intact at the end of each test.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "host/store/paged_store/paged_store_check.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/store/paged_store/paged_objects.hpp"
#ifdef FURROW_TEST_ROCKSDB
#include "host/store/paged_store/rocksdb_backend.hpp"
#endif

namespace furrow::test {

enum class BackendKind { kMemory, kRocksDb };

class PagedStoreTest : public testing::TestWithParam<BackendKind> {
 protected:
  std::unique_ptr<PagedBackend> make_backend() {
#ifdef FURROW_TEST_ROCKSDB
    if (GetParam() == BackendKind::kRocksDb) {
      return open_rocksdb_backend(directories_.emplace_back().path());
    }
#endif
    return std::make_unique<MemoryBackend>();
  }
  void TearDown() override {
    const PagedStoreReport report = check_paged_store(store_.backend());
    for (const std::string& broken : report.broken) {
      ADD_FAILURE() << broken;
    }
  }

  std::deque<TempDirectory> directories_;
  PagedStore store_{make_backend(), {}, kByHand};
};

inline auto every_backend() {
#ifdef FURROW_TEST_ROCKSDB
  return testing::Values(BackendKind::kMemory, BackendKind::kRocksDb);
#else
  return testing::Values(BackendKind::kMemory);
#endif
}

inline std::string kind_name(const testing::TestParamInfo<BackendKind>& info) {
  return info.param == BackendKind::kMemory ? "Memory" : "RocksDb";
}

}  // namespace furrow::test
