// SPDX-License-Identifier: Apache-2.0
// Owners of what libcurl hands out, and what all requests have in common.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <curl/curl.h>

#include "host/pieces/http_source_options.hpp"

namespace furrow {

/// Throws InvalidArgument unless require_http_url takes the address and libcurl can read it: else
/// it would be refused with every request, long after the start.
void require_readable_url(const std::string& url);

/// A handle for one request at a time, which keeps what it was set to. Not copied or moved, since
/// libcurl knows its address.
class CurlRequest {
 public:
  /// Address, token, TLS and times of the options; they outlive it. Throws std::bad_alloc.
  explicit CurlRequest(const HttpSourceOptions& options);
  CurlRequest(const CurlRequest&) = delete;
  CurlRequest& operator=(const CurlRequest&) = delete;

  /// The rest: throws Error of kind kInternal when libcurl refuses.
  template <class T>
  void set(CURLoption option, T value) {
    require(curl_easy_setopt(easy_.get(), option, value));
  }
  /// Also begins anew with what is known of an answer.
  void set_path(const std::string& path);

  [[nodiscard]] CURL* get() const { return easy_.get(); }
  /// The address as messages name it, without its secrets.
  [[nodiscard]] const std::string& shown_url() const { return shown_url_; }
  [[nodiscard]] long status() const;
  /// A header of the last answer, the first one of that name.
  [[nodiscard]] std::optional<std::string> header(const char* name) const;
  /// What the server is shown (token, user and password); messages must not repeat it.
  [[nodiscard]] const std::vector<std::string>& secrets() const { return secrets_; }
  /// As the header says; -1 when there was none.
  [[nodiscard]] std::int64_t content_length() const;
  /// What went wrong, as an error of source_errors.hpp that begins with `what`.
  [[nodiscard]] std::exception_ptr error(CURLcode code, const std::string& what) const;

 private:
  struct Free {
    void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
  };
  static void require(CURLcode code);
  static std::size_t on_header(char* data, std::size_t size, std::size_t n, void* self);

  const HttpSourceOptions& options_;
  std::unique_ptr<CURL, Free> easy_;
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::string url_;
  std::string shown_url_;
  std::vector<std::string> secrets_;
  std::size_t n_header_bytes_ = 0;  // of the answer under way
  char reason_[CURL_ERROR_SIZE] = "";
};

/// Requests under way together, and the connections between them.
class CurlRequests {
 public:
  /// Keeps up to so many connections.
  explicit CurlRequests(std::size_t max_connections);
  void add(CurlRequest& request) { require(curl_multi_add_handle(multi_.get(), request.get())); }
  void remove(CurlRequest& request) noexcept {
    curl_multi_remove_handle(multi_.get(), request.get());
  }
  /// Does what can be done now.
  void perform();
  /// A request that ended, if there is one; it is to be removed.
  [[nodiscard]] CURLMsg* next_ended();
  /// Waits until there is something to do, wake() was called, or the time is over.
  void wait(std::chrono::milliseconds most);
  /// Thread-safe.
  void wake() noexcept { curl_multi_wakeup(multi_.get()); }

 private:
  struct Free {
    void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
  };
  static void require(CURLMcode code);

  std::unique_ptr<CURLM, Free> multi_;
};

/// The result of one request over a connection of its own; none when a stop was requested.
std::optional<CURLcode> perform_alone(CurlRequest& request, const std::stop_token& stop);

}  // namespace furrow
