// SPDX-License-Identifier: Apache-2.0
// The bytes of a raw entry in the database, under its name (docs/formats/paged-store.md).
//
//        0  N bytes    the value
//        N  32 bytes   BLAKE3 of: length of the name (u64, little-endian), name, value
//
// The name is in the check so that an entry found under another name is noticed.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "host/store/paged_store/paged_errors.hpp"

namespace furrow {

std::vector<std::uint8_t> encode_raw_entry(std::string_view name,
                                           std::span<const std::uint8_t> value);

/// Copies the value into `out`. Throws CorruptEntry when `bytes` are damaged, and
/// InvalidBytesLength when they are sound, but a value of another size.
void decode_raw_entry(std::string_view name, std::span<const std::uint8_t> bytes,
                      std::span<std::uint8_t> out);

}  // namespace furrow
