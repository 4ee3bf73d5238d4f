// SPDX-License-Identifier: Apache-2.0
// Pieces and manifest over TLS, and what its problems mean for a source.
#include <string>

#include <gtest/gtest.h>

#include "host/pieces/http_manifest.hpp"
#include "host/pieces/http_piece_getter.hpp"
#include "host/pieces/http_piece_server.hpp"
#include "host/pieces/http_translation.hpp"
#include "host/pieces/source_errors.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/http/tls_identity.hpp"
#include "tests/unit/pieces/http_piece_fixture.hpp"

namespace furrow {
namespace {

class HttpPieceTls : public testing::Test {
 protected:
  HttpServerOptions with(const test::Identity& identity) {
    HttpServerOptions options;
    options.tls = identity.write_to(directory_.path());
    return options;
  }
  HttpSourceOptions trusting(const HttpPieceServer& server) {
    HttpSourceOptions options = test::quick_options(server.url());
    options.ca_file = authority_.write_certificate(directory_.path() / "ca.pem");
    return options;
  }

  test::TempDirectory directory_;
  test::MadeUpGetter source_;
  test::Identity authority_{"Authority of the test", "", nullptr};
};

TEST_F(HttpPieceTls, PiecesAndManifestComeThrough) {
  const HttpPieceServer server(source_, with({"server", "IP:127.0.0.1", &authority_}),
                               {.manifest_json = "{}"});
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

TEST_F(HttpPieceTls, ACertificateThatDoesNotFitIsARefusalOfAllPieces) {
  const HttpPieceServer server(source_, with({"server", "IP:127.0.0.2", &authority_}),
                               {.manifest_json = "{}"});
  const HttpSourceOptions options = trusting(server);
  HttpPieceGetter getter(options, test::made_up_validator());
  const auto answers = test::get_all(getter, test::indices_up_to(10));
  ASSERT_EQ(answers.size(), 10U);
  for (const auto& [index, answer] : answers) {
    test::expect_failure<HttpTlsFailed>(answer, {options.url});
  }
  EXPECT_THROW(fetch_manifest_text(options, {}), HttpTlsFailed);
  EXPECT_EQ(source_.n_asked, 0U);
}

template <class ErrorType>
void expect_error(HttpProblem::Kind kind, PieceFault fault) {
  const std::exception_ptr error =
      source_error(HttpProblem{.kind = kind, .message = "why", .fields = {.path = "p"}});
  EXPECT_EQ(fault_of(error), fault);
  try {
    std::rethrow_exception(error);
  } catch (const ErrorType& thrown) {
    EXPECT_EQ(std::string(thrown.what()), "why");
    EXPECT_EQ(thrown.fields().path, "p");
  } catch (const std::exception& thrown) {
    ADD_FAILURE() << "another type: " << thrown.what();
  }
}

TEST(HttpTranslation, EachProblemIsAnErrorOfASource) {
  using Kind = HttpProblem::Kind;
  expect_error<HttpConnectionFailed>(Kind::kNoConnection, PieceFault::kUnreachable);
  expect_error<HttpTlsFailed>(Kind::kNoTrust, PieceFault::kRefused);
  expect_error<HttpUnauthorized>(Kind::kUnauthorized, PieceFault::kRefused);
  expect_error<HttpTimeout>(Kind::kTimeout, PieceFault::kTimeout);
  expect_error<HttpTransferFailed>(Kind::kBroken, PieceFault::kBroken);
  expect_error<HttpNotAPiece>(Kind::kForeign, PieceFault::kNotAPiece);
  expect_error<HttpStatusError>(Kind::kStatus, PieceFault::kStatus);
  EXPECT_EQ(source_error(std::optional<HttpProblem>()), nullptr);
  const HttpProblem busy{.kind = Kind::kStatus, .message = {}, .fields = {}, .status = 503};
  EXPECT_EQ(fault_of(source_error(busy)), PieceFault::kBusy);
}

}  // namespace
}  // namespace furrow
