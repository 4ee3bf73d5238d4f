// SPDX-License-Identifier: Apache-2.0
#include "furrow/c/hash.h"

#include <cstring>
#include <span>
#include <string>

#include "furrow/types.hpp"

#include "host/capi/last_error.hpp"
#include "host/capi/structs.hpp"
#include "host/crypto/blake3.hpp"
#include "host/crypto/blake3_many.hpp"

namespace furrow::capi {
namespace {

constexpr std::size_t kMinLength = 4;
constexpr std::size_t kMaxLength = 1024;

void hash_many(const std::uint8_t* messages, std::size_t length, std::size_t stride,
               std::size_t count, std::uint8_t* hashes) {
  if (length < kMinLength || length > kMaxLength || length % 4 != 0) {
    throw InvalidArgument(
        "furrow: length of messages: expected a multiple of 4 from 4 to 1024, "
        "actual " +
            std::to_string(length),
        {.actual = std::to_string(length)});
  }
  if (stride < length) {
    throw InvalidArgument("furrow: stride of messages: expected at least their length, " +
                              std::to_string(length) + ", actual " + std::to_string(stride),
                          {.expected = std::to_string(length), .actual = std::to_string(stride)});
  }
  if (count == 0) {
    return;
  }
  check_pointer(messages, "messages");
  check_pointer(hashes, "hashes");
  std::size_t before_last = 0;
  std::size_t n_bytes = 0;
  std::size_t hash_bytes = 0;
  if (__builtin_mul_overflow(stride, count - 1, &before_last) ||
      __builtin_add_overflow(before_last, length, &n_bytes) ||
      __builtin_mul_overflow(count, kHashSize, &hash_bytes)) {
    throw InvalidArgument("furrow: " + std::to_string(count) + " messages, " +
                              std::to_string(stride) +
                              " bytes apart, are more than memory can hold",
                          {.actual = std::to_string(count)});
  }
  check_apart({{"messages", messages, n_bytes, false}, {"hashes", hashes, hash_bytes, true}});
  // Hash is an array of bytes with alignment 1, so the caller's buffer is one of them.
  blake3_many_strided(SimdMode::kBest, {messages, n_bytes}, length, stride,
                      {reinterpret_cast<Hash*>(hashes), count});
}

}  // namespace
}  // namespace furrow::capi

using furrow::capi::guarded;

extern "C" {

furrow_status furrow_hash(const uint8_t* message, size_t size, uint8_t* hash) {
  return guarded([&] {
    if (size != 0) {
      furrow::capi::check_pointer(message, "message");
    }
    furrow::capi::check_pointer(hash, "hash");
    furrow::capi::check_apart(
        {{"message", message, size, false}, {"hash", hash, FURROW_HASH_SIZE, true}});
    furrow::capi::write_bytes(furrow::blake3({message, size}), hash);
    return FURROW_OK;
  });
}

furrow_status furrow_hash_many(const uint8_t* messages, size_t length, size_t stride, size_t count,
                               uint8_t* hashes) {
  return guarded([&] {
    furrow::capi::hash_many(messages, length, stride, count, hashes);
    return FURROW_OK;
  });
}

}  // extern "C"
