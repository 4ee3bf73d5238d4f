// SPDX-License-Identifier: Apache-2.0
// With M the missing places, Z the product of all (x - w^m) for m in M, and h = f Z, which is 0 at the
// places of M and known at the others:   f(w^m) = h'(w^m) / Z'(w^m)   for m in M, by derivatives.
//
// Everything is done in halves of n values, one at the even powers of w, where x^n is 1, and one at the
// odd ones, where it is -1.
//
// Z is x^n + z, z having degree below n. At the even powers that is 1 + z, which has degree below n too;
// so the n values there determine it, and at the odd ones -1 + z is 2 less than what extends them. The
// same holds of the factors of Z: of two of degree d their d values each are extended to 2 d values, and
// the products of these are the 2 d values of a factor of degree 2 d. So Z is never multiplied out, and
// what is added to all values is added to one coefficient.
//
// h is a + x^n b, both below degree n. Let p be what interpolates it at the even powers, and q at the odd
// ones: p = a + b, q = a - b. As p is 0 at the missing even powers and q at the missing odd ones,
//
//   2 x h' = 2 x p' - n q  at missing even powers,    2 x h' = 2 x q' - n p  at missing odd ones,
//   2 x Z' = 2 x z' + 2 n  at even powers,            2 x Z' = 2 x z' - 2 n  at odd ones.
#include "host/erasure/fr_recovery.hpp"

#include <algorithm>
#include <utility>

namespace furrow {
namespace {

Fr factor_of(std::size_t number) {
  return fr::to_factor(Fr{{number}});
}

/// Factor w^exponent of the root of order 2 n.
Fr power_of_root(std::size_t exponent, std::size_t n) {
  const Fr& power = fr_roots().forward[n + exponent % n];
  return exponent < n ? power : fr::subtract(Fr{}, power);
}

/// Makes the values of polynomials 2 less, of which there are d times the coefficients.
void take_two_from_each(std::span<Fr> coefficients, std::size_t d) {
  const Fr twice_d = factor_of(2 * d);
  for (std::size_t first = 0; first < coefficients.size(); first += d) {
    coefficients[first] = fr::subtract(coefficients[first], twice_d);
  }
}

/// Values of Z, as factors, at the even powers of w. `odd` and `next` have n elements, too.
void make_locator(const FrArithmetic& arithmetic, std::span<const std::size_t> missing,
                  std::span<Fr> locator, std::span<Fr> odd, std::span<Fr> next) {
  const std::size_t n = missing.size();
  const std::size_t half = n / 2;
  for (std::size_t i = 0; i < n; ++i) {
    locator[i] = fr::subtract(fr::kOne, power_of_root(missing[i], n));
  }
  // n / d polynomials of degree d, of which one in the first half and one in the second have a product.
  for (std::size_t d = 1; d < n; d *= 2) {
    std::ranges::copy(locator, odd.begin());
    arithmetic.to_coefficients(odd, d);
    take_two_from_each(odd, d);
    arithmetic.to_values(odd, d, fr_roots().shift_of(d));
    arithmetic.multiply(locator.first(half), locator.last(half));
    arithmetic.multiply(odd.first(half), odd.last(half));
    for (std::size_t i = 0; i < half; ++i) {
      next[2 * i] = locator[i];
      next[2 * i + 1] = odd[i];
    }
    std::ranges::copy(next, locator.begin());
  }
}

/// Factors 2 j / n in reversed order of j.
void fill_derivation(std::span<Fr> factors) {
  const Fr half = fr::inverse(factor_of(2));
  Fr step = fr::kOne;
  factors[0] = Fr{};
  for (std::size_t h = 1; h < factors.size(); h *= 2) {
    for (std::size_t i = 0; i < h; ++i) {
      factors[h + i] = fr::add(factors[i], step);  // bit h of i stands for n / 2 h in j
    }
    step = fr::multiply(step, half);
  }
}

/// Factors w^j, or w^-j, in reversed order of j. `roots` is a member of FrRoots.
void fill_powers(const FrArithmetic& arithmetic, const std::vector<Fr>& roots,
                 std::span<Fr> factors) {
  factors[0] = fr::kOne;
  for (std::size_t h = 1; h < factors.size(); h *= 2) {
    std::ranges::copy(factors.first(h), factors.begin() + static_cast<std::ptrdiff_t>(h));
    arithmetic.multiply(factors.subspan(h, h), std::span(roots).subspan(2 * h + 1, 1));
  }
}

/// Replaces factors, none of which is 0, by their inverses. By one inversion, of the product of all.
/// `work` has as many elements.
void invert_all(const FrArithmetic& arithmetic, std::span<Fr> factors, std::span<Fr> work) {
  if (factors.size() == 1) {
    factors[0] = fr::inverse(factors[0]);
    return;
  }
  const std::size_t half = factors.size() / 2;
  const std::span<Fr> low = factors.first(half);
  const std::span<Fr> high = factors.last(half);
  const std::span<Fr> products = work.first(half);
  std::ranges::copy(low, products.begin());
  arithmetic.multiply(products, high);
  invert_all(arithmetic, products, work.subspan(half));
  std::ranges::swap_ranges(low, high);
  arithmetic.multiply(low, products);
  arithmetic.multiply(high, products);
}

/// Places of one half.
struct Half {
  std::span<Fr> values;
  std::size_t is_odd;  ///< 1 for parity
};

/// Sets values at missing places to `value`.
void set_missing(const Half& half, std::span<const std::size_t> missing, const Fr& value) {
  for (const std::size_t place : missing) {
    if (place % 2 == half.is_odd) {
      half.values[place / 2] = value;
    }
  }
}

}  // namespace

void recover_fr(const FrArithmetic& arithmetic, std::span<Fr> sources, std::span<Fr> parity,
                std::span<const std::size_t> missing, bool wants_parity, FrScratch& scratch) {
  const std::size_t n = sources.size();
  const std::span<Fr> even_locator = scratch.take(n);
  const std::span<Fr> odd_locator = scratch.take(n);
  const std::span<Fr> p = scratch.take(n);
  const std::span<Fr> q = scratch.take(n);
  const std::span<Fr> z = scratch.take(n);
  make_locator(arithmetic, missing, even_locator, odd_locator, p);

  // n (1 + z), and Z at the odd powers.
  std::ranges::copy(even_locator, z.begin());
  arithmetic.to_coefficients(z, n);
  std::ranges::copy(z, odd_locator.begin());
  take_two_from_each(odd_locator, n);
  arithmetic.to_values(odd_locator, n, fr_roots().shift_of(n));

  // n p; of q, whose powers are those of w and not of its square, coefficient j times n w^j.
  set_missing({sources, 0}, missing, Fr{});
  set_missing({parity, 1}, missing, Fr{});
  std::ranges::copy(sources, p.begin());
  std::ranges::copy(parity, q.begin());
  arithmetic.multiply(p, even_locator);
  arithmetic.multiply(q, odd_locator);
  arithmetic.to_coefficients(p, n);
  arithmetic.to_coefficients(q, n);

  const std::span<Fr> derivation = even_locator;  // which are no longer needed
  const std::span<Fr> powers = odd_locator;
  fill_derivation(derivation);
  const std::span<Fr> numerators = scratch.take(n);
  const std::span<Fr> others = scratch.take(n);
  const std::span<Fr> divisors = scratch.take(n);
  const Fr twice_n = factor_of(2 * n);
  for (const Half& half : {Half{sources, 0}, Half{parity, 1}}) {
    const bool is_odd = half.is_odd == 1;
    if (is_odd && !wants_parity) {
      break;
    }
    fill_powers(arithmetic, is_odd ? fr_roots().forward : fr_roots().inverse, powers);
    std::ranges::copy(is_odd ? q : p, numerators.begin());
    std::ranges::copy(is_odd ? p : q, others.begin());
    arithmetic.multiply(numerators, derivation);
    arithmetic.multiply(others, powers);
    for (std::size_t i = 0; i < n; ++i) {
      numerators[i] = fr::subtract(numerators[i], others[i]);
    }
    arithmetic.to_values(numerators, n, {});

    std::ranges::copy(z, divisors.begin());
    arithmetic.multiply(divisors, derivation);
    if (is_odd) {
      arithmetic.multiply(divisors, powers);
    }
    divisors[0] = is_odd ? fr::subtract(Fr{}, twice_n) : twice_n;
    arithmetic.to_values(divisors, n, {});
    // Z' is not 0 where Z is, as the roots of Z are different. Nothing is known of it elsewhere.
    for (std::size_t i = 0; i < n; ++i) {
      if (divisors[i] == Fr{}) {
        divisors[i] = fr::kOne;
      }
    }
    invert_all(arithmetic, divisors, others);
    arithmetic.multiply(numerators, divisors);
    for (const std::size_t place : missing) {
      if (place % 2 == half.is_odd) {
        half.values[place / 2] = numerators[place / 2];
      }
    }
  }
}

}  // namespace furrow
