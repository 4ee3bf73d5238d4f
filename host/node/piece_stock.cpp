// SPDX-License-Identifier: Apache-2.0
#include "host/node/piece_stock.hpp"

#include <exception>
#include <utility>

#include "host/base/foreign_error.hpp"
#include "host/pieces/source_errors.hpp"

namespace furrow::node {
namespace {

/// Of so many pieces it is remembered that they were told of. A store that has lost more says nothing new
/// with each of them, and what they are asked for over years must not fill the memory.
constexpr std::size_t kMostTold = 4096;

}  // namespace

PieceStock::PieceStock(PieceGetter& getter, PieceStockOptions options)
    : getter_(getter),
      options_(std::move(options)),
      n_pieces_(options_.history_size.count() * kNumPieces) {}

bool PieceStock::has(PieceIndex index) const {
  return index.value() < n_pieces_ && !options_.absent.contains(segment_index_of(index));
}

PieceStock::Answer PieceStock::read(PieceIndex index, const std::stop_token& stop) {
  if (index.value() >= n_pieces_) {
    ++missing_;  // of a longer history than this one: no problem of ours
    return {};
  }
  PieceAnswer answer;
  try {
    getter_.get_pieces(
        {&index, 1}, [&answer](PieceIndex, PieceAnswer given) { answer = std::move(given); }, stop);
  } catch (...) {
    answer = PieceAnswer::failed(std::current_exception());
  }
  if (answer.error != nullptr) {
    ++failed_;
    std::string reason = message_of(answer.error);
    if (is_of_the_source(fault_of(answer.error))) {
      why_gone_.keep(answer.error);
      gone_.request_stop();
    } else {
      tell(index, /*is_missing=*/false, reason);
    }
    return {nullptr, std::move(reason)};
  }
  if (answer.piece != nullptr) {
    ++pieces_;
  } else if (!stop.stop_requested()) {
    ++missing_;
    tell(index, /*is_missing=*/true, "it is not in the store");
  }
  return {std::move(answer.piece), {}};
}

void PieceStock::tell(PieceIndex index, bool is_missing, const std::string& reason) {
  {
    const Lock lock(mutex_);
    if (told_.size() >= kMostTold || !told_.insert(index).second) {
      return;
    }
  }
  options_.on_problem({index, is_missing, reason});
}

}  // namespace furrow::node
