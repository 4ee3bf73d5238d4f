// SPDX-License-Identifier: Apache-2.0
// A copy of the example store that a test may damage, and what its getter answers.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/base/file.hpp"
#include "host/base/filesystem.hpp"
#include "host/pieces/store_piece_getter.hpp"
#include "host/store/piece_pack.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/archive/archive_tree.hpp"

namespace furrow::test {

inline PieceAnswer get(PieceGetter& getter, std::uint64_t index) {
  PieceAnswer result;
  int calls = 0;
  const PieceIndex wanted(index);
  getter.get_pieces({&wanted, 1},
                    [&](PieceIndex answered, PieceAnswer answer) {
                      EXPECT_EQ(answered, wanted);
                      result = std::move(answer);
                      ++calls;
                    },
                    {});
  EXPECT_EQ(calls, 1);
  return result;
}

template <class ErrorType>
void expect_failed(const PieceAnswer& answer, const std::string& named) {
  EXPECT_EQ(answer.piece, nullptr);
  ASSERT_TRUE(answer.error) << "not found instead of failed";
  try {
    std::rethrow_exception(answer.error);
  } catch (const ErrorType& error) {
    EXPECT_NE(std::string(error.what()).find(named), std::string::npos) << error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another type: " << error.what();
  }
}

inline bool is_not_found(const PieceAnswer& answer) {
  return !answer.piece && !answer.error;
}

/// Tests work on a copy of the example store, with or without its index.
class StoreCopy : public testing::Test {
 protected:
  StoreCopy() {
    std::filesystem::copy(example_store().store, store_, std::filesystem::copy_options::recursive);
    entries_ = entries_of(pack_);
  }

  static std::vector<PackEntry> entries_of(const std::filesystem::path& pack) {
    const PiecePack opened = PiecePack::open(pack);
    return {opened.table().entries().begin(), opened.table().entries().end()};
  }

  void remove_index() const { remove_tree(index_); }

  [[nodiscard]] std::vector<std::uint8_t> read(std::uint64_t offset, std::size_t size) const {
    std::vector<std::uint8_t> bytes(size);
    File::open_read(pack_).read_at(offset, bytes);
    return bytes;
  }
  void write(std::uint64_t offset, std::span<const std::uint8_t> bytes) const {
    File::open_or_create(pack_).write_at(offset, bytes);
  }
  static void flip(const std::filesystem::path& path, std::uint64_t offset, unsigned bit = 6) {
    const File file = File::open_or_create(path);
    std::vector<std::uint8_t> byte(1);
    file.read_at(offset, byte);
    byte[0] ^= static_cast<std::uint8_t>(1U << bit);
    file.write_at(offset, byte);
  }

  /// A getter that keeps its warnings.
  [[nodiscard]] std::unique_ptr<StorePieceGetter> open() {
    StorePieceGetterOptions options;
    options.on_warning = [this](const std::string& warning) { warnings_.push_back(warning); };
    options.on_missing_pack = [this](const std::string& line) { missing_.push_back(line); };
    return std::make_unique<StorePieceGetter>(store_, std::move(options));
  }

  /// Asks for all pieces at once; positions of those that were found and are right.
  static std::vector<std::size_t> right_pieces(PieceGetter& getter) {
    static const PiecePack sound =
        PiecePack::open(example_store().store / "segment-0000000000.pack");
    std::vector<PieceIndex> indices;
    for (std::uint64_t i = 0; i < kNumPieces; ++i) {
      indices.emplace_back(kNumPieces - 1 - i);
    }
    std::vector<std::size_t> found;
    getter.get_pieces(
        indices,
        [&](PieceIndex index, const PieceAnswer& answer) {
          if (answer.piece != nullptr) {
            EXPECT_TRUE(std::ranges::equal(bytes_of(*answer.piece), sound.read(index.value())))
                << index.value();
            found.push_back(index.value());
          }
        },
        {});
    std::ranges::sort(found);
    return found;
  }
  static bool gives_all(PieceGetter& getter) { return right_pieces(getter).size() == kNumPieces; }

  TempDirectory directory_;
  std::filesystem::path store_ = directory_.path() / "store";
  std::filesystem::path pack_ = store_ / "segment-0000000000.pack";
  std::filesystem::path index_ = store_ / "index";
  std::vector<PackEntry> entries_;
  std::vector<std::string> warnings_;
  std::vector<std::string> missing_;  // packs
};

}  // namespace furrow::test
