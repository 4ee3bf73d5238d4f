// SPDX-License-Identifier: Apache-2.0
// Known answers of the pure functions (docs/spec/02-proof-of-space.md, section 12).
#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "furrow/core/blake3.hpp"
#include "furrow/core/pos.hpp"
#include "furrow/errors.hpp"

#include "host/base/hex.hpp"
#include "host/crypto/chacha8.hpp"
#include "host/pos/proof_table.hpp"

namespace furrow {
namespace {

namespace pos = core::pos;

template <unsigned K>
std::uint32_t y_of(std::uint32_t x) {
  std::array<std::uint8_t, 32> seed{};
  from_hex("010002030405050708090a0b0c0d0e0f100102032905060708090a0b0c0d0b0f", seed, "seed");
  std::vector<std::uint8_t> stream((std::size_t{x} + 1) * K / 8 + 8);
  chacha8_keystream(seed, stream);
  return pos::table1_y<K>(pos::read_bits(stream.data(), std::size_t{x} * K, K), x);
}

TEST(PosCore, Table1KnownAnswers) {
  EXPECT_EQ(y_of<25>(525), 2016650816U);
  EXPECT_EQ(y_of<25>(526), 2063162112U);
  EXPECT_EQ(y_of<25>(625), 1930299520U);
  EXPECT_EQ(y_of<22>(1837491), 105738140U);
  EXPECT_EQ(y_of<22>(1837492), 192213404U);
  EXPECT_EQ(y_of<22>(1837493), 64977628U);
  EXPECT_EQ(y_of<22>(1837746), 91711644U);
}

uint128 wide(std::uint64_t high, std::uint64_t low) {
  return (static_cast<uint128>(high) << 64) | low;
}

TEST(PosCore, TableFunctionKnownAnswers) {
  struct Case {
    unsigned table;
    std::uint32_t left_y;
    std::uint64_t left, right;
    std::uint32_t y;
    std::uint64_t metadata;
  };
  const Case cases[] = {
      {2, 0x20a61a, 0x44cb, 0x204f, 0x2af546, 0x44cb204f},
      {3, 0x31e541, 0x35bf992d, 0x7ce42c82, 0xf73b3, 0x35bf992d7ce42c82},
      {4, 0x30cb4c, 0x05b6e6e307d4bedc, 0x8a9a021ea648a7dd, 0x11ad5, 0xd4bd0b144fc26138},
      {5, 0x25f01e, 0xc2cd789a380208a9, 0x19999e3fa46d6753, 0x1f22bd, 0xabe423040a33},
      {6, 0x1f121a, 0xc965815a47c5, 0xf5e008d6af57, 0x1cabbe, 0xc8cc6947},
      {7, 0x14f410, 0x5fec898f, 0x82283d15, 0x24c3c2, 0}};
  for (const Case& c : cases) {
    std::array<std::uint32_t, 16> message{};
    std::array<std::uint32_t, 8> hash{};
    pos::table_function_message<16>(c.table, c.left_y, c.left, c.right, message.data());
    core::blake3::hash_single_block(message.data(), pos::table_function_input_bytes<16>(c.table),
                                    hash.data());
    EXPECT_EQ(pos::y_from_hash<16>(hash[0]), c.y) << "table " << c.table;
    EXPECT_TRUE(pos::table_function_metadata<16>(c.table, c.left, c.right, hash.data()) ==
                wide(0, c.metadata))
        << "table " << c.table;
  }
}

TEST(PosCore, DirectMatchTestAgreesWithTheTargets) {
  for (std::uint32_t parity = 0; parity < 2; ++parity) {
    for (std::uint32_t left = 0; left < pos::kParamBC; left += 97) {
      std::vector<bool> is_target(pos::kParamBC);
      for (std::uint32_t m = 0; m < pos::kParamM; ++m) {
        const std::uint32_t target = pos::target(parity, left, m);
        ASSERT_LT(target, pos::kParamBC);
        ASSERT_FALSE(is_target[target]) << "targets of one residue are distinct";
        is_target[target] = true;
      }
      for (std::uint32_t right = 0; right < pos::kParamBC; ++right) {
        ASSERT_EQ(pos::residues_match(parity, left, right), is_target[right]);
      }
    }
  }
}

TEST(PosCore, SizesOfTheNetworksK) {
  using Params = pos::Params<20>;
  EXPECT_EQ(Params::kNumBuckets, 4441U);
  EXPECT_EQ(Params::kMaxEntries, 1'278'720U);
  EXPECT_EQ(Params::kProofSize, 160U);
  const std::array<std::uint32_t, 8> bytes = {0, 0, 9, 14, 24, 24, 19, 14};
  for (unsigned table = 2; table <= 7; ++table) {
    EXPECT_EQ(pos::table_function_input_bytes<20>(table), bytes[table]);
  }
}

TEST(ProofTable, RefusesUnsupportedK) {
  EXPECT_THROW(make_proof_table(Network::kAbundance, 14), InvalidArgument);
  EXPECT_THROW(make_proof_table(Network::kAbundance, 19), InvalidArgument);
  EXPECT_THROW(is_proof_valid(Network::kAbundance, 21, {}, SBucket(0), {}), InvalidArgument);
}

}  // namespace
}  // namespace furrow
