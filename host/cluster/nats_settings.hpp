// SPDX-License-Identifier: Apache-2.0
// What the library of NATS is told of a connection, how one is made, and why it is not
// (docs/spec/07-cluster-protocol.md, section 3). For nats_bus.cpp.
#pragma once

#include <memory>
#include <string>

#include <nats/nats.h>

#include "host/cluster/nats_bus.hpp"

namespace furrow::cluster {

[[nodiscard]] std::string status_text(natsStatus status);

class NatsSettings {
 public:
  /// All but the callbacks. Throws InvalidArgument for options that contradict one another, IoError for files
  /// that cannot be read, and NatsConnectFailed for what the library refuses.
  explicit NatsSettings(const NatsOptions& options);

  /// Throws NatsConnectFailed, which names `what`, when the library has refused it.
  void apply(const std::string& what, natsStatus status);
  [[nodiscard]] natsOptions* get() const { return options_.get(); }

 private:
  std::unique_ptr<natsOptions, decltype(&natsOptions_Destroy)> options_{nullptr,
                                                                        natsOptions_Destroy};
};

/// A connection with these settings, which are made of `options`. Throws NatsConnectFailed.
[[nodiscard]] natsConnection* connect(const NatsSettings& settings, const NatsOptions& options);

}  // namespace furrow::cluster
