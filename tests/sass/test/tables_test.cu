// SPDX-License-Identifier: Apache-2.0
// The proof-of-space kernels for K = 15 on the interpreter: all tables of a seed against the
// reference, and crafted buckets against a naive reading of the specification.
#include <map>
#include <tuple>

#include <gtest/gtest.h>

#include "furrow/core/blake3.hpp"

#include "tests/cuda/device_tables.hpp"
#include "tests/cuda/reference_dump.hpp"
#include "tests/sass/test/barriers.hpp"
#include "tests/sass/test/crafted_buckets.hpp"

namespace furrow::cuda {
namespace {

namespace pos = core::pos;

constexpr unsigned kK = 15;
using Tables = ProofTablesRef<kK>;

TEST(SassTables, SeedAgainstTheReference) {
  const RandomSeed first;
  const PosSeed seed = random_seeds(1, first.value()).front();
  const reference::PosProofs expected = reference::pos_proofs(kK, seed.bytes);
  DeviceTables<kK> device(1);
  device.set_seeds({seed});
  TableReader<kK> reader;
  device.make([&](unsigned table) {
    if (table < pos::kNumTables) {
      expect_same(dump_of(expected.tables.at(table - 1), table > 1),
                  reader.read(table, device.copy(0)), table);
    }
  });
  device.choose();
  EXPECT_TRUE(std::ranges::equal(device.found(0).bytes, expected.found_proofs));
  EXPECT_EQ(device.status(0).n_proofs, expected.s_buckets.size());
  EXPECT_EQ(device.status(0).n_overflows, 0U);
  const auto n = static_cast<std::uint32_t>(expected.s_buckets.size());
  EXPECT_EQ(to_host(device.stream(), device.used(), n), expected.s_buckets);
}

/// All that an entry of a table is, and of whom.
using Made = std::tuple<std::uint32_t, std::uint32_t, uint128, std::uint32_t, std::uint32_t>;

/// Table `kTable` - 1 made up, and what make_table makes of it.
template <unsigned kTable>
class Crafted {
 public:
  explicit Crafted(std::uint64_t seed) : random_(seed), buckets_(Tables::kNumBuckets) {
    for (std::uint32_t bucket = 0; bucket < Tables::kNumBuckets; ++bucket) {
      buckets_[bucket] = craft(bucket);
    }
  }

  void compare() {
    run();
    compare_results();
  }

  /// Makes the table and looks at nothing.
  void run() {
    upload();
    launch(make_table<kK, kTable>,
           {dim3((Tables::kNumPairs + MakeTableShape::kPairsPerBlock - 1) /
                 MakeTableShape::kPairsPerBlock),
            dim3(MakeTableShape::kThreads)},
           stream_.view().get(), ProofTablesBatch<kK>(d_memory_.data()));
  }

 private:
  static constexpr unsigned kBits = pos::metadata_bits<kK>(kTable - 1);

  void compare_results() {
    std::vector<std::byte> memory(Tables::bytes());
    check(cudaMemcpyAsync(memory.data(), d_memory_.data(), memory.size(), cudaMemcpyDeviceToHost,
                          stream_.view().get()));
    make_expected();
    const Tables tables(memory.data());
    EXPECT_EQ(tables.counters()->matches[kTable], n_matches_);
    if constexpr (kTable == pos::kNumTables) {
      compare_targets(tables);
    } else {
      compare_entries(tables);
    }
  }

  CraftedBucket craft(std::uint32_t bucket) {
    CraftedResidues residues(random_);
    CraftedBucket made;
    made.asked = kCraftedSizes[random_() % std::size(kCraftedSizes)];
    std::set<std::uint32_t> positions;
    // Of table 1 the metadata is x, which y ends in; there are few of them in a bucket.
    const std::uint32_t wanted = std::min(made.asked, kSlotsPerBucket);
    for (unsigned tries = 0; made.entries.size() < wanted && tries < 100'000; ++tries) {
      CraftedEntry entry{.position = static_cast<std::uint32_t>(
                             random_() % (Tables::kNumPairs << kMatchIndexBits)),
                         .residue = residues.next(),
                         .metadata = any_metadata()};
      if (kTable == 2) {
        const std::uint32_t x = table1_x<kK>(
            bucket, pack_table1<kK>(entry.residue, static_cast<std::uint32_t>(random_())));
        entry.position = x;
        entry.metadata = x;
      }
      if (positions.insert(entry.position).second) {
        made.entries.push_back(entry);
      }
    }
    if (made.entries.size() < wanted) {
      made.asked = static_cast<std::uint32_t>(made.entries.size());
    }
    return made;
  }

  uint128 any_metadata() {
    const uint128 bits = static_cast<uint128>(random_()) << 64 | random_();
    return bits & ((static_cast<uint128>(1) << kBits) - 1);
  }

  template <class T>
  void put(const T* to, const std::vector<T>& values) {
    check(cudaMemcpyAsync(const_cast<T*>(to), values.data(), values.size() * sizeof(T),
                          cudaMemcpyHostToDevice, stream_.view().get()));
  }

  /// Exactly what the kernel may read: the interpreter knows of every other byte that nobody wrote
  /// it.
  void upload() {
    const Tables tables(d_memory_.data());
    put(tables.bucket_sizes(1), std::vector<std::uint32_t>(Tables::kZeroWords));
    std::vector<std::uint32_t> sizes;
    for (std::uint32_t bucket = 0; bucket < Tables::kNumBuckets; ++bucket) {
      sizes.push_back(buckets_[bucket].asked);
      upload_bucket(tables, bucket);
    }
    put(tables.bucket_sizes(kTable - 1), sizes);
    put(tables.targets(), std::vector<unsigned long long>(Tables::kNumTargets, kNoTarget));
  }

  void upload_bucket(const Tables& tables, std::uint32_t bucket) {
    const std::uint32_t first = bucket * kSlotsPerBucket;
    std::vector<std::uint32_t> table1;
    std::vector<PackedEntry> packed;
    for (const CraftedEntry& entry : buckets_[bucket].entries) {
      packed.push_back(pack_entry(entry.position, entry.residue, entry.metadata));
      table1.push_back(pack_table1<kK>(entry.residue, entry.position));
    }
    if constexpr (kTable == 2) {
      put(tables.table1() + first, table1);
    } else {
      put(tables.entries(kTable - 1) + first, packed);
    }
  }

  void make_expected() {
    for (std::uint32_t pair = 0; pair < Tables::kNumPairs; ++pair) {
      const CraftedBucket& left = buckets_[pair];
      const CraftedBucket& right = buckets_[pair + 1];
      std::uint32_t index = 0;
      for (const CraftedMatch& match : naive_matches(pair, left, right)) {
        const CraftedEntry& a = left.entries[match.left_slot];
        const CraftedEntry& b = right.entries[match.right_slot];
        std::uint32_t message[16] = {};
        std::uint32_t hash[8];
        pos::table_function_message<kK>(kTable, pair * pos::kParamBC + a.residue, a.metadata,
                                        b.metadata, message);
        core::blake3::hash_single_block(message, pos::table_function_input_bytes<kK>(kTable), hash);
        const std::uint32_t y = pos::y_from_hash<kK>(hash[0]);
        const std::uint32_t position = pair << kMatchIndexBits | index++;
        const Link link{pair, match.left_slot, match.right_slot};
        if constexpr (kTable == pos::kNumTables) {
          const std::uint32_t s_bucket = y >> pos::kParamExt;
          if (s_bucket < kNumSBuckets) {
            const auto target = pack_target(position, link.left_slot, link.right_slot);
            const auto at = targets_.try_emplace(s_bucket, target).first;
            at->second = std::min<unsigned long long>(at->second, target);
          }
        } else {
          ++asked_[pos::bucket_of(y)];
          entries_[position] = {
              pos::bucket_of(y), pos::residue_of(y),
              pos::table_function_metadata<kK>(kTable, a.metadata, b.metadata, hash),
              has_links(kTable) || has_slots(kTable) ? pack_link(link) : 0, position};
        }
        ++n_matches_;
      }
    }
  }

  void compare_entries(const Tables& tables) const {
    std::uint32_t overflows = 0;
    std::set<std::uint32_t> seen;
    for (std::uint32_t bucket = 0; bucket < Tables::kNumBuckets; ++bucket) {
      const auto found = asked_.find(bucket);
      const std::uint32_t asked = found == asked_.end() ? 0 : found->second;
      ASSERT_EQ(tables.bucket_sizes(kTable)[bucket], asked) << "bucket " << bucket;
      overflows += asked - std::min(asked, kSlotsPerBucket);
      for (std::uint32_t slot = 0; slot < std::min(asked, kSlotsPerBucket); ++slot) {
        const std::uint32_t at = bucket * kSlotsPerBucket + slot;
        const PackedEntry entry = tables.entries(kTable)[at];
        std::uint32_t link = 0;
        if constexpr (has_links(kTable)) {
          link = tables.links()[at];
        } else if constexpr (has_slots(kTable)) {
          link = pack_link(link_of(entry));
        }
        const Made made{bucket, residue_of(entry),
                        metadata_of<pos::metadata_bits<kK>(kTable)>(entry), link,
                        position_of(entry)};
        const auto expected = entries_.find(position_of(entry));
        ASSERT_NE(expected, entries_.end()) << "position " << position_of(entry);
        ASSERT_TRUE(made == expected->second) << "position " << position_of(entry);
        ASSERT_TRUE(seen.insert(position_of(entry)).second) << "position " << position_of(entry);
      }
    }
    EXPECT_EQ(tables.counters()->overflows, overflows);
    EXPECT_EQ(seen.size() + overflows, entries_.size());
  }

  void compare_targets(const Tables& tables) const {
    for (std::uint32_t s_bucket = 0; s_bucket < Tables::kNumTargets; ++s_bucket) {
      const auto found = targets_.find(s_bucket);
      ASSERT_EQ(tables.targets()[s_bucket], found == targets_.end() ? kNoTarget : found->second)
          << "s-bucket " << s_bucket;
    }
  }

  std::mt19937_64 random_;
  std::vector<CraftedBucket> buckets_;
  std::uint32_t n_matches_ = 0;
  std::map<std::uint32_t, Made> entries_;  // by position
  std::map<std::uint32_t, std::uint32_t> asked_;
  std::map<std::uint32_t, unsigned long long> targets_;
  Stream stream_{0};
  DeviceBuffer<std::byte> d_memory_{stream_.view(), Tables::bytes()};
};

TEST(SassTables, CraftedBuckets) {
  const RandomSeed seed;
  Crafted<2>(seed.value()).compare();
  Crafted<3>(seed.value()).compare();
  Crafted<4>(seed.value()).compare();
  Crafted<5>(seed.value()).compare();
  Crafted<6>(seed.value()).compare();
  Crafted<7>(seed.value()).compare();
}

template <unsigned kTable>
void expect_barriers_of_table(std::uint64_t seed) {
  Crafted<kTable> crafted(seed);
  sass::expect_every_barrier_is_missed(
      "furrow::cuda::make_table<15u, " + std::to_string(kTable) + "u>", [&] { crafted.run(); });
}

TEST(SassTables, EveryBarrierIsMissed) {
  const RandomSeed seed;
  expect_barriers_of_table<2>(seed.value());
  expect_barriers_of_table<3>(seed.value());
  expect_barriers_of_table<4>(seed.value());
  expect_barriers_of_table<5>(seed.value());
  expect_barriers_of_table<6>(seed.value());
  expect_barriers_of_table<7>(seed.value());
  sass::expect_every_barrier_is_missed("furrow::cuda::fill_table1<15u>", [&] {
    DeviceTables<kK> device(1);
    device.set_seeds(random_seeds(1, seed.value()));
    device.make([](unsigned) {});
  });
}

}  // namespace
}  // namespace furrow::cuda
