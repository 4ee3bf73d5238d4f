// SPDX-License-Identifier: Apache-2.0
// For tests that write small kernels as lambdas and run them under every schedule.
#pragma once

#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "cuda/simt.cuh"
#include "simt/errors.hpp"
#include "simt/grid.hpp"
#include "simt/schedule.hpp"

namespace furrow::simt {

/// Calls `test` under each kind of schedule; a failure names the one it happened under.
inline void for_each_schedule(const std::function<void()>& test, unsigned n_shuffles = 4) {
  for (const Schedule& schedule : all_schedules(n_shuffles)) {
    SCOPED_TRACE("FURROW_SIMT_SCHEDULE=" + schedule.text());
    const ScopedSchedule scoped(schedule);
    test();
  }
}

/// The message of the ErrorType that `run` throws; a failure and "" when it throws none.
template <class ErrorType>
std::string message_of(const std::function<void()>& run) {
  try {
    run();
  } catch (const ErrorType& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another error than expected: " << error.what();
    return "";
  }
  ADD_FAILURE() << "no error was found";
  return "";
}

}  // namespace furrow::simt
