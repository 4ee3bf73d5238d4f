// SPDX-License-Identifier: Apache-2.0
// What tests of the state of a farm share: farms with many sectors, databases that count.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>

#include "host/farm/farm.hpp"
#include "host/store/paged_store/memory_backend.hpp"
#include "tests/support/made_up_farm.hpp"

namespace furrow::test {

/// Outlives the farms that use it, as a directory would, and counts records of sector metadata.
class CountingBackend : public MemoryBackend {
 public:
  [[nodiscard]] std::optional<Bytes> get_record(const DataKey& key) const override {
    auto record = MemoryBackend::get_record(key);
    read += record && is_of_sector(*record) ? 1 : 0;
    return record;
  }
  void put_records(std::span<const PagedRecord> batch) override {
    for (const PagedRecord& record : batch) {
      ++(is_of_sector(record.value) ? written : nodes_written);
    }
    MemoryBackend::put_records(batch);
  }
  static bool is_of_sector(std::span<const std::uint8_t> record) {
    return record.size() > kSectorMetadataSize;
  }

  mutable std::atomic<std::size_t> read = 0;
  std::atomic<std::size_t> written = 0;
  std::atomic<std::size_t> nodes_written = 0;
};

/// Says that it has taken sector metadata, and has not: memory stays as it is.
class ForgettingBackend final : public CountingBackend {
 public:
  void put_records(std::span<const PagedRecord> batch) override {
    for (const PagedRecord& record : batch) {
      if (is_of_sector(record.value)) {
        ++written;
      } else {
        CountingBackend::put_records({&record, 1});
      }
    }
  }
};

/// One farm's view of a database that stays.
class BorrowedBackend final : public PagedBackend {
 public:
  explicit BorrowedBackend(std::shared_ptr<PagedBackend> below) : below_(std::move(below)) {}
  [[nodiscard]] std::optional<Bytes> get_record(const DataKey& key) const override {
    return below_->get_record(key);
  }
  void put_records(std::span<const PagedRecord> batch) override { below_->put_records(batch); }
  void for_each_record(const std::function<void(const DataKey&, std::span<const std::uint8_t>)>&
                           visit) const override {
    below_->for_each_record(visit);
  }
  [[nodiscard]] std::optional<Bytes> get_entry(std::string_view name) const override {
    return below_->get_entry(name);
  }
  void put_entry(std::string_view name, std::span<const std::uint8_t> bytes) override {
    below_->put_entry(name, bytes);
  }
  void flush() override { below_->flush(); }

 private:
  std::shared_ptr<PagedBackend> below_;
};

inline FarmOptions with_state(FarmOptions options, const std::shared_ptr<PagedBackend>& backend) {
  options.state_backend = [backend](const std::filesystem::path&) {
    return std::make_unique<BorrowedBackend>(backend);
  };
  return options;
}

/// Metadata like those of a plotted sector, without its bytes; `version` as of made_up_sector.
inline SectorMetadata made_up_metadata(std::uint16_t index, std::uint64_t version = 1) {
  SectorMetadata metadata;
  metadata.sector_index = SectorIndex(index);
  metadata.pieces_in_sector = 1;
  metadata.history_size = HistorySize::from_count(10 + version);
  for (std::size_t i = 0; i < metadata.s_bucket_sizes.size(); ++i) {
    metadata.s_bucket_sizes[i] = static_cast<std::uint16_t>((i / 7 + index + version) % 2);
  }
  return metadata;
}

/// A closed farm that counts `sectors` sectors. Their slots are made up, their bytes are holes.
inline void make_hollow_farm(const std::filesystem::path& directory, std::uint16_t sectors) {
  FarmInfo info = Farm::open(plot_options(directory, 1))->info();
  info.allocated_space = allocated_space_for_sectors(sectors, 1);
  info.write_to(File::open_or_create(directory / kFarmInfoFileName));
  const SpaceDistribution space = SpaceDistribution::compute(info.allocated_space, 1);
  std::filesystem::resize_file(directory / kPlotFileName, space.plot_file_size);
  const MetadataFile file(File::open_or_create(directory / kMetadataFileName));
  file.file().resize(round_up_to_page(space.metadata_file_size));
  for (std::uint16_t i = 0; i < sectors; ++i) {
    file.write_slot(made_up_metadata(i));
  }
  file.write_header(sectors);
}

}  // namespace furrow::test
