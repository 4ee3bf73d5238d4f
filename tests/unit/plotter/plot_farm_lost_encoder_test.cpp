// SPDX-License-Identifier: Apache-2.0
// A farm is plotted with two encoders that really encode, and one of them is lost in the middle of
// a sector: plot and metadata are those of a run without the loss.
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "host/plotter/plot_farm.hpp"
#include "host/plotting/encoder_pool.hpp"
#include "host/plotting/single_record.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/farm/farm_files.hpp"

namespace furrow {
namespace {

constexpr std::uint16_t kSectors = 3;
constexpr std::uint16_t kPieces = 4;
constexpr unsigned kRecords = kSectors * kPieces;
constexpr unsigned kBatch = 2;

/// Each piece is random, and the same each time.
class MadeUpPieces final : public PieceGetter {
 public:
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token /*stop*/) override {
    for (const PieceIndex index : indices) {
      std::mt19937_64 random(index.value());
      auto piece = std::make_unique<Piece>();
      for (RecordChunk& chunk : piece->record) {
        for (std::uint8_t& byte : chunk.bytes) {
          byte = static_cast<std::uint8_t>(random());
        }
        chunk.bytes.back() = 0;  // below the modulus of the field, as chunks of history are
      }
      sink(index, PieceAnswer::found(std::move(piece)));
    }
  }
};

/// Encodes as a card does: records of a batch are copied, and what comes back is right or nothing.
class CardLikeEncoder final : public RecordsEncoder {
 public:
  /// Called before each record is encoded; may throw.
  using BeforeRecord = std::function<void()>;
  CardLikeEncoder(std::string name, BeforeRecord before_record)
      : name_(std::move(name)), before_record_(std::move(before_record)) {}

  EncodeOutcome encode(EncodingJob& job, std::stop_token stop) override {
    while (!stop.stop_requested()) {
      Claim claim(job, kBatch);
      if (claim.empty()) {
        return EncodeOutcome::kComplete;
      }
      while (!claim.empty()) {
        const PieceOffset offset = claim.pending().front();
        before_record_();
        auto record = std::make_unique<Record>(job.record(offset));
        auto found_proofs = std::make_unique<FoundProofs>();
        encode_(job.network(), job.sector_id(), offset, *record, *found_proofs, {});
        job.record(offset) = *record;
        job.found_proofs(offset) = *found_proofs;
        claim.done(offset);
      }
    }
    return EncodeOutcome::kCancelled;
  }
  [[nodiscard]] std::string name() const override { return name_; }

 private:
  std::string name_;
  BeforeRecord before_record_;
  EncodeOneRecord encode_ = make_single_record_encoder();
};

class PlotFarmLostEncoder : public testing::Test {
 protected:
  /// A copy of the empty farm, so of the same key, that is plotted with these encoders.
  std::array<std::string, 2> plot(const std::string& name,
                                  std::vector<std::unique_ptr<RecordsEncoder>> encoders) {
    const std::filesystem::path directory = directory_.path() / name;
    test::copy_farm(directory_.path() / "empty", directory);
    EncoderPool pool(
        {.encoders = std::move(encoders),
         .on_warning = [this](const std::string& line) { warnings_.push_back(line); }});
    MadeUpPieces pieces;
    const PlotPipelineOptions options{
        .download = {.piece_getter = pieces}, .encoders = pool, .sectors_in_memory = kSectors};
    const auto farm = Farm::open(farm_options(directory));
    EXPECT_EQ(
        plot_farm(*farm, sectors_to_plot(*farm, kSectors), HistorySize::from_count(2), options, {})
            .outcome,
        PlotOutcome::kFinished);
    EXPECT_EQ(farm->sectors_in_state(SectorState::kPlotted).size(), kSectors);
    return {test::file_text(directory / kPlotFileName),
            test::file_text(directory / kMetadataFileName)};
  }

  void SetUp() override { Farm::open(farm_options(directory_.path() / "empty")); }

  static FarmOptions farm_options(const std::filesystem::path& directory) {
    FarmOptions options = test::plot_options(directory, kSectors);
    options.pieces_in_sector = kPieces;
    options.allocated_space = allocated_space_for_sectors(kSectors, kPieces);
    return options;
  }

  test::TempDirectory directory_;
  std::vector<std::string> warnings_;
};

TEST_F(PlotFarmLostEncoder, PlotAndMetadataAreThoseOfARunWithoutTheLoss) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RecordProperty("seed", std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<std::unique_ptr<RecordsEncoder>> only;
  only.push_back(std::make_unique<CardLikeEncoder>("only", [] {}));
  const std::array<std::string, 2> expected = plot("without a loss", std::move(only));
  EXPECT_EQ(warnings_, std::vector<std::string>());

  for (int round = 0; round < 3; ++round) {
    warnings_.clear();
    // After an odd number of records a batch is half done, and so is its sector.
    const auto last = static_cast<unsigned>(1 + random() % 7);
    // The other one works beside it for a while, then waits, so that enough is left to be lost
    // with.
    const auto together = static_cast<unsigned>(random() % (kRecords - kBatch - last));
    SCOPED_TRACE("lost after " + std::to_string(last) + " records, " + std::to_string(together) +
                 " encoded beside it");
    std::atomic<bool> is_lost = false;
    std::vector<std::unique_ptr<RecordsEncoder>> encoders;
    encoders.push_back(std::make_unique<CardLikeEncoder>("one", [&, n = 0U]() mutable {
      if (n++ == last) {
        is_lost = true;
        is_lost.notify_all();
        throw DeviceLost("one", "fell off the bus");
      }
    }));
    encoders.push_back(std::make_unique<CardLikeEncoder>("other", [&, n = 0U]() mutable {
      if (n++ == together) {
        is_lost.wait(false);
      }
    }));
    const std::array<std::string, 2> actual =
        plot("round " + std::to_string(round), std::move(encoders));
    EXPECT_TRUE(actual[0] == expected[0]) << "plot.bin differs";
    EXPECT_TRUE(actual[1] == expected[1]) << "metadata.bin differs";
    EXPECT_EQ(warnings_,
              std::vector<std::string>{"one is lost and used no more: fell off the bus"});
  }
}

}  // namespace
}  // namespace furrow
