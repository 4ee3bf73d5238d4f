// SPDX-License-Identifier: Apache-2.0
#include "host/primitives/piece_element.hpp"

#include "furrow/errors.hpp"

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"

namespace furrow {
namespace {

Hash checksum_of(const PieceElement& element) {
  return blake3(bytes_of(element).first(kPieceElementSize - kHashSize));
}

}  // namespace

void PieceElement::seal() {
  checksum = checksum_of(*this);
}

void PieceElement::verify_checksum(const std::string& what) const {
  const Hash actual = checksum_of(*this);
  if (actual != checksum) {
    throw ChecksumMismatch(what, to_hex(checksum.bytes), to_hex(actual.bytes));
  }
}

}  // namespace furrow
