// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/piece_etag.hpp"

#include "furrow/errors.hpp"

#include "host/base/hex.hpp"

namespace furrow {
namespace {

constexpr std::string_view kSpace = " \t";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  return first == std::string_view::npos
             ? std::string_view()
             : text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

std::string etag_of(const Hash& hash) {
  return '"' + to_hex(hash.bytes) + '"';
}

std::optional<Hash> hash_in_etag(std::string_view etag) {
  etag = trimmed(etag);
  if (etag.size() != 2 * kHashSize + 2 || etag.front() != '"' || etag.back() != '"') {
    return std::nullopt;
  }
  try {
    Hash hash;
    from_hex(etag.substr(1, 2 * kHashSize), hash.bytes, "entity tag");
    return hash;
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool names_etag(std::string_view if_none_match, std::string_view etag) {
  while (!if_none_match.empty()) {
    const std::size_t comma = if_none_match.find(',');
    std::string_view one = trimmed(if_none_match.substr(0, comma));
    if (one.starts_with("W/")) {
      one.remove_prefix(2);
    }
    if (one == "*" || one == etag) {
      return true;
    }
    if_none_match =
        comma == std::string_view::npos ? std::string_view() : if_none_match.substr(comma + 1);
  }
  return false;
}

}  // namespace furrow
