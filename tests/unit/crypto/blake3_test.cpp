// SPDX-License-Identifier: Apache-2.0
#include "host/crypto/blake3.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "furrow/core/blake3.hpp"

#include "host/base/hex.hpp"
#include "host/crypto/blake3_many.hpp"
#include "host/crypto/chacha8.hpp"
#include "tests/reference/blake3_reference.hpp"
#include "tests/support/simd_targets.hpp"

namespace furrow {
namespace {

/// Bytes with a period coprime to every block and chunk size, so that swapped blocks show.
std::vector<std::uint8_t> pattern(std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::uint8_t>(i % 251);
  }
  return bytes;
}

std::string text_hash(std::string_view text) {
  return to_hex(blake3({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}).bytes);
}

// Known answers of the BLAKE3 authors for the 251-period pattern.
TEST(Blake3, KnownAnswers) {
  const std::pair<std::size_t, const char*> cases[] = {
      {0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"},
      {1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"},
      {1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"},
      {1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"},
      {1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"},
      {2048, "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a"},
      {102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"},
  };
  for (const auto& [size, hex] : cases) {
    EXPECT_EQ(to_hex(blake3(pattern(size)).bytes), hex) << "length " << size;
  }
  EXPECT_EQ(text_hash("merkle-tree-inner-node"),
            "53117d4da81a34350b1a30d4286d7e5a1eb0a20f5e5e2694474b4fbd86c3c07e");
}

TEST(Blake3, KeyedAndExtendedKnownAnswers) {
  Hash key;
  const std::string_view text = "whats the Elvish word for friend";
  std::copy(text.begin(), text.end(), key.bytes.begin());
  EXPECT_EQ(to_hex(blake3_keyed(key, pattern(1025)).bytes),
            "357dc55de0c7e382c900fd6e320acc04146be01db6a8ce7210b7189bd664ea69");
  std::vector<std::uint8_t> out(131);
  Blake3Hasher().update(pattern(1)).finalize_extended(out);
  EXPECT_EQ(
      to_hex(out),
      "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213c3a6cb8bf623e20cdb535f8d1a5f"
      "fb86342d9c0b64aca3bce1d31f60adfa137b358ad4d79f97b47c3d5e79f179df87a3b9776ef8325f8329886ba42f"
      "07fb138bb502f4081cbcec3195c5871e6c23e2cc97d3c69a613eba131e5f1351f3f1da786545e5");
}

TEST(Blake3, KeyedAgreesWithTheReference) {
  std::vector<std::size_t> sizes = {1023, 1024, 1025, 2047, 2048, 2049, 3072,  3073,
                                    4096, 4097, 5120, 7169, 8192, 8193, 16385, 31745};
  for (std::size_t size = 0; size <= 200; ++size) {
    sizes.push_back(size);
  }
  const Hash key = blake3(pattern(3));
  for (const std::size_t size : sizes) {
    const std::vector<std::uint8_t> message = pattern(size);
    EXPECT_EQ(blake3(message).bytes, reference::blake3(message)) << "length " << size;
    EXPECT_EQ(blake3_keyed(key, message).bytes, reference::blake3_keyed(key.bytes, message))
        << "length " << size;
  }
}

// Whole and in random pieces, around every border of blocks, chunks, subtrees and vectors.
TEST(Blake3, AgreesWithTheReferenceInAnyPieces) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (const std::size_t chunks : {0,  1,  2,  3,  7,  8,   9,   15,  16,  17,  31,  32,
                                   63, 64, 65, 72, 96, 127, 128, 129, 192, 200, 256, 293}) {
    for (const std::size_t length :
         {1024 * chunks, 1024 * chunks + 1, 1024 * chunks + 63, 1024 * chunks + 64,
          1024 * chunks + 65, 1024 * chunks + 1023}) {
      SCOPED_TRACE("length " + std::to_string(length));
      const std::vector<std::uint8_t> message = pattern(length);
      const Hash expected{reference::blake3(message)};
      test::for_each_simd_target([&] {
        ASSERT_EQ(blake3(message), expected);
        Blake3Hasher hasher;
        const std::size_t most = std::size_t{1} << (random() % 18);
        for (std::size_t done = 0; done < length;) {
          const std::size_t take = std::min<std::size_t>(length - done, random() % most + 1);
          hasher.update(std::span(message).subspan(done, take));
          done += take;
        }
        ASSERT_EQ(hasher.finalize(), expected) << "pieces of at most " << most;
        hasher.update({});
        ASSERT_EQ(hasher.finalize(), expected) << "a hasher can go on";
      });
    }
  }
}

TEST(Blake3Many, AgreesWithOneByOneWithEveryTarget) {
  test::for_each_simd_target([] {
    for (const std::size_t length : {4UL, 32UL, 60UL, 64UL, 68UL, 128UL, 160UL, 1020UL, 1024UL}) {
      for (const std::size_t count : {0UL, 1UL, 7UL, 8UL, 15UL, 16UL, 17UL, 33UL}) {
        const std::vector<std::uint8_t> messages = pattern(length * count);
        std::vector<Hash> hashes(count);
        std::vector<Hash> keyed(count);
        const Hash key = blake3(pattern(3));
        blake3_many(SimdMode::kBest, messages, length, hashes);
        blake3_many_keyed(SimdMode::kBest, key, messages, length, keyed);
        for (std::size_t i = 0; i < count; ++i) {
          const auto message = std::span(messages).subspan(i * length, length);
          ASSERT_EQ(hashes[i], blake3(message))
              << "message " << i << " of " << count << ", length " << length;
          ASSERT_EQ(keyed[i], blake3_keyed(key, message));
        }
      }
    }
  });
}

TEST(ChaCha8, KeystreamOfZeroKeyMatchesTheRecordOfTheSpecification) {
  std::vector<std::uint8_t> record(kRecordSize);
  chacha8_keystream(std::array<std::uint8_t, 32>{}, record);
  EXPECT_EQ(to_hex(blake3(record).bytes),
            "30f853eedad379b6b93b28c6188fd9a878d764c5f44ac5f7412e23857cf6daa7");
}

}  // namespace
}  // namespace furrow
