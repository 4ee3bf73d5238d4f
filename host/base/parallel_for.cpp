// SPDX-License-Identifier: Apache-2.0
#include "host/base/parallel_for.hpp"

#include <algorithm>
#include <atomic>

#include "host/base/machine_limits.hpp"
#include "host/base/threads.hpp"

namespace furrow {

void parallel_for(std::size_t n, unsigned threads, const std::function<void(std::size_t)>& part) {
  if (threads == 0) {
    threads = usable_processors();
  }
  std::atomic<std::size_t> next{0};
  run_workers(std::min<std::size_t>(threads, n), "fw-compute", {},
              [&](std::size_t, const std::stop_token& end) {
                for (std::size_t i = next++; i < n && !end.stop_requested(); i = next++) {
                  part(i);
                }
              });
}

}  // namespace furrow
