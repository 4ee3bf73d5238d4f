// SPDX-License-Identifier: Apache-2.0
// Five layers of the additive FFT over GF(2^16) on the chunks of many records
// (docs/spec/04-erasure-coding.md, sections 4 and 5). Values to coefficients takes layers 0-4, 5-9,
// 10-14, and coefficients to values the same layers in descending order: five launches, because the
// third takes layers 10-14 in both directions.
//
// One warp = 32 points, whose numbers differ in the five bits of its layers: 8 lanes for the words of
// a chunk times four for the points, of which each has 8. They are neighbours in the three lowest
// layers; for the two highest the threads trade points. (With 32 points in a thread a record has 256
// warps, too few for the multiprocessors of a large card.) blockIdx.y strides over records.
// Everything stays in registers: no shared memory, no barrier, and no warp reads what another one
// writes. A warp reads all its points before it writes them, so the passes work in place.
//
// A chunk of 32 bytes is 16 symbols, first their low bytes, then their high bytes. Between the
// passes it is 8 words of 2 symbols:
//
//   word     0      1      2      3      4      5      6      7
//   bytes    l0-l3  l4-l7  l8-l11 l12-15 h0-h3  h4-h7  h8-h11 h12-15     source and parity
//   symbols  0,1    4,5    8,9    12,13  2,3    6,7    10,11  14,15      between the passes
//
// so the thread of word q trades its word with that of word q ^ 4 on the way in and out, which are
// the passes over layers 0-4.
#pragma once

#include <type_traits>

#include "furrow/core/params.hpp"

#include "cuda/arch/byte_signs.cuh"
#include "cuda/simt.cuh"

namespace furrow::cuda {

struct ErasureShape {
  /// A pass over one record is 32,768 threads: in small blocks they spread evenly.
  static constexpr unsigned kThreads = 64;
  /// Blocks per multiprocessor to leave registers for: 80 each. At 64 the compiler, which asks for
  /// factors early, spills on some architectures.
  static constexpr unsigned kMinBlocks = 12;
  static constexpr unsigned kLayers = 5;
  static constexpr unsigned kPoints = 1U << kLayers;
  /// Points that a thread has.
  static constexpr unsigned kHeld = 8;
  /// 4-byte words of a chunk.
  static constexpr unsigned kWords = static_cast<unsigned>(kChunkSize) / 4;
  static_assert(kPoints / kHeld * kWords == 32);
};

enum class FftDirection {
  kToCoefficients,  ///< `ifft` of section 4
  kToValues,        ///< `fft`
};

enum class ErasurePass {
  kToCoefficients,
  kToValues,
  kBoth,  ///< one after the other, on the highest layers that there are
};

/// Products of an even factor w with the 16 unit symbols: half h (low, high) of word k is
/// w * (1 << (k + 8 h)).
struct alignas(16) FactorProducts {
  std::uint32_t words[8];
};

/// Records of one pass. `in` and `out` may be the same; otherwise they do not overlap.
struct ErasurePassView {
  const std::uint32_t* in;         // [n_records][n_points][8]
  std::uint32_t* out;              // the same
  std::uint64_t in_stride;         // words from one record to the next
  std::uint64_t out_stride;        //
  std::uint32_t n_records;         //
  std::uint32_t n_points;          // 2^5, 2^10 or 2^15
  std::uint32_t first_point;       // `delta` of section 4 of the values that come in; of others 0
  const FactorProducts* products;  // [32768], of the factors 0, 2, 4, ...
};

/// `factor` times both symbols of a word, in place of the factor its products. Multiplication is
/// linear over bits, so it is the sum of the products of the bits that are set. A shift by 7 - k
/// brings the bits k and 8 + k of both symbols to the signs of bytes, whose spread is the mask for
/// word k: two sums run side by side in the halves of a register and are added in the end. 42
/// instructions for 2 symbols, 7 of them (the shifts) not for the ALU pipe.
__device__ inline std::uint32_t multiply_word(const FactorProducts& factor, std::uint32_t word) {
  std::uint32_t low_symbol = 0;
  std::uint32_t high_symbol = 0;
#pragma unroll
  for (unsigned k = 0; k < 8; ++k) {
    const std::uint32_t shifted = word << (7 - k);
    low_symbol ^= byte_signs<0>(shifted) & factor.words[k];
    high_symbol ^= byte_signs<1>(shifted) & factor.words[k];
  }
  return __byte_perm(low_symbol, high_symbol, 0x5410) ^
         __byte_perm(low_symbol, high_symbol, 0x7632);
}

__device__ inline FactorProducts load_products(const FactorProducts* products) {
  const auto* const quads = reinterpret_cast<const uint4*>(products);
  const uint4 a = __ldg(quads);
  const uint4 b = __ldg(quads + 1);
  return {{a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w}};
}

/// Which points a thread has for layers 0 to 2: neighbours.
struct LowLayers {
  __device__ static constexpr unsigned point(unsigned i) { return i; }
  __device__ static constexpr std::uint32_t first(std::uint32_t part) { return 8 * part; }
  __device__ static constexpr unsigned bit(unsigned layer) { return layer; }
};
/// For layers 3 and 4.
struct HighLayers {
  __device__ static constexpr unsigned point(unsigned i) { return (i & 4U) | (i & 3U) << 3; }
  __device__ static constexpr std::uint32_t first(std::uint32_t part) { return part; }
  __device__ static constexpr unsigned bit(unsigned layer) { return layer - 3; }
};

/// From one to the other, either way: the two low bits that number the points of a thread trade
/// places with those that number the threads of a word.
__device__ inline void trade_points(std::uint32_t part,
                                    std::uint32_t (&points)[ErasureShape::kHeld]) {
#pragma unroll
  for (unsigned bit = 1; bit <= 2; bit *= 2) {
    const bool is_upper = (part & bit) != 0;
#pragma unroll
    for (unsigned i = 0; i < ErasureShape::kHeld; ++i) {
      if ((i & bit) == 0) {
        std::uint32_t& low = points[i];
        std::uint32_t& high = points[i | bit];
        const std::uint32_t other =
            __shfl_xor_sync(0xFFFFFFFFU, is_upper ? low : high, ErasureShape::kWords * bit);
        low = is_upper ? other : low;
        high = is_upper ? high : other;
      }
    }
  }
}

/// One layer inside the 32 points of a warp. `first` is the number of the thread's first point, delta
/// included, in units of the distance of the points; w = (delta + r) >> m loses nothing by that.
template <FftDirection kDirection, unsigned kLayer, class Layers>
__device__ inline void fft_layer(const FactorProducts* products, std::uint32_t first,
                                 std::uint32_t (&points)[ErasureShape::kHeld]) {
  constexpr unsigned kHalf = 1U << Layers::bit(kLayer);
  constexpr unsigned kFactors = (Layers::point(ErasureShape::kHeld - 1) >> (kLayer + 1)) + 1;
  // Factors are even and the table leaves out the odd ones, hence the additional bit.
  const FactorProducts* const of_layer = products + (first >> (kLayer + 1));
#pragma unroll
  for (unsigned number = 0; number < kFactors; ++number) {
    const FactorProducts factor = load_products(of_layer + number);
#pragma unroll
    for (unsigned i = 0; i < ErasureShape::kHeld; ++i) {
      if ((i & kHalf) != 0 || Layers::point(i) >> (kLayer + 1) != number) {
        continue;
      }
      std::uint32_t& a = points[i];
      std::uint32_t& b = points[i | kHalf];
      if constexpr (kDirection == FftDirection::kToCoefficients) {
        b ^= a;
        a ^= multiply_word(factor, b);
      } else {
        a ^= multiply_word(factor, b);
        b ^= a;
      }
    }
  }
}

/// Words of bytes to words of symbols or back, by exchange with the thread of word q ^ 4.
template <FftDirection kDirection>
__device__ inline void convert_words(std::uint32_t q,
                                     std::uint32_t (&points)[ErasureShape::kHeld]) {
  constexpr bool kFromBytes = kDirection == FftDirection::kToCoefficients;
  const bool is_high = q >= ErasureShape::kWords / 2;
  // __byte_perm numbers the bytes of its own word 0-3 and of the other one 4-7.
  const std::uint32_t order =
      kFromBytes ? (is_high ? 0x3726U : 0x5140U) : (is_high ? 0x3175U : 0x6420U);
#pragma unroll
  for (std::uint32_t& point : points) {
    const std::uint32_t other = __shfl_xor_sync(0xFFFFFFFFU, point, ErasureShape::kWords / 2);
    point = __byte_perm(point, other, order);
  }
}

/// Layers kFirstLayer to kFirstLayer + 4. Launch with whole warps, any number of them.
template <ErasurePass kPass, unsigned kFirstLayer, class Shape = ErasureShape>
__global__ void __launch_bounds__(Shape::kThreads, Shape::kMinBlocks)
    erasure_pass(ErasurePassView view) {
  THREADS_AT_MOST(Shape::kThreads);
  using enum FftDirection;
  constexpr unsigned kPoints = ErasureShape::kPoints;
  constexpr unsigned kHeld = ErasureShape::kHeld;
  constexpr unsigned kWords = ErasureShape::kWords;
  constexpr std::size_t kDistance = std::size_t{kWords} << kFirstLayer;  // of points, in words
  using In = std::conditional_t<kPass == ErasurePass::kToValues, HighLayers, LowLayers>;
  using Out = std::conditional_t<kPass == ErasurePass::kToCoefficients, HighLayers, LowLayers>;
  const std::uint32_t n_threads = view.n_points;  // a warp for 32
  for (std::uint32_t record = blockIdx.y; record < view.n_records; record += gridDim.y) {
    for (std::uint32_t thread = blockIdx.x * blockDim.x + threadIdx.x; thread < n_threads;
         thread += gridDim.x * blockDim.x) {
      const std::uint32_t q = thread % kWords;
      const std::uint32_t part = thread / kWords % (kPoints / kHeld);
      const std::uint32_t group = thread / 32;
      const std::uint32_t above = group >> kFirstLayer;
      const std::uint32_t below = group & ((1U << kFirstLayer) - 1);
      const std::size_t first_word = kPoints * kDistance * above + std::size_t{kWords} * below + q;

      std::uint32_t points[kHeld];
      const std::uint32_t* const in =
          view.in + record * view.in_stride + first_word + kDistance * In::first(part);
#pragma unroll
      for (unsigned i = 0; i < kHeld; ++i) {
        points[i] = in[In::point(i) * kDistance];
      }
      const FactorProducts* const products = view.products;
      if constexpr (kPass != ErasurePass::kToValues) {
        if constexpr (kFirstLayer == 0) {
          convert_words<kToCoefficients>(q, points);
        }
        const std::uint32_t first = (view.first_point >> kFirstLayer) + kPoints * above;
        fft_layer<kToCoefficients, 0, LowLayers>(products, first + LowLayers::first(part), points);
        fft_layer<kToCoefficients, 1, LowLayers>(products, first + LowLayers::first(part), points);
        fft_layer<kToCoefficients, 2, LowLayers>(products, first + LowLayers::first(part), points);
        trade_points(part, points);
        fft_layer<kToCoefficients, 3, HighLayers>(products, first, points);
        fft_layer<kToCoefficients, 4, HighLayers>(products, first, points);
      }
      if constexpr (kPass != ErasurePass::kToCoefficients) {
        const std::uint32_t first = kPoints * above;
        fft_layer<kToValues, 4, HighLayers>(products, first, points);
        fft_layer<kToValues, 3, HighLayers>(products, first, points);
        trade_points(part, points);
        fft_layer<kToValues, 2, LowLayers>(products, first + LowLayers::first(part), points);
        fft_layer<kToValues, 1, LowLayers>(products, first + LowLayers::first(part), points);
        fft_layer<kToValues, 0, LowLayers>(products, first + LowLayers::first(part), points);
        if constexpr (kFirstLayer == 0) {
          convert_words<kToValues>(q, points);
        }
      }
      if constexpr (!std::is_same_v<In, Out>) {
        __syncwarp();  // a pass works in place: all lanes have read before others write there
      }
      std::uint32_t* const out =
          view.out + record * view.out_stride + first_word + kDistance * Out::first(part);
#pragma unroll
      for (unsigned i = 0; i < kHeld; ++i) {
        out[Out::point(i) * kDistance] = points[i];
      }
    }
  }
}

}  // namespace furrow::cuda
