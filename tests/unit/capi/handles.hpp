// SPDX-License-Identifier: Apache-2.0
// Handles of the C interface that destroy themselves, and what tests make of them.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "furrow/furrow.h"
#include "furrow/piece.hpp"

#include "tests/support/made_up_piece.hpp"

namespace furrow::test {

template <auto kDestroy>
struct DestroyBy {
  template <class T>
  void operator()(T* handle) const {
    kDestroy(handle);
  }
};
using LibraryHandle = std::unique_ptr<furrow_library, DestroyBy<furrow_library_destroy>>;
using GateHandle = std::unique_ptr<furrow_gate, DestroyBy<furrow_gate_destroy>>;
using EncoderHandle = std::unique_ptr<furrow_encoder, DestroyBy<furrow_encoder_destroy>>;
using SourceHandle = std::unique_ptr<furrow_piece_source, DestroyBy<furrow_piece_source_destroy>>;
using PlotterHandle = std::unique_ptr<furrow_plotter, DestroyBy<furrow_plotter_destroy>>;
using FarmHandle = std::unique_ptr<furrow_farm, DestroyBy<furrow_farm_destroy>>;
using DeviceListHandle = std::unique_ptr<furrow_device_list, DestroyBy<furrow_device_list_destroy>>;

/// A struct of the interface as its init function leaves it.
template <class Struct>
Struct made_by(void (*init)(Struct*, std::size_t)) {
  Struct result;
  std::memset(static_cast<void*>(&result), 0xEE, sizeof(result));
  init(&result, sizeof(result));
  return result;
}
/// One that is filled in by the library.
template <class Struct>
Struct to_fill() {
  Struct result;
  std::memset(static_cast<void*>(&result), 0xEE, sizeof(result));
  result.size = sizeof(result);
  return result;
}

inline LibraryHandle make_library(const furrow_library_options* options = nullptr) {
  furrow_library* library = nullptr;
  EXPECT_EQ(furrow_library_create(options, &library), FURROW_OK) << furrow_last_error();
  return LibraryHandle(library);
}

inline EncoderHandle open_cpu_encoder(const LibraryHandle& library, std::uint32_t threads = 1,
                                      furrow_gate* gate = nullptr) {
  auto config = made_by(furrow_encoder_config_init);
  config.kind = "cpu";
  config.threads = threads;
  config.gate = gate;
  furrow_encoder* encoder = nullptr;
  EXPECT_EQ(furrow_encoder_open(library.get(), &config, &encoder), FURROW_OK)
      << furrow_last_error();
  return EncoderHandle(encoder);
}

/// The last error of this thread.
inline furrow_error last_error() {
  auto error = to_fill<furrow_error>();
  EXPECT_EQ(furrow_last_error_get(&error), FURROW_OK);
  return error;
}
inline bool last_error_says(const std::string& text) {
  return std::string(furrow_last_error()).find(text) != std::string::npos;
}

/// A get_piece that gives made_up_piece, whatever the index.
inline furrow_status give_made_up_piece(void*, std::uint64_t index, std::uint8_t* piece) {
  std::memcpy(piece, made_up_piece(PieceIndex(index)).get(), FURROW_PIECE_SIZE);
  return FURROW_OK;
}

inline SourceHandle make_source(const LibraryHandle& library,
                                const furrow_piece_source_callbacks& callbacks) {
  furrow_piece_source* source = nullptr;
  EXPECT_EQ(furrow_piece_source_create(library.get(), &callbacks, &source), FURROW_OK)
      << furrow_last_error();
  return SourceHandle(source);
}
inline SourceHandle made_up_source(const LibraryHandle& library) {
  auto callbacks = made_by(furrow_piece_source_callbacks_init);
  callbacks.get_piece = give_made_up_piece;
  return make_source(library, callbacks);
}

inline PlotterHandle make_plotter(const LibraryHandle& library, const EncoderHandle& encoder,
                                  const SourceHandle& source, furrow_gate* gate = nullptr) {
  auto options = made_by(furrow_plotter_options_init);
  options.encoder = encoder.get();
  options.source = source.get();
  options.gate = gate;
  options.attempts = 1;
  furrow_plotter* plotter = nullptr;
  EXPECT_EQ(furrow_plotter_create(library.get(), &options, &plotter), FURROW_OK)
      << furrow_last_error();
  return PlotterHandle(plotter);
}

inline furrow_sector_plan made_up_plan(std::uint16_t pieces, std::uint16_t index = 0) {
  auto plan = made_by(furrow_sector_plan_init);
  std::memset(plan.public_key_hash, 1, sizeof(plan.public_key_hash));
  std::memset(plan.shard_commitments_root, 2, sizeof(plan.shard_commitments_root));
  plan.sector_index = index;
  plan.pieces_in_sector = pieces;
  plan.history_size = 3;
  return plan;
}

}  // namespace furrow::test
