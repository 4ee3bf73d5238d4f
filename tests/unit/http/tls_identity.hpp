// SPDX-License-Identifier: Apache-2.0
// Certificates that a test makes for itself.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "host/http/tls_server.hpp"

namespace furrow::test {

/// A key, and a certificate for it that `issuer` signed, or itself.
class Identity {
 public:
  Identity(const std::string& name, const std::string& subject_alternatives, const Identity* issuer,
           long seconds_from_now = 3600)
      : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
    X509* x509 = certificate_.get();
    require(key_ != nullptr && X509_set_version(x509, 2) == 1);
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x509), -7200);
    X509_gmtime_adj(X509_getm_notAfter(x509), seconds_from_now);
    X509_set_pubkey(x509, key_.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    const Identity& signer = issuer != nullptr ? *issuer : *this;
    X509_set_issuer_name(x509, X509_get_subject_name(signer.certificate_.get()));
    add(NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!subject_alternatives.empty()) {
      add(NID_subject_alt_name, subject_alternatives);
    }
    require(X509_sign(x509, signer.key_.get(), EVP_sha256()) != 0);
  }

  [[nodiscard]] std::filesystem::path write_certificate(const std::filesystem::path& file) const {
    const File out(std::fopen(file.c_str(), "w"));
    require(PEM_write_X509(out.get(), certificate_.get()) == 1);
    return file;
  }
  [[nodiscard]] std::filesystem::path write_key(const std::filesystem::path& file) const {
    const File out(std::fopen(file.c_str(), "w"));
    require(PEM_write_PrivateKey(out.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) ==
            1);
    return file;
  }
  /// In files of that directory.
  [[nodiscard]] TlsFiles write_to(const std::filesystem::path& directory) const {
    return {write_certificate(directory / "server.pem"), write_key(directory / "server.key")};
  }

 private:
  struct Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, Free>;

  static void require(bool holds) {
    if (!holds) {
      throw std::runtime_error("OpenSSL refuses");
    }
  }

  void add(int nid, const std::string& value) const {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    require(extension != nullptr && X509_add_ext(certificate_.get(), extension, -1) == 1);
    X509_EXTENSION_free(extension);
  }

  std::unique_ptr<EVP_PKEY, Free> key_;
  std::unique_ptr<X509, Free> certificate_;
};

}  // namespace furrow::test
