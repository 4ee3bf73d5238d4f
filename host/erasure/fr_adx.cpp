// SPDX-License-Identifier: Apache-2.0
// Four words by what processors since 2014 have for long numbers: MULX multiplies without touching
// flags, ADCX and ADOX add with a carry each of their own. In assembly, as compilers make neither two
// chains of carries of C++ nor even one without moving it to a register and back.
#include "host/erasure/fr_arithmetic.hpp"

#if defined(__x86_64__)

#include <cpuid.h>

#include "host/erasure/fr_four_words-inl.hpp"

namespace furrow {
namespace {

constexpr std::uint64_t kNegatedInverse = 0xfffffffeffffffff;  // -1 / r modulo 2^64
static_assert(kNegatedInverse * fr::kModulus.limbs[0] == ~std::uint64_t{0});

// clang-format off

/// WORD t, in five words.
#define FURROW_PRODUCT(WORD, T, A0, A1, A2, A3, A4)                     \
  "movq " WORD ", %%rdx\n\t"                                            \
  "mulxq 0(%[" T "]), %[" A0 "], %[" A1 "]\n\t"                         \
  "mulxq 8(%[" T "]), %[low], %[" A2 "]\n\t"                            \
  "addq %[low], %[" A1 "]\n\t"                                          \
  "mulxq 16(%[" T "]), %[low], %[" A3 "]\n\t"                           \
  "adcq %[low], %[" A2 "]\n\t"                                          \
  "mulxq 24(%[" T "]), %[low], %[" A4 "]\n\t"                           \
  "adcq %[low], %[" A3 "]\n\t"                                          \
  "adcq $0, %[" A4 "]\n\t"

/// a + WORD t, a being five words, the fifth of which is 0 before.
#define FURROW_ADD_PRODUCT(WORD, T, A0, A1, A2, A3, A4)                 \
  "movq " WORD ", %%rdx\n\t"                                            \
  "xorl %k[zero], %k[zero]\n\t"  /* and both carries */                 \
  "mulxq 0(%[" T "]), %[low], %[high]\n\t"                              \
  "adcxq %[low], %[" A0 "]\n\t"                                         \
  "adoxq %[high], %[" A1 "]\n\t"                                        \
  "mulxq 8(%[" T "]), %[low], %[high]\n\t"                              \
  "adcxq %[low], %[" A1 "]\n\t"                                         \
  "adoxq %[high], %[" A2 "]\n\t"                                        \
  "mulxq 16(%[" T "]), %[low], %[high]\n\t"                             \
  "adcxq %[low], %[" A2 "]\n\t"                                         \
  "adoxq %[high], %[" A3 "]\n\t"                                        \
  "mulxq 24(%[" T "]), %[low], %[high]\n\t"                             \
  "adcxq %[low], %[" A3 "]\n\t"                                         \
  "adoxq %[high], %[" A4 "]\n\t"                                        \
  "adcxq %[zero], %[" A4 "]\n\t"

/// a + m r, whose lowest word is 0: it is the fifth one of the next product.
#define FURROW_ADD_MODULI(A0, A1, A2, A3, A4)                           \
  "movq %[" A0 "], %[high]\n\t"                                         \
  "imulq %[negated_inverse], %[high]\n\t"                               \
  FURROW_ADD_PRODUCT("%[high]", "r", A0, A1, A2, A3, A4)

// clang-format on

struct AdxOperations {
  /// x - r if that is not negative. Pre: x < 2 r.
  static Fr reduced(const Fr& x) {
    std::uint64_t d0 = x.limbs[0];
    std::uint64_t d1 = x.limbs[1];
    std::uint64_t d2 = x.limbs[2];
    std::uint64_t d3 = x.limbs[3];
    asm("subq %[r0], %[d0]\n\t"
        "sbbq %[r1], %[d1]\n\t"
        "sbbq %[r2], %[d2]\n\t"
        "sbbq %[r3], %[d3]\n\t"
        "cmovcq %[x0], %[d0]\n\t"
        "cmovcq %[x1], %[d1]\n\t"
        "cmovcq %[x2], %[d2]\n\t"
        "cmovcq %[x3], %[d3]"
        : [d0] "+&r"(d0), [d1] "+&r"(d1), [d2] "+&r"(d2), [d3] "+&r"(d3)
        : [x0] "rm"(x.limbs[0]), [x1] "rm"(x.limbs[1]), [x2] "rm"(x.limbs[2]),
          [x3] "rm"(x.limbs[3]), [r0] "rm"(fr::kModulus.limbs[0]), [r1] "rm"(fr::kModulus.limbs[1]),
          [r2] "rm"(fr::kModulus.limbs[2]), [r3] "rm"(fr::kModulus.limbs[3])
        : "cc");
    return {{d0, d1, d2, d3}};
  }

  /// a + b modulo 2^256.
  static Fr sum(const Fr& a, const Fr& b) {
    Fr sum = a;
    asm("addq %[b0], %[s0]\n\t"
        "adcq %[b1], %[s1]\n\t"
        "adcq %[b2], %[s2]\n\t"
        "adcq %[b3], %[s3]"
        : [s0] "+&r"(sum.limbs[0]), [s1] "+&r"(sum.limbs[1]), [s2] "+&r"(sum.limbs[2]),
          [s3] "+&r"(sum.limbs[3])
        : [b0] "rm"(b.limbs[0]), [b1] "rm"(b.limbs[1]), [b2] "rm"(b.limbs[2]), [b3] "rm"(b.limbs[3])
        : "cc");
    return sum;
  }

  static Fr add(const Fr& a, const Fr& b) { return reduced(sum(a, b)); }

  static Fr difference_plus_r(const Fr& a, const Fr& b) {
    Fr difference = a;
    asm("addq %[r0], %[d0]\n\t"
        "adcq %[r1], %[d1]\n\t"
        "adcq %[r2], %[d2]\n\t"
        "adcq %[r3], %[d3]\n\t"
        "subq %[b0], %[d0]\n\t"
        "sbbq %[b1], %[d1]\n\t"
        "sbbq %[b2], %[d2]\n\t"
        "sbbq %[b3], %[d3]"
        : [d0] "+&r"(difference.limbs[0]), [d1] "+&r"(difference.limbs[1]),
          [d2] "+&r"(difference.limbs[2]), [d3] "+&r"(difference.limbs[3])
        : [b0] "rm"(b.limbs[0]), [b1] "rm"(b.limbs[1]), [b2] "rm"(b.limbs[2]),
          [b3] "rm"(b.limbs[3]), [r0] "rm"(fr::kModulus.limbs[0]), [r1] "rm"(fr::kModulus.limbs[1]),
          [r2] "rm"(fr::kModulus.limbs[2]), [r3] "rm"(fr::kModulus.limbs[3])
        : "cc");
    return difference;
  }

  static Fr subtract(const Fr& a, const Fr& b) {
    Fr difference = a;
    std::uint64_t mask = 0;
    asm("subq %[b0], %[d0]\n\t"
        "sbbq %[b1], %[d1]\n\t"
        "sbbq %[b2], %[d2]\n\t"
        "sbbq %[b3], %[d3]\n\t"
        "sbbq %[mask], %[mask]"
        : [d0] "+&r"(difference.limbs[0]), [d1] "+&r"(difference.limbs[1]),
          [d2] "+&r"(difference.limbs[2]), [d3] "+&r"(difference.limbs[3]), [mask] "+&r"(mask)
        : [b0] "rm"(b.limbs[0]), [b1] "rm"(b.limbs[1]), [b2] "rm"(b.limbs[2]), [b3] "rm"(b.limbs[3])
        : "cc");
    return sum(difference, {{fr::kModulus.limbs[0] & mask, fr::kModulus.limbs[1] & mask,
                             fr::kModulus.limbs[2] & mask, fr::kModulus.limbs[3] & mask}});
  }

  static Fr multiply(const Fr& x, const Fr& t) {
    std::uint64_t a0 = 0;
    std::uint64_t a1 = 0;
    std::uint64_t a2 = 0;
    std::uint64_t a3 = 0;
    std::uint64_t a4 = 0;
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::uint64_t zero = 0;
    asm(FURROW_PRODUCT("0(%[x])", "t", "a0", "a1", "a2", "a3", "a4")
            FURROW_ADD_MODULI("a0", "a1", "a2", "a3", "a4")
                FURROW_ADD_PRODUCT("8(%[x])", "t", "a1", "a2", "a3", "a4", "a0")
                    FURROW_ADD_MODULI("a1", "a2", "a3", "a4", "a0")
                        FURROW_ADD_PRODUCT("16(%[x])", "t", "a2", "a3", "a4", "a0", "a1")
                            FURROW_ADD_MODULI("a2", "a3", "a4", "a0", "a1")
                                FURROW_ADD_PRODUCT("24(%[x])", "t", "a3", "a4", "a0", "a1", "a2")
                                    FURROW_ADD_MODULI("a3", "a4", "a0", "a1", "a2")
        : [a0] "=&r"(a0), [a1] "=&r"(a1), [a2] "=&r"(a2), [a3] "=&r"(a3), [a4] "=&r"(a4),
          [low] "=&r"(low), [high] "=&r"(high), [zero] "=&r"(zero)
        : [x] "r"(&x), [t] "r"(&t), [r] "r"(&fr::kModulus), [negated_inverse] "m"(kNegatedInverse),
          "m"(x), "m"(t)
        : "cc", "rdx");
    return reduced({{a4, a0, a1, a2}});
  }
};

#undef FURROW_ADD_MODULI
#undef FURROW_ADD_PRODUCT
#undef FURROW_PRODUCT

bool has_adx() {
  constexpr unsigned kBmi2 = 1U << 8;
  constexpr unsigned kAdx = 1U << 19;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & kBmi2) != 0 && (b & kAdx) != 0;
}

}  // namespace

const FrArithmetic* fr_adx() {
  static const FourWordArithmetic<AdxOperations> arithmetic;
  static const bool is_there = has_adx();
  return is_there ? &arithmetic : nullptr;
}

}  // namespace furrow

#else

namespace furrow {

const FrArithmetic* fr_adx() {
  return nullptr;
}

}  // namespace furrow

#endif
