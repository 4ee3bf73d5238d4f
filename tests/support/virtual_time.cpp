// SPDX-License-Identifier: Apache-2.0
#include "tests/support/virtual_time.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace furrow::test {
namespace {

constexpr std::chrono::microseconds kBetweenLooks{20};

/// The other threads of the process, and whether they sleep. Of one thread.
class Others {
 public:
  Others() = default;
  Others(const Others&) = delete;
  Others& operator=(const Others&) = delete;
  ~Others() {
    for (const auto& [thread, file] : files_) {
      ::close(file);
    }
  }

  /// Looks twice. When all were asleep both times, and none has gone to sleep in between, there is a
  /// moment between the two at which all slept, with nobody awake to wake them.
  bool all_sleep() {
    const auto first = look();
    return first.has_value() && look() == first;
  }

 private:
  using Sleeps = std::map<std::string, std::string>;

  /// How often each has gone to sleep so far; none when one of them is awake.
  std::optional<Sleeps> look() {
    if (!last_awake_.empty()) {
      const std::string_view status = status_of(last_awake_);
      if (!status.empty() && is_awake(status)) {  // as a rule it still is
        return std::nullopt;
      }
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> threads(::opendir("/proc/self/task"), ::closedir);
    Sleeps result;
    while (const dirent* const entry = ::readdir(threads.get())) {
      if (entry->d_name[0] == '.' || entry->d_name == self_) {
        continue;
      }
      const std::string_view status = status_of(entry->d_name);
      if (is_awake(status)) {
        last_awake_ = entry->d_name;
        return std::nullopt;
      }
      result[entry->d_name] = status.substr(status.rfind("\nvoluntary_"));
    }
    return result;
  }

  static bool is_awake(std::string_view status) {
    return status.find("\nState:\tS") == std::string_view::npos;
  }

  /// What the system says of a thread; empty when it is gone. Files stay open: that is most of it.
  std::string_view status_of(const std::string& thread) {
    const auto [at, is_new] = files_.try_emplace(thread, -1);
    if (is_new) {
      at->second = ::open(("/proc/self/task/" + thread + "/status").c_str(), O_RDONLY | O_CLOEXEC);
    }
    const ssize_t length = ::pread(at->second, buffer_.data(), buffer_.size(), 0);
    if (length <= 0) {
      ::close(at->second);
      files_.erase(at);
      return {};
    }
    return {buffer_.data(), static_cast<std::size_t>(length)};
  }

  const std::string self_ = std::to_string(::gettid());
  std::map<std::string, int> files_;
  std::string last_awake_;
  std::array<char, 4096> buffer_;
};

}  // namespace

VirtualTime::VirtualTime(unsigned cores)
    : cores_(cores), thread_([this](const std::stop_token& stop) { run(stop); }) {}

VirtualTime::~VirtualTime() {
  thread_.request_stop();
}

double VirtualTime::now() const {
  const Lock lock(mutex_);
  return now_;
}

double VirtualTime::computed() const {
  const Lock lock(mutex_);
  return computed_;
}

void VirtualTime::wait_until(double moment) {
  if (moment > now()) {
    Sleeper sleeper{.until = moment};
    sleep(sleeper);
  }
}

void VirtualTime::compute(double seconds) {
  if (seconds > 0) {
    Sleeper sleeper{.left = seconds, .computes = true};
    sleep(sleeper);
  }
}

void VirtualTime::sleep(Sleeper& sleeper) {
  {
    const Lock lock(mutex_);
    sleepers_.push_back(&sleeper);
    changed_.notify_all();
  }
  sleeper.wake.acquire();
}

void VirtualTime::run(const std::stop_token& stop) {
  Others others;
  while (!stop.stop_requested()) {
    {
      const Lock lock(mutex_);
      if (!changed_.wait(mutex_, stop,
                         [this]() FURROW_REQUIRES(mutex_) { return !sleepers_.empty(); })) {
        return;
      }
    }
    if (others.all_sleep()) {
      const Lock lock(mutex_);
      wake_next();
    } else {
      std::this_thread::sleep_for(kBetweenLooks);
    }
  }
}

void VirtualTime::wake_next() {
  const auto n_computing = static_cast<double>(std::count_if(
      sleepers_.begin(), sleepers_.end(), [](const Sleeper* one) { return one->computes; }));
  const double speed = n_computing > cores_ ? cores_ / n_computing : 1;
  const auto wakes_at = [&](const Sleeper& one) FURROW_REQUIRES(mutex_) {
    return one.computes ? now_ + one.left / speed : one.until;
  };
  const auto next =
      std::min_element(sleepers_.begin(), sleepers_.end(),
                       [&](const Sleeper* a, const Sleeper* b)
                           FURROW_REQUIRES(mutex_) { return wakes_at(*a) < wakes_at(*b); });
  const double passed = std::max(0.0, wakes_at(**next) - now_);
  for (Sleeper* const one : sleepers_) {
    if (one->computes) {
      const double done = std::min(one->left, passed * speed);
      one->left -= done;
      computed_ += done;
    }
  }
  now_ += passed;
  Sleeper& woken = **next;
  sleepers_.erase(next);
  woken.wake.release();
}

}  // namespace furrow::test
