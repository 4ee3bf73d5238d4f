// SPDX-License-Identifier: Apache-2.0
/** @file
 * Gates, at which encoders and plotters pause while a farmer proves (furrow/c/gate.h). Part of
 * furrow/furrow.hpp. */
#ifndef FURROW_CPP_GATE_HPP
#define FURROW_CPP_GATE_HPP

#include <memory>
#include <utility>

#include "furrow/cpp/error.hpp"

namespace furrow {
inline namespace v0_1 {

/// Keeps a gate closed as long as it lives, which has to end before the gate does.
class [[nodiscard]] Pause {
 public:
  /// Closes the gate.
  explicit Pause(furrow_gate* gate) {
    detail::check(furrow_gate_close(gate));
    gate_.reset(gate);
  }

  /// Ends it now. One that has ended, or was moved from, stays ended.
  void end() noexcept { gate_.reset(); }

 private:
  struct Open {
    void operator()(furrow_gate* gate) const noexcept { furrow_gate_open(gate); }
  };
  std::unique_ptr<furrow_gate, Open> gate_;
};

/// Open at first.
class Gate {
 public:
  /// Makes a gate that is open.
  Gate() : Gate(make()) {}

  /// Closes it until the pause is destroyed. Pauses may overlap.
  Pause pause() { return Pause(get()); }
  /// Closes it. Closed twice, it has to be opened twice.
  void close() { detail::check(furrow_gate_close(get())); }
  /// Takes one closing back. Throws when it is open.
  void open() { detail::check(furrow_gate_open(get())); }

  /// For functions of the C interface.
  [[nodiscard]] furrow_gate* get() const noexcept { return handle_.get(); }

 private:
  using Owner = detail::Handle<furrow_gate, furrow_gate_destroy>;
  explicit Gate(Owner handle) noexcept : handle_(std::move(handle)) {}

  static Owner make() {
    furrow_gate* gate = nullptr;
    detail::check(furrow_gate_create(&gate));
    return Owner(gate, nullptr);
  }

  Owner handle_;
};

}  // namespace v0_1
}  // namespace furrow

#endif
