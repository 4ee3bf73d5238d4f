// SPDX-License-Identifier: Apache-2.0
// How far a command is, as text: pure functions of numbers, so that nothing here knows a clock or a
// terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace furrow::cli {

/// "1 s", "42 s", "12 min 5 s", "5 h 12 min", "2 d 3 h"; never 0, because what is left takes time.
[[nodiscard]] std::string duration_text(double seconds);
/// "81.2 MiB/s".
[[nodiscard]] std::string rate_text(double bytes_per_second);
/// "6.69 TiB a day".
[[nodiscard]] std::string daily_rate_text(double bytes_per_second);

/// `done` of `total`, 0 of nothing.
[[nodiscard]] double share_of(std::uint64_t done, std::uint64_t total);

/// How far something is, ready to be shown.
struct Standing {
  std::string task;                      ///< such as "archive"
  double share = 0;                      ///< of the work that is done, 0 to 1
  std::vector<std::string> counts = {};  ///< such as "12 of 40 files", the most important one first
  double bytes_per_second = -1;          ///< negative: unknown
  double seconds_left = -1;              ///< negative: unknown
  std::string state = {};  ///< such as "paused": said in place of the time that is left
  std::vector<std::string> remarks = {};  ///< said when there is room
};

/// All of it, for a log: "archive: 42 %, 0.5 of 1.2 GiB, ..., 2 min 5 s left".
[[nodiscard]] std::string standing_line(const Standing& standing);

/// As much of it as fits into a terminal of `width` columns, with a bar when there is room; at most
/// width - 1 characters, because some terminals wrap behind the last column.
[[nodiscard]] std::string standing_bar(const Standing& standing, std::size_t width);

}  // namespace furrow::cli
