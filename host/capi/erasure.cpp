// SPDX-License-Identifier: Apache-2.0
#include "furrow/c/erasure.h"

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "furrow/c/encoder.h"

#include "host/capi/last_error.hpp"
#include "host/capi/structs.hpp"
#include "host/erasure/erasure_coding.hpp"

namespace furrow::capi {
namespace {

constexpr std::size_t kMaxShards = std::size_t{1} << 16;

/// Before arrays of so many pointers are read; the code itself checks the rest.
void check_shard_counts(std::size_t source_count, std::size_t parity_count) {
  if (source_count > kMaxShards || parity_count > kMaxShards) {
    throw UnsupportedShardCount(source_count, parity_count);
  }
}

void check_shard_pointer(const void* shard, const char* name, std::size_t index) {
  if (shard == nullptr) {
    check_pointer(shard, (std::string(name) + "[" + std::to_string(index) + "]").c_str());
  }
}

void extend(const std::uint8_t* const* source, std::size_t source_count,
            std::uint8_t* const* parity, std::size_t parity_count, std::size_t shard_size) {
  check_pointer(source, "source");
  check_pointer(parity, "parity");
  check_shard_counts(source_count, parity_count);
  std::vector<std::span<const std::uint8_t>> sources;
  std::vector<std::span<std::uint8_t>> parities;
  std::vector<Buffer> buffers = {
      {"source", source, source_count * sizeof(*source), false},
      {"parity", parity, parity_count * sizeof(*parity), false},
  };
  for (std::size_t i = 0; i < source_count; ++i) {
    check_shard_pointer(source[i], "source", i);
    sources.emplace_back(source[i], shard_size);
    buffers.push_back({"source", source[i], shard_size, false, i});
  }
  for (std::size_t i = 0; i < parity_count; ++i) {
    check_shard_pointer(parity[i], "parity", i);
    parities.emplace_back(parity[i], shard_size);
    buffers.push_back({"parity", parity[i], shard_size, true, i});
  }
  check_apart(buffers);
  ErasureCoding().extend(sources, parities);
}

/// What a caller says of a shard: any number, as far as C is concerned.
int state_at(const furrow_shard_state* states, std::size_t index) {
  static_assert(sizeof(furrow_shard_state) == sizeof(int));
  int state = 0;
  std::memcpy(&state, states + index, sizeof(state));
  return state;
}

void recover(std::uint8_t* const* shards, const furrow_shard_state* states,
             std::size_t source_count, std::size_t parity_count, std::size_t shard_size) {
  check_pointer(shards, "shards");
  check_pointer(states, "states");
  check_shard_counts(source_count, parity_count);
  const std::size_t count = source_count + parity_count;
  std::vector<RecoveryShard> all;
  std::vector<Buffer> buffers = {
      {"shards", shards, count * sizeof(*shards), false},
      {"states", states, count * sizeof(*states), false},
  };
  for (std::size_t i = 0; i < count; ++i) {
    const int state = state_at(states, i);
    switch (state) {
      case FURROW_SHARD_IGNORED:
        all.push_back(RecoveryShard::ignored());
        continue;
      case FURROW_SHARD_PRESENT:
        all.push_back(RecoveryShard::present({shards[i], shard_size}));
        break;
      case FURROW_SHARD_WANTED:
        all.push_back(RecoveryShard::wanted({shards[i], shard_size}));
        break;
      default:
        refuse("furrow: states[" + std::to_string(i) + "]", "a furrow_shard_state, 0 to 2", state);
    }
    check_shard_pointer(shards[i], "shards", i);
    buffers.push_back({"shards", shards[i], shard_size, state == FURROW_SHARD_WANTED, i});
  }
  check_apart(buffers);
  const std::span<const RecoveryShard> shared(all);
  ErasureCoding().recover(shared.first(source_count), shared.subspan(source_count));
}

}  // namespace
}  // namespace furrow::capi

using furrow::capi::guarded;

extern "C" {

furrow_status furrow_erasure_extend(const uint8_t* const* source, size_t source_count,
                                    uint8_t* const* parity, size_t parity_count,
                                    size_t shard_size) {
  return guarded([&] {
    furrow::capi::extend(source, source_count, parity, parity_count, shard_size);
    return FURROW_OK;
  });
}

furrow_status furrow_erasure_recover(uint8_t* const* shards, const furrow_shard_state* states,
                                     size_t source_count, size_t parity_count, size_t shard_size) {
  return guarded([&] {
    furrow::capi::recover(shards, states, source_count, parity_count, shard_size);
    return FURROW_OK;
  });
}

furrow_status furrow_erasure_extend_record(const uint8_t* record, uint8_t* parity) {
  return guarded([&] {
    furrow::capi::check_pointer(record, "record");
    furrow::capi::check_pointer(parity, "parity");
    furrow::capi::check_apart({{"record", record, FURROW_RECORD_SIZE, false},
                               {"parity", parity, FURROW_RECORD_SIZE, true}});
    // Record is an array of bytes with alignment 1, so the caller's buffers are such.
    furrow::ErasureCoding().extend_record(*reinterpret_cast<const furrow::Record*>(record),
                                          *reinterpret_cast<furrow::Record*>(parity));
    return FURROW_OK;
  });
}

}  // extern "C"
