// SPDX-License-Identifier: Apache-2.0
// The socket that a server listens on.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "furrow/errors.hpp"

namespace furrow {

/// The address cannot be listened on; the message names it.
class CannotListen : public Error {
 public:
  CannotListen(const std::string& address, std::uint16_t port, const std::string& reason);
};

/// A descriptor that is closed at the end; -1 is none.
class OwnedDescriptor {
 public:
  explicit OwnedDescriptor(int descriptor = -1) : descriptor_(descriptor) {}
  OwnedDescriptor(OwnedDescriptor&& other) noexcept : descriptor_(other.release()) {}
  OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept;
  ~OwnedDescriptor();
  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] int release() noexcept;

 private:
  int descriptor_;
};

class ListeningSocket {
 public:
  /// Port 0 picks one that is free. Throws CannotListen, also when a stop was requested before the
  /// name was found, and ResourceExhausted.
  ListeningSocket(const std::string& address, std::uint16_t port, const std::stop_token& stop);
  [[nodiscard]] int descriptor() const { return socket_.get(); }
  /// Refuses whoever comes from now on. No accept afterwards.
  void close() { socket_ = OwnedDescriptor(); }
  /// The port in use.
  [[nodiscard]] std::uint16_t port() const { return port_; }

  struct Accepted {
    OwnedDescriptor socket;  ///< not blocking; none when nobody is there any more, or on an error
    std::string client;      ///< by client_of
    int error = 0;           ///< errno of what the system lacks; 0 else
  };
  /// Takes the next connection; does not wait for one.
  [[nodiscard]] Accepted accept() const;

 private:
  OwnedDescriptor socket_;
  std::uint16_t port_ = 0;
};

}  // namespace furrow
