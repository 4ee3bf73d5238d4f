// SPDX-License-Identifier: Apache-2.0
#include "host/erasure/fr_arithmetic.hpp"
#include "host/erasure/fr_four_words-inl.hpp"

namespace furrow {
namespace {

struct PlainOperations {
  static Fr add(const Fr& a, const Fr& b) { return fr::add(a, b); }
  static Fr subtract(const Fr& a, const Fr& b) { return fr::subtract(a, b); }
  static Fr difference_plus_r(const Fr& a, const Fr& b) { return fr::difference_plus_r(a, b); }
  static Fr multiply(const Fr& x, const Fr& t) { return fr::multiply(x, t); }
};

}  // namespace

const FrArithmetic& fr_plain() {
  static const FourWordArithmetic<PlainOperations> arithmetic;
  return arithmetic;
}

}  // namespace furrow
