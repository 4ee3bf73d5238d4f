// SPDX-License-Identifier: Apache-2.0
#include "fr_reference.hpp"

namespace furrow::reference {
namespace {

/// 256 bits, the low ones first.
using Number = std::array<std::uint64_t, 4>;

constexpr Number kZero = {0, 0, 0, 0};
constexpr Number kUnit = {1, 0, 0, 0};
constexpr Number kR = {0xffffffff00000001, 0x53bda402fffe5bfe, 0x3339d80809a1d805,
                       0x73eda753299d7d48};

Number from_bytes(const FrBytes& bytes) {
  Number number = kZero;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t bit = 8 * (bytes.size() - 1 - i);
    number[bit / 64] |= static_cast<std::uint64_t>(bytes[i]) << (bit % 64);
  }
  return number;
}

FrBytes to_bytes(const Number& number) {
  FrBytes bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t bit = 8 * (bytes.size() - 1 - i);
    bytes[i] = static_cast<std::uint8_t>(number[bit / 64] >> (bit % 64));
  }
  return bytes;
}

bool is_less(const Number& a, const Number& b) {
  for (std::size_t i = 4; i-- > 0;) {
    if (a[i] != b[i]) {
      return a[i] < b[i];
    }
  }
  return false;
}

/// Modulo 2^256.
Number plain_sum(const Number& a, const Number& b) {
  Number sum{};
  bool carry = false;
  for (std::size_t i = 0; i < 4; ++i) {
    sum[i] = a[i] + b[i] + (carry ? 1 : 0);
    carry = carry ? sum[i] <= a[i] : sum[i] < a[i];
  }
  return sum;
}
Number plain_difference(const Number& a, const Number& b) {
  Number difference{};
  bool borrow = false;
  for (std::size_t i = 0; i < 4; ++i) {
    difference[i] = a[i] - b[i] - (borrow ? 1 : 0);
    borrow = borrow ? a[i] <= b[i] : a[i] < b[i];
  }
  return difference;
}

Number add(const Number& a, const Number& b) {
  const Number sum = plain_sum(a, b);  // below 2 r, which is below 2^256
  return is_less(sum, kR) ? sum : plain_difference(sum, kR);
}

Number subtract(const Number& a, const Number& b) {
  return is_less(a, b) ? plain_difference(plain_sum(a, kR), b) : plain_difference(a, b);
}

/// As on paper, by digits of 8 bits from the highest one of b down: 256 times what there is, plus a times
/// the digit, less as many r as are in it.
Number multiply(const Number& a, const Number& b) {
  using Wide = unsigned __int128;
  Number product = kZero;
  for (std::size_t digit = 32; digit-- > 0;) {
    const std::uint64_t factor = b[digit / 8] >> (digit % 8 * 8) & 0xFF;
    Wide carry = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      carry += (static_cast<Wide>(product[i]) << 8) + static_cast<Wide>(a[i]) * factor;
      product[i] = static_cast<std::uint64_t>(carry);
      carry >>= 64;
    }
    // What lies above bit 200 of both tells how often r goes into it, or a little less.
    const std::uint64_t times =
        (static_cast<std::uint64_t>(carry) << 56 | product[3] >> 8) / ((kR[3] >> 8) + 1);
    Wide taken = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      taken += static_cast<Wide>(kR[i]) * times;
      const auto low = static_cast<std::uint64_t>(taken);
      taken = (taken >> 64) + (product[i] < low ? 1 : 0);
      product[i] -= low;
    }
    while (!is_less(product, kR)) {
      product = plain_difference(product, kR);
    }
  }
  return product;
}

Number power(Number base, Number exponent) {
  Number result = kUnit;
  for (std::size_t bit = 256; bit-- > 0;) {
    result = multiply(result, result);
    if ((exponent[bit / 64] >> (bit % 64) & 1) != 0) {
      result = multiply(result, base);
    }
  }
  return result;
}

Number inverse(const Number& a) {
  return power(a, plain_difference(kR, {2, 0, 0, 0}));
}

/// 7^((r - 1) / order). Pre: order is a power of two.
Number root_of_unity(std::size_t order) {
  Number exponent = plain_difference(kR, kUnit);
  for (; order > 1; order /= 2) {
    for (std::size_t i = 0; i < 4; ++i) {
      exponent[i] = exponent[i] >> 1 | (i < 3 ? exponent[i + 1] << 63 : 0);
    }
  }
  return power({7, 0, 0, 0}, exponent);
}

}  // namespace

FrBytes fr_add(const FrBytes& a, const FrBytes& b) {
  return to_bytes(add(from_bytes(a), from_bytes(b)));
}

FrBytes fr_multiply(const FrBytes& a, const FrBytes& b) {
  return to_bytes(multiply(from_bytes(a), from_bytes(b)));
}

FrBytes fr_interpolate(const std::vector<FrBytes>& source, std::size_t exponent) {
  const std::size_t n = source.size();
  if (exponent % 2 == 0) {
    return source[exponent / 2];
  }
  // The points u_i are the n-th roots of unity, for which Lagrange's formula is
  //   f(x) = (x^n - 1) / n SUM_i source[i] u_i / (x - u_i),   and x^n is -1.
  // All x - u_i are inverted by the inverse of their product.
  const Number w = root_of_unity(2 * n);
  const Number step = multiply(w, w);
  const Number x = power(w, {exponent, 0, 0, 0});
  std::vector<Number> points;
  std::vector<Number> products = {kUnit};  // of the first i differences
  for (std::size_t i = 0; i < n; ++i) {
    points.push_back(i == 0 ? kUnit : multiply(points.back(), step));
    products.push_back(multiply(products.back(), subtract(x, points.back())));
  }
  Number rest = inverse(products.back());
  Number sum = kZero;
  for (std::size_t i = n; i-- > 0;) {
    const Number inverse_difference = multiply(rest, products[i]);
    rest = multiply(rest, subtract(x, points[i]));
    sum = add(sum, multiply(from_bytes(source[i]), multiply(points[i], inverse_difference)));
  }
  const Number minus_two = subtract(kZero, {2, 0, 0, 0});
  return to_bytes(multiply(sum, multiply(minus_two, inverse({n, 0, 0, 0}))));
}

}  // namespace furrow::reference
