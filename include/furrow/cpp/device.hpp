// SPDX-License-Identifier: Apache-2.0
/** @file
 * The CUDA devices of the machine (furrow/c/device.h). Part of furrow/furrow.hpp. */
#ifndef FURROW_CPP_DEVICE_HPP
#define FURROW_CPP_DEVICE_HPP

#include <array>
#include <string>
#include <utility>

#include "furrow/cpp/library.hpp"

namespace furrow {
inline namespace v0_1 {

/// The devices at one moment, in the order of their indexes. Empty is no error: problem() says why.
class DeviceList {
 public:
  /// Asks the driver, for at most 10 seconds.
  explicit DeviceList(const Library& library) : DeviceList(make(library)) {}

  /// How many devices there are.
  [[nodiscard]] std::size_t size() const {
    std::size_t count = 0;
    detail::check(furrow_device_list_count(get(), &count));
    return count;
  }
  /// Why there are none; "" when there are.
  [[nodiscard]] std::string problem() const {
    std::array<char, 1024> text{};
    detail::check(furrow_device_list_problem(get(), text.data(), text.size()));
    return text.data();
  }
  /// One of them; position is less than size().
  [[nodiscard]] furrow_device at(std::size_t position) const {
    return detail::filled<furrow_device>(
        [&](furrow_device* device) { return furrow_device_list_get(get(), position, device); });
  }
  /// Lets it prove itself; unusable_reason says what came of it.
  furrow_device check(std::size_t position) {
    return detail::filled<furrow_device>(
        [&](furrow_device* device) { return furrow_device_list_check(get(), position, device); });
  }

  /// For functions of the C interface.
  [[nodiscard]] furrow_device_list* get() const noexcept { return handle_.get(); }

 private:
  using Owner = detail::Handle<furrow_device_list, furrow_device_list_destroy>;
  explicit DeviceList(Owner handle) noexcept : handle_(std::move(handle)) {}

  static Owner make(const Library& library) {
    furrow_device_list* list = nullptr;
    detail::check(furrow_device_list_create(library.get(), &list));
    return Owner(list, library.kept());
  }

  Owner handle_;
};

}  // namespace v0_1
}  // namespace furrow

#endif
