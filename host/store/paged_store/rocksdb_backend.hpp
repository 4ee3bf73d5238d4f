// SPDX-License-Identifier: Apache-2.0
// Tables of a paged store in a RocksDB database (docs/formats/paged-store.md).
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

#include "host/store/paged_store/paged_backend.hpp"

namespace furrow {

struct RocksDbOptions {
  /// Memory for blocks, indices and filters that were read.
  std::size_t cache_bytes = std::size_t{2} << 20;
  /// Memory for what was written and is in the write-ahead log only; a batch may exceed it.
  std::size_t write_buffer_bytes = std::size_t{8} << 20;
};

/// Opens the database in `directory`, or creates it there (its parent must exist). One process at a
/// time; throws BackendError when another has it, and when the database is damaged. Memory: the two
/// options, as much again while a buffer is written out, and the batch of a running put_records.
std::unique_ptr<PagedBackend> open_rocksdb_backend(const std::filesystem::path& directory,
                                                   const RocksDbOptions& options = {});

}  // namespace furrow
