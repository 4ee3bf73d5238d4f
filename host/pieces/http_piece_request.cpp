// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/http_piece_request.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "host/archive/piece_validation.hpp"
#include "host/base/counted.hpp"
#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "host/http/http_answer.hpp"
#include "host/http/http_status.hpp"
#include "host/pieces/http_paths.hpp"
#include "host/pieces/http_translation.hpp"
#include "host/pieces/piece_etag.hpp"
#include "host/pieces/source_errors.hpp"

namespace furrow {
namespace {

bool is_transient(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const HttpStatusError& status) {
    return status.is_busy();
  } catch (const HttpConnectionFailed&) {
    return true;
  } catch (const HttpTransferFailed&) {
    return true;
  } catch (const HttpTimeout&) {
    return true;
  } catch (const InvalidBytesLength&) {
    return true;
  } catch (const ChecksumMismatch&) {
    return true;  // of what was received
  } catch (...) {
    return false;
  }
}

template <class E, class... Parts>
std::exception_ptr error_of(Parts&&... parts) {
  return std::make_exception_ptr(E(std::forward<Parts>(parts)...));
}

}  // namespace

HttpPieceRequest::HttpPieceRequest(const HttpSourceOptions& options,
                                   const PieceValidator& validator, PiecePools::Lease pool,
                                   const OnAnswer& on_answer)
    : options_(options),
      validator_(validator),
      pool_(std::move(pool)),
      on_answer_(on_answer),
      request_(client_options(options)) {
  request_.set(CURLOPT_WRITEFUNCTION, &HttpPieceRequest::on_body);
  request_.set(CURLOPT_WRITEDATA, this);
}

std::string HttpPieceRequest::what() const {
  return wanted_.size() == 1
             ? describe_piece(wanted_.front().index) + " from " + request_.shown_url()
             : counted(wanted_.size(), "piece") + " from " + request_.shown_url();
}

void HttpPieceRequest::begin(std::vector<WantedPiece> wanted, CurlLoop& loop) {
  wanted_ = std::move(wanted);
  is_answered_.assign(wanted_.size(), false);
  n_open_ = wanted_.size();
  frames_.reset();
  missing_ = {};
  n_received_ = 0;
  text_.clear();
  broken_ = nullptr;
  const auto now = WantedPiece::Clock::now();
  auto deadline = WantedPiece::Clock::time_point::max();
  std::vector<PieceIndex> indices;
  for (WantedPiece& piece : wanted_) {
    if (piece.n_tries++ == 0) {
      piece.first_try = now;
      piece.deadline = now + options_.piece_time;
    }
    deadline = std::min(deadline, piece.deadline);
    indices.push_back(piece.index);
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  request_.set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(left, 1)));
  if (options_.pieces_per_request <= 1) {
    request_.set_path(kPiecePathPrefix + std::to_string(indices.front().value()));
    request_.set(CURLOPT_HTTPGET, 1L);
  } else {
    request_.set_path(kPiecesPath);
    body_to_send_ = encode_piece_request(indices);
    request_.set(CURLOPT_POST, 1L);
    request_.set(CURLOPT_POSTFIELDSIZE, static_cast<long>(body_to_send_.size()));
    request_.set(CURLOPT_POSTFIELDS, reinterpret_cast<const char*>(body_to_send_.data()));
    frames_.emplace(request_.shown_url());
  }
  loop.add(request_);
}

std::size_t HttpPieceRequest::on_body(char* data, std::size_t size, std::size_t n, void* self) {
  auto& request = *static_cast<HttpPieceRequest*>(self);
  try {
    request.receive({reinterpret_cast<const std::uint8_t*>(data), size * n});
    return request.failure_of_sink_ == nullptr ? size * n : 0;
  } catch (...) {
    request.broken_ = std::current_exception();
    return 0;  // ends the request
  }
}

void HttpPieceRequest::receive(std::span<const std::uint8_t> bytes) {
  const bool is_first = n_received_ == 0;
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  text_.append(text, std::min(bytes.size(), kKeptTextSize - std::min(kKeptTextSize, text_.size())));
  if (request_.status() != kStatusOk) {
    n_received_ += bytes.size();
    if (n_received_ > kPieceSize) {
      throw InvalidBytesLength(what() + ", a message", kPieceSize, n_received_);
    }
    return;
  }
  if (is_first) {
    if (const std::exception_ptr problem = source_error(problem_of_head(request_, what()))) {
      std::rethrow_exception(problem);
    }
  }
  if (frames_.has_value()) {
    receive_frames(bytes);
  } else {
    receive_piece(bytes);
  }
}

void HttpPieceRequest::receive_frames(std::span<const std::uint8_t> bytes) {
  const bool is_first = n_received_ == 0;
  n_received_ += bytes.size();
  try {
    frames_->read(bytes, *pool_, [this](PieceIndex index, PieceFrameStatus status, Slice body) {
      on_frame(index, status, std::move(body));
    });
  } catch (const MalformedData&) {
    // No status of a frame: perhaps there are no frames.
    const std::exception_ptr problem =
        is_first ? source_error(problem_of_body(request_, what(), text_)) : nullptr;
    if (problem != nullptr) {
      std::rethrow_exception(problem);
    }
    throw;
  }
}

std::exception_ptr HttpPieceRequest::wrong_length(std::uint64_t actual) const {
  const std::exception_ptr problem = source_error(problem_of_body(request_, what(), text_));
  return problem != nullptr ? problem : error_of<InvalidBytesLength>(what(), kPieceSize, actual);
}

void HttpPieceRequest::receive_piece(std::span<const std::uint8_t> bytes) {
  if (n_received_ == 0) {
    const std::int64_t announced = request_.content_length();
    if (announced >= 0 && announced != std::int64_t{kPieceSize}) {
      std::rethrow_exception(wrong_length(static_cast<std::uint64_t>(announced)));
    }
    // All at once: a message that grows part by part may outgrow its gap and be copied.
    missing_ = pool_->get_writable(kPieceSize);
  }
  n_received_ += bytes.size();
  if (bytes.size() > missing_.size()) {
    std::rethrow_exception(wrong_length(n_received_));
  }
  std::memcpy(missing_.data(), bytes.data(), bytes.size());
  missing_ = missing_.subspan(bytes.size());
}

PieceAnswer HttpPieceRequest::checked(PieceIndex index, Slice body) const {
  PiecePtr piece = piece_in(std::move(body));
  validator_(index, *piece);
  return PieceAnswer::found(std::move(piece));
}

void HttpPieceRequest::on_frame(PieceIndex index, PieceFrameStatus status, Slice body) {
  std::size_t i = 0;
  while (i < wanted_.size() && (is_answered_[i] || wanted_[i].index != index)) {
    ++i;
  }
  if (i == wanted_.size()) {
    throw UnexpectedPiece(request_.shown_url(), wanted_.size(), index);
  }
  switch (status) {
    case PieceFrameStatus::kNotFound:
      answer(i, PieceAnswer::not_found(), false);
      break;
    case PieceFrameStatus::kFailed:
      answer(i,
             PieceAnswer::failed(error_of<RemotePieceFailed>(
                 describe_piece(index) + " from " + request_.shown_url() +
                 ": the server says that it " +
                 printable_text({reinterpret_cast<const char*>(body.bytes().data()), body.size()},
                                request_.secrets()))),
             false);
      break;
    case PieceFrameStatus::kFound: {
      PieceAnswer given;
      try {
        given = checked(index, std::move(body));
      } catch (const Error&) {
        given = PieceAnswer::failed(std::current_exception());
      }
      answer(i, std::move(given), false);
      break;
    }
  }
}

void HttpPieceRequest::answer(std::size_t i, PieceAnswer given, bool may_retry) {
  is_answered_[i] = true;
  --n_open_;
  try {
    if (failure_of_sink_ == nullptr) {
      on_answer_(wanted_[i], std::move(given), may_retry);
    }
  } catch (...) {
    failure_of_sink_ = std::current_exception();
  }
}

std::exception_ptr HttpPieceRequest::why_incomplete(CURLcode code) const {
  if (broken_ != nullptr) {
    return broken_;
  }
  // Whoever refuses has said so with the status, also when the rest of the message does not come.
  // A 404 counts as an answer, and so has to be whole.
  const int status = request_.status();
  const bool is_told = status >= 200 && status != kStatusOk && status != kStatusNotFound;
  if (code != CURLE_OK && !is_told) {
    return source_error(request_.problem(code, what()));
  }
  if (status != kStatusOk) {
    return source_error(problem_of_status(request_, what(), text_));
  }
  if (const std::exception_ptr problem = source_error(problem_of_head(request_, what()))) {
    return problem;  // without a body
  }
  if (frames_.has_value()) {
    const std::exception_ptr problem = n_open_ == wanted_.size()
                                           ? source_error(problem_of_body(request_, what(), text_))
                                           : nullptr;
    if (problem != nullptr) {
      return problem;  // too short for a frame
    }
    return error_of<HttpTransferFailed>(what() + ": the answer ended " +
                                        (frames_->is_between_frames() ? "" : "in a frame, ") +
                                        "with " + counted(n_open_, "piece") + " missing");
  }
  return wrong_length(n_received_);
}

void HttpPieceRequest::end_single(CURLcode code) {
  const bool is_whole = code == CURLE_OK && broken_ == nullptr;
  if (is_whole && request_.status() == kStatusNotFound) {
    answer(0, PieceAnswer::not_found(), false);
    return;
  }
  Slice body = pool_->get_data_owned();
  if (!is_whole || request_.status() != kStatusOk || n_received_ != kPieceSize) {
    const std::exception_ptr error = why_incomplete(code);
    answer(0, PieceAnswer::failed(error), is_transient(error));
    return;
  }
  PieceAnswer given;
  bool may_retry = false;
  try {
    if (const std::optional<Hash> tag = hash_in_etag(request_.header("ETag").value_or(""))) {
      const Hash actual = blake3(body.bytes());
      may_retry = actual != *tag;
      if (may_retry) {
        throw ChecksumMismatch(what(), to_hex(tag->bytes), to_hex(actual.bytes));
      }
    }
    given = checked(wanted_[0].index, std::move(body));
  } catch (const Error&) {
    given = PieceAnswer::failed(std::current_exception());
  }
  answer(0, std::move(given), may_retry);
}

void HttpPieceRequest::end(CURLcode code) {
  if (!frames_.has_value()) {
    end_single(code);
  } else if (n_open_ != 0) {
    static_cast<void>(pool_->get_data_owned());  // a frame that ended too early
    const std::exception_ptr error = why_incomplete(code);
    const bool may_retry = is_transient(error);
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (!is_answered_[i]) {
        answer(i, PieceAnswer::failed(error), may_retry);
      }
    }
  }
  wanted_.clear();
}

void HttpPieceRequest::give_up(std::vector<WantedPiece>& unanswered) {
  static_cast<void>(pool_->get_data_owned());
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    if (!is_answered_[i]) {
      unanswered.push_back(wanted_[i]);
    }
  }
  wanted_.clear();
}

}  // namespace furrow
