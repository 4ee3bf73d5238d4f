// SPDX-License-Identifier: Apache-2.0
// Requests of libcurl under way together.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>

#include <curl/curl.h>

#include "host/http/curl_request.hpp"

namespace furrow {

/// For one thread but for wake(). Keeps the connections between requests.
class CurlLoop {
 public:
  /// As long as anybody may wait without being woken.
  static constexpr std::chrono::milliseconds kLongestWait = std::chrono::seconds(60);

  /// Keeps up to so many connections. Throws std::bad_alloc, as all of it does.
  explicit CurlLoop(std::size_t max_connections);

  void add(CurlRequest& request) { require(curl_multi_add_handle(multi_.get(), request.get())); }
  void remove(CurlRequest& request) noexcept {
    curl_multi_remove_handle(multi_.get(), request.get());
  }
  /// Does what can be done now.
  void perform();
  struct Ended {
    CurlRequest* request;
    CURLcode code;
  };
  /// A request that ended, if there is one; it is removed.
  [[nodiscard]] std::optional<Ended> take_ended();
  /// Waits until there is something to do, wake() was called, or the time is over.
  void wait(std::chrono::milliseconds most);
  /// Thread-safe.
  void wake() noexcept { curl_multi_wakeup(multi_.get()); }

 private:
  struct Free {
    void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
  };
  static void require(CURLMcode code);

  std::unique_ptr<CURLM, Free> multi_;
};

/// The result of one request over a connection of its own; none when a stop was requested.
std::optional<CURLcode> perform_alone(CurlRequest& request, const std::stop_token& stop);

}  // namespace furrow
