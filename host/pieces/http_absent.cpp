// SPDX-License-Identifier: Apache-2.0
// A build without pieces over HTTP.
#include "furrow/errors.hpp"

#include "host/base/url.hpp"
#include "host/pieces/http_source.hpp"

namespace furrow {
namespace {

InvalidArgument absent(const HttpSourceOptions& options) {
  return InvalidArgument(printable_url(options.url) +
                         ": this program was built without pieces over HTTP, for which the build "
                         "option FURROW_HTTP needs cpp-httplib, libcurl and OpenSSL");
}

}  // namespace

std::optional<std::string> fetch_manifest_text(const HttpSourceOptions& options,
                                               const std::stop_token&) {
  throw absent(options);
}

std::unique_ptr<PieceGetter> make_http_piece_getter(HttpSourceOptions options, PieceValidator) {
  throw absent(options);
}

}  // namespace furrow
