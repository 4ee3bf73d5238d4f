#include <memory>
#include <stop_token>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "host/base/counted.hpp"
#include "host/farm/farm_piece_getter.hpp"
#include "host/store/file.hpp"
#include "tools/cli_support.hpp"
#include "tools/interrupt_watch.hpp"

namespace furrow::cli {
namespace {

struct Arguments {
  std::string farm;
  std::uint64_t sector = 0;
  std::uint64_t offset = 0;
  std::string out;
};

void run(const Arguments& arguments, const std::stop_token& stop) {
  const std::unique_ptr<Farm> farm = Farm::open({.directory = arguments.farm});
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
  write_file_atomically(arguments.out, bytes_of(*piece));
}

}  // namespace

void add_read_command(CLI::App& app, InterruptWatch& interrupts) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("read", "Read one piece back out of a farm and verify it");
  command->add_option("--farm", arguments->farm, "Directory of the farm")->required();
  command->add_option("--sector", arguments->sector, "Sector index, from 0")->required();
  command->add_option("--offset", arguments->offset, "Piece offset in the sector, from 0")
      ->required();
  command->add_option("--out", arguments->out, "File for the piece: header and record")->required();
  add_simd_option(*command);
  command->callback([arguments, &interrupts] { run(*arguments, interrupts.take_token()); });
}

}  // namespace furrow::cli
