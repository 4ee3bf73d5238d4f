// SPDX-License-Identifier: Apache-2.0
// Transforms and products of eight values at a time.
//
// A transform of n = 64 or more keeps values 8 i to 8 i + 7 in the lanes of vector i. Layers that join
// values at least 8 apart join whole vectors. For the three layers below, the 8 x 8 values of 8 vectors
// are transposed, so that these join vectors too, with the same root in every lane. At that end values
// are stored, or loaded, with a stride, which saves a second transposition.
//
// Of shorter transforms there are many, and eight of them have a lane each.
//
// Nothing is reduced but what would outgrow 260 bits. `bound` says below how many r values are.
#include "host/erasure/fr_arithmetic.hpp"

#if defined(__x86_64__)

#include <algorithm>

#include "host/erasure/fr_ifma-inl.hpp"

namespace furrow {
namespace ifma {
namespace {

/// From so many values on a transform has whole vectors; below, one lane.
constexpr std::size_t kVectorLength = kLanes * kLanes;

/// As in FrRoots, in Montgomery form with R = 2^260, eight a vector.
struct Roots {
  std::vector<StoredLanes> forward, inverse;
};

/// Eight factors that lie `stride` apart: their R is 2^256, that of a product 2^260. Not reduced, below
/// 16 r: a product with a value below r is below 1.5 r all the same.
FURROW_IFMA_INLINE Lanes load_factors(const Fr* from, std::size_t stride) {
  return load_values<4>(from, stride);
}

FURROW_IFMA std::vector<StoredLanes> to_lanes(std::span<const Fr> factors) {
  std::vector<StoredLanes> lanes(factors.size() / kLanes);
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    store(reduced(load_factors(&factors[kLanes * i], 1)), lanes[i]);
  }
  return lanes;
}

const Roots& roots() {
  static const Roots lanes{to_lanes(std::span(fr_roots().forward).first(FrArithmetic::kMaxLength)),
                           to_lanes(std::span(fr_roots().inverse).first(FrArithmetic::kMaxLength))};
  return lanes;
}

FURROW_IFMA_INLINE Lanes root_in_every_lane(const StoredLanes* roots, std::size_t element) {
  Lanes x;
  for (std::size_t i = 0; i < kLimbs; ++i) {
    x.limb[i] = constant(roots[element / kLanes].limb[i][element % kLanes]);
  }
  return x;
}

FURROW_IFMA_INLINE Lanes multiple_of_modulus(unsigned factor) {
  Lanes x;
  for (std::size_t i = 0; i < kLimbs; ++i) {
    x.limb[i] = constant(factor * kModulusLimbs[i]);
  }
  return x;
}

// Decimation in frequency: sums double with each layer, products are below 2 r. Every fourth layer
// reduces its sums.

constexpr unsigned kLargestBound = 16;

constexpr bool reduces_sums(unsigned bound) {
  return 2 * bound > kLargestBound;
}
constexpr unsigned bound_of_next_layer(unsigned bound) {
  return reduces_sums(bound) ? 2 : 2 * bound;
}

/// x + y and x - y.
FURROW_IFMA_INLINE void join(StoredLanes& first, StoredLanes& second, unsigned bound) {
  const Lanes x = load(first);
  const Lanes y = load(second);
  store(add(x, y), first);
  store(subtract(add(x, multiple_of_modulus(bound + 1)), y), second);
}

/// x + y and (x - y) root.
FURROW_IFMA_INLINE void join_then_multiply(StoredLanes& first, StoredLanes& second,
                                           const Lanes& root, unsigned bound) {
  const Lanes x = load(first);
  const Lanes y = load(second);
  const Lanes sum = add(x, y);
  store(reduces_sums(bound) ? nearly_reduced(sum) : sum, first);
  // One r more than the bound, which a value that is only nearly reduced may exceed by a little.
  store(multiply(carried(subtract(add(x, multiple_of_modulus(bound + 1)), y)), root), second);
}

/// The layers of eight transforms, one in each lane.
FURROW_IFMA void to_coefficients_in_lanes(StoredLanes* vectors, std::size_t n, unsigned bound,
                                          const StoredLanes* roots) {
  for (std::size_t h = n / 2; h > 1; h /= 2) {
    for (std::size_t j = 0; j < h; ++j) {
      const Lanes root = root_in_every_lane(roots, h + j);
      for (std::size_t first = j; first < n; first += 2 * h) {
        join_then_multiply(vectors[first], vectors[first + h], root, bound);
      }
    }
    bound = bound_of_next_layer(bound);
  }
  for (std::size_t first = 0; first + 1 < n; first += 2) {
    join(vectors[first], vectors[first + 1], bound);
  }
}

// Decimation in time: products are below 2 r, and each layer adds that much. From 1.5 r it is 31.5 after
// the 15 layers of the longest transform.

constexpr unsigned kProductBound = 2;

/// x + y and x - y.
FURROW_IFMA_INLINE void join_product(const Lanes& product, StoredLanes& first,
                                     StoredLanes& second) {
  const Lanes x = load(first);
  store(add(x, product), first);
  store(subtract(add(x, multiple_of_modulus(kProductBound)), product), second);
}

/// x + y root and x - y root.
FURROW_IFMA_INLINE void multiply_then_join(StoredLanes& first, StoredLanes& second,
                                           const Lanes& root) {
  join_product(multiply(carried(load(second)), root), first, second);
}

/// The layers of eight transforms, one in each lane.
FURROW_IFMA void to_values_in_lanes(StoredLanes* vectors, std::size_t n, const StoredLanes* roots) {
  for (std::size_t first = 0; first + 1 < n; first += 2) {
    join_product(load(vectors[first + 1]), vectors[first], vectors[first + 1]);
  }
  for (std::size_t h = 2; h < n; h *= 2) {
    for (std::size_t j = 0; j < h; ++j) {
      const Lanes root = root_in_every_lane(roots, h + j);
      for (std::size_t first = j; first < n; first += 2 * h) {
        multiply_then_join(vectors[first], vectors[first + h], root);
      }
    }
  }
}

/// Lane i of vector j becomes lane j of vector i, of 8.
FURROW_IFMA void transpose(StoredLanes* vectors) {
  for (std::size_t limb = 0; limb < kLimbs; ++limb) {
    Words row[kLanes];
    for (std::size_t i = 0; i < kLanes; ++i) {
      row[i] = _mm512_load_si512(vectors[i].limb[limb]);
    }
    // Bit by bit of the two indexes: halves of rows that are four apart, then pairs, then words.
    Words halves[kLanes];
    for (std::size_t i = 0; i < kLanes / 2; ++i) {
      halves[i] = __builtin_shufflevector(row[i], row[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
      halves[i + 4] = __builtin_shufflevector(row[i], row[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
    for (std::size_t i = 0; i < kLanes; i += 4) {
      const Words even[] = {even_pairs(halves[i], halves[i + 2]),
                            even_pairs(halves[i + 1], halves[i + 3])};
      const Words odd[] = {odd_pairs(halves[i], halves[i + 2]),
                           odd_pairs(halves[i + 1], halves[i + 3])};
      _mm512_store_si512(vectors[i].limb[limb], even_words(even[0], even[1]));
      _mm512_store_si512(vectors[i + 1].limb[limb], odd_words(even[0], even[1]));
      _mm512_store_si512(vectors[i + 2].limb[limb], even_words(odd[0], odd[1]));
      _mm512_store_si512(vectors[i + 3].limb[limb], odd_words(odd[0], odd[1]));
    }
  }
}

/// A layer that joins vectors: those of the first half of each block of 2 `half` with the others.
FURROW_IFMA_INLINE void join_vectors_then_multiply(std::span<StoredLanes> vectors, std::size_t half,
                                                   const StoredLanes* roots, unsigned bound) {
  for (std::size_t first = 0; first < vectors.size(); first += 2 * half) {
    for (std::size_t i = first; i < first + half; ++i) {
      join_then_multiply(vectors[i], vectors[i + half], load(roots[half + i - first]), bound);
    }
  }
}
FURROW_IFMA_INLINE void multiply_then_join_vectors(std::span<StoredLanes> vectors, std::size_t half,
                                                   const StoredLanes* roots) {
  for (std::size_t first = 0; first < vectors.size(); first += 2 * half) {
    for (std::size_t i = first; i < first + half; ++i) {
      multiply_then_join(vectors[i], vectors[i + half], load(roots[half + i - first]));
    }
  }
}

/// All layers of a transform. By halves, each as a whole after the layer that joins them, so that they
/// are in the nearest cache that holds them.
FURROW_IFMA void to_coefficients_in_vectors(std::span<StoredLanes> vectors, unsigned bound,
                                            const StoredLanes* roots, Fr* to) {
  std::size_t half = vectors.size() / 2;
  if (vectors.size() > kLanes) {
    join_vectors_then_multiply(vectors, half, roots, bound);
    bound = bound_of_next_layer(bound);
    to_coefficients_in_vectors(vectors.first(half), bound, roots, to);
    to_coefficients_in_vectors(vectors.last(half), bound, roots, to + kLanes * half);
    return;
  }
  for (; half > 0; half /= 2) {
    join_vectors_then_multiply(vectors, half, roots, bound);
    bound = bound_of_next_layer(bound);
  }
  transpose(vectors.data());
  to_coefficients_in_lanes(vectors.data(), kLanes, bound, roots);
  for (std::size_t i = 0; i < kLanes; ++i) {
    store_values(load(vectors[i]), to + i, kLanes);
  }
}

/// Eight coefficients, times their factors unless there are none: below 1.5 r.
FURROW_IFMA_INLINE Lanes load_coefficients(const Fr* from, std::size_t stride, const Fr* factors,
                                           std::size_t factor_stride) {
  const Lanes x = load_values(from, stride);
  return factors == nullptr ? x : multiply(x, load_factors(factors, factor_stride));
}

FURROW_IFMA void to_values_in_vectors(const Fr* from, const Fr* factors,
                                      std::span<StoredLanes> vectors, const StoredLanes* roots) {
  if (vectors.size() > kLanes) {
    const std::size_t half = vectors.size() / 2;
    const std::size_t n = kLanes * half;
    to_values_in_vectors(from, factors, vectors.first(half), roots);
    to_values_in_vectors(from + n, factors == nullptr ? nullptr : factors + n, vectors.last(half),
                         roots);
    multiply_then_join_vectors(vectors, half, roots);
    return;
  }
  for (std::size_t i = 0; i < kLanes; ++i) {
    store(load_coefficients(from + i, kLanes, factors == nullptr ? nullptr : factors + i, kLanes),
          vectors[i]);
  }
  to_values_in_lanes(vectors.data(), kLanes, roots);
  transpose(vectors.data());
  for (std::size_t half = 1; half < kLanes; half *= 2) {
    multiply_then_join_vectors(vectors, half, roots);
  }
}

/// Eight transforms of n values, one in each lane.
FURROW_IFMA void to_values_eight_times(Fr* coefficients, std::size_t n, const Fr* factors,
                                       StoredLanes* vectors, const StoredLanes* roots) {
  for (std::size_t i = 0; i < n; ++i) {
    // The same factor for all of them.
    store(load_coefficients(coefficients + i, n, factors == nullptr ? nullptr : factors + i, 0),
          vectors[i]);
  }
  to_values_in_lanes(vectors, n, roots);
  for (std::size_t i = 0; i < n; ++i) {
    store_values(load(vectors[i]), coefficients + i, n);
  }
}
FURROW_IFMA void to_coefficients_eight_times(Fr* values, std::size_t n, StoredLanes* vectors,
                                             const StoredLanes* roots) {
  for (std::size_t i = 0; i < n; ++i) {
    store(load_values(values + i, n), vectors[i]);
  }
  to_coefficients_in_lanes(vectors, n, 1, roots);
  for (std::size_t i = 0; i < n; ++i) {
    store_values(load(vectors[i]), values + i, n);
  }
}

FURROW_IFMA void load_all(const Fr* from, std::span<StoredLanes> vectors) {
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    store(load_values(from + kLanes * i, 1), vectors[i]);
  }
}
FURROW_IFMA void store_all(std::span<const StoredLanes> vectors, Fr* to) {
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    store_values(load(vectors[i]), to + kLanes * i, 1);
  }
}

std::span<StoredLanes> vectors_of_this_thread(std::size_t n) {
  thread_local std::vector<StoredLanes> vectors;
  if (vectors.size() < n) {
    vectors.resize(n);
  }
  return std::span(vectors).first(n);
}

/// Pre: numbers of both are multiples of 8.
FURROW_IFMA void multiply_all(std::span<Fr> values, std::span<const Fr> factors) {
  for (std::size_t i = 0; i < values.size(); i += kLanes) {
    const Lanes factor = load_factors(&factors[i & (factors.size() - 1)], 1);
    store_values(multiply(load_values(&values[i], 1), factor), &values[i], 1);
  }
}

class IfmaArithmetic final : public FrArithmetic {
 public:
  void to_coefficients(std::span<Fr> values, std::size_t n) const override {
    const StoredLanes* const inverse = roots().inverse.data();
    if (n >= kVectorLength) {
      const std::span<StoredLanes> vectors = vectors_of_this_thread(n / kLanes);
      for (std::size_t first = 0; first < values.size(); first += n) {
        load_all(&values[first], vectors);
        to_coefficients_in_vectors(vectors, 1, inverse, &values[first]);
      }
      return;
    }
    const std::span<StoredLanes> vectors = vectors_of_this_thread(n);
    const std::size_t in_lanes = values.size() - values.size() % (kLanes * n);
    for (std::size_t first = 0; first < in_lanes; first += kLanes * n) {
      to_coefficients_eight_times(&values[first], n, vectors.data(), inverse);
    }
    fr_plain().to_coefficients(values.subspan(in_lanes), n);
  }

  void to_values(std::span<Fr> coefficients, std::size_t n,
                 std::span<const Fr> factors) const override {
    const StoredLanes* const forward = roots().forward.data();
    const Fr* const factor = factors.empty() ? nullptr : factors.data();
    if (n >= kVectorLength) {
      const std::span<StoredLanes> vectors = vectors_of_this_thread(n / kLanes);
      for (std::size_t first = 0; first < coefficients.size(); first += n) {
        to_values_in_vectors(&coefficients[first], factor, vectors, forward);
        store_all(vectors, &coefficients[first]);
      }
      return;
    }
    const std::span<StoredLanes> vectors = vectors_of_this_thread(n);
    const std::size_t in_lanes = coefficients.size() - coefficients.size() % (kLanes * n);
    for (std::size_t first = 0; first < in_lanes; first += kLanes * n) {
      to_values_eight_times(&coefficients[first], n, factor, vectors.data(), forward);
    }
    fr_plain().to_values(coefficients.subspan(in_lanes), n, factors);
  }

  void multiply(std::span<Fr> values, std::span<const Fr> factors) const override {
    const std::size_t in_lanes = values.size() - values.size() % kLanes;
    if (factors.size() >= kLanes) {
      multiply_all(values, factors);
      return;
    }
    std::array<Fr, kLanes> repeated;
    for (std::size_t i = 0; i < kLanes; ++i) {
      repeated[i] = factors[i & (factors.size() - 1)];
    }
    multiply_all(values.first(in_lanes), repeated);
    fr_plain().multiply(values.subspan(in_lanes), factors);
  }
};

}  // namespace
}  // namespace ifma

const FrArithmetic* fr_ifma() {
  static const ifma::IfmaArithmetic arithmetic;
  static const bool is_there =
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512ifma");
  return is_there ? &arithmetic : nullptr;
}

}  // namespace furrow

#else

namespace furrow {

const FrArithmetic* fr_ifma() {
  return nullptr;
}

}  // namespace furrow

#endif
