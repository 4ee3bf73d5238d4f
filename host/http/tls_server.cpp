// SPDX-License-Identifier: Apache-2.0
#include "host/http/tls_server.hpp"

#include <new>
#include <string>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace furrow {
namespace {

void require(bool success, const std::filesystem::path& file) {
  if (success) {
    return;
  }
  char text[256] = "unknown reason";
  if (const unsigned long code = ERR_get_error(); code != 0) {
    ERR_error_string_n(code, text, sizeof text);
  }
  ERR_clear_error();
  throw InvalidTlsFile(file, text);
}

}  // namespace

void FreeTlsContext::operator()(ssl_ctx_st* context) const noexcept {
  SSL_CTX_free(context);
}

TlsContext make_server_tls(const TlsFiles& files) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) {
    throw std::bad_alloc();
  }
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // A part of a large write may be taken, and the rest be given from the same place later.
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  require(SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) == 1,
          files.certificate);
  require(SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) == 1,
          files.key);
  require(SSL_CTX_check_private_key(context.get()) == 1, files.key);
  return context;
}

}  // namespace furrow
