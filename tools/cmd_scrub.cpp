// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "host/base/byte_size.hpp"
#include "host/base/counted.hpp"
#include "host/base/printable.hpp"
#include "host/farm/scrub.hpp"
#include "host/pieces/store_check.hpp"
#include "nlohmann/json.hpp"
#include "tools/commands.hpp"
#include "tools/compute_options.hpp"
#include "tools/exit_code.hpp"
#include "tools/interrupt_watch.hpp"
#include "tools/json_text.hpp"
#include "tools/progress.hpp"
#include "tools/standard_output.hpp"

namespace furrow::cli {
namespace {

struct ScrubArguments {
  std::optional<std::string> farm;
  std::optional<std::string> store;
  bool json = false;
};

nlohmann::ordered_json findings_json(const std::vector<ScrubFinding>& findings) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ScrubFinding& finding : findings) {
    nlohmann::ordered_json entry = {{"thing", finding.thing}, {"reason", finding.reason}};
    if (finding.sector.has_value()) {
      entry["sector"] = finding.sector->value();
    }
    list.push_back(std::move(entry));
  }
  return list;
}

void print_json(const ScrubReport& report) {
  nlohmann::ordered_json lost = nlohmann::ordered_json::array();
  for (const SectorIndex index : report.lost) {
    lost.push_back(index.value());
  }
  const nlohmann::ordered_json result = {
      {"sectors", report.counted_sectors},       {"intact", report.intact_sectors},
      {"broken_sectors", report.broken_sectors}, {"lost", lost},
      {"broken", findings_json(report.broken)},  {"notes", findings_json(report.notes)},
      {"bytes_read", report.bytes_read}};
  print_result("{}\n", json_line(result));
}

void print_text(const ScrubReport& report) {
  for (const ScrubFinding& finding : report.broken) {
    print_result("BROKEN {}: {}\n", printable(finding.thing), printable(finding.reason));
  }
  for (const SectorIndex index : report.lost) {
    print_result("lost: sector {}: holds nothing, furrow plot will make it\n", index.value());
  }
  for (const ScrubFinding& finding : report.notes) {
    print_result("note: {}: {}\n", printable(finding.thing), printable(finding.reason));
  }
  print_result("{}: {} intact, {} broken, {} lost; {} read\n",
               counted(report.counted_sectors, "sector"), report.intact_sectors,
               report.broken_sectors, report.lost.size(), size_text(report.bytes_read));
}

void print_json(const StoreReport& report) {
  const auto list = [](const std::vector<StoreFinding>& findings) {
    nlohmann::ordered_json result = nlohmann::ordered_json::array();
    for (const StoreFinding& finding : findings) {
      result.push_back({{"thing", finding.thing}, {"reason", finding.reason}});
    }
    return result;
  };
  const nlohmann::ordered_json result = {{"segments", report.segments},
                                         {"pieces", report.pieces},
                                         {"intact", report.intact_pieces},
                                         {"broken", list(report.broken)},
                                         {"notes", list(report.notes)}};
  print_result("{}\n", json_line(result));
}

void print_text(const StoreReport& report) {
  for (const StoreFinding& finding : report.broken) {
    print_result("BROKEN {}: {}\n", finding.thing, printable(finding.reason));
  }
  for (const StoreFinding& finding : report.notes) {
    print_result("note: {}: {}\n", finding.thing, printable(finding.reason));
  }
  print_result("{}, {}: {} intact, {} broken or missing\n", counted(report.segments, "segment"),
               counted(report.pieces, "piece"), report.intact_pieces,
               report.pieces - report.intact_pieces);
}

StoreReport scrubbed_store(const std::string& store, const std::stop_token& stop) {
  Progress progress("scrub", "piece");
  return check_store(
      store,
      [&](const StoreProgress& now) {
        progress.set({.share = share_of(now.pieces_done, now.pieces_total),
                      .bytes_total = now.pieces_total * kPieceSize,
                      .items_done = now.pieces_done,
                      .items_total = now.pieces_total});
      },
      stop);
}

ScrubReport scrubbed_farm(const std::string& farm, const std::stop_token& stop) {
  Progress progress("scrub", "sector");
  return scrub_farm(
      {.directory = farm},
      [&](const ScrubProgress& now) {
        progress.set({.share = share_of(now.bytes_done, now.bytes_total),
                      .bytes_total = now.bytes_total,
                      .items_done = now.sectors_done,
                      .items_total = now.sectors_total});
      },
      stop);
}

/// Prints the report of a farm or a store. A lost sector is no damage: it is what a run leaves that
/// ended before a sector that others had overtaken, and is known for it.
template <class Report>
int print_report(const Report& report, bool as_json) {
  if (report.stopped) {
    throw Interrupted();
  }
  if (as_json) {
    print_json(report);
  } else {
    print_text(report);
  }
  return report.broken.empty() ? kSuccess : kCheckFailed;
}

}  // namespace

void add_scrub_command(Command app, InterruptWatch& interrupts, int& exit_code) {
  const auto arguments = std::make_shared<ScrubArguments>();
  const Command command = app.add_command(
      "scrub",
      "Verify every checksum of a farm or a store; changes nothing, exit code 1 when something is "
      "broken");
  const Command what = command.add_choice("What to verify");
  what.add_option("--farm", arguments->farm, "Directory of the farm");
  what.add_option("--store", arguments->store, "Store made by furrow archive");
  command.add_flag("--json", arguments->json, "Print the report as JSON");
  add_simd_option(command);
  command.run([arguments, &interrupts, &exit_code] {
    const std::stop_token stop = interrupts.take_token();
    exit_code = arguments->farm.has_value()
                    ? print_report(scrubbed_farm(*arguments->farm, stop), arguments->json)
                    : print_report(scrubbed_store(*arguments->store, stop), arguments->json);
  });
}

}  // namespace furrow::cli
