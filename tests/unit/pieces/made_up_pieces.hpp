// SPDX-License-Identifier: Apache-2.0
// A getter that has made-up pieces, and what tests expect of answers.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "furrow/piece_getter.hpp"

#include "host/archive/piece_validation.hpp"
#include "host/pieces/piece_validator.hpp"
#include "tests/support/made_up_piece.hpp"

namespace furrow::test {

/// Refuses what is not made_up_piece(index).
inline PieceValidator made_up_validator() {
  return [](PieceIndex index, const Piece& piece) {
    if (!same_piece(piece, *made_up_piece(index))) {
      throw InvalidRecordProof(index);
    }
  };
}

inline std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Has all pieces below 1000, except those of `missing`, and fails for those of `damaged`.
class MadeUpGetter : public PieceGetter {
 public:
  std::set<std::uint64_t> missing;
  std::set<std::uint64_t> damaged;
  /// Called before each piece.
  std::function<void(PieceIndex)> before;
  std::atomic<std::uint64_t> n_asked = 0;

  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override {
    for (const PieceIndex index : indices) {
      if (stop.stop_requested()) {
        return;
      }
      ++n_asked;
      if (before != nullptr) {
        before(index);
      }
      if (damaged.contains(index.value())) {
        sink(index, PieceAnswer::failed(std::make_exception_ptr(
                        ChecksumMismatch("/secret/path: " + describe_piece(index), "aa", "bb"))));
      } else if (index.value() >= 1000 || missing.contains(index.value())) {
        sink(index, PieceAnswer::not_found());
      } else {
        sink(index, PieceAnswer::found(made_up_piece(index)));
      }
    }
  }
};

inline std::vector<PieceIndex> indices_up_to(std::uint64_t n) {
  std::vector<PieceIndex> result;
  for (std::uint64_t i = 0; i < n; ++i) {
    result.emplace_back(i);
  }
  return result;
}

/// The answers of one batch, one for each index; that calls of the sink do not overlap is checked.
using Answers = std::map<std::uint64_t, PieceAnswer>;
inline Answers get_all(PieceGetter& getter, const std::vector<PieceIndex>& indices,
                       const std::stop_token& stop = {}) {
  Answers answers;
  std::atomic<int> n_inside = 0;
  getter.get_pieces(
      indices,
      [&](PieceIndex index, PieceAnswer answer) {
        EXPECT_EQ(n_inside++, 0) << "calls of the sink overlap";
        EXPECT_TRUE(answers.emplace(index.value(), std::move(answer)).second) << index.value();
        --n_inside;
      },
      stop);
  return answers;
}

inline void expect_found(const Answers& answers, std::uint64_t index) {
  const auto found = answers.find(index);
  ASSERT_NE(found, answers.end()) << "no answer for piece " << index;
  if (found->second.error != nullptr) {
    try {
      std::rethrow_exception(found->second.error);
    } catch (const std::exception& error) {
      FAIL() << "piece " << index << ": " << error.what();
    }
  }
  ASSERT_NE(found->second.piece, nullptr) << "piece " << index << " not found";
  EXPECT_TRUE(same_piece(*found->second.piece, *made_up_piece(PieceIndex(index)))) << index;
}

inline bool is_not_found(const PieceAnswer& answer) {
  return answer.piece == nullptr && answer.error == nullptr;
}

/// The message of an error of this type; a failure of the test for any other.
template <class ErrorType>
std::string message_of_failure(const PieceAnswer& answer) {
  EXPECT_EQ(answer.piece, nullptr);
  if (answer.error == nullptr) {
    ADD_FAILURE() << "not failed";
    return {};
  }
  try {
    std::rethrow_exception(answer.error);
  } catch (const ErrorType& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another type: " << error.what();
    return error.what();
  }
}

template <class ErrorType>
void expect_failure(const PieceAnswer& answer, const std::vector<std::string>& named) {
  const std::string message = message_of_failure<ErrorType>(answer);
  for (const std::string& part : named) {
    EXPECT_NE(message.find(part), std::string::npos) << "'" << part << "' in: " << message;
  }
}

}  // namespace furrow::test
