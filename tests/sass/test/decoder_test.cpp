// SPDX-License-Identifier: Apache-2.0
// The reader of cubins and the decoder: what they take and what they refuse.
#include "tests/sass/decoder/decoder.hpp"

#include <gtest/gtest.h>

#include "tests/sass/card/card.hpp"
#include "tests/sass/errors.hpp"
#include "tests/sass/test/architectures.hpp"

namespace furrow::sass {
namespace {

// IADD3 R5, R6, R7, RZ as it stands in a kernel for 9.0.
constexpr Words kSum{.low = 0x0000000706057210, .high = 0x000FE20007FFE0FF};

TEST(SassDecoder, ReadsASum) {
  const Instruction sum = decode_one(kSum, 0, 90);
  EXPECT_EQ(sum.operation, Operation::kIadd3);
  EXPECT_EQ(sum.name, "IADD3");
  EXPECT_EQ(sum.destination, 5);
  EXPECT_EQ(sum.a.value, 6U);
  EXPECT_EQ(sum.b.value, 7U);
  EXPECT_EQ(sum.c.value, kZeroRegister);
  EXPECT_FALSE(sum.is_extended);
  EXPECT_EQ(sum.guard.number, kTrue);
}

TEST(SassDecoder, ReadsSignsAndImmediates) {
  Words minus = kSum;
  minus.high |= 1U << 8;  // bit 72
  EXPECT_TRUE(decode_one(minus, 0, 90).a.is_negated);
  Words immediate = kSum;
  immediate.low = (immediate.low & ~std::uint64_t{0xE00}) | 0x800;  // form 4
  const Instruction with_immediate = decode_one(immediate, 0, 90);
  EXPECT_EQ(with_immediate.b.kind, Operand::Kind::kImmediate);
  EXPECT_EQ(with_immediate.b.value, 7U);
}

TEST(SassDecoder, ReadsPredicatesOfRegistersAndVotes) {
  // R2P PR, R5, 0x18
  const Instruction bits =
      decode_one({.low = 0x0000001805007804, .high = 0x000FE20000000000}, 0, 90);
  EXPECT_EQ(bits.operation, Operation::kR2p);
  EXPECT_EQ(bits.a.value, 5U);
  EXPECT_EQ(bits.b.value, 0x18U);
  // VOTE.ANY P2, P0
  const Instruction any =
      decode_one({.low = 0x0000000000FF7806, .high = 0x000FE20000040100}, 0, 90);
  EXPECT_EQ(any.operation, Operation::kVote);
  EXPECT_EQ(any.destination, kZeroRegister);
  EXPECT_EQ(any.predicates_out[0], 2);
  EXPECT_EQ(any.predicates_in[0].number, 0);
}

TEST(SassDecoder, ReadsADifferenceOfAShiftedRegisterAndAUniformOne) {
  // LEA R11, R33, -UR12, 0x1 as it stands in a kernel for 8.6.
  const Instruction lea =
      decode_one({.low = 0x8000000C210B7C11, .high = 0x000FE2000F8E08FF}, 0, 86);
  EXPECT_EQ(lea.operation, Operation::kLea);
  EXPECT_EQ(lea.a.value, 33U);
  EXPECT_EQ(lea.b.value, kFirstUniform + 12);
  EXPECT_TRUE(lea.b.is_negated);
  EXPECT_EQ(lea.shift, 1);
}

TEST(SassDecoder, RefusesAnOperationThatIsInNoTable) {
  Words unknown = kSum;
  unknown.low = (unknown.low & ~std::uint64_t{0x1FF}) | 0x1FF;
  EXPECT_THROW(decode_one(unknown, 0, 90), UnknownInstruction);
}

// Each bit that no field of a sum has, and each value of a field that it does not know.
TEST(SassDecoder, RefusesEveryBitThatItDoesNotKnow) {
  for (const unsigned bit : {40U, 50U, 61U, 62U, 73U, 76U, 91U, 95U, 104U, 126U}) {
    Words unknown = kSum;
    (bit < 64 ? unknown.low : unknown.high) ^= std::uint64_t{1} << bit % 64;
    EXPECT_THROW(decode_one(unknown, 0, 90), UnknownInstruction) << "bit " << bit;
  }
}

TEST(SassDecoder, NamesKernelPlaceAndBits) {
  CompiledKernel kernel;
  kernel.name = "_Z4testPj";
  kernel.architecture = 90;
  kernel.code = {kSum, {.low = 0x1FF, .high = 5}};
  try {
    decode(kernel);
    FAIL();
  } catch (const UnknownInstruction& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("test for compute capability 90 at 0x10"), std::string::npos) << text;
    EXPECT_NE(text.find("00000000000001ff 0000000000000005"), std::string::npos) << text;
  }
}

TEST(SassCubin, ReadableNamesHaveNoParameters) {
  EXPECT_EQ(readable_name("_ZN6furrow4cuda9fill_manyILj20ELj4EEEvPj"),
            "furrow::cuda::fill_many<20u, 4u>");
  EXPECT_EQ(readable_name("plain"), "plain");
}

TEST(SassCubin, RefusesFilesThatEndTooEarly) {
  std::vector<std::uint8_t> file(64);
  const std::uint8_t head[] = {0x7F, 'E', 'L', 'F', 2, 1};
  std::copy(std::begin(head), std::end(head), file.begin());
  file[18] = 190;
  file[0x28] = 64;  // sections behind the header, where the file ends
  file[0x3A] = 64;
  file[0x3C] = 3;
  EXPECT_THROW(read_kernels(file, 90), BadCubin);
  EXPECT_TRUE(read_kernels(std::vector<std::uint8_t>(1000), 90).empty());
}

// All kernels of the engine, for all architectures that were compiled and that the decoder has
// learnt.
TEST(SassDecoder, ReadsAllKernelsOfTheEngine) {
  Card& card = Card::instance();
  const unsigned before = card.architecture();
  for (const unsigned architecture : compiled_architectures()) {
    card.set_architecture(architecture);
    std::size_t n_kernels = 0;
    for (const void* const function : card.functions_named("furrow::cuda::")) {
      try {
        card.kernel(function);
        ++n_kernels;
      } catch (const BadLaunch&) {
        // A kernel of a test: those have code for the newest alone.
      }
    }
    EXPECT_GE(n_kernels, 16U) << architecture;
  }
  card.set_architecture(before);
}

}  // namespace
}  // namespace furrow::sass
