// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <limits>
#include <memory>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "host/farm/farm_errors.hpp"
#include "host/farm/piece_finder.hpp"
#include "nlohmann/json.hpp"
#include "tools/commands.hpp"
#include "tools/json_text.hpp"
#include "tools/open_farm.hpp"
#include "tools/standard_output.hpp"

namespace furrow::cli {
namespace {

struct FindArguments {
  std::string farm;
  std::string piece;
  bool json = false;
};

/// Every 64-bit number is one, so what overflows must not become another one.
PieceIndex parse_piece(const std::string& text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end) {
    throw InvalidArgument(fmt::format("--piece: expected a number from 0 to {}, actual '{}'",
                                      std::numeric_limits<std::uint64_t>::max(), text));
  }
  return PieceIndex(number);
}

void run_find(const FindArguments& arguments) {
  const PieceIndex piece = parse_piece(arguments.piece);
  const std::unique_ptr<Farm> farm = open_farm({.directory = arguments.farm});
  const PieceFinder finder(*farm);
  for (const std::string& remark : finder.remarks()) {
    spdlog::warn("{}", remark);
  }
  const std::vector<PiecePlace> places = finder.find(piece);
  if (arguments.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const PiecePlace& place : places) {
      list.push_back({{"sector", place.sector.value()}, {"offset", place.offset.value()}});
    }
    const nlohmann::ordered_json result = {
        {"farm", arguments.farm}, {"piece", piece.value()}, {"places", list}};
    print_result("{}\n", json_line(result));
  } else {
    for (const PiecePlace& place : places) {
      print_result("sector {} offset {}\n", place.sector.value(), place.offset.value());
    }
  }
  if (places.empty()) {
    throw PieceNotInFarm(arguments.farm, piece, farm->plotted_sectors().size());
  }
}

}  // namespace

void add_find_command(Command app) {
  const auto arguments = std::make_shared<FindArguments>();
  const Command command =
      app.add_command("find", "Print every sector and offset of a farm that holds a piece");
  command.add_option("--farm", arguments->farm, "Directory of the farm").required();
  command.add_option("--piece", arguments->piece, "Piece index, from 0").required();
  command.add_flag("--json", arguments->json, "Print the places as JSON");
  command.run([arguments] { run_find(*arguments); });
}

}  // namespace furrow::cli
