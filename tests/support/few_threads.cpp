// SPDX-License-Identifier: Apache-2.0
// A system on which only so many threads run at the same time, for programs that have this preloaded
// (LD_PRELOAD): MOST_THREADS of them beside the first one. More are refused as the kernel does at
// `ulimit -u` or at the pids of a container, which root is not subject to.
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include <dlfcn.h>
#include <pthread.h>

namespace {

std::atomic<int> running = 0;

struct Start {
  void* (*function)(void*);
  void* argument;
};

void* run(void* given) {
  const std::unique_ptr<Start> start(static_cast<Start*>(given));
  void* const result = start->function(start->argument);
  --running;
  return result;
}

}  // namespace

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*function)(void*), void* argument) noexcept {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto kReal = reinterpret_cast<Create>(::dlsym(RTLD_NEXT, "pthread_create"));
  const char* const most = std::getenv("MOST_THREADS");
  if (++running > (most != nullptr ? std::atoi(most) : 0)) {
    --running;
    return EAGAIN;
  }
  auto start = std::make_unique<Start>(Start{function, argument});
  const int failed = kReal(thread, attributes, run, start.get());
  if (failed != 0) {
    --running;
  } else {
    static_cast<void>(start.release());  // the thread's now
  }
  return failed;
}
