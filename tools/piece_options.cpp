#include "tools/piece_options.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "host/base/counted.hpp"
#include "host/farm/data_directories.hpp"
#include "host/pieces/segment_download.hpp"
#include "host/store/buffer_pool.hpp"
#include "tools/cli_support.hpp"
#include "tools/token_file.hpp"

namespace furrow::cli {
namespace {

bool has_servers(const std::vector<std::string>& sources) {
  return std::any_of(sources.begin(), sources.end(), is_piece_url);
}

std::string reason_of(const std::exception_ptr& error) {
  if (error == nullptr) {
    return "no source has it";
  }
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  }
}

PieceSupplyOptions supply_options(const PieceOptions& options, SimdMode mode,
                                  const MemoryPlan& plan) {
  PieceSupplyOptions result;
  result.sources = options.sources;
  if (options.manifest.has_value()) {
    result.manifest = *options.manifest;
  }
  if (options.token_file.has_value()) {
    result.http.token = read_token_file(*options.token_file);
  }
  result.http.ca_file = options.ca_file.value_or("");
  result.http.in_flight = plan.settings.pieces_in_flight;
  result.http.piece_time = std::chrono::seconds(options.piece_seconds);
  result.fallback.on_stall = [](const PieceStall& stall) {
    spdlog::warn("{} pieces are missing and none has come for {:.0f} s; {} is being asked",
                 stall.n_missing, std::chrono::duration<double>(stall.silent).count(),
                 stall.source);
  };
  if (options.cache.has_value()) {
    require_own_place("--piece-cache", *options.cache, DataKind::kPieceCache);
    result.cache_directory = *options.cache;
    result.make_cache_directory = options.create;
  }
  result.cache_bytes = parse_size(options.cache_size);
  result.simd_mode = mode;
  result.on_warning = [](const std::string& line) { spdlog::warn("{}", line); };
  return result;
}

}  // namespace

void add_in_flight_option(CLI::App& command, std::size_t& in_flight) {
  command.add_option("--in-flight", in_flight, "Pieces asked of a server at the same time")
      ->check(CLI::Range(8, 1024))
      ->capture_default_str();
}

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
  add_in_flight_option(command, options.in_flight);
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
    : has_servers_(has_servers(options.sources)),
      pieces_in_flight_(plan.settings.pieces_in_flight),
      supply_([&] {
        try {
          return PieceSupply(supply_options(options, mode, plan), stop);
        } catch (const Error&) {
          if (stop.stop_requested()) {
            throw Interrupted();
          }
          throw;
        }
      }()),
      erasure_(mode),
      threads_(plan.settings.threads) {
  if (supply_.is_manifest_from_server()) {
    spdlog::warn("{} alone says what the history is; --manifest would decide instead",
                 printable_url(options.sources.front()));
  }
}

DownloadOptions PlotPieces::download_options() {
  return {
      .piece_getter = supply_.getter(),
      .recover_piece = [this](PieceIndex index,
                              const std::stop_token& stop) { return recover(index, stop); },
      .retry_delays = {.max_attempts = has_servers_ ? 0U : 1U},
      .tail = pieces_in_flight_,
      .on_piece_failed = [this](PieceIndex index,
                                const std::exception_ptr& error) { note_failure(index, error); },
      .on_failed_attempt =
          [](const Error& error, std::chrono::milliseconds delay) {
            spdlog::warn("{}; trying again in {:.0f} s", error.what(),
                         std::chrono::duration<double>(delay).count());
          }};
}

void PlotPieces::note_failure(PieceIndex index, const std::exception_ptr& error) {
  const std::string text = fmt::format("piece {}: {}", index.value(), reason_of(error));
  spdlog::warn("{}; rebuilding it from the rest of its segment", text);
  if (error != nullptr && !has_servers_) {
    const std::lock_guard lock(mutex_);
    damaged_.push_back(text);
  }
}

PiecePtr PlotPieces::recover(PieceIndex index, const std::stop_token& stop) {
  const RetryPolicy policy = has_servers_ ? RetryPolicy{} : RetryPolicy{.tries = 1};
  PiecePtr piece = recover_missing_piece(supply_.getter(), erasure_, index,
                                         manifest().segment_identity(segment_index_of(index)), stop,
                                         policy, {.threads = threads_});
  if (piece == nullptr) {
    throw Interrupted();
  }
  return piece;
}

std::vector<std::string> PlotPieces::report() const {
  std::vector<std::string> lines;
  const PieceSources& sources = supply_.sources();
  for (std::size_t i = 0; i < sources.n_sources(); ++i) {
    const PieceSourceCounters counters = sources.counters(i);
    lines.push_back(fmt::format("{}: {} ({}), {} not found, {} failed", sources.name(i),
                                counted(counters.found, "piece"), size_text(counters.bytes),
                                counters.not_found, counters.failed));
  }
  if (const PieceCache* cache = supply_.cache()) {
    const PieceCacheCounters counters = cache->counters();
    lines.push_back(fmt::format("{}: {} hits, {} misses, {} damaged", cache->path().native(),
                                counters.hits, counters.misses, counters.damaged));
  }
  return lines;
}

}  // namespace furrow::cli
