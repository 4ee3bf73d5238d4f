// SPDX-License-Identifier: Apache-2.0
#include "tools/piece_options.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "host/base/counted.hpp"
#include "host/farm/data_directories.hpp"
#include "host/pieces/piece_url.hpp"
#include "host/pieces/source_errors.hpp"
#include "host/store/buffer_pool.hpp"
#include "tools/cli_support.hpp"
#include "tools/token_file.hpp"

namespace furrow::cli {
namespace {

bool has_servers(const std::vector<std::string>& sources) {
  return std::any_of(sources.begin(), sources.end(), is_piece_url);
}

/// The line for an event of a source; those that need no attention are no warnings.
void say(const PieceSourceEvent& event) {
  switch (event.change) {
    case PieceSourceEvent::Change::kAway:
      spdlog::warn("{} is away, and is asked again: {}", event.name, event.message);
      break;
    case PieceSourceEvent::Change::kRefuses:
      spdlog::warn("{} refuses, and is asked again: {}", event.name, event.message);
      break;
    case PieceSourceEvent::Change::kGivenUp:
      spdlog::warn("{} is given up: {}", event.name, event.message);
      break;
    case PieceSourceEvent::Change::kBack:
      spdlog::info("{} answers again", event.name);
      break;
  }
}

std::string counts_text(const PieceSourceCounters& counters) {
  const std::string faults = faults_text(counters);
  return fmt::format("{} ({}), {} not found, {} failed{}", counted(counters.found, "piece"),
                     size_text(counters.bytes), counters.not_found, counters.failed,
                     faults.empty() ? "" : ": " + faults);
}

}  // namespace

void add_piece_options(CLI::App& command, PieceOptions& options) {
  command
      .add_option("--pieces", options.sources,
                  "Store made by furrow archive, or http(s) address of furrow serve-pieces; may be "
                  "given several times, in order of preference")
      ->required()
      ->allow_extra_args(false);
  command.add_option("--manifest", options.manifest,
                     "manifest.json that says what the history is; that of the first source if "
                     "not given, which a server has to be trusted for");
  command.add_option("--token-file", options.token_file, "File with the token for servers");
  command.add_option("--ca-file", options.ca_file,
                     "Certificates (PEM) that those of servers must lead to; those of the system "
                     "if not given");
  command.add_option("--in-flight", options.in_flight, "Pieces asked of a server at the same time")
      ->check(CLI::Range(8, 1024))
      ->capture_default_str();
  command
      .add_option("--piece-seconds", options.piece_seconds,
                  "How long a server has for a piece, all tries together, before the next source "
                  "is asked")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
  CLI::Option* cache = command.add_option("--piece-cache", options.cache,
                                          "Directory to keep pieces in that may be wanted again");
  command.add_option("--piece-cache-size", options.cache_size, "Most space that the cache takes")
      ->needs(cache)
      ->capture_default_str();
}

std::size_t pieces_in_flight(const PieceOptions& options) {
  return has_servers(options.sources) ? options.in_flight : BufferPool::kSlots;
}

PlotPieces::PlotPieces(const PieceOptions& options, SimdMode mode, const MemoryPlan& plan,
                       const std::stop_token& stop)
    : pieces_in_flight_(plan.settings.pieces_in_flight) {
  try {
    supply_.emplace(supply_options(options, mode, plan), stop);
  } catch (const Error&) {
    if (stop.stop_requested()) {
      throw Interrupted();
    }
    throw;
  }
  if (supply_->is_manifest_from_server()) {
    spdlog::warn("{} alone says what the history is; --manifest would decide instead",
                 printable_url(options.sources.front()));
  }
}

PieceSupplyOptions PlotPieces::supply_options(const PieceOptions& options, SimdMode mode,
                                              const MemoryPlan& plan) {
  PieceSupplyOptions result;
  result.sources = options.sources;
  if (options.manifest.has_value()) {
    result.manifest = *options.manifest;
  }
  if (options.token_file.has_value()) {
    result.http.read_token = token_reader(*options.token_file);
  }
  result.http.ca_file = options.ca_file.value_or("");
  result.http.in_flight = plan.settings.pieces_in_flight;
  result.http.piece_time = std::chrono::seconds(options.piece_seconds);
  result.fallback.on_stall = [](const PieceStall& stall) {
    spdlog::warn("{} missing and none has come for {:.0f} s; {}",
                 counted(stall.n_missing, "piece is", "pieces are"),
                 std::chrono::duration<double>(stall.silent).count(),
                 stall.source.empty() ? "the sources that are away are waited for"
                                      : stall.source + " is being asked");
  };
  result.fallback.on_event = [this](const PieceSourceEvent& event) {
    say(event);
    if (event.change == PieceSourceEvent::Change::kGivenUp && !is_piece_url(event.name)) {
      note_damage(event.message);
    }
  };
  result.fallback.on_bad_answer = [this](const PieceSource& source, PieceIndex index,
                                         const std::exception_ptr& error) {
    if (!source.may_return) {  // a store
      note_damage(fmt::format("piece {}: {}", index.value(), message_of(error)));
    }
  };
  result.fallback.on_faults = [this] { say_faults(); };
  result.recovery.compute.threads = plan.settings.threads;
  result.recovery.on_rebuild = [](PieceIndex index, const std::exception_ptr& error) {
    spdlog::warn("piece {}: {}; rebuilding it from the rest of its segment", index.value(),
                 error == nullptr ? "no source has it" : message_of(error));
  };
  result.recovery.on_failed_attempt = [](const std::exception_ptr& error,
                                         std::chrono::milliseconds delay) {
    spdlog::warn("{}; trying again in {:.0f} s", message_of(error),
                 std::chrono::duration<double>(delay).count());
  };
  if (options.cache.has_value()) {
    result.cache_directory = *options.cache;
    result.make_cache_directory = options.create;
  }
  result.cache_bytes = parse_size(options.cache_size);
  result.simd_mode = mode;
  result.on_warning = [](const std::string& line) { spdlog::warn("{}", line); };
  result.on_missing_pack = [this](const std::string& line) {
    spdlog::warn("{}", line);
    note_damage(line);
  };
  return result;
}

DownloadOptions PlotPieces::download_options() {
  return {.piece_getter = supply_->getter(), .tail = pieces_in_flight_};
}

/// Each once: a damaged piece that is drawn again is asked for again.
void PlotPieces::note_damage(const std::string& text) {
  const std::lock_guard lock(mutex_);
  if (std::find(damage_.begin(), damage_.end(), text) == damage_.end()) {
    damage_.push_back(text);
  }
}

std::vector<std::string> PlotPieces::damage() const {
  const std::lock_guard lock(mutex_);
  return damage_;
}

void PlotPieces::say_faults() const {
  const PieceSources& sources = supply_->sources();
  for (std::size_t i = 0; i < sources.n_sources(); ++i) {
    const PieceSourceCounters counters = sources.counters(i);
    if (const std::string faults = faults_text(counters); !faults.empty()) {
      spdlog::warn("{} so far: {}, {}", sources.name(i), counted(counters.found, "piece"), faults);
    }
  }
}

std::vector<std::string> PlotPieces::report() const {
  std::vector<std::string> lines;
  const PieceSources& sources = supply_->sources();
  for (std::size_t i = 0; i < sources.n_sources(); ++i) {
    lines.push_back(fmt::format("{}: {}", sources.name(i), counts_text(sources.counters(i))));
  }
  if (const PieceCache* cache = supply_->cache()) {
    const PieceCacheCounters counters = cache->counters();
    lines.push_back(fmt::format(
        "{}: {}, {}, {} damaged{}", cache->path().native(), counted(counters.hits, "hit"),
        counted(counters.misses, "miss", "misses"), counters.damaged,
        counters.io_errors == 0
            ? ""
            : fmt::format("; {} by the system, so that the cache did not help as it could",
                          counted(counters.io_errors, "read or write was refused",
                                  "reads and writes were refused"))));
  }
  return lines;
}

}  // namespace furrow::cli
