// SPDX-License-Identifier: Apache-2.0
#include "host/erasure/fr_recovery.hpp"

#include <algorithm>
#include <bit>
#include <vector>

#include "host/erasure/fr_transform.hpp"

namespace furrow {
namespace {

/// Polynomials up to this degree are multiplied coefficient by coefficient.
constexpr std::size_t kPlainDegree = 8;

unsigned log_of(std::size_t power_of_two) {
  return static_cast<unsigned>(std::countr_zero(power_of_two));
}

Fr negated(const Fr& x) {
  return fr::subtract(Fr{}, x);
}

/// The value of a power of a root of unity of order 2 h, whose powers are elements h to 2 h.
Fr value_of_power(std::size_t exponent, std::size_t order) {
  const std::size_t half = order / 2;
  if (half == 0) {
    return Fr{{1}};
  }
  const Fr power = fr::multiply(fr_roots().forward[half + exponent % half], Fr{{1}});
  return exponent < half ? power : negated(power);
}

// A polynomial of degree d whose highest coefficient is 1 is given by the other d ones.

/// Coefficients of a product of two polynomials below degree d, from those of a and b, times what
/// `to_factor` makes of b beyond a factor.
void multiply_plainly(std::span<const Fr> a, std::span<const Fr> b, std::span<Fr> product) {
  std::ranges::fill(product, Fr{});
  for (std::size_t i = 0; i < b.size(); ++i) {
    const Fr factor = fr::to_factor(b[i]);
    for (std::size_t j = 0; j < a.size(); ++j) {
      product[i + j] = fr::add(product[i + j], fr::multiply(a[j], factor));
    }
  }
}

/// The same by transforms of length 2 d. `work` has 2 d elements.
void multiply_by_transforms(std::span<const Fr> a, std::span<const Fr> b, std::span<Fr> product,
                            std::span<Fr> work) {
  const std::size_t length = product.size();
  std::ranges::fill(std::ranges::copy(a, product.begin()).out, product.end(), Fr{});
  std::ranges::fill(std::ranges::copy(b, work.begin()).out, work.end(), Fr{});
  fr_transform_to_reversed(FrDirection::kForward, product);
  fr_transform_to_reversed(FrDirection::kForward, work);
  const Fr to_factor_by_length =
      fr::multiply(fr::kToFactor, fr::inverse(fr::to_factor(Fr{{length}})));
  for (std::size_t i = 0; i < length; ++i) {
    product[i] = fr::multiply(product[i], fr::multiply(work[i], to_factor_by_length));
  }
  fr_transform_from_reversed(FrDirection::kInverse, product);
}

/// Coefficients of x^p times the product of all (x - w^m), p being what makes the degree a power of
/// two; without the highest one, which is 1. The additional root 0 is no power of w.
std::vector<Fr> locator_of(std::span<const std::size_t> missing, std::size_t order) {
  const std::size_t degree = std::bit_ceil(missing.size());
  std::vector<Fr> factors(degree);
  for (std::size_t i = 0; i < missing.size(); ++i) {
    factors[i] = negated(value_of_power(missing[i], order));
  }
  std::vector<Fr> products(degree);
  std::vector<Fr> work(degree);
  for (std::size_t d = 1; d < degree; d *= 2) {
    for (std::size_t first = 0; first < degree; first += 2 * d) {
      const std::span<const Fr> a = std::span(factors).subspan(first, d);
      const std::span<const Fr> b = std::span(factors).subspan(first + d, d);
      const std::span<Fr> product = std::span(products).subspan(first, 2 * d);
      if (d <= kPlainDegree) {
        multiply_plainly(a, b, product);
      } else {
        multiply_by_transforms(a, b, product, std::span(work).first(2 * d));
      }
      // (x^d + a) (x^d + b) = x^2d + (a + b) x^d + a b
      for (std::size_t i = 0; i < d; ++i) {
        product[d + i] = fr::add(product[d + i], fr::add(a[i], b[i]));
      }
    }
    std::swap(factors, products);
  }
  return factors;
}

/// Replaces coefficients by those of the derivative.
void differentiate(std::span<Fr> coefficients) {
  Fr factor = fr::kOne;
  for (std::size_t j = 0; j + 1 < coefficients.size(); ++j) {
    coefficients[j] = fr::multiply(coefficients[j + 1], factor);
    factor = fr::add(factor, fr::kOne);
  }
  coefficients.back() = Fr{};
}

/// Replaces factors, none of them 0, by their inverses, with one inversion for all.
void invert_all(std::span<Fr> factors) {
  std::vector<Fr> products;  // of all before
  products.reserve(factors.size());
  Fr product = fr::kOne;
  for (const Fr& factor : factors) {
    products.push_back(product);
    product = fr::multiply(product, factor);
  }
  Fr rest = fr::inverse(product);
  for (std::size_t i = factors.size(); i-- > 0;) {
    const Fr inverse = fr::multiply(rest, products[i]);
    rest = fr::multiply(rest, factors[i]);
    factors[i] = inverse;
  }
}

}  // namespace

void recover_fr_values(std::span<Fr> values, std::span<const std::size_t> missing,
                       std::span<const std::size_t> wanted) {
  const std::size_t order = values.size();
  const unsigned n_bits = log_of(order);

  // Z, and its values in reversed order.
  std::vector<Fr> locator = locator_of(missing, order);
  locator.push_back(Fr{{1}});
  locator.resize(order);
  std::vector<Fr> product = locator;
  fr_transform_to_reversed(FrDirection::kForward, product);

  // f Z, of which 0 is known at the missing places and the rest elsewhere. Its degree is below N, so
  // that its coefficients follow, here times N.
  for (const std::size_t place : missing) {
    product[reversed_bits(place, n_bits)] = Fr{};
  }
  for (std::size_t place = 0; place < order; ++place) {
    Fr& element = product[reversed_bits(place, n_bits)];
    if (element != Fr{}) {
      element = fr::multiply(values[place], fr::to_factor(element));
    }
  }
  fr_transform_from_reversed(FrDirection::kInverse, product);

  // At a root of Z: (f Z)' = f Z'.
  differentiate(product);
  differentiate(locator);
  fr_transform_to_reversed(FrDirection::kForward, product);
  fr_transform_to_reversed(FrDirection::kForward, locator);
  std::vector<Fr> divisors;
  divisors.reserve(wanted.size());
  const Fr to_factor_times_order = fr::multiply(fr::kToFactor, fr::to_factor(Fr{{order}}));
  for (const std::size_t place : wanted) {
    divisors.push_back(fr::multiply(locator[reversed_bits(place, n_bits)], to_factor_times_order));
  }
  invert_all(divisors);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    values[wanted[i]] = fr::multiply(product[reversed_bits(wanted[i], n_bits)], divisors[i]);
  }
}

}  // namespace furrow
