// SPDX-License-Identifier: Apache-2.0
#include "host/erasure/fr_arithmetic.hpp"

#include <bit>

namespace furrow {
namespace {

FrRoots make_roots() {
  FrRoots roots;
  for (std::size_t h = 1; h < FrRoots::kSize; h *= 2) {
    const unsigned n_bits = static_cast<unsigned>(std::countr_zero(h));
    const Fr root = fr::root_of_unity(n_bits + 1);
    const Fr inverse_root = fr::inverse(root);
    roots.forward[h] = fr::kOne;
    roots.inverse[h] = fr::kOne;
    roots.shift[h] = fr::inverse(fr::to_factor(Fr{{h}}));
    for (std::size_t j = 1; j < h; ++j) {
      roots.forward[h + j] = fr::multiply(roots.forward[h + j - 1], root);
      roots.inverse[h + j] = fr::multiply(roots.inverse[h + j - 1], inverse_root);
      roots.shift[h + fr::reversed_bits(j, n_bits)] =
          fr::multiply(roots.forward[h + j], roots.shift[h]);
    }
  }
  return roots;
}

}  // namespace

const FrArithmetic& fr_arithmetic(SimdMode mode) {
  // By the instruction set that is in use and not only by the processor: who forces another one wants
  // to see what a processor without the better ones does.
  const std::string target = simd_target_name(mode);
  const bool is_avx512 = target.starts_with("avx3");
  if (is_avx512 && fr_ifma() != nullptr) {
    return *fr_ifma();
  }
  return (is_avx512 || target == "avx2") && fr_adx() != nullptr ? *fr_adx() : fr_plain();
}

const FrRoots& fr_roots() {
  static const FrRoots roots = make_roots();
  return roots;
}

}  // namespace furrow
