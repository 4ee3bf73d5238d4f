// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "host/base/counted.hpp"
#include "host/base/printable.hpp"
#include "host/farm/scrub.hpp"
#include "nlohmann/json.hpp"
#include "tools/cli_support.hpp"
#include "tools/interrupt_watch.hpp"
#include "tools/json_text.hpp"
#include "tools/progress.hpp"
#include "tools/standard_output.hpp"

namespace furrow::cli {
namespace {

struct ScrubArguments {
  std::string farm;
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

void run_scrub(const ScrubArguments& arguments, const std::stop_token& stop, int& exit_code) {
  std::optional<Progress> progress(std::in_place, "scrub", "sector");
  const ScrubReport report = scrub_farm(
      {.directory = arguments.farm},
      [&](const ScrubProgress& now) {
        progress->set({.share = share_of(now.bytes_done, now.bytes_total),
                       .bytes_total = now.bytes_total,
                       .items_done = now.sectors_done,
                       .items_total = now.sectors_total});
      },
      stop);
  progress.reset();
  if (report.stopped) {
    throw Interrupted();
  }
  if (arguments.json) {
    print_json(report);
  } else {
    print_text(report);
  }
  // A lost sector is what a run leaves that ended before a sector that others had overtaken, and
  // is known for it: nothing that the farm says of itself is wrong.
  exit_code = report.broken.empty() ? kSuccess : kCheckFailed;
}

}  // namespace

void add_scrub_command(Command app, InterruptWatch& interrupts, int& exit_code) {
  const auto arguments = std::make_shared<ScrubArguments>();
  const Command command = app.add_command(
      "scrub",
      "Verify every checksum of a farm; changes nothing, exit code 1 when something is broken");
  command.add_option("--farm", arguments->farm, "Directory of the farm").required();
  command.add_flag("--json", arguments->json, "Print the report as JSON");
  add_simd_option(command);
  command.run([arguments, &interrupts, &exit_code] {
    run_scrub(*arguments, interrupts.take_token(), exit_code);
  });
}

}  // namespace furrow::cli
