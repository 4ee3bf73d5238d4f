// SPDX-License-Identifier: Apache-2.0
// What the tests of pieces over HTTP share.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "host/crypto/blake3.hpp"
#include "host/pieces/http_source_options.hpp"
#include "host/pieces/piece_etag.hpp"
#include "host/pieces/piece_frame.hpp"
#include "tests/unit/http/http_fixture.hpp"
#include "tests/unit/pieces/made_up_pieces.hpp"

namespace furrow::test {

/// A response with a piece, as the server would give it.
inline std::string piece_response(std::string_view body, const std::string& etag = {}) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         (etag.empty() ? "" : "ETag: " + etag + "\r\n") + "\r\n" + std::string(body);
}

inline std::string frame(PieceIndex index, PieceFrameStatus status,
                         std::span<const std::uint8_t> body) {
  const PieceFrameHeader header = piece_frame_header(index, status, body);
  return std::string(text_of(bytes_of(header))) + std::string(text_of(body));
}

/// Options for tests: little patience, no second try.
inline HttpSourceOptions quick_options(const std::string& url) {
  HttpSourceOptions options;
  options.url = url;
  options.tries = 1;
  options.retry_delay = std::chrono::milliseconds(1);
  options.in_flight = 8;
  return options;
}

/// A response of any kind, behind which the connection ends.
inline std::string response(const std::string& head, const std::string& body = {}) {
  return "HTTP/1.1 " + head + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

/// Single requests and batches have to behave alike: the parameter is pieces_per_request.
class EitherWay : public testing::TestWithParam<std::size_t> {
 protected:
  static HttpSourceOptions options(const std::string& url) {
    HttpSourceOptions result = quick_options(url);
    result.pieces_per_request = GetParam();
    return result;
  }
};

}  // namespace furrow::test
