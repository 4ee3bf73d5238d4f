// Plotting one sector: events in order, permits, output buffer, errors, cancellation.
#include <gtest/gtest.h>

#include "host/crypto/blake3.hpp"
#include "host/plotting/cpu_records_encoder.hpp"
#include "host/plotting/encoder_pool.hpp"
#include "host/plotting/plotting.hpp"
#include "host/plotting/single_record.hpp"
#include "host/plotting/verified_encoder.hpp"
#include "host/sector/sector_layout.hpp"

namespace furrow {
namespace {

// Eight times faster than K = 20. Some seeds have too few proofs at this K; those used here do not.
constexpr unsigned kTestK = 17;

class ZeroPieces final : public PieceGetter {
 public:
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink, std::stop_token) override {
    for (const PieceIndex index : indices) {
      sink(index, PieceAnswer::found(std::make_unique<Piece>()));
    }
  }
};

class BrokenEncoder final : public RecordsEncoder {
 public:
  EncodeOutcome encode(EncodingJob&, std::stop_token) override {
    throw EncoderError("device lost");
  }
  [[nodiscard]] std::string name() const override { return "broken"; }
};

PiecePtr no_recovery(PieceIndex, const std::stop_token&) {
  throw Error(ErrorKind::kUnavailable, "no recovery");
}

SectorPlan plan() {
  SectorPlan plan;
  plan.protocol_info.history_size = HistorySize::from_count(2);
  plan.sector_index = SectorIndex(3);
  plan.pieces_in_sector = 2;
  return plan;
}

class PlotSector : public testing::Test {
 protected:
  PlotOptions options(RecordsEncoder& encoder) {
    return {.download = {.piece_getter = pieces_, .recover_piece = no_recovery},
            .encoder = encoder,
            .downloading_permits = &downloading_,
            .encoding_permits = &encoding_,
            .on_event = [this](const PlottingEvent& event) { events_.push_back(event.index()); }};
  }

  ZeroPieces pieces_;
  CpuRecordsEncoder encoder_{{.threads = 2, .k = kTestK}};
  Permits downloading_{1};
  Permits encoding_{1};
  std::vector<std::size_t> events_;  // alternatives of PlottingEvent
};

TEST_F(PlotSector, GivesASectorAndEventsInOrder) {
  std::vector<std::uint8_t> output;
  const auto plotted = plot_sector(plan(), options(encoder_), output, {});
  ASSERT_TRUE(plotted.has_value());
  EXPECT_EQ(output.size(), sector_size(2));
  EXPECT_EQ(plotted->piece_indexes.size(), 2U);
  EXPECT_EQ(plotted->sector_metadata.sector_index, SectorIndex(3));
  EXPECT_EQ(plotted->sector_metadata.history_size, HistorySize::from_count(2));
  EXPECT_EQ(events_, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
  EXPECT_TRUE(downloading_.has_free());
  EXPECT_TRUE(encoding_.has_free());

  const Hash first = blake3(output);
  std::fill(output.begin(), output.end(), std::uint8_t{0xEE});
  ASSERT_TRUE(plot_sector(plan(), options(encoder_), output, {}).has_value());
  EXPECT_EQ(blake3(output), first) << "a buffer of the right size is reused";
}

TEST_F(PlotSector, ABufferOfAnotherSizeIsRefused) {
  std::vector<std::uint8_t> output(17);
  try {
    plot_sector(plan(), options(encoder_), output, {});
    FAIL() << "wrote into a buffer of 17 bytes";
  } catch (const BadSectorOutputSize& error) {
    EXPECT_STREQ(error.what(), "bad sector output size: provided 17, expected 2115632");
  }
  EXPECT_EQ(events_.back(), 5U) << "Failed is the last event";
}

TEST_F(PlotSector, AnEncoderErrorIsReported) {
  BrokenEncoder broken;
  std::vector<std::uint8_t> output;
  EXPECT_THROW(plot_sector(plan(), options(broken), output, {}), RecordsEncoderError);
  EXPECT_EQ(events_, (std::vector<std::size_t>{0, 1, 2, 5}));
  EXPECT_TRUE(output.empty());
}

/// A device that flips a bit in every record.
class WrongEncoder final : public RecordsEncoder {
 public:
  EncodeOutcome encode(EncodingJob& job, std::stop_token stop) override {
    EncodingJob spoiled = job.watched(
        {.on_claimed = [&](PieceOffset offset) { job.record(offset)[77].bytes[7] ^= 1; }});
    return encoder_.encode(spoiled, std::move(stop));
  }
  [[nodiscard]] std::string name() const override { return "wrong"; }

 private:
  CpuRecordsEncoder encoder_{{.threads = 1, .k = kTestK}};
};

TEST_F(PlotSector, AfterWrongBytesThePiecesAreFetchedAgainAndEncodedByOthers) {
  std::vector<std::uint8_t> expected;
  ASSERT_TRUE(plot_sector(plan(), options(encoder_), expected, {}).has_value());
  events_.clear();

  std::vector<std::string> warnings;
  EncoderPool::Options pool_options{
      .make_fallback =
          [] {
            return std::make_unique<CpuRecordsEncoder>(CpuRecordsEncoder::Options{.k = kTestK});
          },
      .on_warning = [&](const std::string& line) { warnings.push_back(line); }};
  pool_options.encoders.push_back(std::make_unique<VerifiedEncoder>(
      std::make_unique<WrongEncoder>(),
      VerifiedEncoder::Options{.seed = 1,
                               .reference = make_single_record_encoder(SimdMode::kBest, kTestK)}));
  EncoderPool pool(std::move(pool_options));
  std::vector<std::uint8_t> output;
  ASSERT_TRUE(plot_sector(plan(), options(pool), output, {}).has_value());
  EXPECT_EQ(blake3(output), blake3(expected));
  EXPECT_EQ(events_, (std::vector<std::size_t>{0, 1, 2, 0, 1, 2, 3, 4}));
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_NE(warnings[0].find("wrong is quarantined: wrong encoding: wrong, sector "),
            std::string::npos)
      << warnings[0];
  EXPECT_NE(warnings[0].find("piece offset "), std::string::npos) << warnings[0];
  EXPECT_NE(warnings[1].find("no device is left; cpu"), std::string::npos) << warnings[1];
}

TEST_F(PlotSector, AStopRequestIsAnOutcomeAtEachStage) {
  std::vector<std::uint8_t> output;
  for (std::size_t stage = 0; stage < 3; ++stage) {
    std::stop_source stop;
    PlotOptions with_stop = options(encoder_);
    with_stop.on_event = [&](const PlottingEvent& event) {
      if (event.index() == stage) {
        stop.request_stop();
      }
    };
    EXPECT_FALSE(plot_sector(plan(), with_stop, output, stop.get_token()).has_value())
        << "stage " << stage;
    EXPECT_TRUE(downloading_.has_free());
  }
  std::stop_source stop;
  stop.request_stop();
  const auto held = downloading_.try_acquire();
  EXPECT_FALSE(plot_sector(plan(), options(encoder_), output, stop.get_token()).has_value())
      << "also while it waits for a permit";
}

}  // namespace
}  // namespace furrow
