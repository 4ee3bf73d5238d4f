// SPDX-License-Identifier: Apache-2.0
// Plotting many sectors: while one is being encoded, others are downloaded, and the one before is
// written (docs/spec/03-record-encoding-and-sector.md, sections 6.1 and 6.3).
//
//   next sector ─► D workers: gate ─ download ─ encode ─ lay out ─► queue ─► writer: gate ─ write
//                  │                 │          │        │
//                  memory of         turn       encoding  output buffer,
//                  a sector each                permits   until written
//
// A worker is what the specification calls a downloading permit: it has the memory of one sector
// and goes on to the next one when the writer has taken the bytes. Whoever is slowest, the others
// wait for the things above, so memory never grows:
//
//   D * raw_sector_bytes(P) + output buffers * sector_size(P)
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "host/base/memory_block.hpp"
#include "host/base/observer.hpp"
#include "host/plotting/encode_sector.hpp"
#include "host/plotting/encoder_pool.hpp"
#include "host/plotting/plotting_event.hpp"
#include "host/plotting/stage_clock.hpp"

namespace furrow {

/// The next sector to plot, none when there are no more. Calls do not overlap.
using SectorSource = std::function<std::optional<SectorPlan>()>;
/// Makes a sector durable; throws when it cannot. Calls do not overlap and come from one thread.
using SectorSink =
    std::function<void(const PlottedSector& sector, std::span<const std::uint8_t> sector_bytes)>;

/// The last step of a sector before it is written: lay_out_sector, where no test has another.
using SectorLayout = std::function<void(const EncodedSector&, std::vector<std::uint8_t>& output)>;

struct PlotPipelineOptions {
  DownloadOptions download;
  EncoderPool& encoders;
  /// Sectors in memory at the same time, from their download to their layout; at least 1.
  std::size_t sectors_in_memory = 3;
  /// Sectors that are being laid out, or are and are not written yet; at least 1.
  std::size_t output_buffers = 2;
  /// Waited for before each download and before each writing; that of the encoders is their own.
  Gate* gate = nullptr;
  /// Told what the stages do, when set. Must have been made for encoders.size() encoders.
  StageClock* clock = nullptr;
  /// Calls do not overlap; those of one sector come in order.
  Observer<SectorIndex, const PlottingEvent&> on_event = {};
  /// Told of each record that is encoded, between Encoding of its sector and the next event of it;
  /// from any thread, possibly several at once. Those of a sector that is encoded again come again.
  Observer<SectorIndex> on_record_done = {};
  SectorLayout lay_out = lay_out_sector;
  /// Of the records of sectors.
  BlockSource memory = make_page_block;
};

enum class PlotOutcome {
  kFinished,   ///< the source is at its end and every sector was written
  kCancelled,  ///< a stop was requested
};

/// A sector that the encoders failed with as often as it was tried. Nothing of it was written.
struct GivenUpSector {
  SectorIndex sector_index;
  std::string error;  ///< of the last attempt
};

struct PlotResult {
  PlotOutcome outcome;
  std::vector<GivenUpSector> given_up;  ///< in the order in which they were
};

/// Plots all sectors of `next`. They finish in about their order.
///
/// A sector that the encoders fail with (RecordsEncoderError) is tried again at once, by others
/// first if there are any, then once more when nothing else is left to plot, and is given up after
/// that; the run goes on as long as the pool has an encoder.
///
/// A stop request takes effect within one batch of records; sectors that are encoded already are
/// still written, since that takes seconds and saves minutes. Any other error of a stage, or of
/// `next` or `write`, stops all stages and is thrown from here, after Failed for its sector. No
/// thread of the run is alive on return.
///
/// Throws InvalidArgument for options out of range, ResourceExhausted when the system does not even
/// start a thread that writes and one for a sector (fewer sectors in memory than wanted do),
/// RecordsEncoderError when no encoder is left,
/// BadSectorOutputSize, the Errors that `next` and `write` throw and ForeignError (host/base) for
/// what else they throw, FailedToRetrievePieces and PieceRecoveryFailed.
PlotResult plot_sectors(const SectorSource& next, const PlotPipelineOptions& options,
                        const SectorSink& write, std::stop_token stop);

}  // namespace furrow
