// SPDX-License-Identifier: Apache-2.0
// The state of a farm that fails, is damaged, old or that of another farm: it costs speed alone
// (docs/formats/farm-state.md).
#include <atomic>
#include <fstream>
#include <random>

#include <gtest/gtest.h>

#include "tests/support/temp_directory.hpp"
#include "tests/unit/farm/farm_states.hpp"
#include "tests/unit/store/paged_store/paged_objects.hpp"

namespace furrow {
namespace {

using test::CountingBackend;
using test::ForgettingBackend;
using test::made_up_metadata;
using test::made_up_sector;
using test::MadeUpSector;
using test::plot_options;
using test::TempDirectory;
using test::with_state;

TEST(FarmState, AFailingDatabaseIsGivenUp) {
  using Hooked = test::HookedBackend;
  for (std::size_t failing = 0;; ++failing) {
    SCOPED_TRACE("database operation " + std::to_string(failing));
    const TempDirectory directory;
    test::make_farm(directory.path(), 3, 2);
    std::atomic<std::size_t> done = 0;
    FarmOptions options = plot_options(directory.path(), 3);
    options.state_backend = [&](const std::filesystem::path&) {
      return std::make_unique<Hooked>(std::make_shared<MemoryBackend>(), [&](Hooked::Operation) {
        if (done++ >= failing) {
          throw test::backend_error(BackendError::Reason::kNoSpace);
        }
      });
    };
    std::vector<std::string> told;
    options.on_warning = [&](const std::string& warning) { told.push_back(warning); };
    const auto farm = Farm::open(options);
    const std::size_t at_opening = farm->warnings().size();
    const MadeUpSector third = made_up_sector(2);
    EXPECT_EQ(farm->write_sector(SectorIndex(2), third.bytes, third.metadata), 3);
    const MadeUpSector again = made_up_sector(0, 2);
    EXPECT_EQ(farm->write_sector(SectorIndex(0), again.bytes, again.metadata), 3);
    EXPECT_TRUE(test::holds(*farm, again));
    EXPECT_TRUE(test::holds(*farm, made_up_sector(1)));
    EXPECT_TRUE(test::holds(*farm, third));
    const std::vector<std::string> warnings = farm->warnings();
    EXPECT_EQ(told, warnings);
    if (done <= failing) {
      EXPECT_EQ(warnings.size(), 1U);  // that it was empty
      EXPECT_GT(failing, 10U);
      return;
    }
    ASSERT_FALSE(warnings.empty());
    EXPECT_NE(warnings.back().find("going on without it"), std::string::npos) << warnings.back();
    EXPECT_LE(warnings.size(), at_opening + 1);
  }
}

// Too few threads, descriptors or bytes on the disk are no damage: what is there is still of use.
TEST(FarmState, OnlyADamagedStateIsRemoved) {
  for (const auto reason : {BackendError::Reason::kIo, BackendError::Reason::kNoSpace,
                            BackendError::Reason::kCorrupt}) {
    const bool is_damage = reason == BackendError::Reason::kCorrupt;
    const TempDirectory directory;
    test::make_farm(directory.path(), 1, 1);
    const std::filesystem::path file = directory.path() / kStateDirectoryName / "000004.log";
    std::filesystem::create_directory(file.parent_path());
    std::ofstream(file) << "records";
    FarmOptions options = plot_options(directory.path(), 1);
    options.state_backend = [&](const std::filesystem::path&) -> std::unique_ptr<PagedBackend> {
      if (std::filesystem::exists(file)) {
        throw test::backend_error(reason);
      }
      return std::make_unique<MemoryBackend>();
    };
    const auto farm = Farm::open(options);
    EXPECT_EQ(std::filesystem::exists(file), !is_damage);
    ASSERT_FALSE(farm->warnings().empty());
    EXPECT_NE(farm->warnings()[0].find(is_damage ? "made anew" : "going on without it"),
              std::string::npos)
        << farm->warnings()[0];
    EXPECT_TRUE(test::holds(*farm, made_up_sector(0)));
  }
}

// A database that writes in threads of its own may fail when nobody asks it for anything any more.
TEST(FarmState, WhatFailedInTheBackgroundIsToldAtTheEnd) {
  using Hooked = test::HookedBackend;
  const TempDirectory directory;
  test::make_farm(directory.path(), 1, 1);
  bool has_failed = false;
  FarmOptions options = plot_options(directory.path(), 1);
  options.state_backend = [&](const std::filesystem::path&) {
    return std::make_unique<Hooked>(std::make_shared<MemoryBackend>(), [&](Hooked::Operation what) {
      if (has_failed && what == Hooked::Operation::kFlush) {
        throw test::backend_error();
      }
    });
  };
  const auto farm = Farm::open(options);
  std::vector<std::string> told = farm->warnings();
  farm->flush_state();
  EXPECT_EQ(farm->warnings(), told);
  has_failed = true;
  farm->flush_state();
  ASSERT_EQ(farm->warnings().size(), told.size() + 1);
  EXPECT_NE(farm->warnings().back().find("injected"), std::string::npos);
  farm->flush_state();
  EXPECT_EQ(farm->warnings().size(), told.size() + 1);
  EXPECT_TRUE(test::holds(*farm, made_up_sector(0)));
}

// Records that are missing or damaged are taken from the slots and written once more.
TEST(FarmState, DamagedRecordsAreNeitherServedNorKept) {
  const TempDirectory directory;
  test::make_hollow_farm(directory.path(), 3);
  const auto backend = std::make_shared<CountingBackend>();
  const FarmOptions options = with_state(plot_options(directory.path(), 3), backend);
  Farm::open(options);
  std::vector<PagedRecord> damaged;
  backend->for_each_record([&](const DataKey& key, std::span<const std::uint8_t> value) {
    if (CountingBackend::is_of_sector(value)) {
      damaged.push_back({key, {value.begin(), value.end()}});
      damaged.back().value[70'000] ^= 1;
    }
  });
  ASSERT_EQ(damaged.size(), 3U);
  backend->put_records(damaged);
  backend->written = 0;
  {
    const auto farm = Farm::open(options);
    EXPECT_TRUE(farm->warnings().empty());
    for (std::uint16_t i = 0; i < 3; ++i) {
      EXPECT_EQ(*farm->sector_metadata(SectorIndex(i)), made_up_metadata(i));
    }
    ASSERT_EQ(farm->warnings().size(), 3U);
    EXPECT_NE(farm->warnings()[1].find("sector 1"), std::string::npos) << farm->warnings()[1];
  }
  EXPECT_EQ(backend->written, 3U);
  const auto farm = Farm::open(options);
  EXPECT_EQ(*farm->sector_metadata(SectorIndex(2)), made_up_metadata(2));
  EXPECT_TRUE(farm->warnings().empty());

  const auto forgetful = std::make_shared<ForgettingBackend>();
  const TempDirectory other;
  test::make_hollow_farm(other.path(), 3);
  Farm::open(with_state(plot_options(other.path(), 3), forgetful));
  const auto bereft = Farm::open(with_state(plot_options(other.path(), 3), forgetful));
  EXPECT_EQ(*bereft->sector_metadata(SectorIndex(1)), made_up_metadata(1));
  ASSERT_EQ(bereft->warnings().size(), 1U);
  EXPECT_NE(bereft->warnings()[0].find("no data for key"), std::string::npos)
      << bereft->warnings()[0];
}

// Either the id in the info file was changed, or the directory is not this farm's: it is for nobody
// but the user to say which, and nothing is written before.
TEST(FarmState, TheStateOfAnotherFarmIsRefused) {
  const TempDirectory directory;
  const auto backend = std::make_shared<CountingBackend>();
  test::make_farm(directory.path() / "a", 1, 1);
  Farm::open(with_state(plot_options(directory.path() / "a", 1), backend));
  const std::filesystem::path path = directory.path() / "b";
  test::make_farm(path, 2, 2);
  test::flip_byte(path / kMetadataFileName, MetadataFile::slot_offset(1));  // to be replaced
  for (const bool is_there : {false, true}) {  // a directory in memory is noticed late
    if (is_there) {
      std::filesystem::create_directory(path / kStateDirectoryName);
    }
    const std::string before = test::file_text(path / kMetadataFileName);
    EXPECT_THROW(Farm::open(with_state(plot_options(path, 2), backend)), StateOfAnotherFarm);
    EXPECT_EQ(test::file_text(path / kMetadataFileName) == before, is_there);
  }
}

// Nothing is ever removed from the database, so one that holds too much is made anew.
TEST(FarmState, ReplacedRecordsDoNotPileUp) {
  const auto backend = std::make_shared<ForgettingBackend>();
  const auto never = [](SectorIndex) -> std::shared_ptr<const SectorMetadata> {
    ADD_FAILURE() << "nothing to read";
    return nullptr;
  };
  std::vector<SlotSummary> slots;  // of the one sector there is, when there is one
  std::uint64_t replaced = 0;
  for (int opening = 0; opening < 3; ++opening) {
    SectorStateTree tree(std::make_unique<test::BorrowedBackend>(backend), "state", Ulid{});
    EXPECT_EQ(tree.synchronize(slots, never), 0U);
    for (int i = 0; i < 343; ++i) {  // 1029 in all: more than 1024 beside twice the farm
      SectorMetadata metadata = made_up_metadata(0);
      metadata.history_size = HistorySize::from_count(2 + replaced++);
      slots = {summarize(metadata)};
      tree.put(std::make_shared<const SectorMetadata>(std::move(metadata)));
    }
  }
  SectorStateTree tree(std::make_unique<test::BorrowedBackend>(backend), "state", Ulid{});
  EXPECT_THROW(tree.synchronize(slots, never), MalformedData);
}

/// A farm beside what it should hold: 0 is lost, else the version of made_up_sector.
class ModelledFarm {
 public:
  explicit ModelledFarm(std::uint64_t seed) : random_(seed) { reopen(); }

  void do_something() {
    const std::uint16_t index = static_cast<std::uint16_t>(random_() % versions_.size());
    const std::uint64_t what = random_() % 10;
    if (what < 5) {
      const MadeUpSector sector = made_up_sector(index, ++last_version_);
      farm_->write_sector(SectorIndex(index), sector.bytes, sector.metadata);
      versions_[index] = last_version_;
    } else if (what < 7) {
      if (farm_->sector_state(SectorIndex(index)) != SectorState::kNotPlotted) {
        farm_->mark_lost(SectorIndex(index));
        versions_[index] = 0;
      }
    } else {
      reopen();
    }
    check();
  }

 private:
  /// With the state as it is, without it, or with that of an earlier moment.
  void reopen() {
    farm_.reset();
    states_.push_back(copy_of(*states_.back()));
    auto state = states_.back();
    const std::uint64_t which = random_() % 4;
    if (which == 0) {
      state = std::make_shared<MemoryBackend>();
    } else if (which == 1) {
      state = copy_of(*states_[random_() % states_.size()]);
    }
    states_.back() = state;
    farm_ = Farm::open(with_state(
        plot_options(directory_.path(), static_cast<std::uint16_t>(versions_.size())), state));
    for (std::size_t i = farm_->sector_count(); i < versions_.size(); ++i) {
      versions_[i].reset();  // written, but not counted
    }
  }

  static std::shared_ptr<MemoryBackend> copy_of(const MemoryBackend& backend) {
    auto copy = std::make_shared<MemoryBackend>();
    backend.for_each_record([&](const DataKey& key, std::span<const std::uint8_t> value) {
      const PagedRecord record{key, {value.begin(), value.end()}};
      copy->put_records({&record, 1});
    });
    if (const auto root = backend.get_entry("farm")) {
      copy->put_entry("farm", *root);
    }
    return copy;
  }

  void check() const {
    for (std::uint16_t i = 0; i < farm_->sector_count(); ++i) {
      if (versions_[i].value_or(0) == 0) {  // marked, or passed over by a later sector
        EXPECT_EQ(farm_->sector_state(SectorIndex(i)), SectorState::kLost);
        EXPECT_EQ(*farm_->sector_metadata(SectorIndex(i)),
                  SectorMetadata::expired_dummy(Network::kAbundance, SectorIndex(i), 1));
      } else {
        EXPECT_TRUE(test::holds(*farm_, made_up_sector(i, *versions_[i]))) << "sector " << i;
      }
    }
  }

  const TempDirectory directory_;
  std::mt19937_64 random_;
  std::vector<std::shared_ptr<MemoryBackend>> states_{std::make_shared<MemoryBackend>()};
  std::unique_ptr<Farm> farm_;
  std::uint64_t last_version_ = 0;
  std::vector<std::optional<std::uint64_t>> versions_ =
      std::vector<std::optional<std::uint64_t>>(4);
};

TEST(FarmState, WhateverTheStateTheFarmIsWhatItsFilesSay) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  ModelledFarm farm(seed);
  for (int i = 0; i < 60 && !HasFatalFailure(); ++i) {
    farm.do_something();
  }
}

}  // namespace
}  // namespace furrow
