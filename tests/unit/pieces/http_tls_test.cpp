// SPDX-License-Identifier: Apache-2.0
// TLS between server and getter, with a certification authority of the test's own.
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include "host/pieces/http_manifest.hpp"
#include "host/pieces/http_piece_getter.hpp"
#include "host/pieces/http_piece_server.hpp"
#include "host/pieces/source_errors.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/pieces/http_piece_fixture.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

struct Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Free>;

void require(bool holds) {
  if (!holds) {
    throw std::runtime_error("OpenSSL refuses");
  }
}

/// A key, and a certificate for it that `issuer` signed, or itself.
struct Identity {
  std::unique_ptr<EVP_PKEY, Free> key;
  std::unique_ptr<X509, Free> certificate;

  Identity(const std::string& name, const std::string& subject_alternatives, const Identity* issuer,
           long seconds_from_now = 3600)
      : key(EVP_EC_gen("P-256")), certificate(X509_new()) {
    X509* x509 = certificate.get();
    require(key != nullptr && X509_set_version(x509, 2) == 1);
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x509), -7200);
    X509_gmtime_adj(X509_getm_notAfter(x509), seconds_from_now);
    X509_set_pubkey(x509, key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    const Identity& signer = issuer != nullptr ? *issuer : *this;
    X509_set_issuer_name(x509, X509_get_subject_name(signer.certificate.get()));
    add(NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!subject_alternatives.empty()) {
      add(NID_subject_alt_name, subject_alternatives);
    }
    require(X509_sign(x509, signer.key.get(), EVP_sha256()) != 0);
  }

  void add(int nid, const std::string& value) const {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    require(extension != nullptr && X509_add_ext(certificate.get(), extension, -1) == 1);
    X509_EXTENSION_free(extension);
  }

  [[nodiscard]] fs::path write_certificate(const fs::path& file) const {
    const File out(std::fopen(file.c_str(), "w"));
    require(PEM_write_X509(out.get(), certificate.get()) == 1);
    return file;
  }
  [[nodiscard]] fs::path write_key(const fs::path& file) const {
    const File out(std::fopen(file.c_str(), "w"));
    require(PEM_write_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
    return file;
  }
};

class HttpTls : public testing::Test {
 protected:
  HttpServerOptions with(const Identity& identity) {
    HttpServerOptions options;
    options.tls = TlsFiles{identity.write_certificate(directory_.path() / "server.pem"),
                           identity.write_key(directory_.path() / "server.key")};
    return options;
  }
  HttpSourceOptions trusting(const HttpPieceServer& server) {
    HttpSourceOptions options = test::quick_options(server.url());
    options.ca_file = authority_.write_certificate(directory_.path() / "ca.pem");
    return options;
  }
  /// Every piece fails, and the manifest too.
  void expect_no_trust(const HttpSourceOptions& options) {
    HttpPieceGetter getter(options, test::made_up_validator());
    const auto answers = test::get_all(getter, test::indices_up_to(10));
    ASSERT_EQ(answers.size(), 10U);
    for (const auto& [index, answer] : answers) {
      test::expect_failure<HttpTlsFailed>(answer, {options.url});
    }
    EXPECT_THROW(fetch_manifest_text(options, {}), HttpTlsFailed);
    EXPECT_EQ(source_.n_asked, 0U);
  }

  test::TempDirectory directory_;
  test::MadeUpGetter source_;
  Identity authority_{"Authority of the test", "", nullptr};
};

TEST_F(HttpTls, PiecesAndManifestComeThrough) {
  const HttpPieceServer server(source_, with({"server", "IP:127.0.0.1", &authority_}),
                               {.manifest_json = "{}"});
  EXPECT_TRUE(server.url().starts_with("https://127.0.0.1:"));
  for (const std::size_t pieces_per_request : {1, 4}) {
    HttpSourceOptions options = trusting(server);
    options.pieces_per_request = pieces_per_request;
    HttpPieceGetter getter(options, test::made_up_validator());
    const auto answers = test::get_all(getter, test::indices_up_to(20));
    for (std::uint64_t i = 0; i < 20; ++i) {
      test::expect_found(answers, i);
    }
    EXPECT_EQ(fetch_manifest_text(options, {}), "{}");
  }
}

TEST_F(HttpTls, CertificateForAnotherHost) {
  const HttpPieceServer server(source_,
                               with({"127.0.0.1", "DNS:elsewhere,IP:127.0.0.2", &authority_}));
  expect_no_trust(trusting(server));
}

TEST_F(HttpTls, CertificateOfAnUnknownAuthority) {
  const Identity other("Somebody", "", nullptr);
  const HttpPieceServer server(source_, with({"server", "IP:127.0.0.1", &other}));
  expect_no_trust(trusting(server));
  expect_no_trust(test::quick_options(server.url()));  // with what the system trusts
}

TEST_F(HttpTls, CertificateThatExpired) {
  const HttpPieceServer server(source_, with({"server", "IP:127.0.0.1", &authority_, -60}));
  expect_no_trust(trusting(server));
}

TEST_F(HttpTls, HandshakeThatNeverEndsGivesWay) {
  HttpServerOptions server_options = with({"server", "IP:127.0.0.1", &authority_});
  server_options.limits.max_connections = 1;
  server_options.limits.request_time = std::chrono::hours(1);
  server_options.limits.patience_for_request = std::chrono::seconds(0);
  const HttpPieceServer server(source_, server_options, {.manifest_json = "{}"});
  const auto begun = test::Socket::connect_to(server.port());
  ASSERT_TRUE(begun.send("\x16\x03\x01"));  // the beginning of a handshake
  EXPECT_EQ(fetch_manifest_text(trusting(server), {}), "{}");
  EXPECT_EQ(begun.receive_all(), "");
}

TEST_F(HttpTls, HandshakeThatIsCutOffIsNoRefusal) {
  // A server that restarts, or has no place, was given up as one with a wrong certificate.
  enum class End { kClose, kReset, kCloseAfterHello, kResetAfterHello };
  for (const End end : {End::kClose, End::kReset, End::kCloseAfterHello, End::kResetAfterHello}) {
    test::BadServer server([&](test::BadServer&, int, test::Socket& socket) {
      std::string hello;
      if (end == End::kCloseAfterHello || end == End::kResetAfterHello) {
        socket.receive(hello);
      }
      if (end == End::kReset || end == End::kResetAfterHello) {
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(socket.descriptor(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      }
    });
    HttpSourceOptions options = test::quick_options("https" + server.url().substr(4));
    options.ca_file = authority_.write_certificate(directory_.path() / "ca.pem");
    HttpPieceGetter getter(options, test::made_up_validator());
    for (int i = 0; i < 3; ++i) {
      test::expect_failure<HttpConnectionFailed>(test::get_all(getter, {PieceIndex(6)}).at(6),
                                                 {options.url});
    }
    EXPECT_THROW(fetch_manifest_text(options, {}), HttpConnectionFailed);
  }
}

TEST_F(HttpTls, NothingInCommonIsARefusal) {
  const HttpPieceServer server(source_, with({"server", "IP:127.0.0.1", &authority_}),
                               {.manifest_json = "{}"});
  // An alert that says so, as from a server that wants another version or cipher.
  for (const char alert : {'\x28', '\x46'}) {  // handshake failure, protocol version
    test::BadServer refusing([&](test::BadServer&, int, test::Socket& socket) {
      std::string hello;
      socket.receive(hello);
      socket.send(std::string("\x15\x03\x03\x00\x02\x02", 6) + alert);
      socket.receive_all();
    });
    HttpSourceOptions options = trusting(server);
    options.url = "https" + refusing.url().substr(4);
    expect_no_trust(options);
  }
}

TEST_F(HttpTls, AuthorityFileThatIsNone) {
  const HttpPieceServer server(source_, with({"server", "IP:127.0.0.1", &authority_}),
                               {.manifest_json = "{}"});
  HttpSourceOptions options = trusting(server);
  options.ca_file = directory_.path() / "absent";
  expect_no_trust(options);
}

TEST_F(HttpTls, ServerWithoutTls) {
  const HttpPieceServer server(source_, {});
  HttpSourceOptions options = trusting(server);
  options.url = "https" + options.url.substr(4);
  expect_no_trust(options);
}

TEST_F(HttpTls, PlainClientGetsNothing) {
  const HttpPieceServer server(source_, with({"server", "IP:127.0.0.1", &authority_}),
                               {.manifest_json = "{}"});
  HttpSourceOptions options = trusting(server);
  options.url = "http" + options.url.substr(5);
  HttpPieceGetter getter(options, test::made_up_validator());
  test::expect_failure<HttpTransferFailed>(test::get_all(getter, {PieceIndex(1)}).at(1), {"http:"});
  EXPECT_EQ(source_.n_asked, 0U);
}

TEST_F(HttpTls, StopsAlsoInAHandshake) {
  HttpPieceServer server(source_, with({"server", "IP:127.0.0.1", &authority_}));
  const test::Socket silent = test::Socket::connect_to(server.port());
  const test::Socket half = test::Socket::connect_to(server.port());
  ASSERT_TRUE(half.send("\x16\x03\x01"));
  server.stop();
  EXPECT_EQ(silent.receive_all(), "");
}

TEST_F(HttpTls, FilesOfTheServerHaveToFit) {
  const Identity one("one", "IP:127.0.0.1", &authority_);
  const Identity two("two", "IP:127.0.0.1", &authority_);
  const auto expect_invalid = [&](const HttpServerOptions& options, const fs::path& named) {
    try {
      const HttpPieceServer server(source_, options);
      ADD_FAILURE() << "no error for " << named;
    } catch (const InvalidTlsFile& error) {
      EXPECT_NE(std::string(error.what()).find(named.native()), std::string::npos) << error.what();
    }
  };
  HttpServerOptions options = with(one);
  EXPECT_NO_THROW(HttpPieceServer(source_, options));
  options.tls->key = two.write_key(directory_.path() / "two.key");
  expect_invalid(options, options.tls->key);
  options.tls->key = directory_.path() / "absent.key";
  expect_invalid(options, options.tls->key);
  options = with(one);
  options.tls->certificate = directory_.path() / "absent.pem";
  expect_invalid(options, options.tls->certificate);
  std::ofstream(directory_.path() / "garbage.pem") << "no certificate";
  options.tls->certificate = directory_.path() / "garbage.pem";
  expect_invalid(options, options.tls->certificate);
}

}  // namespace
}  // namespace furrow
