// SPDX-License-Identifier: Apache-2.0
// Elements of Fr for tests: random ones, with those at the edges among them.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/hex.hpp"
#include "host/erasure/fr.hpp"
#include "host/erasure/fr_arithmetic.hpp"
#include "tests/reference/fr_reference.hpp"

namespace furrow::test {

inline Fr plus(Fr x, std::int64_t difference) {  // of the low limb, which must not overflow
  x.limbs[0] += static_cast<std::uint64_t>(difference);
  return x;
}

inline reference::FrBytes bytes_of(const Fr& value) {
  RecordChunk chunk;
  fr::store(value, chunk);
  return chunk.bytes;
}

inline std::string hex_of(const Fr& value) {
  return to_hex(bytes_of(value));
}

/// Most limbs are random, some all zeroes or all ones, and some numbers just below the modulus.
class RandomFr {
 public:
  explicit RandomFr(unsigned seed) : engine_(seed) {}

  std::uint64_t next() { return engine_(); }
  /// Any 256 bits.
  Fr any() {
    Fr x;
    for (std::uint64_t& limb : x.limbs) {
      const std::uint64_t kind = engine_() % 16;
      limb = kind == 0 ? 0 : kind == 1 ? ~std::uint64_t{0} : engine_();
    }
    return x;
  }
  Fr canonical() {
    if (engine_() % 16 == 0) {
      return plus(fr::kModulus, -1 - static_cast<std::int64_t>(engine_() % 4));
    }
    Fr x = any();
    while (!fr::is_canonical(x)) {
      x.limbs[3] >>= 1;
    }
    return x;
  }
  std::vector<Fr> canonical(std::size_t n) {
    std::vector<Fr> values;
    for (std::size_t i = 0; i < n; ++i) {
      values.push_back(canonical());
    }
    return values;
  }

 private:
  std::mt19937_64 engine_;
};

/// The forms that this machine has, the plain one first.
inline std::vector<const FrArithmetic*> fr_forms() {
  std::vector<const FrArithmetic*> forms = {&fr_plain()};
  for (const FrArithmetic* form : {fr_adx(), fr_ifma()}) {
    if (form != nullptr) {
      forms.push_back(form);
    }
  }
  return forms;
}

}  // namespace furrow::test
