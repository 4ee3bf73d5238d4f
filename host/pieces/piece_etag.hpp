// SPDX-License-Identifier: Apache-2.0
// Entity tags of pieces and manifests: the BLAKE3 of the bytes, in hex and quotes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "furrow/types.hpp"

namespace furrow {

std::string etag_of(const Hash& hash);
/// The hash in such a tag; none for a tag of another kind, which a server that is not ours may
/// send.
std::optional<Hash> hash_in_etag(std::string_view etag);
/// Whether the value of an If-None-Match header names the tag.
bool names_etag(std::string_view if_none_match, std::string_view etag);

}  // namespace furrow
