// SPDX-License-Identifier: Apache-2.0
/** @file
 * The library as one of its users sees it (furrow/c/library.h). Part of furrow/furrow.hpp. */
#ifndef FURROW_CPP_LIBRARY_HPP
#define FURROW_CPP_LIBRARY_HPP

#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "furrow/cpp/error.hpp"

namespace furrow {
inline namespace v0_1 {

/// Of the library that is linked, such as "0.1.0".
inline std::string_view version() noexcept {
  return furrow_version();
}
/// Of the library that is linked: at least the FURROW_ABI_VERSION of these headers.
inline std::uint32_t abi_version() noexcept {
  return furrow_abi_version();
}

/// Functions that a library calls; those that are not set are not called. They live until the
/// library and all that was made from it are gone. What they throw is lost: there is no call that it
/// could come out of.
struct LibraryOptions {
  /// Told one line, without an end of line. From any thread, several at once.
  std::function<void(furrow_log_level level, std::string_view line)> on_log;
  /// Called first on each thread that the library starts: the place for its priority and affinity.
  /// From several threads at once.
  std::function<void(const char* name)> on_thread_start;
  /// Called last on each such thread.
  std::function<void(const char* name)> on_thread_end;
};

/// One user of the library.
class Library {
 public:
  /// Makes a library; nobody is told anything by default.
  explicit Library(LibraryOptions options = {}) : Library(make(std::move(options))) {}

  /// Bytes of host memory that it keeps for calls to come.
  [[nodiscard]] std::uint64_t kept_memory() const {
    std::uint64_t bytes = 0;
    detail::check(furrow_library_kept_memory(get(), &bytes));
    return bytes;
  }
  /// Lets them go.
  void release_memory() { detail::check(furrow_library_release_memory(get())); }

  /// For functions of the C interface.
  [[nodiscard]] furrow_library* get() const noexcept { return handle_.get(); }
  /// What everything that is made from it keeps.
  [[nodiscard]] const detail::Kept& kept() const noexcept { return handle_.kept(); }

 private:
  using Owner = detail::Handle<furrow_library, furrow_library_destroy>;
  explicit Library(Owner handle) noexcept : handle_(std::move(handle)) {}

  static Owner make(LibraryOptions options) {
    const auto hooks = std::make_shared<const LibraryOptions>(std::move(options));
    furrow_library_options c = detail::initialised(furrow_library_options_init);
    c.log_user = c.thread_user = const_cast<LibraryOptions*>(hooks.get());
    if (hooks->on_log) {
      c.on_log = [](void* user, furrow_log_level level, const char* line) noexcept {
        call(static_cast<const LibraryOptions*>(user)->on_log, level, line);
      };
    }
    if (hooks->on_thread_start) {
      c.on_thread_start = [](void* user, const char* name) noexcept {
        call(static_cast<const LibraryOptions*>(user)->on_thread_start, name);
      };
    }
    if (hooks->on_thread_end) {
      c.on_thread_end = [](void* user, const char* name) noexcept {
        call(static_cast<const LibraryOptions*>(user)->on_thread_end, name);
      };
    }
    furrow_library* library = nullptr;
    detail::check(furrow_library_create(&c, &library));
    return Owner(library, hooks);
  }

  template <class Function, class... Arguments>
  static void call(const Function& function, Arguments... arguments) noexcept {
    try {
      function(arguments...);
    } catch (...) {
      static_cast<void>(0);  // see LibraryOptions
    }
  }

  Owner handle_;
};

}  // namespace v0_1
}  // namespace furrow

#endif
