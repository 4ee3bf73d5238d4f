// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/http_examination.hpp"

#include <cstdint>
#include <string>

#include "furrow/errors.hpp"

#include "host/base/foreign_error.hpp"
#include "host/base/url.hpp"
#include "host/http/curl_loop.hpp"
#include "host/http/http_answer.hpp"
#include "host/pieces/http_manifest.hpp"
#include "host/pieces/http_paths.hpp"
#include "host/pieces/http_translation.hpp"
#include "host/pieces/source_errors.hpp"

namespace furrow {
namespace {

/// The head says what there is to know; a piece is large.
std::size_t refuse_body(char*, std::size_t, std::size_t, void*) {
  return 0;
}

/// Whether the answer begins as a piece does.
bool gives(PieceIndex piece, const HttpSourceOptions& options, const std::stop_token& stop) {
  CurlRequest request(client_options(options));
  request.set_path(kPiecePathPrefix + std::to_string(piece.value()));
  request.set(CURLOPT_TIMEOUT_MS, static_cast<long>(options.piece_time.count()));
  request.set(CURLOPT_WRITEFUNCTION, &refuse_body);
  const std::optional<CURLcode> code = perform_alone(request, stop);
  const std::int64_t announced = request.content_length();
  return code == CURLE_WRITE_ERROR && request.status() == kStatusOk &&
         (announced < 0 || announced == std::int64_t{kPieceSize}) &&
         !problem_of_head(request, "piece").has_value();
}

bool is_of_a_server_in_trouble(const std::exception_ptr& error) {
  try {
    if (error != nullptr) {
      std::rethrow_exception(error);
    }
  } catch (const HttpStatusError& status) {
    return status.is_of_the_server();
  } catch (...) {
    return false;
  }
  return false;
}

HttpExamination refused(const std::exception_ptr& refusal) {
  return {.is_right = false, .refusal = refusal};
}

HttpExamination examine_manifest(const HttpSourceOptions& options, const std::exception_ptr& answer,
                                 const std::stop_token& stop) {
  const std::string url = printable_url(options.url);
  try {
    const std::optional<std::string> text = fetch_manifest_text(options, stop);
    if (text.has_value()) {
      options.check_manifest(*text);
    }
    return {.is_right = text.has_value()};
  } catch (const SourceFailed&) {
    return refused(std::current_exception());
  } catch (const HttpStatusError& error) {
    const std::string number = std::to_string(error.status());
    const ErrorFields fields{.path = url, .expected = "a server of pieces", .actual = number};
    const bool is_in_trouble = error.is_of_the_server() && is_of_a_server_in_trouble(answer);
    if (error.is_busy() || is_in_trouble) {
      return refused(std::make_exception_ptr(SourceUnavailable(
          url + ": gives neither pieces nor the manifest (status " + number + ")", fields)));
    }
    if (error.is_of_the_server()) {
      return {};  // perhaps the manifest alone is damaged there
    }
    const bool is_alike = error.status() == kStatusNotFound && answer == nullptr;
    return refused(std::make_exception_ptr(
        HttpApiAbsent(url + ": status " + number + (is_alike ? " for pieces and" : "") +
                          " for the manifest; expected a server of pieces",
                      fields)));
  } catch (const Error& error) {
    const std::exception_ptr thrown = std::current_exception();
    const bool is_of_the_moment =
        is_passing(fault_of(thrown)) || dynamic_cast<const ChecksumMismatch*>(&error) != nullptr;
    return is_of_the_moment
               ? HttpExamination{}
               : refused(std::make_exception_ptr(HttpApiAbsent(
                     message_of(thrown) + "; expected a server of pieces", error.fields())));
  }
}

}  // namespace

HttpExamination examine_server(const HttpSourceOptions& options, std::optional<PieceIndex> known,
                               const std::exception_ptr& answer, const std::stop_token& stop) {
  if (known.has_value() && gives(*known, options, stop)) {
    return {.is_right = true};
  }
  // Also when it does not give that piece any more: it may have lost it.
  return examine_manifest(options, answer, stop);
}

}  // namespace furrow
