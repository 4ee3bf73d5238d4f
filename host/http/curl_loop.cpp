// SPDX-License-Identifier: Apache-2.0
#include "host/http/curl_loop.hpp"

#include <algorithm>
#include <climits>
#include <cstdint>
#include <new>
#include <string>

#include "furrow/errors.hpp"

namespace furrow {

CurlLoop::CurlLoop(std::size_t max_connections) {
  initialise_curl();
  multi_.reset(curl_multi_init());
  if (multi_ == nullptr) {
    throw std::bad_alloc();
  }
  require(
      curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(max_connections)));
}

void CurlLoop::require(CURLMcode code) {
  if (code == CURLM_OUT_OF_MEMORY) {
    throw std::bad_alloc();
  }
  if (code != CURLM_OK) {
    throw Error(ErrorKind::kInternal, std::string("libcurl: ") + curl_multi_strerror(code));
  }
}

void CurlLoop::perform() {
  int n_running = 0;
  require(curl_multi_perform(multi_.get(), &n_running));
}

std::optional<CurlLoop::Ended> CurlLoop::take_ended() {
  int n_left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &n_left)) {
    if (message->msg == CURLMSG_DONE) {
      const Ended ended{&CurlRequest::of(message->easy_handle), message->data.result};
      remove(*ended.request);  // and the message goes
      return ended;
    }
  }
  return std::nullopt;
}

void CurlLoop::wait(std::chrono::milliseconds most) {
  const auto limited = std::clamp<std::int64_t>(most.count(), 0, INT_MAX);
  require(curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(limited), nullptr));
}

std::optional<CURLcode> perform_alone(CurlRequest& request, const std::stop_token& stop) {
  CurlLoop loop(1);
  loop.add(request);
  const std::stop_callback wake(stop, [&] { loop.wake(); });
  while (!stop.stop_requested()) {
    loop.perform();
    if (const std::optional<CurlLoop::Ended> ended = loop.take_ended()) {
      return ended->code;
    }
    loop.wait(CurlLoop::kLongestWait);
  }
  loop.remove(request);
  return std::nullopt;
}

}  // namespace furrow
