#include "host/archive/parallel_for.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace furrow {

void parallel_for(std::size_t n, unsigned threads, const std::function<void(std::size_t)>& part) {
  if (threads == 0) {
    threads = std::max(1U, std::thread::hardware_concurrency());
  }
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr first_error;
  const auto work = [&] {
    try {
      for (std::size_t i = next++; i < n; i = next++) {
        part(i);
      }
    } catch (...) {
      next = n;
      const std::scoped_lock lock(mutex);
      if (!first_error) {
        first_error = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    const std::size_t n_threads = std::min<std::size_t>(threads, n);
    for (std::size_t i = 1; i < n_threads; ++i) {
      helpers.emplace_back(work);
    }
    work();
  }
  if (first_error) {
    std::rethrow_exception(first_error);
  }
}

}  // namespace furrow
