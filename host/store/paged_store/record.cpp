// SPDX-License-Identifier: Apache-2.0
#include "host/store/paged_store/record.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"

namespace furrow {
namespace {

static_assert(std::endian::native == std::endian::little, "lengths are copied as they are");

constexpr std::size_t kHeaderSize = 16;

DataKey key_of(const Hash& digest) {
  DataKey key;
  std::copy_n(digest.begin(), DataKey::kSize, key.begin());
  return key;
}

std::uint64_t read_u64(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

std::string expected_actual(const std::string& expected, const std::string& actual) {
  return "expected " + expected + ", actual " + actual;
}

std::string expected_bytes(std::uint64_t expected, std::uint64_t actual) {
  return expected_actual(std::to_string(expected) + " bytes", std::to_string(actual));
}

/// 16 + data length + 16 * child count, if that is a 64-bit number.
std::optional<std::uint64_t> record_size(std::uint64_t data_length, std::uint64_t child_count) {
  std::uint64_t size = 0;
  if (__builtin_mul_overflow(child_count, std::uint64_t{DataKey::kSize}, &size) ||
      __builtin_add_overflow(size, data_length, &size) ||
      __builtin_add_overflow(size, std::uint64_t{kHeaderSize}, &size)) {
    return std::nullopt;
  }
  return size;
}

void check_contents(const DataKey& key, std::span<const std::uint8_t> record,
                    std::span<const std::uint8_t> check) {
  const Hash digest = blake3(record);
  if (key_of(digest) != key) {
    throw CorruptEntry(key, "content does not match key: " +
                                expected_actual(to_hex(key.bytes), to_hex(key_of(digest).bytes)));
  }
  if (!check.empty() && !std::ranges::equal(check, digest.bytes)) {
    throw CorruptEntry(key, "check does not match content: " +
                                expected_actual(to_hex(check), to_hex(digest.bytes)));
  }
}

}  // namespace

PagedRecord encode_record(const PagedData& contents) {
  const std::uint64_t lengths[] = {contents.data.size(), contents.children.size()};
  const std::size_t keys_size = contents.children.size() * DataKey::kSize;
  const std::size_t size = kHeaderSize + contents.data.size() + keys_size;
  PagedRecord record;
  record.value.resize(size + kHashSize);
  std::uint8_t* end = record.value.data();
  const auto append = [&end](const void* bytes, std::size_t n) {
    if (n != 0) {  // an empty vector may have no address
      std::memcpy(end, bytes, n);
      end += n;
    }
  };
  append(lengths, sizeof(lengths));
  append(contents.data.data(), contents.data.size());
  append(contents.children.data(), keys_size);
  const Hash digest = blake3(std::span(record.value).first(size));
  append(digest.data(), digest.size());
  record.key = key_of(digest);
  return record;
}

PagedData decode_record(const DataKey& key, std::span<const std::uint8_t> value,
                        LongerValues longer_values) {
  if (value.size() < kHeaderSize) {
    throw CorruptEntry(key,
                       "too short for header: " +
                           expected_actual("at least " + std::to_string(kHeaderSize) + " bytes",
                                           std::to_string(value.size())));
  }
  const std::uint64_t data_length = read_u64(value);
  const std::uint64_t child_count = read_u64(value.subspan(8));
  const std::optional<std::uint64_t> size = record_size(data_length, child_count);
  if (!size) {
    throw CorruptEntry(
        key, "length overflow: " + expected_actual("a size below 2^64",
                                                   std::to_string(data_length) + " of data and " +
                                                       std::to_string(child_count) + " children"));
  }
  if (value.size() < *size) {
    throw CorruptEntry(key, expected_bytes(*size, value.size()));
  }
  const bool is_strict = longer_values == LongerValues::kRefused;
  if (is_strict && value.size() - *size != kHashSize) {
    throw CorruptEntry(key, expected_bytes(*size + kHashSize, value.size()));
  }
  check_contents(key, value.first(*size),
                 is_strict ? value.subspan(*size) : std::span<const std::uint8_t>{});

  PagedData contents;
  const auto data = value.subspan(kHeaderSize, data_length);
  contents.data.assign(data.begin(), data.end());
  contents.children.resize(child_count);
  if (child_count != 0) {
    std::memcpy(contents.children.data(), value.data() + kHeaderSize + data_length,
                child_count * DataKey::kSize);
  }
  return contents;
}

}  // namespace furrow
