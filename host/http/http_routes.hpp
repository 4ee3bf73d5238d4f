// SPDX-License-Identifier: Apache-2.0
// Which paths a server knows, and who answers there.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/http/http_message.hpp"

namespace furrow {

/// What the body of a request may be, and the words for it in refusals.
struct HttpBodyRules {
  std::size_t max_bytes = 0;
  std::string name;       ///< "a list of pieces"
  std::string too_large;  ///< "too many pieces at once"
};

/// Filled by whoever has something to answer, and then given to an HttpServer.
class HttpRoutes {
 public:
  /// Called on threads of the server, several at once. What it throws becomes status 500 and a
  /// warning.
  using Handler = std::function<HttpResponse(const HttpRequest&)>;
  struct Route {
    std::string path;
    bool is_prefix = false;
    std::optional<HttpBodyRules> body;  ///< of POST; none for GET and HEAD
    Handler handler;
  };

  /// For GET and HEAD, at that path alone.
  void get(std::string path, Handler handler);
  /// The same at all paths that begin so; it gets the rest as HttpRequest::below().
  void get_below(std::string prefix, Handler handler);
  /// For POST.
  void post(std::string path, HttpBodyRules body, Handler handler);

  /// The first that fits; null without one.
  [[nodiscard]] const Route* find(std::string_view method, std::string_view path) const;
  /// The methods that are known at that path, for the header Allow; empty when there is nothing.
  [[nodiscard]] std::string methods_at(std::string_view path) const;
  /// The most that any of them takes.
  [[nodiscard]] std::size_t max_body_bytes() const;

 private:
  std::vector<Route> routes_;
};

}  // namespace furrow
