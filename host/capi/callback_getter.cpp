// SPDX-License-Identifier: Apache-2.0
// Pieces from functions of the caller.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>
#include <unistd.h>

#include "host/base/mutex.hpp"
#include "host/base/threads.hpp"
#include "host/capi/last_error.hpp"
#include "host/capi/piece_source.hpp"
#include "host/capi/structs.hpp"

namespace furrow::capi {

/// What a batch and whoever waits for it have in common. Answers go to the sink on the thread that
/// gives them, so that none has to be kept.
struct PieceBatch {
  const pid_t process =
      ::getpid();  // in a child of it nobody waits, and locks may be held for ever
  Mutex mutex;     // held while the sink is called
  ConditionVariable changed;
  const PieceGetter::Sink* sink FURROW_GUARDED_BY(mutex) = nullptr;  // null: nobody waits any more
  std::set<PieceIndex> open FURROW_GUARDED_BY(mutex);
  std::set<PieceIndex> answered FURROW_GUARDED_BY(mutex);
  bool is_released FURROW_GUARDED_BY(mutex) = false;
  std::exception_ptr failure FURROW_GUARDED_BY(mutex);  // of the sink
};

namespace {

static_assert(FURROW_PIECE_SIZE == kPieceSize);
constexpr std::uint32_t kMostCalls = 64;

CallbackFailed failure(PieceIndex index, furrow_status status, const std::string& message) {
  return CallbackFailed(CallbackFailed::How::kFailed,
                        "the source failed to give piece " + std::to_string(index.value()) + ": " +
                            (message.empty() ? furrow_status_name(status) : message.c_str()),
                        {.piece_index = index.value()});
}

/// What a status of the caller means; `piece` is the one that goes with FURROW_OK.
PieceAnswer answer_of(PieceIndex index, furrow_status status, PiecePtr piece,
                      const std::string& message) {
  if (status == FURROW_OK) {
    return PieceAnswer::found(std::move(piece));
  }
  if (status == FURROW_UNAVAILABLE) {
    return PieceAnswer::not_found();
  }
  return PieceAnswer::failed(std::make_exception_ptr(failure(index, status, message)));
}

/// Base of both: the user's end of it.
class CallbackGetter : public PieceGetter {
 public:
  explicit CallbackGetter(const furrow_piece_source_callbacks& callbacks) : callbacks_(callbacks) {}
  ~CallbackGetter() override {
    if (callbacks_.on_destroy != nullptr) {
      callbacks_.on_destroy(callbacks_.user);
    }
  }

 protected:
  furrow_piece_source_callbacks callbacks_;
};

/// Asks for one piece at a time, on several threads.
class SingleGetter final : public CallbackGetter {
 public:
  using CallbackGetter::CallbackGetter;

  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override {
    std::atomic<std::size_t> next = 0;
    Mutex sink_mutex;
    run_workers(std::min<std::size_t>(callbacks_.concurrency, indices.size()), "fw-pieces", stop,
                [&](std::size_t, const std::stop_token& end) {
                  while (!end.stop_requested()) {
                    const std::size_t i = next++;
                    if (i >= indices.size()) {
                      return;
                    }
                    PieceAnswer answer = ask(indices[i]);
                    const Lock lock(sink_mutex);
                    sink(indices[i], std::move(answer));
                  }
                });
  }

 private:
  [[nodiscard]] PieceAnswer ask(PieceIndex index) const {
    const auto piece = std::make_shared<Piece>();
    static_cast<void>(take_callback_error());  // of an earlier one
    const furrow_status status =
        callbacks_.get_piece(callbacks_.user, index.value(), mutable_bytes_of(*piece).data());
    return answer_of(index, status, piece, take_callback_error());
  }
};

/// Asks for all of them at once, and takes answers as they come.
class BatchGetter final : public CallbackGetter {
 public:
  using CallbackGetter::CallbackGetter;

  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override;

 private:
  [[nodiscard]] bool wait(PieceBatch& batch, const std::stop_token& stop) const
      FURROW_REQUIRES(batch.mutex);
  void give_up(PieceBatch& batch, bool is_silent) const FURROW_REQUIRES(batch.mutex);
};

/// Nobody waits for a batch after this, whatever ends it.
class EndOfBatch {
 public:
  explicit EndOfBatch(PieceBatch& batch) : batch_(batch) {}
  EndOfBatch(const EndOfBatch&) = delete;
  EndOfBatch& operator=(const EndOfBatch&) = delete;
  ~EndOfBatch() {
    const Lock lock(batch_.mutex);
    batch_.sink = nullptr;
  }

 private:
  PieceBatch& batch_;
};

}  // namespace
}  // namespace furrow::capi

/// The caller's end of a batch.
struct furrow_piece_batch {
  std::shared_ptr<furrow::capi::PieceBatch> shared;
};

namespace furrow::capi {
namespace {

/// Until all answers are there or no more will come; false when the source has said nothing for
/// longer than it may.
bool BatchGetter::wait(PieceBatch& batch, const std::stop_token& stop) const {
  while (true) {
    const std::size_t n_open = batch.open.size();
    const auto is_at_its_end = [&batch]() FURROW_REQUIRES(batch.mutex) {
      return batch.open.empty() || batch.is_released || batch.failure != nullptr;
    };
    if (callbacks_.patience_ms == 0) {
      batch.changed.wait(batch.mutex, stop, is_at_its_end);
      return true;
    }
    const std::chrono::milliseconds patience(callbacks_.patience_ms);
    if (batch.changed.wait_for(batch.mutex, stop, patience, is_at_its_end) ||
        stop.stop_requested()) {
      return true;
    }
    if (batch.open.size() == n_open) {
      return false;
    }
  }
}

/// What is left has failed.
void BatchGetter::give_up(PieceBatch& batch, bool is_silent) const {
  for (const PieceIndex index : batch.open) {
    const std::string piece = "piece " + std::to_string(index.value());
    const std::string what =
        is_silent ? "the source gave no answer for " + piece + ", nor for others, within " +
                        std::to_string(callbacks_.patience_ms) + " ms"
                  : "the source released its batch without an answer for " + piece;
    (*batch.sink)(index,
                  PieceAnswer::failed(std::make_exception_ptr(CallbackFailed(
                      is_silent ? CallbackFailed::How::kSilent : CallbackFailed::How::kFailed, what,
                      {.piece_index = index.value()}))));
  }
}

void BatchGetter::get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                             std::stop_token stop) {
  if (indices.empty() || stop.stop_requested()) {
    return;
  }
  const auto shared = std::make_shared<PieceBatch>();
  PieceBatch& batch = *shared;
  const EndOfBatch end(batch);
  std::vector<std::uint64_t> wanted;
  {
    const Lock lock(batch.mutex);
    batch.sink = &sink;
    for (const PieceIndex index : indices) {
      if (batch.open.insert(index).second) {
        wanted.push_back(index.value());
      }
    }
  }
  callbacks_.get_pieces(callbacks_.user, wanted.data(), wanted.size(),
                        new furrow_piece_batch{shared});
  const Lock lock(batch.mutex);
  const bool is_silent = !wait(batch, stop);
  if (batch.failure != nullptr) {
    std::rethrow_exception(batch.failure);
  }
  if (!stop.stop_requested()) {
    give_up(batch, is_silent);
  }
  batch.sink = nullptr;  // before anybody else has the mutex
}

}  // namespace

std::unique_ptr<PieceGetter> make_callback_getter(const furrow_piece_source_callbacks& callbacks) {
  if ((callbacks.get_piece == nullptr) == (callbacks.get_pieces == nullptr)) {
    refuse("furrow_piece_source_callbacks", "one of get_piece and get_pieces",
           std::string(callbacks.get_piece == nullptr ? "none" : "both"));
  }
  if (callbacks.get_pieces != nullptr) {
    return std::make_unique<BatchGetter>(callbacks);
  }
  if (callbacks.concurrency < 1 || callbacks.concurrency > kMostCalls) {
    refuse("furrow_piece_source_callbacks: concurrency", "1 to " + std::to_string(kMostCalls),
           callbacks.concurrency);
  }
  return std::make_unique<SingleGetter>(callbacks);
}

}  // namespace furrow::capi

using furrow::capi::guarded;

extern "C" {

furrow_status furrow_piece_batch_answer(furrow_piece_batch* batch, uint64_t piece_index,
                                        furrow_status status, const uint8_t* piece,
                                        const char* message) {
  return guarded([&] {
    furrow::capi::check_pointer(batch, "batch");
    std::shared_ptr<furrow::Piece> copy;
    if (status == FURROW_OK) {
      furrow::capi::check_pointer(piece, "piece");
      copy = std::make_shared<furrow::Piece>();
      std::memcpy(copy.get(), piece, sizeof(furrow::Piece));
    }
    const furrow::PieceIndex index(piece_index);
    furrow::PieceAnswer answer =
        furrow::capi::answer_of(index, status, copy, message != nullptr ? message : "");
    furrow::capi::PieceBatch& shared = *batch->shared;
    if (shared.process != ::getpid()) {
      throw furrow::InvalidArgument("furrow: the batch was given out in process " +
                                    std::to_string(shared.process) + ", before it forked");
    }
    const furrow::Lock lock(shared.mutex);
    if (shared.sink == nullptr) {
      return FURROW_CANCELLED;
    }
    if (shared.open.erase(index) == 0) {
      throw furrow::InvalidArgument(
          "furrow: piece " + std::to_string(piece_index) +
              (shared.answered.contains(index) ? " was answered before in this batch"
                                               : " is not in the batch"),
          {.piece_index = piece_index});
    }
    shared.answered.insert(index);
    try {
      (*shared.sink)(index, std::move(answer));
    } catch (...) {
      shared.failure = std::current_exception();
    }
    shared.changed.notify_all();
    return FURROW_OK;
  });
}

int furrow_piece_batch_is_over(const furrow_piece_batch* batch) {
  if (batch == nullptr || batch->shared->process != ::getpid()) {
    return 1;
  }
  const furrow::Lock lock(batch->shared->mutex);
  return batch->shared->sink == nullptr ? 1 : 0;
}

void furrow_piece_batch_release(furrow_piece_batch* batch) {
  if (batch == nullptr || batch->shared->process != ::getpid()) {
    return;
  }
  {
    const furrow::Lock lock(batch->shared->mutex);
    batch->shared->is_released = true;
    batch->shared->changed.notify_all();
  }
  delete batch;
}

}  // extern "C"
