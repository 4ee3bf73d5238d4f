// SPDX-License-Identifier: Apache-2.0
// furrow/c/hash.h: the digests of the engine, whatever the address, and nothing read or written
// beyond what was given.
#include <array>
#include <cstdint>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "tests/unit/capi/capi_support.hpp"

namespace furrow {
namespace {

using test::expect_null_refused;
using test::expect_overlap_refused;
using test::expect_refused;
using test::OddBuffer;

std::vector<std::uint8_t> counting(std::size_t n) {
  std::vector<std::uint8_t> bytes(n);
  for (std::size_t i = 0; i < n; ++i) {
    bytes[i] = static_cast<std::uint8_t>(i % 251);
  }
  return bytes;
}

TEST(CHash, OfOneMessageIsThatOfTheStandard) {
  std::array<std::uint8_t, FURROW_HASH_SIZE> hash{};
  ASSERT_EQ(furrow_hash(nullptr, 0, hash.data()), FURROW_OK);
  EXPECT_EQ(to_hex(hash), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
  for (const std::size_t size : {std::size_t{1}, std::size_t{1025}, std::size_t{102'400}}) {
    OddBuffer message(counting(size));
    OddBuffer out(FURROW_HASH_SIZE);
    ASSERT_EQ(furrow_hash(message.data(), size, out.data()), FURROW_OK);
    EXPECT_EQ(to_hex(out.bytes()), to_hex(blake3(counting(size)).bytes)) << size;
  }
}

TEST(CHash, OfManyMessagesAreThoseOfEach) {
  for (const std::size_t length : {4U, 64U, 160U, 1020U, 1024U}) {
    for (const std::size_t gap : {0U, 1U, 52U}) {
      for (const std::size_t count : {1U, 15U, 33U}) {
        const std::size_t stride = length + gap;
        OddBuffer messages(counting((count - 1) * stride + length));
        OddBuffer hashes(count * FURROW_HASH_SIZE);
        ASSERT_EQ(furrow_hash_many(messages.data(), length, stride, count, hashes.data()),
                  FURROW_OK);
        for (std::size_t i = 0; i < count; ++i) {
          EXPECT_EQ(to_hex(hashes.bytes().subspan(i * FURROW_HASH_SIZE, FURROW_HASH_SIZE)),
                    to_hex(blake3(messages.bytes().subspan(i * stride, length)).bytes))
              << length << " " << stride << " " << i;
        }
      }
    }
  }
}

TEST(CHash, ReadsNothingBehindTheLastMessage) {
  constexpr std::size_t kPage = 4096;
  constexpr std::size_t kLength = 100;
  constexpr std::size_t kStride = 164;
  constexpr std::size_t kCount = 16;
  constexpr std::size_t kBytes = (kCount - 1) * kStride + kLength;
  static_assert(kBytes < kPage);
  // Two pages, of which the second may not be touched.
  auto* const pages = static_cast<std::uint8_t*>(
      mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(pages, MAP_FAILED);
  ASSERT_EQ(mprotect(pages + kPage, kPage, PROT_NONE), 0);
  std::vector<std::uint8_t> hashes(kCount * FURROW_HASH_SIZE);
  const std::uint8_t* const first = pages + kPage - kBytes;
  EXPECT_EQ(furrow_hash_many(first, kLength, kStride, kCount, hashes.data()), FURROW_OK);
  EXPECT_EQ(to_hex(std::span(hashes).last(FURROW_HASH_SIZE)),
            to_hex(blake3({first + (kCount - 1) * kStride, kLength}).bytes));
  munmap(pages, 2 * kPage);
}

TEST(CHash, NullIsNamedUnlessThereIsNothing) {
  std::array<std::uint8_t, 64> bytes{};
  expect_null_refused(furrow_hash(nullptr, 1, bytes.data()), "message");
  expect_null_refused(furrow_hash(bytes.data(), 1, nullptr), "hash");
  expect_null_refused(furrow_hash_many(nullptr, 4, 4, 1, bytes.data()), "messages");
  expect_null_refused(furrow_hash_many(bytes.data(), 4, 4, 1, nullptr), "hashes");
  EXPECT_EQ(furrow_hash_many(nullptr, 4, 4, 0, nullptr), FURROW_OK);
  EXPECT_STREQ(furrow_last_error(), "");
}

TEST(CHash, SizesThatMakeNoSenseAreRefused) {
  OddBuffer bytes(4096);
  for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{6},
                                   std::size_t{1028}, SIZE_MAX, SIZE_MAX - 3}) {
    expect_refused(furrow_hash_many(bytes.data(), length, length, 1, bytes.data() + 2048),
                   "length of messages");
  }
  expect_refused(furrow_hash_many(bytes.data(), 8, 7, 1, bytes.data() + 2048), "stride");
  expect_refused(furrow_hash_many(bytes.data(), 8, 8, SIZE_MAX, bytes.data() + 2048), "memory");
  expect_refused(furrow_hash_many(bytes.data(), 8, SIZE_MAX, 2, bytes.data() + 2048), "memory");
  expect_refused(furrow_hash_many(bytes.data(), 8, 8, SIZE_MAX / 40, bytes.data() + 2048),
                 "memory");
  expect_refused(furrow_hash(bytes.data(), SIZE_MAX, bytes.data() + 2048), "end of memory");
  EXPECT_TRUE(bytes.is_untouched());
}

TEST(CHash, BuffersThatOverlapAreRefused) {
  OddBuffer bytes(4096);
  expect_overlap_refused(furrow_hash(bytes.data(), 100, bytes.data() + 99));
  expect_overlap_refused(furrow_hash(bytes.data() + 31, 100, bytes.data()));
  expect_overlap_refused(furrow_hash_many(bytes.data(), 8, 16, 4, bytes.data() + 3 * 16 + 7));
  EXPECT_TRUE(bytes.is_untouched());
  EXPECT_EQ(furrow_hash_many(bytes.data(), 8, 16, 4, bytes.data() + 3 * 16 + 8), FURROW_OK)
      << "side by side: " << furrow_last_error();
}

}  // namespace
}  // namespace furrow
