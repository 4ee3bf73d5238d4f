// SPDX-License-Identifier: Apache-2.0
// One request of libcurl, and what all requests have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <curl/curl.h>

#include "host/http/http_client_options.hpp"
#include "host/http/http_problem.hpp"

namespace furrow {

/// Once in a process, before anything else of libcurl; what it took is given back by the system.
void initialise_curl();

/// A handle for one request at a time, which keeps what it was set to. Not copied or moved, since
/// libcurl knows its address.
class CurlRequest {
 public:
  /// Address, token, TLS and times of the options. Throws std::bad_alloc.
  explicit CurlRequest(const HttpClientOptions& options);
  CurlRequest(const CurlRequest&) = delete;
  CurlRequest& operator=(const CurlRequest&) = delete;

  /// The one that a handle belongs to.
  static CurlRequest& of(CURL* easy);

  /// The rest, but CURLOPT_PRIVATE: throws Error of kind kInternal when libcurl refuses.
  template <class T>
  void set(CURLoption option, T value) {
    require(curl_easy_setopt(easy_.get(), option, value));
  }
  /// Also begins anew with what is known of an answer.
  void set_path(const std::string& path);

  [[nodiscard]] CURL* get() const { return easy_.get(); }
  /// The address as messages name it, without its secrets.
  [[nodiscard]] const std::string& shown_url() const { return shown_url_; }
  /// What the right server would answer with, in the words of messages.
  [[nodiscard]] const std::string& wanted() const { return wanted_; }
  /// 0 before there is one.
  [[nodiscard]] int status() const;
  /// A header of the last answer, the first one of that name.
  [[nodiscard]] std::optional<std::string> header(const char* name) const;
  /// What the server is shown (token, user and password); messages must not repeat it.
  [[nodiscard]] const std::vector<std::string>& secrets() const { return secrets_; }
  /// As the header says; -1 when there was none.
  [[nodiscard]] std::int64_t content_length() const;
  /// What went wrong when the request ended with `code`. `what` begins the message.
  [[nodiscard]] HttpProblem problem(CURLcode code, const std::string& what) const;

 private:
  struct Free {
    void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
  };
  static void require(CURLcode code);
  static std::size_t on_header(char* data, std::size_t size, std::size_t n, void* self);
  [[nodiscard]] HttpProblem::Kind kind_of(CURLcode code, const std::string& reason) const;

  std::string base_url_;
  std::string wanted_;
  std::vector<std::string> secrets_;
  std::unique_ptr<CURL, Free> easy_;
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::string shown_url_;
  std::size_t n_header_bytes_ = 0;  // of the answer under way
  char reason_[CURL_ERROR_SIZE] = "";
};

}  // namespace furrow
