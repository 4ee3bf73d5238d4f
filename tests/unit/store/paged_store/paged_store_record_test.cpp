// SPDX-License-Identifier: Apache-2.0
// Bytes of records and raw entries: their layout, and every way in which they can be damaged
// (docs/spec/08-storage-components.md, section 2.3).
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "host/store/paged_store/paged_store_check.hpp"
#include "host/store/paged_store/raw_entry.hpp"
#include "host/store/paged_store/record.hpp"
#include "tests/unit/store/paged_store/paged_objects.hpp"

namespace furrow {
namespace {

using test::kByHand;
using test::Node;
using test::node;
using Bytes = std::vector<std::uint8_t>;

Bytes counting(std::size_t n) {
  Bytes bytes(n);
  for (std::size_t i = 0; i < n; ++i) {
    bytes[i] = static_cast<std::uint8_t>(i % 251);
  }
  return bytes;
}

/// Key and check as one text: together they are the digest.
std::string digest_of(const PagedData& contents) {
  const PagedRecord record = encode_record(contents);
  const std::string check = to_hex(std::span(record.value).last(kHashSize));
  EXPECT_EQ(to_hex(record.key.bytes), check.substr(0, 2 * DataKey::kSize));
  return check;
}

// Digests made by b3sum from bytes put together by hand.
TEST(PagedRecord, KeysAreThoseOfTheSpecification) {
  const PagedData empty{};
  const PagedData abc{.data = {'a', 'b', 'c'}, .children = {}};
  const DataKey a = encode_record(empty).key;
  const DataKey b = encode_record(abc).key;
  EXPECT_EQ(digest_of(empty), "e572dff82304700b856a555ac3a4558d0df3646a3727816500270a93c66aac1e");
  EXPECT_EQ(digest_of(abc), "253c18fa30f1f85d35cfdf099d6daf279f2b6e031c4181f50bf8cee4414e7a18");
  EXPECT_EQ(digest_of({counting(251), {a, b}}),
            "48184c9604a0ad8949c27c60bb75dc5fe1828619e4b62d9e643995dcad72eaf9");
  EXPECT_EQ(digest_of({counting(251), {b, a}}),
            "3afdab0494c5505d8757504a8ef6e8a203574099aea0a60790351a47db19e82f");
  EXPECT_EQ(digest_of({counting(131'072), {}}),
            "fb6faa5c292ccf28a9a21ab2db1d9ec9c890f833a91414d98d44677501df2e77");
}

TEST(PagedRecord, LayoutIsThatOfTheSpecification) {
  const DataKey child = encode_record({}).key;
  const PagedRecord record = encode_record({.data = {0xAA, 0xBB, 0xCC}, .children = {child}});
  Bytes expected = {3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xAA, 0xBB, 0xCC};
  expected.insert(expected.end(), child.begin(), child.end());
  const Hash digest = blake3(expected);
  expected.insert(expected.end(), digest.begin(), digest.end());
  EXPECT_EQ(record.value, expected);
}

TEST(PagedRecord, ComesBackAsItWas) {
  for (const std::size_t data : {0U, 1U, 15U, 16U, 17U, 1023U, 1024U, 1025U, 131'072U}) {
    for (const std::size_t children : {0U, 1U, 2U, 100U}) {
      PagedData contents{.data = counting(data), .children = {}};
      for (std::size_t i = 0; i < children; ++i) {
        contents.children.push_back(encode_record({counting(i), {}}).key);
      }
      const PagedRecord record = encode_record(contents);
      EXPECT_EQ(decode_record(record.key, record.value), contents);
      EXPECT_EQ(decode_record(record.key, record.value, LongerValues::kAccepted), contents);
    }
  }
}

/// Decoding must fail with a message that names the key and contains all of `parts`.
void expect_corrupt(const DataKey& key, const Bytes& value, const std::vector<std::string>& parts,
                    LongerValues longer_values = LongerValues::kRefused) {
  try {
    decode_record(key, value, longer_values);
    ADD_FAILURE() << "expected CorruptEntry: " << to_hex(value);
  } catch (const CorruptEntry& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    const std::string message = error.what();
    EXPECT_NE(message.find("key " + to_hex(key.bytes)), std::string::npos) << message;
    for (const std::string& part : parts) {
      EXPECT_NE(message.find(part), std::string::npos) << message << "\nlacks: " << part;
    }
  }
}

Bytes header(std::uint64_t data_length, std::uint64_t child_count, std::size_t rest) {
  Bytes bytes(16 + rest, 0x55);
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>(data_length >> (8 * i));
    bytes[8 + i] = static_cast<std::uint8_t>(child_count >> (8 * i));
  }
  return bytes;
}

TEST(PagedRecord, ShorterThanAHeader) {
  const DataKey key = encode_record({}).key;
  for (std::size_t n = 0; n < 16; ++n) {
    expect_corrupt(
        key, Bytes(n),
        {"too short for header", "expected at least 16 bytes, actual " + std::to_string(n)});
  }
}

TEST(PagedRecord, LengthsThatNoMachineHas) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  const DataKey key = encode_record({}).key;
  for (const auto& [data, children] : {std::pair{kMax, kMax},
                                       {kMax, std::uint64_t{0}},
                                       {std::uint64_t{0}, kMax},
                                       {kMax - 15, std::uint64_t{0}},
                                       {std::uint64_t{0}, std::uint64_t{1} << 60},
                                       {kMax - 31, std::uint64_t{1}},
                                       {std::uint64_t{16}, (std::uint64_t{1} << 60) - 2}}) {
    for (const LongerValues mode : {LongerValues::kRefused, LongerValues::kAccepted}) {
      expect_corrupt(key, header(data, children, 100),
                     {"length overflow", std::to_string(data) + " of data",
                      std::to_string(children) + " children"},
                     mode);
    }
  }
  // The largest sums that do not overflow.
  expect_corrupt(key, header(kMax - 16, 0, 100),
                 {"expected " + std::to_string(kMax) + " bytes, actual 116"});
  expect_corrupt(key, header(15, (std::uint64_t{1} << 60) - 2, 100),
                 {"expected " + std::to_string(kMax) + " bytes, actual 116"});
}

TEST(PagedRecord, EveryTruncation) {
  const PagedRecord record = encode_record({counting(5), {encode_record({}).key}});
  const std::size_t record_size = record.value.size() - kHashSize;
  for (std::size_t n = 16; n < record.value.size(); ++n) {
    const std::size_t expected = n < record_size ? record_size : record.value.size();
    expect_corrupt(
        record.key,
        Bytes(record.value.begin(), record.value.begin() + static_cast<std::ptrdiff_t>(n)),
        {"expected " + std::to_string(expected) + " bytes, actual " + std::to_string(n)});
  }
}

TEST(PagedRecord, EveryByteFlipped) {
  const PagedRecord record = encode_record({counting(5), {encode_record({}).key}});
  for (std::size_t i = 0; i < record.value.size(); ++i) {
    for (const unsigned flip : {0x01U, 0x80U, 0xFFU}) {
      Bytes damaged = record.value;
      damaged[i] = static_cast<std::uint8_t>(damaged[i] ^ flip);
      const bool is_length = i < 16;
      const bool is_check = i >= record.value.size() - kHashSize;
      expect_corrupt(record.key, damaged,
                     is_length  ? std::vector<std::string>{"expected ", "actual "}
                     : is_check ? std::vector<std::string>{"check does not match content"}
                                : std::vector<std::string>{"content does not match key"});
    }
  }
}

TEST(PagedRecord, AnotherRecordsValue) {
  const PagedRecord one = encode_record({counting(1), {}});
  const PagedRecord two = encode_record({counting(2), {}});
  expect_corrupt(one.key, two.value,
                 {"content does not match key", "actual " + to_hex(two.key.bytes)});
}

TEST(PagedRecord, LongerValuesAreRefusedUnlessAskedFor) {
  const PagedData contents{counting(5), {encode_record({}).key}};
  const PagedRecord record = encode_record(contents);
  const std::size_t record_size = record.value.size() - kHashSize;
  for (const std::size_t behind : {0U, 1U, 31U, 33U, 100U}) {
    Bytes value = record.value;
    value.resize(record_size + behind);
    expect_corrupt(record.key, value,
                   {"expected " + std::to_string(record.value.size()) + " bytes, actual " +
                    std::to_string(value.size())});
    EXPECT_EQ(decode_record(record.key, value, LongerValues::kAccepted), contents) << behind;
    value[20] ^= 1;
    expect_corrupt(record.key, value, {"content does not match key"}, LongerValues::kAccepted);
  }
}

// ---- Through a store

std::unique_ptr<MemoryBackend> backend_with(const PagedRecord& record) {
  auto backend = std::make_unique<MemoryBackend>();
  backend->put_records(std::vector{record});
  return backend;
}

TEST(PagedRecord, AStoreRefusesDamagedRecords) {
  PagedStore maker(std::make_unique<MemoryBackend>(), {}, kByHand);
  const DataKey key = maker.page_out(node(77));
  const PagedRecord record = encode_record(maker.fetch_data(key));
  for (std::size_t i = 0; i < record.value.size(); ++i) {
    PagedRecord damaged = record;
    damaged.value[i] ^= 0x10;
    const PagedStore store(backend_with(damaged), {}, kByHand);
    EXPECT_THROW((void)store.fetch_data(key), CorruptEntry) << i;
    EXPECT_EQ(check_paged_store(store.backend()).broken.size(), 1U) << i;
  }
}

TEST(PagedRecord, PagingOutAgainMendsADamagedRecord) {
  PagedStore maker(std::make_unique<MemoryBackend>(), {}, kByHand);
  const DataKey key = maker.page_out(node(77));
  PagedRecord damaged = encode_record(maker.fetch_data(key));
  damaged.value[16] ^= 1;
  PagedStore store(backend_with(damaged), {}, kByHand);
  EXPECT_THROW(store.fetch<Node>(key), CorruptEntry);
  EXPECT_EQ(store.page_out(node(77)), key);
  EXPECT_EQ(store.fetch<Node>(key)->value, 77U);
}

TEST(PagedRecord, RecordsWithoutACheckAreReadWhenLongerValuesAre) {
  PagedStore maker(std::make_unique<MemoryBackend>(), {}, kByHand);
  PagedRecord bare = encode_record(maker.fetch_data(maker.page_out(node(77))));
  const auto record = std::span(bare.value).first(bare.value.size() - kHashSize);
  bare.value = Bytes(record.begin(), record.end());
  EXPECT_THROW(PagedStore(backend_with(bare), {}, kByHand).fetch<Node>(bare.key), CorruptEntry);
  PagedStore store(backend_with(bare), {},
                   {.longer_values = LongerValues::kAccepted, .in_background = false});
  EXPECT_EQ(store.fetch<Node>(bare.key)->value, 77U);
  EXPECT_EQ(store.page_out(node(77)), bare.key);
  EXPECT_EQ(store.backend().get_record(bare.key), bare.value) << "sound, so left alone";
}

// The bytes have the key asked for, but are no object of the type asked for.
TEST(PagedRecord, SoundRecordsThatAreNoObject) {
  const DataKey child = encode_record({}).key;
  const Bytes sound = header(1, 0, 0);  // a Node: value 1, no children
  Bytes one_child = sound;
  one_child[8] = 1;
  Bytes most_children = sound;
  std::fill(most_children.begin() + 8, most_children.end(), std::uint8_t{0xFF});
  Bytes longer = sound;
  longer.push_back(0);
  for (const PagedData& contents :
       {PagedData{{}, {}}, PagedData{Bytes(7), {}}, PagedData{Bytes(15), {}}, PagedData{longer, {}},
        PagedData{sound, {child}}, PagedData{one_child, {}}, PagedData{one_child, {child, child}},
        PagedData{most_children, {child}}}) {
    const PagedRecord record = encode_record(contents);
    PagedStore store(backend_with(record), {}, kByHand);
    try {
      store.fetch<Node>(record.key);
      ADD_FAILURE() << to_hex(contents.data);
    } catch (const CorruptEntry& error) {
      const std::string message = error.what();
      for (const std::string& part :
           {to_hex(record.key.bytes), std::string("expected"), std::string("actual")}) {
        EXPECT_NE(message.find(part), std::string::npos) << message;
      }
    }
    EXPECT_EQ(store.fetch_data(record.key), contents);
  }
}

TEST(PagedRecord, TheCheckOfAStoreFindsMissingChildren) {
  const DataKey child = encode_record({}).key;
  const PagedRecord parent = encode_record({counting(3), {child}});
  const auto backend = backend_with(parent);
  const PagedStoreReport report = check_paged_store(*backend);
  EXPECT_EQ(report.records, 1U);
  ASSERT_EQ(report.broken.size(), 1U);
  EXPECT_NE(report.broken[0].find(to_hex(parent.key.bytes)), std::string::npos);
  EXPECT_NE(report.broken[0].find(to_hex(child.bytes)), std::string::npos);
  backend->put_records(std::vector{encode_record({})});
  EXPECT_TRUE(check_paged_store(*backend).broken.empty());
}

// ---- Raw entries

TEST(RawEntry, LayoutIsValueAndCheck) {
  const Bytes value = {1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(to_hex(encode_raw_entry("root", value)),
            "0102030405060708c320bae8fc2a414a3e11cf7048054d8df5ca17de668a4c9ad0e1f39a8c576144");
}

TEST(RawEntry, EveryDamageIsNoticed) {
  const Bytes value = {1, 2, 3, 4, 5, 6, 7, 8};
  const Bytes bytes = encode_raw_entry("root", value);
  Bytes out(8);
  decode_raw_entry("root", bytes, out);
  EXPECT_EQ(out, value);
  EXPECT_THROW(decode_raw_entry("roots", bytes, out), CorruptEntry);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    Bytes damaged = bytes;
    damaged[i] ^= 4;
    EXPECT_THROW(decode_raw_entry("root", damaged, out), CorruptEntry) << i;
    EXPECT_THROW(decode_raw_entry("root", std::span(bytes).first(i), out), CorruptEntry) << i;
  }
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_THROW(decode_raw_entry("root", longer, out), CorruptEntry);
  for (const std::size_t size : {0U, 7U, 9U}) {
    Bytes other(size);
    EXPECT_THROW(decode_raw_entry("root", bytes, other), InvalidBytesLength) << size;
  }
}

}  // namespace
}  // namespace furrow
