// SPDX-License-Identifier: Apache-2.0
// Arithmetic on a unit of 16 symbols in vector registers: multiplication by 16-entry lookups
// (docs/spec/04-erasure-coding.md, section 8). Included once for each target by foreach_target.h.
#if defined(FURROW_GF16_UNIT_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef FURROW_GF16_UNIT_INL
#undef FURROW_GF16_UNIT_INL
#else
#define FURROW_GF16_UNIT_INL
#endif

#include <cstddef>
#include <cstdint>

#include <hwy/highway.h>

#include "host/erasure/gf16_tables.hpp"

HWY_BEFORE_NAMESPACE();
namespace furrow::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using core::gf16::Element;

// One-lane vectors have no byte lookups.
#if HWY_TARGET != HWY_SCALAR

using D16 = hn::FixedTag<std::uint8_t, 16>;
using V16 = hn::Vec<D16>;

#if HWY_TARGET <= HWY_AVX2 && HWY_ARCH_X86

// One vector holds a unit, low bytes in its lower half. Bytes that stay in their half and bytes
// that change it are looked up apart, and the latter swapped.
using D32 = hn::FixedTag<std::uint8_t, 32>;
using Unit = hn::Vec<D32>;

HWY_INLINE Unit load_unit(const std::uint8_t* p) {
  return hn::LoadU(D32(), p);
}
HWY_INLINE void store_unit(Unit v, std::uint8_t* p) {
  hn::StoreU(v, D32(), p);
}
HWY_INLINE Unit add(Unit a, Unit b) {
  return hn::Xor(a, b);
}

struct Factor {
  Unit stay0, stay1, swap0, swap1;
};

HWY_INLINE Factor load_factor(const Gf16Tables& tables, Element w) {
  const NibbleProducts& low = tables.low_factor[w & 0xFF];
  const NibbleProducts& high = tables.high_factor[w >> 8];
  return {add(load_unit(low.low0.data()), load_unit(high.low0.data())),
          add(load_unit(low.low1.data()), load_unit(high.low1.data())),
          add(load_unit(low.high0.data()), load_unit(high.high0.data())),
          add(load_unit(low.high1.data()), load_unit(high.high1.data()))};
}

HWY_INLINE Unit multiply(const Factor& f, Unit v) {
  const Unit nibble0 = hn::And(v, hn::Set(D32(), 0x0F));
  const Unit nibble1 = hn::ShiftRight<4>(v);
  const Unit stay =
      add(hn::TableLookupBytes(f.stay0, nibble0), hn::TableLookupBytes(f.stay1, nibble1));
  const Unit swap =
      add(hn::TableLookupBytes(f.swap0, nibble0), hn::TableLookupBytes(f.swap1, nibble1));
  return add(stay, hn::SwapAdjacentBlocks(swap));
}

#else

struct Unit {
  V16 low, high;
};

HWY_INLINE Unit load_unit(const std::uint8_t* p) {
  return {hn::LoadU(D16(), p), hn::LoadU(D16(), p + 16)};
}
HWY_INLINE void store_unit(Unit v, std::uint8_t* p) {
  hn::StoreU(v.low, D16(), p);
  hn::StoreU(v.high, D16(), p + 16);
}
HWY_INLINE Unit add(Unit a, Unit b) {
  return {hn::Xor(a.low, b.low), hn::Xor(a.high, b.high)};
}

struct Factor {
  V16 low0, low1, low2, low3, high0, high1, high2, high3;
};

HWY_INLINE V16 load_products(const NibbleProducts::Bytes& a, const NibbleProducts::Bytes& b) {
  return hn::Xor(hn::LoadU(D16(), a.data()), hn::LoadU(D16(), b.data()));
}

HWY_INLINE Factor load_factor(const Gf16Tables& tables, Element w) {
  const NibbleProducts& a = tables.low_factor[w & 0xFF];
  const NibbleProducts& b = tables.high_factor[w >> 8];
  return {load_products(a.low0, b.low0),   load_products(a.low1, b.low1),
          load_products(a.low2, b.low2),   load_products(a.low3, b.low3),
          load_products(a.high0, b.high0), load_products(a.high1, b.high1),
          load_products(a.high2, b.high2), load_products(a.high3, b.high3)};
}

HWY_INLINE V16 lookup4(V16 t0, V16 t1, V16 t2, V16 t3, V16 n0, V16 n1, V16 n2, V16 n3) {
  return hn::Xor(hn::Xor(hn::TableLookupBytes(t0, n0), hn::TableLookupBytes(t1, n1)),
                 hn::Xor(hn::TableLookupBytes(t2, n2), hn::TableLookupBytes(t3, n3)));
}

HWY_INLINE Unit multiply(const Factor& f, Unit v) {
  const V16 mask = hn::Set(D16(), 0x0F);
  const V16 n0 = hn::And(v.low, mask);
  const V16 n1 = hn::ShiftRight<4>(v.low);
  const V16 n2 = hn::And(v.high, mask);
  const V16 n3 = hn::ShiftRight<4>(v.high);
  return {lookup4(f.low0, f.low1, f.low2, f.low3, n0, n1, n2, n3),
          lookup4(f.high0, f.high1, f.high2, f.high3, n0, n1, n2, n3)};
}

#endif

HWY_INLINE void add_span(std::uint8_t* to, const std::uint8_t* from, std::size_t n_bytes) {
  for (std::size_t i = 0; i < n_bytes; i += kGf16UnitBytes) {
    store_unit(add(load_unit(to + i), load_unit(from + i)), to + i);
  }
}

HWY_INLINE void multiply_span(const Factor& w, std::uint8_t* to, const std::uint8_t* from,
                              std::size_t n_bytes) {
  for (std::size_t i = 0; i < n_bytes; i += kGf16UnitBytes) {
    store_unit(multiply(w, load_unit(from + i)), to + i);
  }
}

HWY_INLINE void clear_span(std::uint8_t* to, std::size_t n_bytes) {
  for (std::size_t i = 0; i < n_bytes; i += 16) {
    hn::StoreU(hn::Zero(D16()), D16(), to + i);
  }
}

#endif

}  // namespace furrow::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
