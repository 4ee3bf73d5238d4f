// SPDX-License-Identifier: Apache-2.0
// Frames of a pack read by their places alone.
#include "host/store/pack_frames.hpp"

#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "tests/support/temp_directory.hpp"
#include "tests/unit/store/pack/pack_fixture.hpp"

namespace furrow {
namespace {

using test::Bytes;
namespace fs = std::filesystem;

class PackFramesTest : public testing::Test {
 protected:
  PackFramesTest() : file_(directory_.path() / "a.pack") {
    test::make_sample_pack(file_);
    const PiecePack pack = PiecePack::open(file_);
    entries_.assign(pack.table().entries().begin(), pack.table().entries().end());
  }

  void flip(std::uint64_t offset) const {
    Bytes byte(1);
    const File file = File::open_or_create(file_);
    file.read_at(offset, byte);
    byte[0] ^= 0x10;
    file.write_at(offset, byte);
  }

  static Bytes chunk_of(const PackEntry& entry) {
    return test::sample_as_chunks().at(entry.header.key.value());
  }

  /// The chunk of the frame at that place.
  Bytes read(std::uint64_t offset) const {
    const PackFrames frames = PackFrames::open(file_);
    const PackEntry entry = frames.frame_at(offset);
    Bytes bytes(entry.header.original_size.value());
    frames.read(entry, bytes);
    return bytes;
  }

  test::TempDirectory directory_;
  fs::path file_;
  std::vector<PackEntry> entries_;
};

TEST_F(PackFramesTest, GivesWhatTheTableGives) {
  const PackFrames frames = PackFrames::open(file_);
  std::size_t n_references = 0;
  for (const PackEntry& entry : entries_) {
    const PackEntry found = frames.frame_at(entry.offset);
    EXPECT_EQ(found.header, entry.header);
    EXPECT_EQ(found.offset, entry.offset);
    if (entry.header.codec() == PackCodec::kReference) {
      EXPECT_THROW(read(entry.offset), DamagedPack);
      ++n_references;
    } else {
      EXPECT_EQ(read(entry.offset), chunk_of(entry));
    }
  }
  EXPECT_EQ(n_references, 2U);
}

TEST_F(PackFramesTest, NeedsNeitherHeaderNorEnd) {
  flip(0);
  fs::resize_file(file_, entries_.back().end());
  EXPECT_THROW(PiecePack::open(file_), Error);
  EXPECT_EQ(read(entries_[0].offset), chunk_of(entries_[0]));
  EXPECT_EQ(read(entries_.back().offset), chunk_of(entries_.back()));
}

TEST_F(PackFramesTest, EveryFlippedByteOfAFrameIsNoticed) {
  for (const std::size_t i : {0U, 1U}) {  // compressed, raw
    for (std::uint64_t offset = entries_[i].offset; offset < entries_[i].end(); ++offset) {
      flip(offset);
      try {
        read(entries_[i].offset);
        ADD_FAILURE() << "byte " << offset << " of frame " << i << " does not matter";
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << error.what();
        EXPECT_NE(std::string(error.what()).find(file_.native()), std::string::npos)
            << error.what();
      }
      flip(offset);
    }
    EXPECT_EQ(read(entries_[i].offset), chunk_of(entries_[i]));
  }
}

TEST_F(PackFramesTest, NoFrameBeginsElsewhere) {
  const std::uint64_t size = fs::file_size(file_);
  for (const std::uint64_t offset :
       {std::uint64_t{0}, entries_[0].offset + 1, entries_.back().end(), size - 1, size, size + 1,
        UINT64_MAX - 10, UINT64_MAX}) {
    EXPECT_THROW(read(offset), DamagedPack) << offset;
  }
  fs::resize_file(file_, entries_[1].end() - 1);
  EXPECT_THROW(read(entries_[1].offset), DamagedPack);
  EXPECT_EQ(read(entries_[0].offset), chunk_of(entries_[0]));
  EXPECT_THROW(PackFrames::open(directory_.path() / "absent"), IoError);
}

TEST_F(PackFramesTest, ABufferOfAnotherSizeIsRefused) {
  const PackFrames frames = PackFrames::open(file_);
  for (const std::size_t size : {0U, 999U, 1001U}) {
    Bytes bytes(size);
    EXPECT_THROW(frames.read(frames.frame_at(entries_[0].offset), bytes), InvalidBytesLength);
  }
}

}  // namespace
}  // namespace furrow
