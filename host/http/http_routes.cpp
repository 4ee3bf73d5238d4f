// SPDX-License-Identifier: Apache-2.0
#include "host/http/http_routes.hpp"

#include <algorithm>
#include <utility>

namespace furrow {
namespace {

bool is_at(const HttpRoutes::Route& route, std::string_view path) {
  return route.is_prefix ? path.starts_with(route.path) : path == route.path;
}

}  // namespace

void HttpRoutes::get(std::string path, Handler handler) {
  routes_.push_back({std::move(path), false, std::nullopt, std::move(handler)});
}
void HttpRoutes::get_below(std::string prefix, Handler handler) {
  routes_.push_back({std::move(prefix), true, std::nullopt, std::move(handler)});
}
void HttpRoutes::post(std::string path, HttpBodyRules body, Handler handler) {
  routes_.push_back({std::move(path), false, std::move(body), std::move(handler)});
}

const HttpRoutes::Route* HttpRoutes::find(std::string_view method, std::string_view path) const {
  const bool reads = method == "GET" || method == "HEAD";
  const auto found = std::find_if(routes_.begin(), routes_.end(), [&](const Route& route) {
    return is_at(route, path) && (route.body.has_value() ? method == "POST" : reads);
  });
  return found != routes_.end() ? &*found : nullptr;
}

std::string HttpRoutes::methods_at(std::string_view path) const {
  std::string result;
  for (const char* method : {"GET", "HEAD", "POST"}) {
    if (find(method, path) != nullptr) {
      result += (result.empty() ? "" : ", ") + std::string(method);
    }
  }
  return result;
}

std::size_t HttpRoutes::max_body_bytes() const {
  std::size_t result = 0;
  for (const Route& route : routes_) {
    result = std::max(result, route.body.has_value() ? route.body->max_bytes : 0);
  }
  return result;
}

}  // namespace furrow
