// SPDX-License-Identifier: Apache-2.0
// The server's side of TLS, over OpenSSL.
#pragma once

#include <filesystem>
#include <memory>

#include "furrow/errors.hpp"

struct ssl_ctx_st;

namespace furrow {

/// Certificate or key of a server cannot be used; the message names the file and OpenSSL's reason.
class InvalidTlsFile : public Error {
 public:
  InvalidTlsFile(const std::filesystem::path& file, const std::string& reason)
      : Error(ErrorKind::kInvalidArgument, "'" + file.native() + "': " + reason) {}
};

/// Certificate chain and private key, in PEM.
struct TlsFiles {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

struct FreeTlsContext {
  void operator()(ssl_ctx_st* context) const noexcept;
};
using TlsContext = std::unique_ptr<ssl_ctx_st, FreeTlsContext>;

/// TLS 1.2 or newer. Throws InvalidTlsFile, also when the key does not belong to the certificate.
TlsContext make_server_tls(const TlsFiles& files);

}  // namespace furrow
