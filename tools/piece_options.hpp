// SPDX-License-Identifier: Apache-2.0
// Where pieces come from: the options of commands that fetch pieces.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "host/pieces/piece_supply.hpp"
#include "host/plotting/memory_plan.hpp"
#include "host/plotting/plotting.hpp"

namespace CLI {
class App;
}

namespace furrow::cli {

struct PieceOptions {
  std::vector<std::string> sources;
  std::optional<std::string> manifest;
  std::optional<std::string> token_file;
  std::optional<std::string> ca_file;
  std::size_t in_flight = 64;
  unsigned piece_seconds = 120;
  std::optional<std::string> cache;
  MakeDirectory create = MakeDirectory::kLastOnly;  ///< of the cache
  std::string cache_size = "10GiB";
};

/// Adds the options to a command. `options` must live as long as the command.
void add_piece_options(CLI::App& command, PieceOptions& options);

/// Pieces under way at the same time: --in-flight when there are servers.
[[nodiscard]] std::size_t pieces_in_flight(const PieceOptions& options);

/// The pieces that a plotting run downloads, and rebuilds when no source has them; says what is
/// wrong with the sources. Thread-safe but for the constructor.
class PlotPieces {
 public:
  /// Throws what PieceSupply throws, InvalidArgument for a bad size and IoError for a token file
  /// that cannot be read; Interrupted when a stop was requested.
  PlotPieces(const PieceOptions& options, SimdMode mode, const MemoryPlan& plan,
             const std::stop_token& stop);

  /// Makes or opens the cache, if one is wanted: after what may still be refused. Before
  /// download_options().
  void open_cache() { supply_->open_cache(); }
  [[nodiscard]] const Manifest& manifest() const { return supply_->manifest(); }
  [[nodiscard]] DownloadOptions download_options();
  /// What is damaged or missing of stores, each once. The run had it from elsewhere or rebuilt it.
  [[nodiscard]] std::vector<std::string> damage() const;
  [[nodiscard]] const PieceSources& sources() const { return supply_->sources(); }
  /// Lines about what each source gave, and the cache.
  [[nodiscard]] std::vector<std::string> report() const;

 private:
  [[nodiscard]] PieceSupplyOptions supply_options(const PieceOptions& options, SimdMode mode,
                                                  const MemoryPlan& plan);
  void note_damage(const std::string& text);
  void say_faults() const;

  std::size_t pieces_in_flight_;
  mutable std::mutex mutex_;
  std::vector<std::string> damage_;
  std::optional<PieceSupply> supply_;  // last: it calls the others
};

}  // namespace furrow::cli
