// SPDX-License-Identifier: Apache-2.0
// Tests with a real NATS server, skipped where there is none.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "host/cluster/nats_bus.hpp"
#include "tests/support/nats_server.hpp"

// Path of the server, from the build.
#ifndef FURROW_NATS_SERVER
#define FURROW_NATS_SERVER "NOTFOUND"
#endif

namespace furrow::test {

class NatsTest : public testing::Test {
 protected:
  static inline const std::string kTwoMegabytes = "max_payload: 2MB\n";

  void SetUp() override {
    if (std::string(FURROW_NATS_SERVER).ends_with("NOTFOUND")) {
      GTEST_SKIP() << "no nats-server: tools/install-deps.sh --test installs it";
    }
  }
  NatsServer& start_server(const std::string& configuration = kTwoMegabytes) {
    return server_.emplace(FURROW_NATS_SERVER, configuration);
  }
  /// To the server that runs, unless the options name another one.
  [[nodiscard]] std::unique_ptr<cluster::Bus> connect(cluster::NatsOptions options = {}) const {
    if (options.servers.empty()) {
      options.servers = {server_->url()};
    }
    return cluster::connect_to_nats(options);
  }

  std::optional<NatsServer> server_;
};

}  // namespace furrow::test
