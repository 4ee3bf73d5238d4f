// SPDX-License-Identifier: Apache-2.0
#include "host/store/paged_store/rocksdb_backend.hpp"

#include <algorithm>
#include <cstdarg>
#include <memory>
#include <string>
#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include "host/base/mutex.hpp"
#include "host/base/threads.hpp"

namespace furrow {
namespace {

constexpr const char* kEntriesTable = "names";
/// That RocksDB starts when it opens a database: for flushes, compactions, and timers.
constexpr std::size_t kBackgroundThreads = 4;

void check(const rocksdb::Status& status, std::string_view operation, std::string_view what) {
  if (status.ok()) {
    return;
  }
  using Reason = BackendError::Reason;
  const Reason reason =
      status.IsNoSpace() ? Reason::kNoSpace
      // A file that its own lists name, and that is not there, is as good as damaged.
      : status.IsCorruption() || status.IsPathNotFound() ? Reason::kCorrupt
                                                         : Reason::kIo;
  throw BackendError(reason, operation, what, status.ToString());
}

rocksdb::Slice slice_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::uint8_t> bytes_of_slice(const rocksdb::Slice& slice) {
  return {reinterpret_cast<const std::uint8_t*>(slice.data()), slice.size()};
}

/// What fails in RocksDB's own threads, which write out tables and merge them: no call is there to
/// report it, and of the last one before the database is closed nobody would ever hear.
class BackgroundErrors final : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/,
                         rocksdb::Status* status) override {
    const Lock lock(mutex_);
    if (first_.ok()) {
      first_ = *status;
    }
  }
  [[nodiscard]] rocksdb::Status first() const {
    const Lock lock(mutex_);
    return first_;
  }

 private:
  mutable Mutex mutex_;
  rocksdb::Status first_ FURROW_GUARDED_BY(mutex_);
};

/// RocksDB's diary, unwritten: every failure is reported by the call it concerns or the next
/// flush(), and the diary of version 7.8 ends the process (an assertion) when the disk it is on is
/// full.
class NoDiary final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, std::va_list /*arguments*/) override {}
};

rocksdb::DBOptions database_options(const RocksDbOptions& options) {
  rocksdb::DBOptions result;
  result.create_if_missing = true;
  result.create_missing_column_families = true;
  result.db_write_buffer_size = options.write_buffer_bytes;
  result.max_background_jobs = 2;
  result.max_open_files = 256;
  // Sixteen by default, and when the system does not start one of them the process ends
  // (std::terminate); the tables of a farm are few.
  result.max_file_opening_threads = 1;
  // The end of the log that a crash cut off was never flushed, so it may go. Damage further up is
  // an error: to skip it would lose what was flushed.
  result.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  result.track_and_verify_wals_in_manifest = true;
  result.paranoid_checks = true;
  result.info_log = std::make_shared<NoDiary>();
  result.stats_dump_period_sec = 0;
  result.stats_persist_period_sec = 0;
  return result;
}

rocksdb::ColumnFamilyOptions table_options(const RocksDbOptions& options) {
  rocksdb::BlockBasedTableOptions blocks;
  blocks.block_cache = rocksdb::NewLRUCache(options.cache_bytes);
  blocks.cache_index_and_filter_blocks = true;  // so that cache_bytes bounds them, too
  blocks.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));  // most records looked up are new
  blocks.checksum = rocksdb::ChecksumType::kXXH3;
  rocksdb::ColumnFamilyOptions result;
  result.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
  result.write_buffer_size = options.write_buffer_bytes;
  result.max_write_buffer_number = 2;
  result.compression = rocksdb::kNoCompression;
  // Large values are written once instead of at every compaction.
  result.enable_blob_files = true;
  result.min_blob_size = 4096;
  result.blob_compression_type = rocksdb::kNoCompression;
  return result;
}

class RocksDbBackend final : public PagedBackend {
 public:
  RocksDbBackend(const std::filesystem::path& directory, const RocksDbOptions& options)
      : path_(directory.native()) {
    const rocksdb::ColumnFamilyOptions table = table_options(options);
    const std::vector<rocksdb::ColumnFamilyDescriptor> tables = {
        {rocksdb::kDefaultColumnFamilyName, table}, {kEntriesTable, table}};
    // RocksDB does not survive that the system refuses it a thread.
    if (count_startable_threads(kBackgroundThreads) < kBackgroundThreads) {
      throw BackendError(BackendError::Reason::kIo, "open", "database " + path_,
                         "the system starts too few threads");
    }
    rocksdb::DB* database = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DBOptions for_database = database_options(options);
    for_database.listeners.push_back(background_errors_);
    const rocksdb::Status status =
        rocksdb::DB::Open(for_database, path_, tables, &handles, &database);
    check(status, "open", "database " + path_);
    database_.reset(database);
    records_ = handles[0];
    entries_ = handles[1];
  }
  RocksDbBackend(const RocksDbBackend&) = delete;
  RocksDbBackend& operator=(const RocksDbBackend&) = delete;
  ~RocksDbBackend() override {
    // Nothing to report: flush() is what makes data safe.
    (void)database_->DestroyColumnFamilyHandle(records_);
    (void)database_->DestroyColumnFamilyHandle(entries_);
  }

  [[nodiscard]] std::optional<Bytes> get_record(const DataKey& key) const override {
    return get(records_, slice_of(key.bytes), [&] { return describe(key); });
  }

  void put_records(std::span<const PagedRecord> batch) override {
    rocksdb::WriteBatch writes;
    for (const PagedRecord& record : batch) {
      check(writes.Put(records_, slice_of(record.key.bytes), slice_of(record.value)), "write",
            describe(record.key));
    }
    check(database_->Write(write_options(), &writes), "write",
          std::to_string(batch.size()) + " records to " + path_);
  }

  void for_each_record(const std::function<void(const DataKey&, std::span<const std::uint8_t>)>&
                           visit) const override {
    const std::unique_ptr<rocksdb::Iterator> place(database_->NewIterator({}, records_));
    for (place->SeekToFirst(); place->Valid(); place->Next()) {
      const auto bytes = bytes_of_slice(place->key());
      if (bytes.size() != DataKey::kSize) {
        throw BackendError(BackendError::Reason::kCorrupt, "read", "records of " + path_,
                           "expected a key of " + std::to_string(DataKey::kSize) +
                               " bytes, actual " + std::to_string(bytes.size()));
      }
      DataKey key;
      std::ranges::copy(bytes, key.begin());
      visit(key, bytes_of_slice(place->value()));
    }
    check(place->status(), "read", "records of " + path_);
  }

  [[nodiscard]] std::optional<Bytes> get_entry(std::string_view name) const override {
    return get(entries_, {name.data(), name.size()}, [&] { return describe(name); });
  }

  void put_entry(std::string_view name, std::span<const std::uint8_t> bytes) override {
    check(database_->Put(write_options(), entries_, {name.data(), name.size()}, slice_of(bytes)),
          "write", describe(name));
  }

  void flush() override {
    check(database_->FlushWAL(/*sync=*/true), "flush", path_);
    check(background_errors_->first(), "write in the background", path_);
  }

 private:
  static rocksdb::WriteOptions write_options() {
    rocksdb::WriteOptions result;
    result.protection_bytes_per_key = 8;  // a checksum on the way through memory as well
    return result;
  }

  /// `what` makes the text for an error, which is not needed for most calls.
  template <class What>
  std::optional<Bytes> get(rocksdb::ColumnFamilyHandle* table, const rocksdb::Slice& key,
                           What what) const {
    rocksdb::PinnableSlice value;
    const rocksdb::Status status = database_->Get({}, table, key, &value);
    if (status.IsNotFound()) {
      return std::nullopt;
    }
    if (!status.ok()) {
      check(status, "read", what() + " from " + path_);
    }
    const auto bytes = bytes_of_slice(value);
    return Bytes(bytes.begin(), bytes.end());
  }

  std::string path_;
  std::shared_ptr<BackgroundErrors> background_errors_ = std::make_shared<BackgroundErrors>();
  std::unique_ptr<rocksdb::DB> database_;
  rocksdb::ColumnFamilyHandle* records_ = nullptr;
  rocksdb::ColumnFamilyHandle* entries_ = nullptr;
};

}  // namespace

std::unique_ptr<PagedBackend> open_rocksdb_backend(const std::filesystem::path& directory,
                                                   const RocksDbOptions& options) {
  return std::make_unique<RocksDbBackend>(directory, options);
}

}  // namespace furrow
