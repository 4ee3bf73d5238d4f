// SPDX-License-Identifier: Apache-2.0
#include "host/erasure/gf16_tables.hpp"

#include <memory>
#include <vector>

namespace furrow {
namespace {

using core::gf16::Element;

void fill_exponentials(Gf16Tables& tables) {
  std::vector<Element> from_polynomial(core::gf16::kOrder);
  for (std::uint32_t a = 0; a < core::gf16::kOrder; ++a) {
    const auto element = static_cast<Element>(a);
    from_polynomial[core::gf16::to_polynomial(element)] = element;
  }
  Element power = 1;
  for (std::uint32_t e = 0; e < core::gf16::kModulus; ++e) {
    const Element element = from_polynomial[power];
    tables.exp[e] = element;
    tables.log[element] = static_cast<Element>(e);
    power = core::gf16::multiply_polynomial(power, 2);
  }
  tables.exp[core::gf16::kModulus] = tables.exp[0];
}

NibbleProducts nibble_products(const Gf16Tables& tables, Element factor) {
  NibbleProducts products{};
  NibbleProducts::Bytes* const low[4] = {&products.low0, &products.low1, &products.low2,
                                         &products.low3};
  NibbleProducts::Bytes* const high[4] = {&products.high0, &products.high1, &products.high2,
                                          &products.high3};
  for (unsigned q = 0; q < 4; ++q) {
    for (unsigned v = 0; v < 16; ++v) {
      const Element product = tables.multiply(factor, static_cast<Element>(v << (4 * q)));
      (*low[q])[v] = static_cast<std::uint8_t>(product & 0xFF);
      (*high[q])[v] = static_cast<std::uint8_t>(product >> 8);
    }
  }
  return products;
}

std::unique_ptr<const Gf16Tables> make_tables() {
  auto tables = std::make_unique<Gf16Tables>();
  fill_exponentials(*tables);
  for (unsigned byte = 0; byte < 256; ++byte) {
    tables->low_factor[byte] = nibble_products(*tables, static_cast<Element>(byte));
    tables->high_factor[byte] = nibble_products(*tables, static_cast<Element>(byte << 8));
  }
  return tables;
}

}  // namespace

const Gf16Tables& gf16_tables() {
  static const std::unique_ptr<const Gf16Tables> tables = make_tables();
  return *tables;
}

}  // namespace furrow
