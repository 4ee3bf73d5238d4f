// SPDX-License-Identifier: Apache-2.0
#include "tools/progress.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "host/base/byte_size.hpp"
#include "host/base/counted.hpp"
#include "tools/terminal.hpp"

namespace furrow::cli {

Progress::Progress(std::string task, std::string item)
    : task_(std::move(task)),
      item_(std::move(item)),
      has_bar_(terminal().has_bars()),
      ticker_(has_bar_ ? show_intervals().bar : show_intervals().line, [this] { show(); }) {}

Progress::~Progress() {
  ticker_ = {};
  terminal().clear_bar();
}

void Progress::set(const Counts& counts) {
  const Lock lock(mutex_);
  counts_ = counts;
}

void Progress::show() {
  const Standing now = standing();
  if (has_bar_) {
    terminal().show_bar(standing_bar(now, terminal().width()));
  } else {
    terminal().line(standing_line(now));
  }
}

Standing Progress::standing() {
  const Lock lock(mutex_);
  Standing result{.task = task_};
  result.share = std::clamp(counts_.share, 0.0, 1.0);
  share_rate_.add(std::chrono::duration<double>(Clock::now() - start_).count(), result.share);
  const double rate = share_rate_.per_second();
  const auto bytes = static_cast<double>(counts_.bytes_total);
  if (counts_.bytes_total != 0) {
    result.counts.push_back(fmt::format("{} of {}",
                                        size_text(static_cast<std::uint64_t>(bytes * result.share)),
                                        size_text(counts_.bytes_total)));
    result.bytes_per_second = rate * bytes;
  }
  if (counts_.items_total != 0) {
    result.counts.push_back(
        fmt::format("{} of {}", counts_.items_done, counted(counts_.items_total, item_)));
  }
  if (result.share >= 1) {
    result.state = "finishing";
  } else if (rate > 0) {
    result.seconds_left = (1 - result.share) / rate;
  }
  return result;
}

}  // namespace furrow::cli
