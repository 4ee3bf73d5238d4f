// SPDX-License-Identifier: Apache-2.0
// Where farms, stores, caches and outputs may come to be.
#include "host/farm/data_directories.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "host/base/make_directory.hpp"
#include "host/base/nesting.hpp"
#include "tests/support/temp_directory.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

class DataDirectories : public testing::Test {
 protected:
  [[nodiscard]] fs::path at(const char* name) const { return directory_.path() / name; }
  void touch(const char* name) const {
    fs::create_directories(at(name).parent_path());
    std::ofstream(at(name)) << "1";
  }

  test::TempDirectory directory_;
};

TEST_F(DataDirectories, AreToldByTheirFiles) {
  touch("farm/single_disk_farm.json");
  touch("farm/piece_cache.bin");
  touch("store/manifest.json");
  touch("store/segment-0000000000.pack");
  touch("unfinished/.furrow-archiving");
  touch("cache/piece_cache.bin");
  touch("other/manifest.json");  // of something else
  const auto kind = [&](const char* name) {
    const auto found = data_directory_around(at(name));
    return found.has_value() ? std::optional(found->kind) : std::nullopt;
  };
  EXPECT_EQ(kind("farm"), DataKind::kFarm);
  EXPECT_EQ(kind("farm/state/x/"), DataKind::kFarm);
  EXPECT_EQ(kind("store/index"), DataKind::kStore);
  EXPECT_EQ(kind("unfinished"), DataKind::kStore);
  EXPECT_EQ(kind("cache"), DataKind::kPieceCache);
  EXPECT_EQ(kind("other"), std::nullopt);
  EXPECT_EQ(kind("farm/../other/new"), std::nullopt);

  fs::create_directory_symlink("farm/", at("link"));
  EXPECT_EQ(kind("link/new"), DataKind::kFarm);
  EXPECT_THROW(require_outside_data("--out", at("link/new")), PlaceTaken);
  EXPECT_NO_THROW(require_outside_data("--out", at("new")));

  EXPECT_NO_THROW(require_own_place("--farm", at("farm"), DataKind::kFarm));
  EXPECT_NO_THROW(require_own_place("--store", at("store"), DataKind::kStore));
  EXPECT_THROW(require_own_place("--farm", at("farm/farm"), DataKind::kFarm), PlaceTaken);
  EXPECT_THROW(require_own_place("--store", at("farm"), DataKind::kStore), PlaceTaken);
  EXPECT_THROW(require_own_place("--farm", at("store"), DataKind::kFarm), PlaceTaken);
  EXPECT_THROW(require_own_place("--farm", at("cache/farm"), DataKind::kFarm), PlaceTaken);
  EXPECT_THROW(require_own_place("--piece-cache", at("farm"), DataKind::kPieceCache), PlaceTaken);
}

TEST_F(DataDirectories, LieWithinOneAnotherWhateverTheyAreCalled) {
  fs::create_directories(at("outer/inner"));
  fs::create_directory_symlink("outer", at("link"));
  EXPECT_TRUE(lies_within(at("outer"), at("outer/")));
  EXPECT_TRUE(lies_within(at("link/inner"), at("outer")));
  EXPECT_TRUE(lies_within(at("outer/new/newer"), at("link")));
  EXPECT_TRUE(lies_within(at("new/newer"), at("new")));
  EXPECT_FALSE(lies_within(at("outer"), at("outer/inner")));
  EXPECT_FALSE(lies_within(at("outer2"), at("outer")));
}

TEST_F(DataDirectories, AreMadeAsFarAsWanted) {
  make_directory(at("one/"), MakeDirectory::kLastOnly);
  EXPECT_TRUE(fs::is_directory(at("one")));
  EXPECT_THROW(make_directory(at("missing/two"), MakeDirectory::kLastOnly), ParentMissing);
  EXPECT_FALSE(fs::exists(at("missing")));
  EXPECT_THROW(make_directory(at("two"), MakeDirectory::kNever), IoError);
  EXPECT_NO_THROW(make_directory(at("one"), MakeDirectory::kNever));
  std::vector<fs::path> made;
  make_directory(at("a/b/c"), MakeDirectory::kParents,
                 [&](const fs::path& path) { made.push_back(path); });
  EXPECT_EQ(made, (std::vector<fs::path>{at("a"), at("a/b"), at("a/b/c")}));
}

}  // namespace
}  // namespace furrow
