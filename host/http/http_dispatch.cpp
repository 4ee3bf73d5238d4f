// SPDX-License-Identifier: Apache-2.0
#include "host/http/http_dispatch.hpp"

#include <string_view>
#include <utility>

#include <httplib.h>

#include "host/http/request_refusal.hpp"

namespace furrow {
namespace {

HttpSink sink_over(const httplib::DataSink& sink) {
  return [&sink](std::string_view bytes) { return sink.write(bytes.data(), bytes.size()); };
}

/// In the words of httplib.
void give(HttpResponse given, httplib::Response& response) {
  response.status = given.status;
  for (const auto& [name, value] : given.headers) {
    response.set_header(name, value);
  }
  if (!given.writer) {
    if (!given.content_type.empty()) {
      response.set_content(given.text, given.content_type);
    }
  } else if (given.size.has_value()) {
    response.set_content_provider(
        *given.size, given.content_type,
        [writer = std::move(given.writer)](std::size_t, std::size_t, httplib::DataSink& sink) {
          return writer(sink_over(sink));
        });
  } else {
    response.set_chunked_content_provider(
        given.content_type,
        [writer = std::move(given.writer)](std::size_t, httplib::DataSink& sink) {
          if (!writer(sink_over(sink))) {
            return false;
          }
          sink.done();
          return true;
        });
  }
}

}  // namespace

HttpDispatch::HttpDispatch(HttpRoutes routes, const std::string& token, HttpWarnings& warnings,
                           std::stop_token stop)
    : routes_(std::move(routes)), token_(token), warnings_(warnings), stop_(std::move(stop)) {}

std::optional<std::size_t> HttpDispatch::body_to_read(const httplib::Request& request) {
  ++n_requests_;
  if (refusal_of(request, routes_, token_).has_value()) {
    return std::nullopt;
  }
  const HttpRoutes::Route* route = routes_.find(request.method, request.path);
  if (route != nullptr && route->body.has_value()) {
    return request.get_header_value<std::uint64_t>("Content-Length");
  }
  const bool has_body =
      request.has_header("Content-Length") || request.has_header("Transfer-Encoding");
  return has_body ? std::nullopt : std::optional<std::size_t>(0);
}

bool HttpDispatch::refuses(const httplib::Request& request, httplib::Response& response) {
  std::optional<HttpResponse> refusal = refusal_of(request, routes_, token_);
  if (!refusal.has_value()) {
    return false;
  }
  n_unauthorized_ += refusal->status == kStatusUnauthorized ? 1 : 0;
  give(std::move(*refusal), response);
  return true;
}

bool HttpDispatch::answers_without_body(const httplib::Request& request,
                                        httplib::Response& response) {
  if (refuses(request, response)) {
    return true;
  }
  const HttpRoutes::Route* route = routes_.find(request.method, request.path);
  if (route != nullptr && route->body.has_value()) {
    return false;
  }
  if (route != nullptr) {
    answer(*route, request, response);
  } else if (const std::string methods = routes_.methods_at(request.path); !methods.empty()) {
    response.set_header("Allow", methods);
    give(HttpResponse::line(kStatusMethodNotAllowed, request.method + " is not possible here"),
         response);
  } else {
    give(HttpResponse::line(kStatusNotFound, "there is nothing here"), response);
  }
  return true;
}

void HttpDispatch::answer_with_body(const httplib::Request& request, httplib::Response& response) {
  if (const HttpRoutes::Route* route = routes_.find(request.method, request.path)) {
    answer(*route, request, response);
  }
}

void HttpDispatch::answer(const HttpRoutes::Route& route, const httplib::Request& request,
                          httplib::Response& response) {
  const std::string_view below = std::string_view(request.path).substr(route.path.size());
  give(route.handler(HttpRequest(request, below, stop_, warnings_)), response);
}

}  // namespace furrow
