// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <memory>

#include <fmt/format.h>

#include "host/base/byte_size.hpp"
#include "host/base/counted.hpp"
#include "host/base/hex.hpp"
#include "host/base/printable.hpp"
#include "host/farm/farm.hpp"
#include "nlohmann/json.hpp"
#include "tools/commands.hpp"
#include "tools/json_text.hpp"
#include "tools/open_farm.hpp"
#include "tools/standard_output.hpp"

namespace furrow::cli {
namespace {

struct InfoArguments {
  std::string farm;
  bool json = false;
};

/// Plotted sectors for each history size.
std::map<std::uint64_t, unsigned> sectors_by_history(const Farm& farm) {
  std::map<std::uint64_t, unsigned> result;
  for (const SectorIndex index : farm.sectors_in_state(SectorState::kPlotted)) {
    ++result[farm.history_size(index).count()];
  }
  return result;
}

/// Null for a farm that states nothing, which is taken for one of a development chain.
nlohmann::ordered_json chain_json(const Farm& farm) {
  if (!farm.states_chain_parameters()) {
    return nullptr;
  }
  const ChainParameters chain = farm.chain_parameters();
  return {{"max_pieces_in_sector", chain.max_pieces_in_sector},
          {"recent_segments", chain.recent_segments.count()},
          {"recent_history_numerator", chain.recent_history_numerator.count()},
          {"recent_history_denominator", chain.recent_history_denominator.count()},
          {"min_sector_lifetime", chain.min_sector_lifetime.count()}};
}

std::string chain_text(const Farm& farm) {
  const ChainParameters chain = farm.chain_parameters();
  return fmt::format(
      "{}/{} of a sector from the last {}, a sector lives {} or longer{}",
      chain.recent_history_numerator.count(), chain.recent_history_denominator.count(),
      counted(chain.recent_segments.count(), "segment"),
      counted(chain.min_sector_lifetime.count(), "segment"),
      farm.states_chain_parameters()
          ? ""
          : fmt::format("; taken from a development chain, as there is no {}", kChainFileName));
}

void run_info(const InfoArguments& arguments) {
  const std::unique_ptr<Farm> farm = open_farm({.directory = arguments.farm});
  const FarmInfo& info = farm->info();
  const auto count = [&](SectorState state) { return farm->sectors_in_state(state).size(); };
  nlohmann::ordered_json histories = nlohmann::ordered_json::array();
  for (const auto& [history_size, sectors] : sectors_by_history(*farm)) {
    histories.push_back({{"segments", history_size}, {"sectors", sectors}});
  }
  const nlohmann::ordered_json result = {{"directory", arguments.farm},
                                         {"id", info.id.to_string()},
                                         {"genesis_root", to_hex(info.genesis_root.bytes)},
                                         {"public_key", to_hex(info.public_key.bytes)},
                                         {"pieces_in_sector", info.pieces_in_sector},
                                         {"sector_size", farm->sector_size()},
                                         {"allocated_space", info.allocated_space},
                                         {"chain", chain_json(*farm)},
                                         {"cache_percentage", farm->cache_percentage()},
                                         {"sectors_planned", farm->target_sector_count()},
                                         {"sectors_plotted", count(SectorState::kPlotted)},
                                         {"sectors_lost", count(SectorState::kLost)},
                                         {"sectors_damaged", count(SectorState::kDamaged)},
                                         {"looked_at", "slots"},
                                         {"history", histories}};
  if (arguments.json) {
    print_result("{}\n", json_line(result));
    return;
  }
  print_result("farm             {}\n", printable(arguments.farm));
  print_result("id               {}\n", info.id.to_string());
  print_result("public key       {}\n", to_hex(info.public_key.bytes));
  print_result("genesis root     {}\n", to_hex(info.genesis_root.bytes));
  print_result("chain            {}\n", chain_text(*farm));
  print_result("allocated space  {}, {} % of it for a piece cache\n",
               size_text(info.allocated_space), farm->cache_percentage());
  print_result("sector           {}, {}\n", counted(info.pieces_in_sector, "piece"),
               size_text(farm->sector_size()));
  print_result(
      "sectors          {} plotted, {} lost, {} damaged (slots read, bytes not checked), "
      "room for {}\n",
      count(SectorState::kPlotted), count(SectorState::kLost), count(SectorState::kDamaged),
      farm->target_sector_count());
  for (const auto& [history_size, sectors] : sectors_by_history(*farm)) {
    print_result("history          {}: {}\n", counted(history_size, "segment"),
                 counted(sectors, "sector"));
  }
}

}  // namespace

void add_info_command(Command app) {
  const auto arguments = std::make_shared<InfoArguments>();
  const Command command = app.add_command("info", "Describe a farm");
  command.add_option("--farm", arguments->farm, "Directory of the farm").required();
  command.add_flag("--json", arguments->json, "Print the description as JSON");
  command.run([arguments] { run_info(*arguments); });
}

}  // namespace furrow::cli
