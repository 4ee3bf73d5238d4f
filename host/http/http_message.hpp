// SPDX-License-Identifier: Apache-2.0
// A request and its response as those see them who answer.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/http/http_status.hpp"
#include "host/http/http_warnings.hpp"

namespace httplib {
struct Request;
}

namespace furrow {

/// A request whose headers are here, and its body where its route takes one. It lives until it is
/// answered; what stop() and warnings() give lives until the response is sent.
class HttpRequest {
 public:
  /// `below` is what the path has behind that of its route.
  HttpRequest(const httplib::Request& parsed, std::string_view below, std::stop_token stop,
              HttpWarnings& warnings)
      : parsed_(parsed), below_(below), stop_(std::move(stop)), warnings_(warnings) {}

  [[nodiscard]] std::string_view below() const { return below_; }
  [[nodiscard]] std::string_view body() const;
  /// The first of that name; empty without one.
  [[nodiscard]] std::string header(const char* name) const;
  /// Says when the server ends, and work for a response is to be given up.
  [[nodiscard]] const std::stop_token& stop() const { return stop_; }
  [[nodiscard]] HttpWarnings& warnings() const { return warnings_; }

 private:
  const httplib::Request& parsed_;
  std::string_view below_;
  std::stop_token stop_;
  HttpWarnings& warnings_;
};

/// Takes the next bytes of a body. False when nobody wants any more: the client is gone, or the
/// server ends.
using HttpSink = std::function<bool(std::string_view)>;
/// Gives the sink a body. False when it did not give all of it; the connection ends then.
using HttpBodyWriter = std::function<bool(const HttpSink&)>;

struct HttpResponse {
  int status = kStatusOk;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string content_type = {};         ///< none: there is no body
  std::string text = {};                 ///< the body, unless there is a writer
  HttpBodyWriter writer = {};            ///< not called for HEAD
  std::optional<std::size_t> size = {};  ///< of what the writer gives; none: known at the end only

  /// One line for people.
  static HttpResponse line(int status, const std::string& text) {
    return {.status = status, .content_type = "text/plain", .text = text + "\n"};
  }
};

/// Gives the sink all bytes, in parts that stay in the cache where they are copied on the way. False
/// when it wants no more.
bool write_in_parts(std::string_view bytes, const HttpSink& sink);

}  // namespace furrow
