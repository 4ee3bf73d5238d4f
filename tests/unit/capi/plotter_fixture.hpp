// SPDX-License-Identifier: Apache-2.0
// A plotter of the C interface with made-up pieces, and what it gives and tells.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "host/base/mutex.hpp"
#include "tests/unit/capi/handles.hpp"

namespace furrow::test {

/// A batch source whose answers are what `answer` makes of them, on a thread of its own.
struct BatchSource {
  using Answer = std::function<void(furrow_piece_batch*, std::vector<std::uint64_t>)>;

  explicit BatchSource(Answer own) : answer(std::move(own)) {}

  [[nodiscard]] furrow_piece_source_callbacks callbacks() {
    auto result = made_by(furrow_piece_source_callbacks_init);
    result.user = this;
    result.get_pieces = [](void* user, const std::uint64_t* indices, std::size_t count,
                           furrow_piece_batch* batch) {
      auto& own = *static_cast<BatchSource*>(user);
      const Lock lock(own.mutex);
      own.threads.emplace_back([&own, batch, wanted = std::vector(indices, indices + count)] {
        own.answer(batch, wanted);
      });
    };
    return result;
  }

  Answer answer;
  Mutex mutex;
  std::vector<std::jthread> threads;
};

inline furrow_status answer_made_up(furrow_piece_batch* batch, std::uint64_t index) {
  return furrow_piece_batch_answer(batch, index, FURROW_OK,
                                   bytes_of(*made_up_piece(PieceIndex(index))).data(), nullptr);
}

/// Buffers for all that plotting a sector gives.
struct Outputs {
  explicit Outputs(const furrow_sector_plan& of, std::size_t misaligned_by = 0)
      : plan(of),
        sector(furrow_sector_size(of.pieces_in_sector) + misaligned_by, 0xEE),
        metadata(FURROW_SECTOR_METADATA_SIZE, 0xEE),
        indices(of.pieces_in_sector, 7),
        scale(furrow_plotted_sector_size(of.pieces_in_sector), 0xEE) {
    request.plan = &plan;
    request.sector = sector.data() + misaligned_by;
    request.sector_size = sector.size() - misaligned_by;
    request.metadata = metadata.data();
    request.metadata_size = metadata.size();
    request.piece_indices = indices.data();
    request.piece_index_count = indices.size();
    request.plotted_sector = scale.data();
    request.plotted_sector_size = scale.size();
  }
  Outputs(const Outputs&) = delete;
  Outputs& operator=(const Outputs&) = delete;
  ~Outputs() = default;

  furrow_status plot(const PlotterHandle& plotter) {
    return furrow_plotter_plot_sector(plotter.get(), &request);
  }
  [[nodiscard]] bool are_untouched() const {
    const auto is_old = [](std::uint8_t byte) { return byte == 0xEE; };
    return std::ranges::all_of(sector, is_old) && std::ranges::all_of(metadata, is_old) &&
           std::ranges::all_of(scale, is_old) &&
           std::ranges::all_of(indices, [](std::uint64_t index) { return index == 7; });
  }
  bool operator==(const Outputs& other) const {
    return std::equal(request.sector, request.sector + request.sector_size, other.request.sector) &&
           metadata == other.metadata && indices == other.indices && scale == other.scale;
  }

  furrow_sector_plan plan;
  std::vector<std::uint8_t> sector;
  std::vector<std::uint8_t> metadata;
  std::vector<std::uint64_t> indices;
  std::vector<std::uint8_t> scale;
  furrow_plot_sector_request request = made_by(furrow_plot_sector_request_init);
};

/// What a plotter tells of its sectors.
struct Told {
  Mutex mutex;
  std::vector<furrow_plot_stage> stages;
  std::vector<std::uint64_t> records;
  std::string message;

  static void on_event(void* user, const furrow_plot_event* event) {
    auto& told = *static_cast<Told*>(user);
    const Lock lock(told.mutex);
    if (event->stage == FURROW_PLOT_RECORD) {
      told.records.push_back(event->records_done);
    } else {
      told.stages.push_back(event->stage);
    }
    if (event->message[0] != '\0') {
      told.message = event->message;
    }
  }
};

class PlotterTest : public testing::Test {
 protected:
  const LibraryHandle library_ = make_library();
  const EncoderHandle encoder_ = open_cpu_encoder(library_, 2);
};

}  // namespace furrow::test
