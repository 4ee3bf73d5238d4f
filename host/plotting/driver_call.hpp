// SPDX-License-Identifier: Apache-2.0
// Calls into the CUDA driver, without waiting for ever: a driver may hang in any of them, in the
// kernel even, where nothing can interrupt it.
#pragma once

#include <chrono>
#include <functional>

namespace furrow {

/// Whether `work` came to its end within `patience`; what it throws is thrown here. Otherwise the
/// thread that it runs on is left behind, since it cannot be ended: it may use what it uses for
/// ever.
[[nodiscard]] bool call_driver(std::chrono::milliseconds patience, std::function<void()> work);

/// Threads that are left behind and have not come back.
[[nodiscard]] int n_stuck_in_driver() noexcept;

/// Something of the driver's was left behind that will never end, such as a batch of records.
void note_silent_driver() noexcept;

/// Whether a thread, or something else, was ever left behind in the driver. The process then has to
/// end without the destructors of the CUDA runtime, which wait for it: by _exit.
[[nodiscard]] bool is_driver_silent() noexcept;

}  // namespace furrow
