// SPDX-License-Identifier: Apache-2.0
// TLS between server and client, with a certification authority of the test's own.
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "host/http/http_server.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/http/http_fetch.hpp"
#include "tests/unit/http/http_fixture.hpp"
#include "tests/unit/http/made_up_routes.hpp"
#include "tests/unit/http/tls_identity.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using test::fetch;
using test::Identity;
using Kind = HttpProblem::Kind;

class HttpTls : public testing::Test {
 protected:
  HttpServerOptions with(const Identity& identity) {
    HttpServerOptions options;
    options.tls = identity.write_to(directory_.path());
    return options;
  }
  HttpClientOptions trusting(const std::string& url) {
    HttpClientOptions options;
    options.url = url;
    options.ca_file = authority_.write_certificate(directory_.path() / "ca.pem");
    return options;
  }
  void expect_no_trust(const HttpClientOptions& options) {
    const test::Fetched fetched = fetch(options, "/thing");
    ASSERT_TRUE(fetched.problem.has_value());
    EXPECT_EQ(fetched.problem->kind, Kind::kNoTrust) << fetched.problem->message;
    EXPECT_NE(fetched.problem->fields.path.find(options.url), std::string::npos);
    EXPECT_EQ(face_.n_asked, 0U);
  }

  test::TempDirectory directory_;
  test::MadeUpFace face_;
  Identity authority_{"Authority of the test", "", nullptr};
};

TEST_F(HttpTls, WhatIsAskedForComesThrough) {
  const HttpServer server(face_.routes(), with({"server", "IP:127.0.0.1", &authority_}));
  EXPECT_TRUE(server.url().starts_with("https://127.0.0.1:"));
  EXPECT_EQ(fetch(trusting(server.url()), "/thing").body, "a thing\n");
  EXPECT_EQ(fetch(trusting(server.url()), "/large").body.size(), test::kWindows * test::kWindow);
}

TEST_F(HttpTls, CertificateForAnotherHost) {
  const HttpServer server(face_.routes(),
                          with({"127.0.0.1", "DNS:elsewhere,IP:127.0.0.2", &authority_}));
  expect_no_trust(trusting(server.url()));
}

TEST_F(HttpTls, CertificateOfAnUnknownAuthority) {
  const Identity other("Somebody", "", nullptr);
  const HttpServer server(face_.routes(), with({"server", "IP:127.0.0.1", &other}));
  expect_no_trust(trusting(server.url()));
  HttpClientOptions of_system;
  of_system.url = server.url();
  expect_no_trust(of_system);  // with what the system trusts
}

TEST_F(HttpTls, CertificateThatExpired) {
  const HttpServer server(face_.routes(), with({"server", "IP:127.0.0.1", &authority_, -60}));
  expect_no_trust(trusting(server.url()));
}

TEST_F(HttpTls, HandshakeThatNeverEndsGivesWay) {
  HttpServerOptions server_options = with({"server", "IP:127.0.0.1", &authority_});
  server_options.limits.max_connections = 1;
  server_options.limits.request_time = std::chrono::hours(1);
  server_options.limits.patience_for_request = std::chrono::seconds(0);
  const HttpServer server(face_.routes(), server_options);
  const auto begun = test::Socket::connect_to(server.port());
  ASSERT_TRUE(begun.send("\x16\x03\x01"));  // the beginning of a handshake
  EXPECT_EQ(fetch(trusting(server.url()), "/thing").body, "a thing\n");
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
    for (int i = 0; i < 3; ++i) {
      const test::Fetched fetched = fetch(trusting("https" + server.url().substr(4)), "/thing");
      ASSERT_TRUE(fetched.problem.has_value());
      EXPECT_EQ(fetched.problem->kind, Kind::kNoConnection) << fetched.problem->message;
    }
  }
}

TEST_F(HttpTls, NothingInCommonIsARefusal) {
  const HttpServer server(face_.routes(), with({"server", "IP:127.0.0.1", &authority_}));
  // An alert that says so, as from a server that wants another version or cipher.
  for (const char alert : {'\x28', '\x46'}) {  // handshake failure, protocol version
    test::BadServer refusing([&](test::BadServer&, int, test::Socket& socket) {
      std::string hello;
      socket.receive(hello);
      socket.send(std::string("\x15\x03\x03\x00\x02\x02", 6) + alert);
      socket.receive_all();
    });
    HttpClientOptions options = trusting(server.url());
    options.url = "https" + refusing.url().substr(4);
    expect_no_trust(options);
  }
}

TEST_F(HttpTls, AuthorityFileThatIsNone) {
  const HttpServer server(face_.routes(), with({"server", "IP:127.0.0.1", &authority_}));
  HttpClientOptions options = trusting(server.url());
  options.ca_file = directory_.path() / "absent";
  expect_no_trust(options);
}

TEST_F(HttpTls, ServerWithoutTls) {
  const HttpServer server(face_.routes(), {});
  HttpClientOptions options = trusting(server.url());
  options.url = "https" + options.url.substr(4);
  expect_no_trust(options);
}

TEST_F(HttpTls, PlainClientGetsNothing) {
  const HttpServer server(face_.routes(), with({"server", "IP:127.0.0.1", &authority_}));
  HttpClientOptions options = trusting(server.url());
  options.url = "http" + options.url.substr(5);
  const test::Fetched fetched = fetch(options, "/thing");
  ASSERT_TRUE(fetched.problem.has_value());
  EXPECT_EQ(fetched.problem->kind, Kind::kBroken) << fetched.problem->message;
  EXPECT_EQ(face_.n_asked, 0U);
}

TEST_F(HttpTls, StopsAlsoInAHandshake) {
  HttpServer server(face_.routes(), with({"server", "IP:127.0.0.1", &authority_}));
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
      const HttpServer server(face_.routes(), options);
      ADD_FAILURE() << "no error for " << named;
    } catch (const InvalidTlsFile& error) {
      EXPECT_NE(std::string(error.what()).find(named.native()), std::string::npos) << error.what();
    }
  };
  HttpServerOptions options = with(one);
  EXPECT_NO_THROW(HttpServer(face_.routes(), options));
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
