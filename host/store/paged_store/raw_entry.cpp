// SPDX-License-Identifier: Apache-2.0
#include "host/store/paged_store/raw_entry.hpp"

#include <algorithm>

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"

namespace furrow {
namespace {

Hash check_of(std::string_view name, std::span<const std::uint8_t> value) {
  const std::uint64_t length = name.size();
  return Blake3Hasher()
      .update({reinterpret_cast<const std::uint8_t*>(&length), sizeof(length)})
      .update({reinterpret_cast<const std::uint8_t*>(name.data()), name.size()})
      .update(value)
      .finalize();
}

}  // namespace

std::vector<std::uint8_t> encode_raw_entry(std::string_view name,
                                           std::span<const std::uint8_t> value) {
  const Hash check = check_of(name, value);
  std::vector<std::uint8_t> bytes(value.begin(), value.end());
  bytes.insert(bytes.end(), check.begin(), check.end());
  return bytes;
}

void decode_raw_entry(std::string_view name, std::span<const std::uint8_t> bytes,
                      std::span<std::uint8_t> out) {
  if (bytes.size() < kHashSize) {
    throw CorruptEntry(name, "too short for its check: expected at least " +
                                 std::to_string(kHashSize) + " bytes, actual " +
                                 std::to_string(bytes.size()));
  }
  const auto value = bytes.first(bytes.size() - kHashSize);
  const auto stored = bytes.last(kHashSize);
  const Hash check = check_of(name, value);
  if (!std::ranges::equal(stored, check.bytes)) {
    throw CorruptEntry(name, "check does not match content: expected " + to_hex(stored) +
                                 ", actual " + to_hex(check.bytes));
  }
  if (value.size() != out.size()) {
    throw InvalidBytesLength("paged store: value of " + describe(name), out.size(), value.size());
  }
  std::ranges::copy(value, out.begin());
}

}  // namespace furrow
