// SPDX-License-Identifier: Apache-2.0
#include "tools/progress_text.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace furrow::cli {
namespace {

constexpr double kMinute = 60;
constexpr double kHour = 60 * kMinute;
constexpr double kDay = 24 * kHour;
constexpr std::size_t kLeastBar = 10;
constexpr std::size_t kMostBar = 30;

/// Two numbers, the second one of 1/`per` of the unit of the first.
std::string two_units(double seconds, double unit, const char* name, double per,
                      const char* part_name) {
  const auto parts = static_cast<std::uint64_t>(seconds / (unit / per));
  const auto whole = parts / static_cast<std::uint64_t>(per);
  return fmt::format("{} {} {} {}", whole, name, parts - whole * static_cast<std::uint64_t>(per),
                     part_name);
}

/// Three digits, more before the point.
std::string three_digits(double value) {
  return fmt::format("{:.{}f}", value, value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0);
}

std::string percent_text(const Standing& standing) {
  // 100 % is what is done, so it is not rounded to.
  const double share = std::clamp(standing.share, 0.0, 1.0);
  return fmt::format("{} %", static_cast<int>(100 * share));
}

std::string time_text(const Standing& standing) {
  if (!standing.state.empty()) {
    return standing.state;
  }
  return standing.seconds_left < 0 ? "" : duration_text(standing.seconds_left) + " left";
}

/// What is shown behind task and percentage, in the order in which it is shown.
struct Part {
  std::string text;
  int rank;  ///< the lower, the sooner it gets room
};

std::vector<Part> parts_of(const Standing& standing) {
  std::vector<Part> parts;
  int rank = 1;
  for (const std::string& count : standing.counts) {
    parts.push_back({count, rank});
    rank += 2;  // the rate comes behind the first one
  }
  if (standing.bytes_per_second > 0) {
    parts.push_back({rate_text(standing.bytes_per_second), 2});
    parts.push_back({daily_rate_text(standing.bytes_per_second), rank});
  }
  parts.push_back({time_text(standing), 0});
  for (const std::string& remark : standing.remarks) {
    parts.push_back({remark, ++rank});
  }
  std::erase_if(parts, [](const Part& part) { return part.text.empty(); });
  return parts;
}

}  // namespace

std::string duration_text(double seconds) {
  const double whole = std::max(1.0, std::ceil(seconds));
  if (whole < kMinute) {
    return fmt::format("{:.0f} s", whole);
  }
  if (whole < kHour) {
    return two_units(whole, kMinute, "min", 60, "s");
  }
  if (whole < kDay) {
    return two_units(whole, kHour, "h", 60, "min");
  }
  return two_units(whole, kDay, "d", 24, "h");
}

std::string rate_text(double bytes_per_second) {
  return three_digits(bytes_per_second / 0x1p20) + " MiB/s";
}

std::string daily_rate_text(double bytes_per_second) {
  return three_digits(bytes_per_second * kDay / 0x1p40) + " TiB a day";
}

double share_of(std::uint64_t done, std::uint64_t total) {
  return total == 0 ? 0 : static_cast<double>(done) / static_cast<double>(total);
}

std::string standing_line(const Standing& standing) {
  std::string line = standing.task + ": " + percent_text(standing);
  for (const Part& part : parts_of(standing)) {
    line += ", " + part.text;
  }
  return line;
}

std::string standing_bar(const Standing& standing, std::size_t width) {
  const std::size_t room = std::max<std::size_t>(width, 1) - 1;
  const std::vector<Part> parts = parts_of(standing);
  std::vector<const Part*> by_rank;
  for (const Part& part : parts) {
    by_rank.push_back(&part);
  }
  std::stable_sort(by_rank.begin(), by_rank.end(),
                   [](const Part* left, const Part* right) { return left->rank < right->rank; });

  std::size_t taken = standing.task.size() + 1 + percent_text(standing).size();
  std::size_t bar = 0;
  const auto takes = [&](std::size_t more) {
    const bool fits = taken + more <= room;
    taken += fits ? more : 0;
    return fits;
  };
  std::vector<const Part*> shown;
  for (const Part* part : by_rank) {
    // Behind the time that is left a small bar tells the most in the least room.
    if (part->rank > 0 && bar == 0 && takes(kLeastBar + 3)) {
      bar = kLeastBar;
    }
    if (takes(part->text.size() + 2)) {
      shown.push_back(part);
    }
  }
  if (bar == 0 && takes(kLeastBar + 3)) {
    bar = kLeastBar;
  }
  for (; bar != 0 && bar < kMostBar && takes(1); ++bar) {
  }

  std::string text = standing.task + ' ';
  if (bar != 0) {
    const auto filled =
        static_cast<std::size_t>(std::clamp(standing.share, 0.0, 1.0) * static_cast<double>(bar));
    text += '[' + std::string(filled, '#') + std::string(bar - filled, '.') + "] ";
  }
  text += percent_text(standing);
  for (const Part& part : parts) {
    if (std::find(shown.begin(), shown.end(), &part) != shown.end()) {
      text += ", " + part.text;
    }
  }
  text.resize(std::min(text.size(), room));
  return text;
}

}  // namespace furrow::cli
