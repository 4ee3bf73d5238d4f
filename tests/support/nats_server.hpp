// SPDX-License-Identifier: Apache-2.0
// A real NATS server of a test, on a free port of the loopback.
#pragma once

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nlohmann/json.hpp"
#include "tests/support/temp_directory.hpp"

namespace furrow::test {

/// Runs for its lifetime, but for pauses that a test makes.
class NatsServer {
 public:
  /// `configuration` is what stands in its file besides address and port.
  NatsServer(std::string program, std::string configuration)
      : program_(std::move(program)), configuration_(std::move(configuration)) {
    start();
  }
  NatsServer(const NatsServer&) = delete;
  NatsServer& operator=(const NatsServer&) = delete;
  ~NatsServer() { stop(); }

  void stop() {
    if (process_ != 0) {
      ::kill(process_, SIGKILL);
      ::waitpid(process_, nullptr, 0);
      process_ = 0;
    }
  }
  /// Again, on the same port as before.
  void start() {
    const std::filesystem::path file = directory_.path() / "nats.conf";
    std::ofstream(file) << "listen: \"127.0.0.1:" << port_ << "\"\nports_file_dir: \""
                        << directory_.path().native() << "\"\n"
                        << configuration_ << "\n";
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    const std::filesystem::path log = directory_.path() / "log";
    ::posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                       0600);
    std::string program = program_;
    std::string option = "-c";
    std::string value = file.native();
    char* const arguments[] = {program.data(), option.data(), value.data(), nullptr};
    const int error =
        ::posix_spawn(&process_, program_.c_str(), &actions, nullptr, arguments, environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
      throw std::runtime_error("cannot start " + program_);
    }
    wait_for_port();
  }

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_.path(); }

 private:
  /// The server writes its port when it listens.
  void wait_for_port() {
    const std::filesystem::path ports =
        directory_.path() / ("nats-server_" + std::to_string(process_) + ".ports");
    for (int i = 0; i < 1000; ++i) {
      std::ifstream file(ports);
      const nlohmann::json content = nlohmann::json::parse(file, nullptr, false);
      if (content.is_object() && content.contains("nats")) {
        const auto url = content.at("nats").at(0).get<std::string>();
        port_ = std::stoi(url.substr(url.rfind(':') + 1));
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    std::ifstream log(directory_.path() / "log");
    throw std::runtime_error("nats-server does not listen: " +
                             std::string(std::istreambuf_iterator<char>(log), {}));
  }

  const std::string program_;
  const std::string configuration_;
  TempDirectory directory_;
  int port_ = -1;  // any
  pid_t process_ = 0;
};

}  // namespace furrow::test
