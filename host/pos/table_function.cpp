// SPDX-License-Identifier: Apache-2.0
// The vector form of the table function: one match in each 32-bit lane from the parents to the
// children. Bit strings are held as words of 32 bits; every shift is known when compiling, so a
// word of a message is put together by at most two shifts for each of y and the two metadata.
//
// Compiled once for each target by foreach_target.h.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "host/pos/table_function.cpp"
#include "host/pos/table_function.hpp"

#include <cstring>

#include <hwy/foreach_target.h>  // must come first
#include <hwy/highway.h>

#include "host/crypto/blake3_lanes-inl.hpp"
#include "host/pos/supported_k.hpp"

HWY_BEFORE_NAMESPACE();
namespace furrow::HWY_NAMESPACE {
namespace pos = core::pos;

#if HWY_TARGET == HWY_SCALAR

// One lane is what the plain form has.
void TableFunction(unsigned k, unsigned table, std::uint32_t left_base, std::size_t count,
                   EntryBatch& batch) {
  scalar::table_function_many(k, table, left_base, count, batch);
}
void Table1(unsigned k, const std::uint8_t* keystream, std::uint32_t first_x, std::size_t count,
            EntryBatch& batch) {
  scalar::table1_entries(k, keystream, first_x, count, batch);
}

#else

/// A number of 32 * kWords bits in each lane, low words first.
template <unsigned kWords>
struct Number {
  VLanes32 words[kWords];
};

/// The low 32 bits of number >> kShift; a negative shift is one to the left.
template <int kShift, unsigned kWords>
HWY_INLINE VLanes32 shifted_word(const Number<kWords>& number) {
  if constexpr (kShift <= -32 || kShift >= static_cast<int>(32 * kWords)) {
    return hn::Zero(Lanes32());
  } else if constexpr (kShift < 0) {
    return hn::ShiftLeft<-kShift>(number.words[0]);
  } else {
    constexpr int kWord = kShift / 32;
    constexpr int kBits = kShift % 32;
    if constexpr (kBits == 0) {
      return number.words[kWord];
    } else if constexpr (kWord + 1 == kWords) {
      return hn::ShiftRight<kBits>(number.words[kWord]);
    } else {
      return hn::Or(hn::ShiftRight<kBits>(number.words[kWord]),
                    hn::ShiftLeft<32 - kBits>(number.words[kWord + 1]));
    }
  }
}

HWY_INLINE VLanes32 swap_bytes(VLanes32 v) {
  alignas(16) static constexpr std::uint8_t kOrder[16] = {3,  2,  1, 0, 7,  6,  5,  4,
                                                          11, 10, 9, 8, 15, 14, 13, 12};
  const hn::Repartition<std::uint8_t, Lanes32> d8;
  return hn::BitCast(Lanes32(),
                     hn::TableLookupBytes(hn::BitCast(d8, v), hn::LoadDup128(d8, kOrder)));
}

/// y / 15113 for y < 2^26: 15113 * 72752887 exceeds 2^40 by less than 2^14.
HWY_INLINE VLanes32 bucket_of(VLanes32 y) {
  constexpr std::uint64_t kFactor = ((std::uint64_t{1} << 40) + pos::kParamBC - 1) / pos::kParamBC;
  static_assert(kFactor * pos::kParamBC - (std::uint64_t{1} << 40) < std::uint64_t{1} << 14);
  const Lanes32 d;
  const hn::Repartition<std::uint64_t, Lanes32> d64;
  const VLanes32 factor = hn::Set(d, static_cast<std::uint32_t>(kFactor));
  const auto even = hn::ShiftRight<40>(hn::MulEven(y, factor));
  const VLanes32 odd_y = hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(d64, y)));
  const auto odd = hn::ShiftRight<40>(hn::MulEven(odd_y, factor));
  return hn::BitCast(d, hn::Or(even, hn::ShiftLeft<32>(odd)));
}
HWY_INLINE VLanes32 residue_of(VLanes32 y, VLanes32 bucket) {
  return hn::Sub(y, hn::Mul(bucket, hn::Set(Lanes32(), pos::kParamBC)));
}

/// What follows from K and the table.
template <unsigned K, unsigned kTable>
struct Shape {
  static constexpr int kYBits = static_cast<int>(pos::Params<K>::kYBits);
  static constexpr int kParentBits = static_cast<int>(pos::metadata_bits<K>(kTable - 1));
  static constexpr int kChildBits = static_cast<int>(pos::metadata_bits<K>(kTable));
  static constexpr unsigned kMessageBits = static_cast<unsigned>(kYBits + 2 * kParentBits);
  static constexpr unsigned kMessageWords = (kMessageBits + 31) / 32;
  static constexpr unsigned kParentWords = (static_cast<unsigned>(kParentBits) + 31) / 32;
  static constexpr unsigned kChildWords = (static_cast<unsigned>(kChildBits) + 31) / 32;
  static constexpr bool kChildFromHash = kTable >= 4 && kTable < pos::kNumTables;
  static constexpr unsigned kHashWords =
      kChildFromHash ? (static_cast<unsigned>(kYBits + kChildBits) + 31) / 32 : 1;
};

/// Adds to word `kWord` of the message the part of it that `number`, kBits long and ending at bit
/// kEnd of the message, takes.
template <unsigned kWord, int kBits, int kEnd, unsigned kWords>
HWY_INLINE VLanes32 with_part(VLanes32 word, const Number<kWords>& number) {
  constexpr int kFirst = 32 * static_cast<int>(kWord);
  if constexpr (kEnd > kFirst && kEnd - kBits < kFirst + 32) {
    return hn::Or(word, shifted_word<kEnd - kFirst - 32>(number));
  } else {
    return word;
  }
}

template <class S, unsigned... kWord>
HWY_INLINE void store_message(const Number<1>& y, const Number<S::kParentWords>& left,
                              const Number<S::kParentWords>& right, std::uint32_t* message,
                              std::integer_sequence<unsigned, kWord...> /*words*/) {
  const Lanes32 d;
  const auto store_word = [&]<unsigned kIndex>() HWY_ATTR {
    VLanes32 word = hn::Zero(d);
    word = with_part<kIndex, S::kYBits, S::kYBits>(word, y);
    word = with_part<kIndex, S::kParentBits, S::kYBits + S::kParentBits>(word, left);
    word = with_part<kIndex, S::kParentBits, S::kYBits + 2 * S::kParentBits>(word, right);
    hn::Store(swap_bytes(word), d, message + kIndex * hn::Lanes(d));
  };
  (store_word.template operator()<kWord>(), ...);
}

/// Word `kWord` of the metadata of the child.
template <class S, unsigned kWord>
HWY_INLINE VLanes32 child_word(const Number<S::kParentWords>& left,
                               const Number<S::kParentWords>& right,
                               const Number<S::kHashWords>& hash) {
  constexpr int kFirst = 32 * static_cast<int>(kWord);
  if constexpr (kFirst >= S::kChildBits) {
    return hn::Zero(Lanes32());
  } else if constexpr (S::kChildFromHash) {
    constexpr int kBehind = 32 * static_cast<int>(S::kHashWords) - S::kYBits - S::kChildBits;
    const VLanes32 word = shifted_word<kBehind + kFirst>(hash);
    if constexpr (S::kChildBits - kFirst < 32) {
      constexpr std::uint32_t kMask = (std::uint32_t{1} << (S::kChildBits - kFirst)) - 1;
      return hn::And(word, hn::Set(Lanes32(), kMask));
    } else {
      return word;
    }
  } else {
    return hn::Or(shifted_word<kFirst - S::kParentBits>(left), shifted_word<kFirst>(right));
  }
}

/// One vector of parents from `entries` on. `residue` and `origin` are set where entries have them.
template <unsigned kTable, unsigned kWords>
HWY_INLINE Number<kWords> load_parents(const std::uint32_t* entries, VLanes32& residue,
                                       VLanes32& origin) {
  const Lanes32 d;
  VLanes32 words[4];
  if constexpr (entry_words(kTable) == 2) {
    hn::LoadInterleaved2(d, entries, words[0], words[1]);
  } else {
    hn::LoadInterleaved4(d, entries, words[0], words[1], words[2], words[3]);
    origin = words[kOriginWord];
  }
  constexpr std::size_t kLast = residue_word(kTable);
  residue = hn::ShiftRight<16>(words[kLast]);
  words[kLast] = hn::And(words[kLast], hn::Set(d, 0xFFFFU));
  Number<kWords> metadata;
  for (unsigned i = 0; i < kWords; ++i) {
    metadata.words[i] = words[i];
  }
  return metadata;
}

template <unsigned kTable>
HWY_INLINE void store_children(VLanes32 low, VLanes32 middle, VLanes32 high, VLanes32 origin,
                               VLanes32 y, std::size_t first, EntryBatch& batch) {
  const Lanes32 d;
  const VLanes32 bucket = bucket_of(y);
  const VLanes32 residue = hn::ShiftLeft<16>(residue_of(y, bucket));
  hn::Store(bucket, d, batch.buckets.data() + first);
  std::uint32_t* children = batch.children.data() + entry_words(kTable) * first;
  if constexpr (entry_words(kTable) == 2) {
    hn::StoreInterleaved2(low, hn::Or(middle, residue), d, children);
  } else {
    hn::StoreInterleaved4(low, middle, hn::Or(high, residue), origin, d, children);
  }
}

/// Messages of one vector of matches, the first of which is number `first`.
template <unsigned K, unsigned kTable>
HWY_INLINE void make_messages(std::uint32_t left_base, std::size_t first, const EntryBatch& batch,
                              std::uint32_t* message) {
  using S = Shape<K, kTable>;
  const Lanes32 d;
  const std::size_t place = entry_words(kTable - 1) * first;
  VLanes32 residue;
  VLanes32 unused;
  const auto right =
      load_parents<kTable - 1, S::kParentWords>(batch.right.data() + place, unused, unused);
  const auto left =
      load_parents<kTable - 1, S::kParentWords>(batch.left.data() + place, residue, unused);
  const Number<1> left_y{{hn::Add(residue, hn::Set(d, left_base))}};
  store_message<S>(left_y, left, right, message,
                   std::make_integer_sequence<unsigned, S::kMessageWords>());
}

/// Children of one vector of matches from their hashes.
template <unsigned K, unsigned kTable>
HWY_INLINE void finish_children(const std::uint32_t* hashes, std::size_t first, EntryBatch& batch) {
  using S = Shape<K, kTable>;
  const Lanes32 d;
  Number<S::kHashWords> hash;  // the string of the hash as a number: its first word is the highest
  for (unsigned w = 0; w < S::kHashWords; ++w) {
    hash.words[S::kHashWords - 1 - w] = swap_bytes(hn::Load(d, hashes + w * hn::Lanes(d)));
  }
  const VLanes32 y = hn::ShiftRight<32 - S::kYBits>(hash.words[S::kHashWords - 1]);
  if constexpr (kTable == pos::kNumTables) {
    hn::Store(y, d, batch.y.data() + first);
  } else {
    const std::size_t place = entry_words(kTable - 1) * first;
    VLanes32 unused;
    VLanes32 origin = hn::Zero(d);
    const auto right =
        load_parents<kTable - 1, S::kParentWords>(batch.right.data() + place, unused, unused);
    const auto left =
        load_parents<kTable - 1, S::kParentWords>(batch.left.data() + place, unused, origin);
    store_children<kTable>(child_word<S, 0>(left, right, hash), child_word<S, 1>(left, right, hash),
                           child_word<S, 2>(left, right, hash), origin, y, first, batch);
  }
}

template <unsigned K, unsigned kTable>
void make_children(std::uint32_t left_base, std::size_t count, EntryBatch& batch) {
  using S = Shape<K, kTable>;
  const std::size_t lanes = hn::Lanes(Lanes32());
  HWY_ALIGN std::uint32_t messages[kShortVectors * S::kMessageWords * kMaxLanes];
  HWY_ALIGN std::uint32_t hashes[kShortVectors * S::kHashWords * kMaxLanes];
  for (std::size_t i = 0; i < count; i += kShortVectors * lanes) {
    for (std::size_t v = 0; v < kShortVectors; ++v) {
      make_messages<K, kTable>(left_base, i + v * lanes, batch,
                               messages + v * S::kMessageWords * lanes);
    }
    hash_short<S::kMessageWords, S::kHashWords>(messages,
                                                pos::table_function_input_bytes<K>(kTable), hashes);
    for (std::size_t v = 0; v < kShortVectors; ++v) {
      finish_children<K, kTable>(hashes + v * S::kHashWords * lanes, i + v * lanes, batch);
    }
  }
}

// Whole groups of vectors fit the batch, so the last group may be computed in full.
static_assert(EntryBatch::kPlaces % (kShortVectors * hn::MaxLanes(Lanes32())) == 0);

void TableFunction(unsigned k, unsigned table, std::uint32_t left_base, std::size_t count,
                   EntryBatch& batch) {
  with_supported_k(k, [&]<unsigned K>() {
    switch (table) {
      case 2:
        return make_children<K, 2>(left_base, count, batch);
      case 3:
        return make_children<K, 3>(left_base, count, batch);
      case 4:
        return make_children<K, 4>(left_base, count, batch);
      case 5:
        return make_children<K, 5>(left_base, count, batch);
      case 6:
        return make_children<K, 6>(left_base, count, batch);
      default:
        return make_children<K, 7>(left_base, count, batch);
    }
  });
}

/// Puts the K bits of x, for each of four consecutive x, at the high end of the lanes of a block.
template <unsigned K>
struct Table1Order {
  static_assert(4 * K % 8 == 0, "four values must end at a whole byte");
  static constexpr std::size_t kBlockBytes = K / 2;

  alignas(16) std::uint8_t bytes[16];
  alignas(16) std::uint32_t shifts[4];

  constexpr Table1Order() : bytes{}, shifts{} {
    for (unsigned lane = 0; lane < 4; ++lane) {
      for (unsigned byte = 0; byte < 4; ++byte) {
        bytes[4 * lane + byte] = static_cast<std::uint8_t>(lane * K / 8 + 3 - byte);
      }
      shifts[lane] = lane * K % 8;
    }
  }
};

template <unsigned K>
void make_first(const std::uint8_t* keystream, std::uint32_t first_x, std::size_t count,
                EntryBatch& batch) {
  static constexpr Table1Order<K> kOrder;
  const Lanes32 d;
  const hn::Repartition<std::uint8_t, Lanes32> d8;
  const auto order = hn::LoadDup128(d8, kOrder.bytes);
  const VLanes32 shifts = hn::LoadDup128(d, kOrder.shifts);
  HWY_ALIGN std::uint8_t blocks[4 * kMaxLanes];
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    for (std::size_t block = 0; 4 * block < hn::Lanes(d); ++block) {
      std::memcpy(blocks + 16 * block, keystream + (i / 4 + block) * kOrder.kBlockBytes, 16);
    }
    const VLanes32 windows = hn::BitCast(d, hn::TableLookupBytes(hn::Load(d8, blocks), order));
    const VLanes32 bits = hn::ShiftRight<32 - K>(hn::Shl(windows, shifts));
    const VLanes32 x = hn::Iota(d, first_x + static_cast<std::uint32_t>(i));
    const VLanes32 y = hn::Or(hn::ShiftLeft<pos::kParamExt>(bits),
                              hn::ShiftRight<static_cast<int>(K - pos::kParamExt)>(x));
    const VLanes32 zero = hn::Zero(d);
    store_children<1>(x, zero, zero, zero, y, i, batch);
  }
}

void Table1(unsigned k, const std::uint8_t* keystream, std::uint32_t first_x, std::size_t count,
            EntryBatch& batch) {
  with_supported_k(k, [&]<unsigned K>() {
    if constexpr (K % 2 == 0) {
      make_first<K>(keystream, first_x, count, batch);
    } else {
      scalar::table1_entries(K, keystream, first_x, count, batch);
    }
  });
}

#endif  // HWY_TARGET == HWY_SCALAR

}  // namespace furrow::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow {

HWY_EXPORT(TableFunction);
HWY_EXPORT(Table1);

void table_function_many(SimdMode mode, unsigned k, unsigned table, std::uint32_t left_base,
                         std::size_t count, EntryBatch& batch) {
  if (uses_scalar(mode)) {
    scalar::table_function_many(k, table, left_base, count, batch);
  } else {
    HWY_DYNAMIC_DISPATCH(TableFunction)(k, table, left_base, count, batch);
  }
}

void table1_entries(SimdMode mode, unsigned k, const std::uint8_t* keystream, std::uint32_t first_x,
                    std::size_t count, EntryBatch& batch) {
  if (uses_scalar(mode)) {
    scalar::table1_entries(k, keystream, first_x, count, batch);
  } else {
    HWY_DYNAMIC_DISPATCH(Table1)(k, keystream, first_x, count, batch);
  }
}

}  // namespace furrow
#endif  // HWY_ONCE
