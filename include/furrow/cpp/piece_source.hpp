// SPDX-License-Identifier: Apache-2.0
/** @file
 * Where pieces come from: functions of the user, a piece store, a farm (furrow/c/piece_source.h).
 * Part of furrow/furrow.hpp. */
#ifndef FURROW_CPP_PIECE_SOURCE_HPP
#define FURROW_CPP_PIECE_SOURCE_HPP

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "furrow/cpp/farm.hpp"

namespace furrow {
inline namespace v0_1 {

/// Pieces that a source of the user is asked for. Keep it as long as answers are to come; when it is
/// destroyed, pieces without an answer have failed. Threads may answer at the same time.
class Batch {
 public:
  /// Owns a batch of the C interface.
  explicit Batch(furrow_piece_batch* batch) : batch_(batch, furrow_piece_batch_release) {}
  Batch(Batch&&) noexcept = default;
  Batch& operator=(Batch&&) noexcept = default;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch() = default;

  /// Here is a piece, of FURROW_PIECE_SIZE bytes; it is copied.
  /// @return whether somebody still waits for it
  bool answer(std::uint64_t piece_index, Bytes piece) const {
    detail::check_size("piece", piece.size(), FURROW_PIECE_SIZE);
    return tell(piece_index, FURROW_OK, piece.data(), nullptr);
  }
  /// The source does not have it.
  bool answer_missing(std::uint64_t piece_index) const {
    return tell(piece_index, FURROW_UNAVAILABLE, nullptr, nullptr);
  }
  /// It failed.
  bool answer_failed(std::uint64_t piece_index, const std::string& why) const {
    return tell(piece_index, FURROW_CALLBACK_FAILED, nullptr, why.c_str());
  }
  /// Whether nobody waits for any of it any more.
  [[nodiscard]] bool is_over() const noexcept {
    return batch_ == nullptr || furrow_piece_batch_is_over(batch_.get()) != 0;
  }

 private:
  friend class PieceSource;
  explicit Batch(std::shared_ptr<furrow_piece_batch> batch) noexcept : batch_(std::move(batch)) {}

  bool tell(std::uint64_t piece_index, furrow_status status, const std::uint8_t* piece,
            const char* message) const {
    return detail::outcome_of(furrow_piece_batch_answer(batch_.get(), piece_index, status, piece,
                                                        message)) == Outcome::kDone;
  }

  std::shared_ptr<furrow_piece_batch> batch_;
};

/// Writes a piece of FURROW_PIECE_SIZE bytes and returns true; false when it does not have it. Up to
/// `concurrency` calls at once, from threads of the library. When it throws the piece has failed,
/// with the text of the exception; an Error of kind FURROW_ERROR_PIECE_MISSING is as good as false.
using GetPiece = std::function<bool(std::uint64_t piece_index, MutableBytes piece)>;

/// Begins to get pieces, each of them once in the list, and returns; answers are given to the batch
/// in any order, before or after it returns. By several threads at once. When it throws, the pieces
/// that have no answer yet have failed, with the text of the exception.
using GetPieces = std::function<void(std::vector<std::uint64_t> piece_indices, Batch batch)>;

/// A source of pieces.
class PieceSource {
 public:
  /// Pieces have to be valid: nobody verifies them again (verify_piece does). `get_piece` lives until
  /// nothing uses the source any more. `concurrency` is the number of calls at the same time, 1 to
  /// 64; 0: the default.
  static PieceSource from_function(const Library& library, GetPiece get_piece,
                                   std::uint32_t concurrency = 0) {
    furrow_piece_source_callbacks c = detail::initialised(furrow_piece_source_callbacks_init);
    c.concurrency = concurrency != 0 ? concurrency : c.concurrency;
    c.get_piece = [](void* user, std::uint64_t piece_index, std::uint8_t* piece) noexcept {
      return call(*static_cast<const GetPiece*>(user), piece_index, piece);
    };
    return create(library, c, std::move(get_piece));
  }

  /// As from_function, for sources that are asked for many pieces at once and answer later. A batch
  /// may be without any answer for `patience_ms` milliseconds before the pieces that are left have
  /// failed; 0: for ever.
  static PieceSource from_batches(const Library& library, GetPieces get_pieces,
                                  std::uint32_t patience_ms = 0) {
    furrow_piece_source_callbacks c = detail::initialised(furrow_piece_source_callbacks_init);
    c.patience_ms = patience_ms;
    c.get_pieces = [](void* user, const std::uint64_t* piece_indices, std::size_t count,
                      furrow_piece_batch* batch) noexcept {
      call(*static_cast<const GetPieces*>(user), {piece_indices, count}, batch);
    };
    return create(library, c, std::move(get_pieces));
  }

  /// A piece store, as `furrow archive` makes them.
  static PieceSource open_store(const Library& library, const std::string& directory) {
    furrow_piece_source* source = nullptr;
    detail::check(furrow_piece_source_open_store(library.get(), directory.c_str(), &source));
    return PieceSource(Owner(source, library.kept()));
  }

  /// Pieces that sectors of a farm hold, which stays open as long as the source is used; `threads`
  /// of them are read at the same time; 0: one for each processor.
  static PieceSource of_farm(const Farm& farm, std::uint32_t threads = 0) {
    furrow_piece_source* source = nullptr;
    detail::check(furrow_piece_source_of_farm(farm.get(), threads, &source));
    return PieceSource(Owner(source, farm.kept()));
  }

  /// The history of a piece store; an Error of status FURROW_UNAVAILABLE from other sources.
  [[nodiscard]] furrow_history history() const {
    return detail::filled<furrow_history>(
        [&](furrow_history* history) { return furrow_piece_source_get_history(get(), history); });
  }
  /// Gets one piece, of FURROW_PIECE_SIZE bytes. One that is not there is an Error of kind
  /// FURROW_ERROR_PIECE_MISSING.
  Outcome get_piece(std::uint64_t piece_index, MutableBytes piece,
                    const AbortFlag* abort = nullptr) {
    detail::check_size("piece", piece.size(), FURROW_PIECE_SIZE);
    return detail::outcome_of(
        furrow_piece_source_get_piece(get(), piece_index, piece.data(), detail::byte_of(abort)));
  }

  /// For functions of the C interface.
  [[nodiscard]] furrow_piece_source* get() const noexcept { return handle_.get(); }
  /// What plotters that use it keep.
  [[nodiscard]] const detail::Kept& kept() const noexcept { return handle_.kept(); }

 private:
  using Owner = detail::Handle<furrow_piece_source, furrow_piece_source_destroy>;
  explicit PieceSource(Owner handle) noexcept : handle_(std::move(handle)) {}

  template <class Function>
  static PieceSource create(const Library& library, furrow_piece_source_callbacks callbacks,
                            Function function) {
    auto user = std::make_unique<Function>(std::move(function));
    callbacks.user = user.get();
    callbacks.on_destroy = [](void* pointer) noexcept { delete static_cast<Function*>(pointer); };
    furrow_piece_source* source = nullptr;
    detail::check(furrow_piece_source_create(library.get(), &callbacks, &source));
    user.release();  // the source's from now on
    return PieceSource(Owner(source, library.kept()));
  }

  static furrow_status call(const GetPiece& get_piece, std::uint64_t piece_index,
                            std::uint8_t* piece) noexcept {
    try {
      return get_piece(piece_index, {piece, FURROW_PIECE_SIZE}) ? FURROW_OK : FURROW_UNAVAILABLE;
    } catch (const Error& error) {
      furrow_set_callback_error(error.what());
      return error.kind() == FURROW_ERROR_PIECE_MISSING ? FURROW_UNAVAILABLE
                                                        : FURROW_CALLBACK_FAILED;
    } catch (const std::exception& error) {
      furrow_set_callback_error(error.what());
    } catch (...) {
      furrow_set_callback_error("unknown exception");
    }
    return FURROW_CALLBACK_FAILED;
  }

  static void call(const GetPieces& get_pieces, Span<const std::uint64_t> piece_indices,
                   furrow_piece_batch* batch) noexcept {
    try {
      // Held here as well, so that there is still a batch to answer when the function throws.
      const std::shared_ptr<furrow_piece_batch> held(batch, furrow_piece_batch_release);
      try {
        get_pieces({piece_indices.begin(), piece_indices.end()}, Batch(held));
      } catch (...) {
        const std::string why = detail::text_of_exception();
        for (const std::uint64_t piece_index : piece_indices) {  // those with an answer refuse it
          furrow_piece_batch_answer(held.get(), piece_index, FURROW_CALLBACK_FAILED, nullptr,
                                    why.c_str());
        }
      }
    } catch (...) {
      furrow_set_callback_error("out of memory");  // the batch is released: all of it has failed
    }
  }

  Owner handle_;
};

}  // namespace v0_1
}  // namespace furrow

#endif
