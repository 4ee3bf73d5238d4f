// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <memory>
#include <stop_token>

#include <fmt/format.h>

#include "host/base/counted.hpp"
#include "host/base/output_file.hpp"
#include "host/farm/data_directories.hpp"
#include "host/farm/farm_piece_getter.hpp"
#include "tools/commands.hpp"
#include "tools/compute_options.hpp"
#include "tools/exit_code.hpp"
#include "tools/interrupt_watch.hpp"
#include "tools/open_farm.hpp"

namespace furrow::cli {
namespace {

struct ReadArguments {
  std::string farm;
  std::uint64_t sector = 0;
  std::uint64_t offset = 0;
  std::string out;
  bool force = false;
};

/// What is refused is refused before the work.
OutputFile open_output(const ReadArguments& arguments) {
  try {
    OutputFile output(arguments.out, arguments.force);
    if (output.is_file()) {
      require_outside_data("--out", arguments.out);
    }
    return output;
  } catch (const AlreadyExists& error) {
    throw InvalidArgument(fmt::format("{}; --force replaces it", error.what()), error.fields());
  }
}

void run_read(const ReadArguments& arguments, const std::stop_token& stop) {
  const OutputFile output = open_output(arguments);
  const std::unique_ptr<Farm> farm = open_farm({.directory = arguments.farm});
  if (arguments.sector >= farm->sector_count()) {
    throw InvalidArgument(fmt::format("--sector {}: the farm has {}", arguments.sector,
                                      counted(farm->sector_count(), "sector")));
  }
  if (arguments.offset >= farm->pieces_in_sector()) {
    throw InvalidArgument(fmt::format("--offset {}: the sectors have {}", arguments.offset,
                                      counted(farm->pieces_in_sector(), "piece")));
  }
  FarmPieceGetter getter(*farm, {});
  const PiecePtr piece = getter.read({SectorIndex(static_cast<std::uint16_t>(arguments.sector)),
                                      PieceOffset(static_cast<std::uint16_t>(arguments.offset))});
  if (stop.stop_requested()) {
    throw Interrupted();
  }
  try {
    if (!output.write(bytes_of(*piece), stop)) {
      throw Interrupted();
    }
  } catch (const IoError& error) {
    if (!output.is_standard_output() || error.error_number() != EPIPE) {
      throw;
    }
    // Whoever closed the pipe has read what they wanted.
  }
}

}  // namespace

void add_read_command(Command app, InterruptWatch& interrupts) {
  const auto arguments = std::make_shared<ReadArguments>();
  const Command command =
      app.add_command("read", "Read one piece back out of a farm and verify it");
  command.add_option("--farm", arguments->farm, "Directory of the farm").required();
  command.add_option("--sector", arguments->sector, "Sector index, from 0").required();
  command.add_option("--offset", arguments->offset, "Piece offset in the sector, from 0")
      .required();
  command
      .add_option("--out", arguments->out,
                  "Where the piece goes, header and record: a new file, a fifo, or - for standard "
                  "output")
      .required();
  command.add_flag("--force", arguments->force, "Replace the file that --out names");
  add_simd_option(command);
  command.run([arguments, &interrupts] { run_read(*arguments, interrupts.take_token()); });
}

}  // namespace furrow::cli
