// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as a manifest of the age-tiered index: decoding either throws a typed error, or
// encoding gives the same bytes again. With bit 0 of the first byte set, the checksum of the rest
// is computed, since no fuzzer guesses it.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "furrow/errors.hpp"

#include "host/crypto/blake3.hpp"
#include "host/store/segment_index/index_manifest.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace furrow;
  if (size == 0) {
    return 0;
  }
  std::vector<std::uint8_t> bytes(data + 1, data + size);
  if ((data[0] & 1) != 0) {
    const Hash hash = blake3(bytes);
    bytes.insert(bytes.end(), hash.begin(), hash.end());
  }
  try {
    if (IndexManifest::decode(bytes, "manifest").encode() != bytes) {
      std::abort();
    }
  } catch (const Error&) {
    return 0;
  }
  return 0;
}
