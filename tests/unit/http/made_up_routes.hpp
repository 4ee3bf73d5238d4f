// SPDX-License-Identifier: Apache-2.0
// Routes of a face that is made up, for tests of the server behind them.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "host/http/http_routes.hpp"

namespace furrow::test {

inline constexpr std::size_t kWindow = std::size_t{1} << 20;
/// More windows than the system keeps of what a client does not take.
inline constexpr std::uint64_t kWindows = 64;

/// Outlives the server that gets the routes.
class MadeUpFace {
 public:
  std::atomic<std::uint64_t> n_asked = 0;
  std::atomic<std::uint64_t> n_windows = 0;  ///< of /large, begun so far
  /// Called for each request.
  std::function<void()> before;

  /// GET /thing, GET /things/NAME, POST /list of up to 32 bytes, GET /large without a length.
  HttpRoutes routes() {
    HttpRoutes result;
    result.get("/thing", [this](const HttpRequest&) {
      note();
      return HttpResponse::line(kStatusOk, "a thing");
    });
    result.get_below("/things/", [this](const HttpRequest& request) {
      note();
      return HttpResponse::line(kStatusOk, std::string(request.below()) + " is what you want");
    });
    result.post("/list",
                {.max_bytes = 32, .name = "a list of things", .too_large = "too many things"},
                [this](const HttpRequest& request) {
                  note();
                  return HttpResponse::line(kStatusOk, std::string(request.body()) + " is a list");
                });
    result.get("/large", [this](const HttpRequest&) {
      note();
      return HttpResponse{.content_type = "application/octet-stream",
                          .writer = [this](const HttpSink& sink) {
                            const std::string window(kWindow, 'x');
                            for (std::uint64_t i = 0; i < kWindows; ++i) {
                              ++n_windows;
                              if (!write_in_parts(window, sink)) {
                                return false;
                              }
                            }
                            return true;
                          }};
    });
    return result;
  }

 private:
  void note() {
    ++n_asked;
    if (before) {
      before();
    }
  }
};

}  // namespace furrow::test
