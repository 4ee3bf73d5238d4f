// SPDX-License-Identifier: Apache-2.0
// A plotting pipeline of made-up pieces and fake encoders.
#pragma once

#include <atomic>
#include <map>
#include <utility>

#include <gtest/gtest.h>

#include "host/crypto/blake3.hpp"
#include "host/plotting/plot_pipeline.hpp"
#include "host/plotting/plot_sector.hpp"
#include "host/sector/sector_layout.hpp"
#include "tests/support/hand_clock.hpp"
#include "tests/unit/plotting/fake_encoder.hpp"

namespace furrow::test {

inline constexpr std::uint16_t kPieces = 2;
using PlotEvents = std::vector<std::size_t>;  // alternatives of PlottingEvent

inline SectorPlan plan_of(std::uint16_t index) {
  SectorPlan plan;
  plan.protocol_info.history_size = HistorySize::from_count(2);
  plan.sector_index = SectorIndex(index);
  plan.pieces_in_sector = kPieces;
  return plan;
}

/// Each piece is another one.
class MadeUpPieces final : public PieceGetter {
 public:
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override {
    if (before_batch) {
      before_batch(stop);
    }
    for (const PieceIndex index : indices) {
      auto piece = std::make_unique<Piece>();
      piece->record[index.value() % 7].bytes.fill(static_cast<std::uint8_t>(index.value()));
      sink(index, PieceAnswer::found(std::move(piece)));
    }
  }
  std::function<void(const std::stop_token&)> before_batch;
};

class PlotPipelineTest : public testing::Test {
 protected:
  /// A fake whose bitmaps make a valid sector.
  void add_encoder(FakeEncoder::Options options = {}) {
    auto after = std::move(options.after_record);
    options.after_record = [after = std::move(after)](PieceOffset offset, Record& record,
                                                      FoundProofs& found_proofs) {
      found_proofs.bytes.fill(0x5A);
      if (after) {
        after(offset, record, found_proofs);
      }
    };
    encoders_.encoders.push_back(std::make_unique<FakeEncoder>(std::move(options)));
  }

  PlotOutcome plot(std::uint16_t n_sectors, std::stop_token stop = {}) {
    if (encoders_.encoders.empty()) {
      add_encoder();
    }
    encoders_.on_warning = [this](const std::string& line) { warnings_.push_back(line); };
    encoders_.gate = &gate_;
    EncoderPool pool(std::move(encoders_));
    encoders_ = {};
    PlotPipelineOptions options{
        .download = {.piece_getter = pieces_},
        .encoders = pool,
        .sectors_in_memory = sectors_in_memory_,
        .output_buffers = output_buffers_,
        .gate = &gate_,
        .clock = clock_,
        .on_event =
            [this](SectorIndex index, const PlottingEvent& event) {
              events_[index.value()].push_back(event.index());
              if (const auto* failed = std::get_if<Failed>(&event)) {
                failures_.push_back(failed->error);
              }
              if (on_event_) {
                on_event_(index, event);
              }
            },
        .lay_out =
            [this](const EncodedSector& sector, std::vector<std::uint8_t>& output) {
              if (before_layout_) {
                before_layout_(sector.plotted_sector.sector_index);
              }
              lay_out_sector(sector, output);
            }};
    std::uint16_t next = 0;
    PlotResult result = plot_sectors(
        [&]() -> std::optional<SectorPlan> {
          if (before_source_) {
            before_source_();
          }
          return next < n_sectors ? std::optional(plan_of(next++)) : std::nullopt;
        },
        options,
        [this](const PlottedSector& sector, std::span<const std::uint8_t> bytes) {
          if (before_write_) {
            before_write_(sector.sector_index);
          }
          EXPECT_EQ(bytes.size(), sector_size(Network::kAbundance, kPieces));
          EXPECT_TRUE(written_.emplace(sector.sector_index.value(), blake3(bytes)).second);
        },
        std::move(stop));
    given_up_ = std::move(result.given_up);
    return result.outcome;
  }

  /// What the stages give without a pipeline.
  Hash expected(std::uint16_t index) {
    const DownloadOptions download{.piece_getter = pieces_};
    FakeEncoder encoder({.after_record = [](PieceOffset, Record&, FoundProofs& found_proofs) {
      found_proofs.bytes.fill(0x5A);
    }});
    std::vector<std::uint8_t> bytes;
    EXPECT_TRUE(plot_sector(plan_of(index), {.download = download, .encoder = encoder}, bytes, {})
                    .has_value());
    return blake3(bytes);
  }
  void expect_written(std::uint16_t n_sectors) {
    EXPECT_EQ(written_.size(), n_sectors);
    pieces_.before_batch = {};
    for (const auto& [index, hash] : written_) {
      EXPECT_EQ(hash, expected(index)) << "sector " << index;
    }
  }

  MadeUpPieces pieces_;
  HandClock time_;
  Gate gate_{time_.now()};
  EncoderPool::Options encoders_;
  StageClock* clock_ = nullptr;
  std::size_t sectors_in_memory_ = 3;
  std::size_t output_buffers_ = 2;
  std::function<void()> before_source_;
  std::function<void(SectorIndex)> before_layout_;
  std::function<void(SectorIndex)> before_write_;
  std::function<void(SectorIndex, const PlottingEvent&)> on_event_;

  std::map<std::uint16_t, Hash> written_;
  std::map<std::uint16_t, PlotEvents> events_;
  std::vector<GivenUpSector> given_up_;
  std::vector<std::string> failures_;
  std::vector<std::string> warnings_;
};

}  // namespace furrow::test
