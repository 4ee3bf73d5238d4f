// SPDX-License-Identifier: Apache-2.0
// Five layers of the additive FFT over GF(2^16) on the chunks of many records
// (docs/spec/04-erasure-coding.md, sections 4 and 5). Values to coefficients takes layers 0-4, 5-9,
// 10-14, one launch each; coefficients to values the same layers in descending order.
//
// One thread = 32 points, whose numbers differ in the five bits of its layers, and one of the 8
// words of their chunks; the 8 threads of a chunk are neighbours. blockIdx.y strides over records.
// Everything stays in registers: no shared memory, no barrier, and no thread reads what another one
// writes. A thread reads all its points before it writes them, so the passes work in place.
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

#include "furrow/core/params.hpp"

#include "cuda/arch/byte_signs.cuh"
#include "cuda/simt.cuh"

namespace furrow::cuda {

struct ErasureShape {
  /// A pass over one record is 8,192 threads: in blocks of 64 they find a multiprocessor each on the
  /// largest cards.
  static constexpr unsigned kThreads = 64;
  /// Blocks per multiprocessor to leave registers for: 96 each. At 80 the compiler spills on some
  /// architectures, and the 16 independent butterflies of a layer need no more warps than these.
  static constexpr unsigned kMinBlocks = 10;
  static constexpr unsigned kLayers = 5;
  static constexpr unsigned kPoints = 1U << kLayers;
  /// 4-byte words of a chunk.
  static constexpr unsigned kWords = static_cast<unsigned>(kChunkSize) / 4;
};

enum class FftDirection {
  kToCoefficients,  ///< `ifft` of section 4
  kToValues,        ///< `fft`
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
  std::uint32_t first_point;       // `delta` of section 4
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

/// One layer inside the 32 points of a thread. `first` is the number of its first point, delta
/// included, in units of the distance of its points; w = (delta + r) >> m loses nothing by that.
template <FftDirection kDirection, unsigned kLayer>
__device__ inline void fft_layer(const FactorProducts* products, std::uint32_t first,
                                 std::uint32_t (&points)[ErasureShape::kPoints]) {
  constexpr unsigned kHalf = 1U << kLayer;
  // Factors are even and the table leaves out the odd ones, hence the additional bit.
  const FactorProducts* const of_layer = products + (first >> (kLayer + 1));
#pragma unroll
  for (unsigned block = 0; block < ErasureShape::kPoints / (2 * kHalf); ++block) {
    const FactorProducts factor = load_products(of_layer + block);
#pragma unroll
    for (unsigned i = 0; i < kHalf; ++i) {
      std::uint32_t& a = points[2 * kHalf * block + i];
      std::uint32_t& b = points[2 * kHalf * block + i + kHalf];
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
                                     std::uint32_t (&points)[ErasureShape::kPoints]) {
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
template <FftDirection kDirection, unsigned kFirstLayer, class Shape = ErasureShape>
__global__ void __launch_bounds__(Shape::kThreads, Shape::kMinBlocks)
    erasure_pass(ErasurePassView view) {
  THREADS_AT_MOST(Shape::kThreads);
  constexpr unsigned kPoints = ErasureShape::kPoints;
  constexpr unsigned kWords = ErasureShape::kWords;
  constexpr std::size_t kDistance = std::size_t{kWords} << kFirstLayer;  // of points, in words
  const std::uint32_t n_threads = view.n_points / kPoints * kWords;
  for (std::uint32_t record = blockIdx.y; record < view.n_records; record += gridDim.y) {
    for (std::uint32_t start = blockIdx.x * blockDim.x; start < n_threads;
         start += gridDim.x * blockDim.x) {
      const std::uint32_t thread = start + threadIdx.x;
      // A warp stays whole for the exchange of words.
      const bool is_used = thread < n_threads;
      const std::uint32_t q = thread % kWords;
      const std::uint32_t group = thread / kWords;
      const std::uint32_t above = group >> kFirstLayer;
      const std::uint32_t below = group & ((1U << kFirstLayer) - 1);
      const std::size_t first_word = kPoints * kDistance * above + std::size_t{kWords} * below + q;

      std::uint32_t points[kPoints] = {};
      if (is_used) {
        const std::uint32_t* const in = view.in + record * view.in_stride + first_word;
#pragma unroll
        for (unsigned i = 0; i < kPoints; ++i) {
          points[i] = in[i * kDistance];
        }
      }
      const std::uint32_t first =
          (view.first_point >> kFirstLayer) + kPoints * (is_used ? above : 0);
      if constexpr (kDirection == FftDirection::kToCoefficients) {
        if constexpr (kFirstLayer == 0) {
          convert_words<kDirection>(q, points);
        }
        fft_layer<kDirection, 0>(view.products, first, points);
        fft_layer<kDirection, 1>(view.products, first, points);
        fft_layer<kDirection, 2>(view.products, first, points);
        fft_layer<kDirection, 3>(view.products, first, points);
        fft_layer<kDirection, 4>(view.products, first, points);
      } else {
        fft_layer<kDirection, 4>(view.products, first, points);
        fft_layer<kDirection, 3>(view.products, first, points);
        fft_layer<kDirection, 2>(view.products, first, points);
        fft_layer<kDirection, 1>(view.products, first, points);
        fft_layer<kDirection, 0>(view.products, first, points);
        if constexpr (kFirstLayer == 0) {
          convert_words<kDirection>(q, points);
        }
      }
      if (is_used) {
        std::uint32_t* const out = view.out + record * view.out_stride + first_word;
#pragma unroll
        for (unsigned i = 0; i < kPoints; ++i) {
          out[i * kDistance] = points[i];
        }
      }
    }
  }
}

}  // namespace furrow::cuda
