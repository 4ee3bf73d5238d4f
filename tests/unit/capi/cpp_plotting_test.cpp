// SPDX-License-Identifier: Apache-2.0
// Plotting by the C++ interface: sources of the user, plotters, farms, and pieces back out of them.
#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/capi/cpp_fixture.hpp"

namespace furrow_cpp_test {
namespace {

using furrow::Outcome;
using furrow::PieceSource;

/// Gets one piece; what comes of it otherwise is an Error.
std::optional<furrow::Error> error_of_piece(PieceSource& source, std::uint64_t index) {
  Buffer piece(FURROW_PIECE_SIZE);
  return error_of([&] { return source.get_piece(index, piece); });
}

TEST(CppPieceSource, GivesWhatAFunctionGives) {
  const furrow::Library library;
  const auto token = std::make_shared<int>(0);
  std::optional<PieceSource> source = PieceSource::from_function(
      library,
      [token = token](std::uint64_t index, furrow::MutableBytes piece) {
        if (index == 13) {
          throw std::domain_error("thirteen is not given");
        }
        if (index == 14) {
          throw 14;
        }
        if (index == 15) {
          throw furrow::Error(FURROW_UNAVAILABLE, FURROW_ERROR_PIECE_MISSING,
                              "as from another source");
        }
        return index != 12 && give_made_up_piece(index, piece);
      },
      2);
  Buffer piece(FURROW_PIECE_SIZE);
  EXPECT_EQ(source->get_piece(5, piece), Outcome::kDone);
  EXPECT_EQ(piece, made_up_piece(5));
  for (const std::uint64_t index : {12, 15}) {
    const auto missing = error_of_piece(*source, index);
    ASSERT_TRUE(missing.has_value());
    EXPECT_EQ(missing->status(), FURROW_UNAVAILABLE) << missing->what();
    EXPECT_EQ(missing->kind(), FURROW_ERROR_PIECE_MISSING);
    EXPECT_EQ(missing->fields().piece_index, index);
  }
  const auto failed = error_of_piece(*source, 13);
  ASSERT_TRUE(failed.has_value());
  EXPECT_EQ(failed->status(), FURROW_CALLBACK_FAILED);
  EXPECT_EQ(failed->kind(), FURROW_ERROR_CALLBACK);
  EXPECT_EQ(failed->fields().piece_index, 13U);
  EXPECT_TRUE(says(*failed, "thirteen is not given")) << failed->what();
  EXPECT_TRUE(says(*error_of_piece(*source, 14), "unknown exception"));
  furrow::AbortFlag abort;
  abort.set();
  EXPECT_EQ(source->get_piece(5, piece, &abort), Outcome::kCancelled);
  EXPECT_TRUE(error_of([&] { return source->get_piece(5, {piece.data(), 5}); }).has_value());
  EXPECT_EQ(error_of([&] { return source->history(); })->status(), FURROW_UNAVAILABLE);
  EXPECT_EQ(token.use_count(), 2);
  source.reset();
  EXPECT_EQ(token.use_count(), 1);
}

/// Answers on threads of its own, after get_pieces has returned.
class Answering {
 public:
  PieceSource source(const furrow::Library& library,
                     std::function<void(std::uint64_t, const furrow::Batch&)> answer) {
    return PieceSource::from_batches(
        library, [this, answer = std::move(answer)](std::vector<std::uint64_t> indices,
                                                    furrow::Batch batch) {
          const std::lock_guard<std::mutex> lock(mutex_);
          threads_.emplace_back([answer, indices = std::move(indices), batch = std::move(batch)]() {
            for (const std::uint64_t index : indices) {
              answer(index, batch);
            }
          });
        });
  }
  ~Answering() {
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }

 private:
  std::mutex mutex_;
  std::vector<std::thread> threads_;
};

TEST(CppPieceSource, BatchesAreAnsweredLater) {
  const furrow::Library library;
  Answering answering;
  std::atomic<int> n_right = 0;
  PieceSource source =
      answering.source(library, [&](std::uint64_t index, const furrow::Batch& batch) {
        if (index == 12) {
          n_right += batch.answer_missing(index) ? 1 : 0;
        } else if (index == 13) {
          n_right += batch.answer_failed(index, "thirteen is not given") ? 1 : 0;
        } else if (index == 14) {
          n_right += batch.is_over() ? 0 : 1;  // and no answer at all
        } else {
          n_right += batch.answer(index, made_up_piece(index)) ? 1 : 0;
        }
      });
  Buffer piece(FURROW_PIECE_SIZE);
  EXPECT_EQ(source.get_piece(5, piece), Outcome::kDone);
  EXPECT_EQ(piece, made_up_piece(5));
  EXPECT_EQ(error_of_piece(source, 12)->kind(), FURROW_ERROR_PIECE_MISSING);
  EXPECT_TRUE(says(*error_of_piece(source, 13), "thirteen is not given"));
  const auto released = error_of_piece(source, 14);
  ASSERT_TRUE(released.has_value());
  EXPECT_EQ(released->kind(), FURROW_ERROR_CALLBACK) << released->what();
  EXPECT_EQ(n_right, 4);
}

TEST(CppPieceSource, BatchesKnowWhenNobodyWaitsAndWhatWasAsked) {
  const furrow::Library library;
  std::optional<furrow::Batch> kept;
  PieceSource source = PieceSource::from_batches(
      library, [&](const std::vector<std::uint64_t>& indices, furrow::Batch batch) {
        const auto foreign =
            error_of([&] { return batch.answer(indices.front() + 1, made_up_piece(0)); });
        EXPECT_EQ(foreign->status(), FURROW_INVALID_ARGUMENT);
        EXPECT_TRUE(batch.answer(indices.front(), made_up_piece(indices.front())));
        kept = std::move(batch);
        // NOLINTNEXTLINE(bugprone-use-after-move)
        EXPECT_TRUE(batch.is_over());
        EXPECT_TRUE(error_of([&] { return batch.answer_missing(indices.front()); }).has_value());
      });
  Buffer piece(FURROW_PIECE_SIZE);
  EXPECT_EQ(source.get_piece(5, piece), Outcome::kDone);
  ASSERT_TRUE(kept.has_value());
  EXPECT_TRUE(kept->is_over());
  EXPECT_FALSE(kept->answer_missing(5));
}

TEST(CppPieceSource, WhatABatchFunctionThrowsFailsThePiecesWithoutAnAnswer) {
  const furrow::Library library;
  PieceSource source = PieceSource::from_batches(
      library, [](const std::vector<std::uint64_t>& indices, const furrow::Batch& batch) {
        if (indices.front() != 13) {
          batch.answer(indices.front(), made_up_piece(indices.front()));
        }
        throw std::domain_error("not in the mood");
      });
  Buffer piece(FURROW_PIECE_SIZE);
  EXPECT_EQ(source.get_piece(5, piece), Outcome::kDone);
  EXPECT_EQ(piece, made_up_piece(5));
  const auto failed = error_of_piece(source, 13);
  ASSERT_TRUE(failed.has_value());
  EXPECT_EQ(failed->kind(), FURROW_ERROR_CALLBACK);
  EXPECT_TRUE(says(*failed, "not in the mood")) << failed->what();
}

TEST(CppPieceSource, SilenceHasAnEnd) {
  const furrow::Library library;
  std::vector<furrow::Batch> kept;
  PieceSource source = PieceSource::from_batches(
      library,
      [&](const std::vector<std::uint64_t>&, furrow::Batch batch) {
        kept.push_back(std::move(batch));
      },
      20);
  EXPECT_EQ(error_of_piece(source, 5)->kind(), FURROW_ERROR_CALLBACK_SILENT);
}

TEST(CppPiece, WhatIsNotAPieceIsRefused) {
  const furrow::Library library;
  const Buffer piece = made_up_piece(3);
  const Buffer header(FURROW_SUPER_SEGMENT_HEADER_SIZE);
  const auto invalid = error_of([&] { furrow::verify_piece(library, piece, 3, header); });
  ASSERT_TRUE(invalid.has_value());
  EXPECT_EQ(invalid->kind(), FURROW_ERROR_PIECE_INVALID);
  EXPECT_EQ(invalid->fields().piece_index, 3U);
  EXPECT_FALSE(furrow::is_piece_valid(library, piece, 3, {}, 1));
  furrow::RebuildRequest request;
  request.piece_index = 3;
  request.pieces[7] = piece;
  request.super_segment_header = header;
  Buffer rebuilt(FURROW_PIECE_SIZE);
  const auto too_few = error_of([&] { furrow::rebuild_piece(library, request, rebuilt); });
  ASSERT_TRUE(too_few.has_value());
  EXPECT_EQ(too_few->kind(), FURROW_ERROR_NOT_ENOUGH_PIECES);
  EXPECT_EQ(too_few->fields().segment_index, 0U);
}

/// A plotter of made-up pieces, whose library, encoder and source are gone.
furrow::Plotter make_plotter(const furrow::Gate* gate = nullptr) {
  const furrow::Library library;
  furrow::PlotterOptions options;
  options.gate = gate;
  options.attempts = 1;
  return furrow::Plotter(library, cpu_encoder(library, 2),
                         PieceSource::from_function(library, give_made_up_piece), options);
}

furrow::SectorPlan plan_of(std::uint16_t pieces) {
  furrow::SectorPlan plan;
  plan.pieces_in_sector = pieces;
  plan.history_size = 4;
  return plan;
}

TEST(CppPlotter, PlotsASectorAndAPieceComesBackOutOfIt) {
  furrow::Plotter plotter = make_plotter();
  furrow::PlotSectorRequest request;
  request.plan = plan_of(2);
  Buffer sector(furrow::sector_size(2));
  Buffer metadata(FURROW_SECTOR_METADATA_SIZE);
  Buffer scale(furrow::plotted_sector_size(2));
  std::vector<std::uint64_t> indices(2);
  request.sector = sector;
  request.metadata = metadata;
  request.plotted_sector = scale;
  request.piece_indices = indices;
  std::mutex mutex;
  std::vector<furrow_plot_stage> stages;
  request.on_event = [&](const furrow_plot_event& event) {
    const std::lock_guard<std::mutex> lock(mutex);
    stages.push_back(event.stage);
  };
  ASSERT_EQ(plotter.plot_sector(request), Outcome::kDone);
  EXPECT_EQ(indices, furrow::sector_piece_indices(request.plan));
  EXPECT_EQ(stages.front(), FURROW_PLOT_DOWNLOADING);
  EXPECT_EQ(std::count(stages.begin(), stages.end(), FURROW_PLOT_RECORD), 2);

  const furrow::Library library;
  furrow::ReadPieceRequest read;
  read.sector_id = furrow::sector_id(request.plan);
  read.sector_metadata = metadata;
  read.piece_offset = 1;
  read.read_at = [&](std::uint64_t offset, furrow::MutableBytes bytes) {
    std::copy_n(sector.begin() + static_cast<std::ptrdiff_t>(offset), bytes.size(), bytes.begin());
  };
  Buffer piece(FURROW_PIECE_SIZE);
  furrow::read_piece(library, read, piece);
  EXPECT_EQ(piece, made_up_piece(indices[1]));
  sector[sector.size() / 2] ^= 1;  // where the records are
  sector[FURROW_FOUND_PROOFS_SIZE / 2] ^= 1;
  EXPECT_EQ(error_of([&] { furrow::read_piece(library, read, piece); })->status(), FURROW_CORRUPT);
  read.read_at = [](std::uint64_t, furrow::MutableBytes) { throw std::domain_error("no disk"); };
  EXPECT_THROW(furrow::read_piece(library, read, piece), std::domain_error);
}

TEST(CppPlotter, OutputsMayBeLeftOutAndHaveTheirSizes) {
  furrow::Plotter plotter = make_plotter();
  furrow::PlotSectorRequest request;
  request.plan = plan_of(1);
  Buffer nothing;
  nothing.reserve(1);
  request.sector = nothing;
  EXPECT_TRUE(says(*error_of([&] { return plotter.plot_sector(request); }), "no output is set"));
  Buffer metadata(FURROW_SECTOR_METADATA_SIZE);
  request.metadata = metadata;
  EXPECT_EQ(plotter.plot_sector(request), Outcome::kDone);
  Buffer short_metadata(5);
  request.metadata = short_metadata;
  EXPECT_TRUE(says(*error_of([&] { return plotter.plot_sector(request); }), "metadata"));
  request.metadata = metadata;
  furrow::AbortFlag abort;
  abort.set();
  request.abort = &abort;
  EXPECT_EQ(plotter.plot_sector(request), Outcome::kCancelled);
  request.abort = nullptr;
  request.on_event = [](const furrow_plot_event&) { throw std::domain_error("of the user"); };
  EXPECT_THROW(static_cast<void>(plotter.plot_sector(request)), std::domain_error);
}

TEST(CppPlotter, WarningsOfTheLibraryArriveAndMayThrow) {
  std::mutex mutex;
  std::string lines;
  furrow::LibraryOptions options;
  options.on_log = [&](furrow_log_level level, std::string_view line) {
    const std::lock_guard<std::mutex> lock(mutex);
    EXPECT_EQ(level, FURROW_LOG_WARNING);
    lines += line;
    throw std::domain_error("lost");
  };
  const furrow::Library library(std::move(options));
  const PieceSource source = PieceSource::from_function(
      library, [](std::uint64_t, furrow::MutableBytes) { return false; });
  furrow::PlotterOptions once;
  once.attempts = 1;
  furrow::Plotter plotter(library, cpu_encoder(library), source, once);
  furrow::PlotSectorRequest request;
  request.plan = plan_of(1);
  Buffer metadata(FURROW_SECTOR_METADATA_SIZE);
  request.metadata = metadata;
  EXPECT_TRUE(error_of([&] { return plotter.plot_sector(request); }).has_value());
  EXPECT_NE(lines.find("missing"), std::string::npos) << lines;
}

TEST(CppSector, PlansDecideWhatASectorHolds) {
  const furrow::Library library;
  furrow::SectorPlan plan = plan_of(2);
  const furrow::Hash key_hash = furrow::public_key_hash({1});
  EXPECT_EQ(key_hash, furrow::hash(furrow::Hash{1}));
  std::copy(key_hash.begin(), key_hash.end(), plan.public_key_hash);
  const furrow::Hash root = furrow::shard_commitments_root(library, {2}, plan.history_size);
  EXPECT_NE(root, furrow::shard_commitments_root(library, {3}, plan.history_size));
  const furrow::Hash before = furrow::sector_id(plan);
  std::copy(root.begin(), root.end(), plan.shard_commitments_root);
  EXPECT_NE(furrow::sector_id(plan), before);
  EXPECT_EQ(furrow::sector_piece_indices(plan).size(), 2U);
  plan.pieces_in_sector = 0;
  EXPECT_TRUE(error_of([&] { return furrow::sector_id(plan); }).has_value());
  EXPECT_EQ(furrow::sector_size(0), 0U);
}

TEST(CppFarm, IsCreatedPlottedAndRead) {
  const TempDirectory folder;
  const std::string path = folder.path() / "farm";
  const furrow::Library library;
  const auto absent = error_of([&] { return furrow::Farm(library, path); });
  ASSERT_TRUE(absent.has_value());
  EXPECT_EQ(absent->kind(), FURROW_ERROR_FARM_NOT_FOUND);
  EXPECT_NE(absent->fields().path.find("farm"), std::string::npos);

  furrow::FarmOptions options;
  options.mode = FURROW_FARM_CREATE;
  options.pieces_in_sector = 1;
  options.min_sectors = 3;
  options.genesis_root = furrow::Hash{4};
  options.chain.emplace().recent_segments = 2;
  furrow::Farm farm(library, path, options);
  EXPECT_EQ(error_of([&] { return furrow::Farm(library, path, options); })->kind(),
            FURROW_ERROR_FARM_IN_USE);
  const furrow_farm_info info = farm.info();
  EXPECT_EQ(furrow::to_hash(info.genesis_root), furrow::Hash{4});
  EXPECT_EQ(info.pieces_in_sector, 1U);
  EXPECT_GE(info.sector_room, 3U);
  EXPECT_EQ(farm.plan_sector(1, 2).recent_segments, 2U);

  furrow::Plotter plotter = make_plotter();
  furrow::PlotFarmRequest request;
  request.history_size = 4;
  request.most_sectors = 2;
  std::atomic<int> n_finished = 0;
  request.on_event = [&](const furrow_plot_event& event) {
    n_finished += event.stage == FURROW_PLOT_FINISHED ? 1 : 0;
  };
  const auto plotted = plotter.plot_farm(farm, request);
  ASSERT_TRUE(plotted.has_value());
  EXPECT_EQ(plotted->given_up, 0U);
  EXPECT_EQ(n_finished, 2);
  EXPECT_EQ(farm.info().sector_count, 2U);
  furrow::AbortFlag abort;
  abort.set();
  request.abort = &abort;
  EXPECT_EQ(plotter.plot_farm(farm, request).has_value(), false);

  EXPECT_EQ(farm.sector(1).state, FURROW_SECTOR_PLOTTED);
  EXPECT_EQ(farm.sector(1).history_size, 4U);
  const furrow::SectorPlan plan = farm.plan_sector(1, 4);
  EXPECT_EQ(furrow::to_hash(farm.sector(1).sector_id), furrow::sector_id(plan));
  const std::uint64_t index = furrow::sector_piece_indices(plan).front();
  const std::vector<furrow_piece_place> places = farm.find_piece(index);
  EXPECT_TRUE(std::any_of(places.begin(), places.end(), [](const furrow_piece_place& place) {
    return place.sector_index == 1 && place.piece_offset == 0;
  }));
  EXPECT_TRUE(farm.find_piece(index + 100'000).empty());

  // The same once more, by hand.
  Buffer sector(info.sector_size);
  farm.read_sector(1, 0, sector);
  const Buffer metadata = farm.sector_metadata(1);
  farm.write_sector(1, sector, metadata);
  EXPECT_EQ(farm.sector_metadata(1), metadata);
  EXPECT_EQ(error_of([&] {
              farm.write_sector(1, {sector.data(), 5}, metadata);
            })->status(),
            FURROW_INVALID_ARGUMENT);

  // A source that outlives the farm it reads.
  PieceSource source = PieceSource::of_farm(farm, 1);
  furrow::Farm moved = std::move(farm);
  // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  EXPECT_EQ(error_of([&] { return farm.info(); })->status(), FURROW_INVALID_ARGUMENT);
  moved = furrow::Farm(library, path);  // closed, and open for reading
  Buffer piece(FURROW_PIECE_SIZE);
  EXPECT_EQ(source.get_piece(index, piece), Outcome::kDone);
  EXPECT_EQ(piece, made_up_piece(index));
}

}  // namespace
}  // namespace furrow_cpp_test
