// SPDX-License-Identifier: Apache-2.0
#include "simt/schedule.hpp"

#include <charconv>
#include <cstdlib>

#include "furrow/errors.hpp"

namespace furrow::simt {
namespace {

constinit thread_local const Schedule* t_innermost = nullptr;

template <class T>
bool read_number(std::string_view digits, T& number) {
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  return error == std::errc() && stop == end;
}

Schedule from_environment() {
  const char* text = std::getenv("FURROW_SIMT_SCHEDULE");
  return text == nullptr ? Schedule::ascending() : Schedule::parse(text);
}

}  // namespace

Schedule Schedule::parse(std::string_view text) {
  Schedule schedule;
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const std::string_view number =
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  bool good = colon == std::string_view::npos;
  if (name == "descending") {
    schedule.kind = Kind::kDescending;
  } else if (name == "shuffle") {
    schedule.kind = Kind::kShuffle;
    good = read_number(number, schedule.seed);
  } else if (name == "ahead") {
    schedule.kind = Kind::kAhead;
    good = read_number(number, schedule.warp);
  } else {
    good = good && name == "ascending";
  }
  if (!good) {
    throw InvalidArgument("schedule \"" + std::string(text) +
                          "\": expected ascending, descending, shuffle:SEED or ahead:WARP");
  }
  return schedule;
}

std::string Schedule::text() const {
  switch (kind) {
    case Kind::kAscending:
      return "ascending";
    case Kind::kDescending:
      return "descending";
    case Kind::kShuffle:
      return "shuffle:" + std::to_string(seed);
    case Kind::kAhead:
      return "ahead:" + std::to_string(warp);
  }
  throw InvalidArgument("schedule of unknown kind " + std::to_string(static_cast<int>(kind)));
}

Schedule current_schedule() {
  static const Schedule base = from_environment();
  return t_innermost == nullptr ? base : *t_innermost;
}

ScopedSchedule::ScopedSchedule(const Schedule& schedule)
    : outer_(t_innermost), schedule_(schedule) {
  t_innermost = &schedule_;
}

ScopedSchedule::~ScopedSchedule() {
  t_innermost = outer_;
}

std::vector<Schedule> all_schedules(unsigned n_shuffles, std::uint64_t first_seed) {
  std::vector<Schedule> schedules = {Schedule::ascending(), Schedule::descending(),
                                     Schedule::ahead(1)};
  for (unsigned i = 0; i < n_shuffles; ++i) {
    schedules.push_back(Schedule::shuffle(first_seed + i));
  }
  return schedules;
}

}  // namespace furrow::simt
