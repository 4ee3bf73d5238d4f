// SPDX-License-Identifier: Apache-2.0
// The bytes of one object in the database, under its data key
// (docs/spec/08-storage-components.md, section 2.3; docs/formats/paged-store.md).
//
//             0  u64       data length D, little-endian
//             8  u64       child count C, little-endian
//            16  D bytes   data
//        16 + D  16 * C    data keys of the children, in order
//   16 + D + 16 * C        BLAKE3 of all bytes before, 32 bytes; its first half is the data key
//
// The record of the specification ends before the BLAKE3. Its readers ignore bytes behind a record,
// so the check may stand there without changing the layout.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "host/store/paged_store/data_key.hpp"
#include "host/store/paged_store/paged_errors.hpp"

namespace furrow {

/// Contents of one object: its own bytes, and the keys of the objects it refers to.
struct PagedData {
  std::vector<std::uint8_t> data;
  std::vector<DataKey> children;
  bool operator==(const PagedData&) const = default;
};

/// What the database gets for one object.
struct PagedRecord {
  DataKey key;
  std::vector<std::uint8_t> value;
};

PagedRecord encode_record(const PagedData& contents);

/// Whether bytes behind a record are an error.
enum class LongerValues {
  kRefused,   ///< a value is a record and its check, nothing else
  kAccepted,  ///< what follows the record is ignored, the check too, as by other writers' readers;
              ///< contents are still held against their key
};

/// Contents of the value found under `key`. Throws CorruptEntry, which names the key, what was
/// expected and what is there; safe on arbitrary bytes.
PagedData decode_record(const DataKey& key, std::span<const std::uint8_t> value,
                        LongerValues longer_values = LongerValues::kRefused);

}  // namespace furrow
