// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/http_piece_getter.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "host/http/curl_loop.hpp"
#include "host/pieces/http_examination.hpp"
#include "host/pieces/http_piece_request.hpp"
#include "host/pieces/http_source.hpp"
#include "host/pieces/http_translation.hpp"
#include "host/pieces/source_errors.hpp"

namespace furrow {
namespace {

using Clock = WantedPiece::Clock;

HttpSourceOptions checked(HttpSourceOptions options) {
  const auto require = [](bool holds, const std::string& what, std::uint64_t actual) {
    if (!holds) {
      throw InvalidArgument("pieces over HTTP: " + what + ", actual " + std::to_string(actual));
    }
  };
  require_source_url(options.url);
  require(options.in_flight >= 1, "expected at least 1 piece in flight", options.in_flight);
  require(options.pieces_per_request >= 1 && options.pieces_per_request <= options.in_flight,
          "expected 1 to " + std::to_string(options.in_flight) + " pieces in a request",
          options.pieces_per_request);
  require(options.tries >= 1, "expected at least 1 try", options.tries);
  return options;
}

}  // namespace

/// Connections and requests for one batch at a time.
class HttpPieceGetter::Session {
 public:
  explicit Session(const HttpSourceOptions& now) : options(now), loop(now.in_flight) {}

  HttpSourceOptions options;  // with the token of this batch
  CurlLoop loop;
  std::vector<std::unique_ptr<HttpPieceRequest>> slots;
  HttpPieceRequest::OnAnswer on_answer;
};

class HttpPieceGetter::BorrowedSession {
 public:
  explicit BorrowedSession(HttpPieceGetter& owner) : owner_(owner) {
    const HttpSourceOptions now = owner_.options_now();
    const Lock lock(owner_.mutex_);
    if (!owner_.idle_.empty()) {
      session_ = std::move(owner_.idle_.back());
      owner_.idle_.pop_back();
      session_->options = now;
    } else {
      session_ = std::make_unique<Session>(now);
    }
    ++owner_.n_batches_;
  }
  BorrowedSession(const BorrowedSession&) = delete;
  BorrowedSession& operator=(const BorrowedSession&) = delete;
  ~BorrowedSession() {
    for (const auto& slot : session_->slots) {
      if (slot->is_under_way()) {
        session_->loop.remove(slot->request());
      }
    }
    // The pools go, with the memory that pieces have touched; the connections stay.
    session_->slots.clear();
    session_->on_answer = nullptr;
    const Lock lock(owner_.mutex_);
    --owner_.n_batches_;
    // One is enough for batches that follow each other; the connections of more would take places
    // at the server for nothing.
    if (owner_.idle_.empty()) {
      owner_.idle_.push_back(std::move(session_));
    }
  }
  Session& operator*() const { return *session_; }

 private:
  HttpPieceGetter& owner_;
  std::unique_ptr<Session> session_;
};

/// One call of get_pieces.
class HttpPieceGetter::Batch {
 public:
  Batch(HttpPieceGetter& getter, Session& session, const Sink& sink)
      : getter_(getter), options_(getter.options_), session_(session), sink_(sink) {
    session_.on_answer = [this](const WantedPiece& piece, PieceAnswer given, bool may_retry) {
      on_answer(piece, std::move(given), may_retry);
    };
  }

  void run(std::span<const PieceIndex> indices, const std::stop_token& stop) {
    stop_ = stop;
    n_open_ = indices.size();
    for (const PieceIndex index : indices) {
      ready_.push_back({.index = index});
    }
    const std::stop_callback wake(stop, [this] { session_.loop.wake(); });
    while (n_open_ != 0 && !stop.stop_requested()) {
      begin_requests();
      session_.loop.perform();
      end_requests();
      if (unavailable_ != nullptr) {
        fail_all();
        return;
      }
      if (n_open_ != 0 && !can_begin()) {
        session_.loop.wait(time_to_wait());
      }
    }
  }

 private:
  /// Requests that may begin now. Batches share what may be under way; each has at least one, so
  /// that one goes on that runs in the sink of another.
  [[nodiscard]] std::size_t n_free_slots() const {
    const std::size_t n_slots =
        (options_.in_flight + options_.pieces_per_request - 1) / options_.pieces_per_request;
    const std::size_t share =
        getter_.has_answered_ ? std::max<std::size_t>(n_slots / getter_.n_batches_, 1) : 1;
    return share - std::min(share, n_under_way_);
  }
  [[nodiscard]] bool can_begin() const { return !ready_.empty() && n_free_slots() != 0; }

  [[nodiscard]] std::chrono::milliseconds time_to_wait() const {
    constexpr auto kLongest = CurlLoop::kLongestWait;
    return delayed_.empty() ? kLongest
                            : std::min(kLongest, std::chrono::ceil<std::chrono::milliseconds>(
                                                     delayed_.begin()->first - Clock::now()));
  }

  HttpPieceRequest& free_slot() {
    const auto found = std::find_if(session_.slots.begin(), session_.slots.end(),
                                    [](const auto& slot) { return !slot->is_under_way(); });
    if (found != session_.slots.end()) {
      return **found;
    }
    session_.slots.push_back(std::make_unique<HttpPieceRequest>(
        session_.options, getter_.validator_, getter_.pools_.take(), session_.on_answer));
    return *session_.slots.back();
  }

  void begin_requests() {
    for (const auto now = Clock::now(); !delayed_.empty() && delayed_.begin()->first <= now;) {
      ready_.push_back(delayed_.begin()->second);
      delayed_.erase(delayed_.begin());
    }
    while (!ready_.empty()) {
      const std::size_t n_free = n_free_slots();
      if (n_free == 0) {
        return;
      }
      // Few pieces are spread over the connections.
      const std::size_t n =
          std::min((ready_.size() + n_free - 1) / n_free, options_.pieces_per_request);
      const auto last = ready_.begin() + static_cast<std::ptrdiff_t>(n);
      std::vector<WantedPiece> wanted(ready_.begin(), last);
      ready_.erase(ready_.begin(), last);
      free_slot().begin(std::move(wanted), session_.loop);
      ++n_under_way_;
    }
  }

  void end_requests() {
    while (const std::optional<CurlLoop::Ended> ended = session_.loop.take_ended()) {
      const auto slot =
          std::find_if(session_.slots.begin(), session_.slots.end(),
                       [&](const auto& one) { return &one->request() == ended->request; });
      --n_under_way_;
      (*slot)->end(ended->code);
      if ((*slot)->failure_of_sink() != nullptr) {
        std::rethrow_exception((*slot)->failure_of_sink());
      }
    }
  }

  void on_answer(const WantedPiece& piece, PieceAnswer given, bool may_retry) {
    if (has_sink_thrown_) {
      return;  // other requests may have answers before the batch ends
    }
    if (given.piece != nullptr) {
      getter_.note_given(piece.index);
      is_examined_ = false;
    } else if (unavailable_ != nullptr) {
      given.error = unavailable_;  // what else such a server said meanwhile counts for nothing
    } else if (is_doubtful(piece, given)) {
      examine(given);
    }
    if (given.error == nullptr) {
      last_success_ = Clock::now();
      getter_.has_answered_ = true;
    } else if (may_retry && unavailable_ == nullptr && piece.n_tries < options_.tries) {
      const auto next =
          Clock::now() + options_.retry_delay * (1U << std::min(piece.n_tries - 1, 16U));
      if (next < piece.deadline) {
        delayed_.emplace(next, piece);
        return;
      }
    }
    if (given.error != nullptr) {
      take_failure(piece, given.error);
    }
    --n_open_;
    has_sink_thrown_ = true;
    sink_(piece.index, std::move(given));
    has_sink_thrown_ = false;
  }

  /// Whether it is the source as a whole, so that the rest of the batch fails with it.
  void take_failure(const WantedPiece& piece, const std::exception_ptr& error) {
    const PieceFault fault = fault_of(error);
    if (is_refusal(fault)) {
      unavailable_ = error;
    } else if (last_success_ > piece.first_try) {
      return;  // others were lucky meanwhile
    } else if (is_of_the_source(fault)) {
      unavailable_ = error;
    } else if (is_passing(fault) && !getter_.has_answered_) {
      // Only this piece was asked for; it is nobody's fault that the others have no answer.
      unavailable_ = std::make_exception_ptr(SourceUnavailable(message_of(error)));
    }
    if (unavailable_ != nullptr) {
      getter_.has_answered_ = false;  // the next batch begins with one request again
    }
  }

  /// Whether the answer, which is none, may be that of another server: of one that has not given a
  /// piece since this one was asked for. Once until it gives one again.
  [[nodiscard]] bool is_doubtful(const WantedPiece& piece, const PieceAnswer& given) const {
    if (is_examined_ || !options_.check_manifest || getter_.has_given_since(piece.first_try)) {
      return false;
    }
    if (given.error == nullptr) {
      return true;
    }
    switch (fault_of(given.error)) {
      case PieceFault::kStatus:
      case PieceFault::kDamaged:
      case PieceFault::kWrong:
        return true;
      default:
        return false;
    }
  }

  void examine(PieceAnswer& given) {
    is_examined_ = true;
    if (const std::exception_ptr refusal = getter_.examine(session_.options, given.error, stop_)) {
      given.error = refusal;
      unavailable_ = refusal;
      getter_.has_answered_ = false;
    }
  }

  void fail_all() {
    std::vector<WantedPiece> left(ready_.begin(), ready_.end());
    for (const auto& [next_try, piece] : delayed_) {
      left.push_back(piece);
    }
    for (const auto& slot : session_.slots) {
      if (slot->is_under_way()) {
        session_.loop.remove(slot->request());
        slot->give_up(left);
      }
    }
    for (const WantedPiece& piece : left) {
      sink_(piece.index, PieceAnswer::failed(unavailable_));
    }
  }

  HttpPieceGetter& getter_;
  const HttpSourceOptions& options_;
  Session& session_;
  const Sink& sink_;
  std::size_t n_open_ = 0;
  std::size_t n_under_way_ = 0;
  std::deque<WantedPiece> ready_;
  std::multimap<Clock::time_point, WantedPiece> delayed_;
  bool has_sink_thrown_ = false;
  bool is_examined_ = false;
  std::stop_token stop_;
  Clock::time_point last_success_{};
  std::exception_ptr unavailable_;
};

HttpPieceGetter::HttpPieceGetter(HttpSourceOptions options, PieceValidator validator)
    : options_(checked(std::move(options))),
      validator_(std::move(validator)),
      // None is kept: each request has one, so those of a great batch, of all sources, would hold
      // far more than what is ever under way.
      pools_(options_.memory, 0),
      last_token_(options_.token) {}
HttpPieceGetter::~HttpPieceGetter() = default;

/// With the token that holds now.
HttpSourceOptions HttpPieceGetter::options_now() {
  HttpSourceOptions now = options_;
  if (options_.read_token) {
    const Lock lock(mutex_);
    try {
      last_token_ = options_.read_token();
    } catch (const std::exception&) {
      // It may be just being replaced; a server that wants another one will say so.
    }
    now.token = last_token_;
  }
  return now;
}

void HttpPieceGetter::note_given(PieceIndex piece) {
  const Lock lock(mutex_);
  last_given_ = {piece, Clock::now()};
}

bool HttpPieceGetter::has_given_since(Clock::time_point time) {
  const Lock lock(mutex_);
  return last_given_.has_value() && last_given_->at > time;
}

/// Why the server is not the right one, after that answer; null when it is, or when nothing can be
/// said.
std::exception_ptr HttpPieceGetter::examine(const HttpSourceOptions& options,
                                            const std::exception_ptr& answer,
                                            const std::stop_token& stop) {
  std::optional<PieceIndex> known;
  {
    const Lock lock(mutex_);
    if (last_given_.has_value()) {
      known = last_given_->index;
    } else if (has_shown_manifest_) {
      return nullptr;
    }
  }
  const HttpExamination result = examine_server(options, known, answer, stop);
  const Lock lock(mutex_);
  has_shown_manifest_ = has_shown_manifest_ || result.is_right;
  return result.refusal;
}

void HttpPieceGetter::get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                                 std::stop_token stop) {
  const BorrowedSession session(*this);
  Batch(*this, *session, sink).run(indices, stop);
}

std::unique_ptr<PieceGetter> make_http_piece_getter(HttpSourceOptions options,
                                                    PieceValidator validator) {
  return std::make_unique<HttpPieceGetter>(std::move(options), std::move(validator));
}

}  // namespace furrow
