// SPDX-License-Identifier: Apache-2.0
/** @file
 * BLAKE3 with digests of 32 bytes (furrow/c/hash.h). Part of furrow/furrow.hpp. */
#ifndef FURROW_CPP_HASH_HPP
#define FURROW_CPP_HASH_HPP

#include "furrow/cpp/error.hpp"

namespace furrow {
inline namespace v0_1 {

/// Of one message of any length.
inline Hash hash(Bytes message) {
  Hash result{};
  detail::check(furrow_hash(message.data(), message.size(), result.data()));
  return result;
}

/// Of messages of `length` bytes back to back, several at once.
/// @param messages a multiple of `length`
/// @param length 4 to 1024, a multiple of 4
/// @return as many hashes as there are messages
inline std::vector<Hash> hash_many(Bytes messages, std::size_t length) {
  const std::size_t count = length != 0 ? messages.size() / length : 0;
  detail::check_size("messages", messages.size(), count * length);
  std::vector<std::uint8_t> hashes(count * FURROW_HASH_SIZE);
  detail::check(furrow_hash_many(messages.data(), length, length, count, hashes.data()));
  std::vector<Hash> result(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(result[i].data(), hashes.data() + i * FURROW_HASH_SIZE, FURROW_HASH_SIZE);
  }
  return result;
}

}  // namespace v0_1
}  // namespace furrow

#endif
