// SPDX-License-Identifier: Apache-2.0
// Random packs against a plain model: a map from key to bytes.
#include <algorithm>
#include <array>
#include <filesystem>
#include <random>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "host/store/pack_check.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/store/pack/pack_fixture.hpp"

namespace furrow {
namespace {

using test::Bytes;
using Random = std::mt19937_64;

std::uint64_t below(Random& random, std::uint64_t n) {
  return random() % n;
}

/// A chunk of one of a few contents and keys, so that all coincidences happen.
RawChunk random_chunk(Random& random) {
  static constexpr std::array<std::size_t, 10> kSizes = {0,   1,   31,   32,   33,
                                                         250, 251, 1024, 4095, 20000};
  const std::uint64_t content = below(random, 40);
  const std::size_t size = kSizes[content % kSizes.size()];
  RawChunk chunk;
  chunk.key = below(random, 2) == 0 ? below(random, 100) : random();
  chunk.data =
      content % 3 == 0 ? test::random_bytes(content, size) : test::periodic_bytes(content, size);
  chunk.compressible = below(random, 4) != 0;
  return chunk;
}

class PackModel {
 public:
  explicit PackModel(Random& random) : random_(random) {}

  /// One run of the pipeline into the pack; its chunks go into the model.
  void run(PiecePackWriter& writer) {
    std::vector<RawChunk> chunks;
    for (std::uint64_t n = below(random_, 60); n > 0; --n) {
      RawChunk chunk = random_chunk(random_);
      const auto [place, is_new] = chunks_.emplace(chunk.key, chunk.data);
      if (is_new || place->second == chunk.data) {  // a conflict would end the run
        chunks.push_back(std::move(chunk));
      }
    }
    test::ListSource source(std::move(chunks));
    const PackConfig config{.num_workers = static_cast<unsigned>(1 + below(random_, 5)),
                            .max_chunks_in_flight = below(random_, 5)};
    pack_chunks(source, compressor_, config,
                [&](const PackedChunk& chunk) { writer.append(chunk); });
  }

  void expect_pack(const std::filesystem::path& file) const {
    const PiecePack pack = PiecePack::open(file);
    EXPECT_EQ(test::read_all(pack), chunks_);
    std::set<std::string> contents;
    std::uint64_t original_size = 0;
    for (const auto& [key, data] : chunks_) {
      contents.emplace(data.begin(), data.end());
      original_size += data.size();
    }
    const PackStatistics& statistics = pack.statistics();
    EXPECT_EQ(statistics.chunks, chunks_.size());
    EXPECT_EQ(statistics.raw_frames + statistics.zstd_frames, contents.size());
    EXPECT_EQ(statistics.references, chunks_.size() - contents.size());
    EXPECT_EQ(statistics.original_size, original_size);
    EXPECT_TRUE(verify_pack(file).broken.empty());
  }

 private:
  Random& random_;
  ZstdCompressor compressor_;
  test::Chunks chunks_;
};

TEST(PackProperty, APackIsTheMapOfItsChunks) {
  const std::uint64_t first_seed = std::random_device()();
  for (std::uint64_t seed = first_seed; seed < first_seed + 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const test::TempDirectory directory;
    const std::filesystem::path file = directory.path() / "a.pack";
    PackModel model(random);
    {
      auto writer = PiecePackWriter::create(file);
      model.run(*writer);
      writer->finish();
    }
    for (std::uint64_t n = below(random, 3); n > 0; --n) {
      // A crash in front of the end of the pack, and rubbish where that was.
      const std::uint64_t end = std::filesystem::file_size(file) - 48 - 8 -
                                88 * PiecePack::open(file).table().entries().size();
      const Bytes rubbish = test::random_bytes(random(), below(random, 300));
      std::filesystem::resize_file(file, end);
      File::open_or_create(file).write_at(end, rubbish);
      const auto [writer, recovery] = PiecePackWriter::reopen(file);
      EXPECT_EQ(recovery.bytes_cut, rubbish.size());
      model.run(*writer);
      writer->finish();
    }
    model.expect_pack(file);
    if (HasFailure()) {
      return;
    }
  }
}

}  // namespace
}  // namespace furrow
