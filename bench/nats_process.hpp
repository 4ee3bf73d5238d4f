// SPDX-License-Identifier: Apache-2.0
// A NATS server for a benchmark, on the loopback, and what it costs.
#pragma once

#include <csignal>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/free_port.hpp"
#include "host/cluster/nats_bus.hpp"

namespace furrow {

inline double seconds_of(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

inline std::string loopback_url(std::uint16_t port) {
  return "nats://127.0.0.1:" + std::to_string(port);
}

/// Runs for its lifetime.
class NatsProcess {
 public:
  explicit NatsProcess(const std::string& program) {
    std::string name =
        (std::filesystem::temp_directory_path() / "furrow-bench-nats-XXXXXX").native();
    directory_ = ::mkdtemp(name.data());
    port_ = free_port();
    const std::string conf = (directory_ / "nats.conf").native();
    std::ofstream(conf) << "listen: \"127.0.0.1:" << port_ << "\"\nmax_payload: 2MB\nlog_file: \""
                        << (directory_ / "log").native() << "\"\n";
    process_ = ::fork();
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // also when the benchmark is interrupted
      ::execl(program.c_str(), program.c_str(), "-c", conf.c_str(), nullptr);
      ::_exit(127);
    }
    wait_until_there();
  }
  NatsProcess(const NatsProcess&) = delete;
  NatsProcess& operator=(const NatsProcess&) = delete;
  ~NatsProcess() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Processor time of all its threads so far.
  [[nodiscard]] double processor_seconds() const {
    clockid_t clock{};
    if (::clock_getcpuclockid(process_, &clock) != 0) {
      throw std::runtime_error("nats-server has ended");
    }
    return seconds_of(clock);
  }

 private:
  void wait_until_there() const {
    for (int i = 0; i < 500; ++i) {
      try {
        static_cast<void>(cluster::connect_to_nats({.servers = {loopback_url(port_)}}));
        return;
      } catch (const cluster::NatsConnectFailed&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
    }
    throw std::runtime_error("nats-server does not listen");
  }

  std::filesystem::path directory_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

}  // namespace furrow
