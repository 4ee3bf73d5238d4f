// SPDX-License-Identifier: Apache-2.0
#include "host/http/http_message.hpp"

#include <httplib.h>

namespace furrow {
namespace {

/// httplib copies each part of a body of unknown length twice.
constexpr std::size_t kPartSize = 64 * 1024;

}  // namespace

std::string_view HttpRequest::body() const {
  return parsed_.body;
}

std::string HttpRequest::header(const char* name) const {
  return parsed_.get_header_value(name);
}

bool write_in_parts(std::string_view bytes, const HttpSink& sink) {
  bool is_wanted = true;
  while (is_wanted && !bytes.empty()) {
    const std::string_view part = bytes.substr(0, kPartSize);
    is_wanted = sink(part);
    bytes.remove_prefix(part.size());
  }
  return is_wanted;
}

}  // namespace furrow
