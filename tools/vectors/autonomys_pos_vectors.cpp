// SPDX-License-Identifier: Apache-2.0
// The file has tables in two orders that the engine does not make (tests/golden/autonomys/README.md):
// running order, which is by the ranks of the parents, and rank order. Both are sorted here.
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string>

#include "furrow/core/pos.hpp"

#include "host/pos/proof_table.hpp"
#include "tools/vectors/encoding_checks.hpp"
#include "tools/vectors/integer_hasher.hpp"
#include "tools/vectors/vector_file.hpp"
#include "tools/vectors/vector_input.hpp"

namespace furrow::vectors {
namespace {

using Params = core::pos::Params<kPosK>;
using Numbers = std::vector<std::uint32_t>;

/// Entries of one table by position, that is in the order in which the engine made them.
struct Entries {
  Numbers y;
  std::vector<uint128> metadata;
  std::vector<ParentPositions> parents;  // none in table 1
  std::size_t most_matches = 0;
};

/// Gathers whole tables.
class WholeTables final : public TableObserver {
 public:
  void on_entries(unsigned table, std::size_t matches_found, std::span<const std::uint32_t> y,
                  std::span<const uint128> metadata,
                  std::span<const ParentPositions> parents) override {
    Entries& entries = tables_[table - 1];
    entries.y.insert(entries.y.end(), y.begin(), y.end());
    entries.metadata.insert(entries.metadata.end(), metadata.begin(), metadata.end());
    entries.parents.insert(entries.parents.end(), parents.begin(), parents.end());
    entries.most_matches = std::max(entries.most_matches, matches_found);
  }
  [[nodiscard]] const Entries& of(std::size_t table) const { return tables_.at(table - 1); }

 private:
  std::vector<Entries> tables_ = std::vector<Entries>(core::pos::kNumTables);
};

/// Positions of a table in an order, and the place of each position in it.
struct Order {
  Numbers positions;
  Numbers places;
};

/// `key` gives the number that a position is sorted by.
template <class Key>
Order order_by(std::size_t size, const Key& key) {
  std::vector<std::pair<uint128, std::uint32_t>> keyed;
  keyed.reserve(size);
  for (std::uint32_t position = 0; position < size; ++position) {
    keyed.emplace_back(key(position), position);
  }
  std::sort(keyed.begin(), keyed.end());
  Order order{Numbers(size), Numbers(size)};
  for (std::uint32_t place = 0; place < size; ++place) {
    order.positions[place] = keyed[place].second;
    order.places[keyed[place].second] = place;
  }
  return order;
}

/// Both orders of a table.
struct Ranking {
  Order running;
  Order rank;
};

/// `before` is the ranking of the table before; not looked at for table 1.
Ranking rank_entries(const Entries& entries, const Ranking& before) {
  const std::size_t size = entries.y.size();
  if (entries.parents.empty()) {
    return {order_by(size, [](std::uint32_t x) { return x; }),
            order_by(size, [&](std::uint32_t x) { return uint128{entries.y[x]} << 64 | x; })};
  }
  const auto parent_ranks = [&](std::uint32_t position) {
    const ParentPositions& parents = entries.parents[position];
    return uint128{before.rank.places[parents.left]} << 32 | before.rank.places[parents.right];
  };
  return {order_by(size, parent_ranks), order_by(size, [&](std::uint32_t position) {
            return uint128{entries.y[position]} << 64 | parent_ranks(position);
          })};
}

/// Digests of a table in one order; `before` has the same order of the table before.
void check_order(const std::string& prefix, bool has_metadata, const Entries& entries,
                 const Order& order, const Order& before, const CaseChecker& check) {
  IntegerHasher y;
  IntegerHasher metadata;
  IntegerHasher positions;
  for (const std::uint32_t position : order.positions) {
    y.add(entries.y[position], 4);
    metadata.add(entries.metadata[position], 16);
    if (!entries.parents.empty()) {
      positions.add(before.places[entries.parents[position].left], 4);
      positions.add(before.places[entries.parents[position].right], 4);
    }
  }
  check.bytes(prefix + "y_blake3", y.finish().bytes);
  if (has_metadata) {
    check.bytes(prefix + "metadata_blake3", metadata.finish().bytes);
  }
  if (!entries.parents.empty()) {
    check.bytes(prefix + "positions_blake3", positions.finish().bytes);
  }
}

void check_counts(const Entries& entries, const CaseChecker& check) {
  check.number("entries", entries.y.size());
  Numbers bucket_sizes(Params::kNumBuckets);
  Numbers sorted = entries.y;
  std::sort(sorted.begin(), sorted.end());
  std::uint64_t pairs = 0;
  std::uint64_t run = 0;
  std::uint64_t longest = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    ++bucket_sizes[core::pos::bucket_of(sorted[i])];
    run = i > 0 && sorted[i] == sorted[i - 1] ? run + 1 : 1;
    longest = std::max(longest, run);
    pairs += run - 1;
  }
  IntegerHasher sizes;
  for (const std::uint32_t size : bucket_sizes) {
    sizes.add(size, 2);
  }
  check.bytes("bucket_sizes_blake3", sizes.finish().bytes);
  check.number("max_bucket", *std::max_element(bucket_sizes.begin(), bucket_sizes.end()));
  check.number("max_entries_with_same_y", longest);
  check.number("pairs_of_entries_with_same_y", pairs);
  if (!entries.parents.empty()) {
    check.number("max_matches_of_a_bucket_pair", entries.most_matches);
  }
}

/// What table 7 says of s-buckets, and which entry each of them has.
void check_choice(const Entries& entries, const Ranking& ranking, const ProofTable& table,
                  const CaseChecker& check) {
  std::map<std::uint32_t, Numbers> by_s_bucket;  // y values
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> ranks;
  std::size_t n_entries = 0;
  for (std::uint32_t position = 0; position < entries.y.size(); ++position) {
    const std::uint32_t bits = entries.y[position] >> core::pos::kParamExt;  // K = 20 of them
    if (bits % 16 != 0) {
      continue;
    }
    ++n_entries;
    by_s_bucket[bits >> 12 | (bits >> 4 & 0xFF) << 8].push_back(entries.y[position]);
    const ParentPositions& parents = entries.parents[position];
    ranks[{parents.left, parents.right}] = ranking.rank.places[position];
  }
  std::size_t several = 0;
  std::size_t most = 0;
  std::size_t ties = 0;
  for (auto& [s_bucket, values] : by_s_bucket) {
    std::sort(values.begin(), values.end());
    several += values.size() > 1 ? 1 : 0;
    most = std::max(most, values.size());
    ties += values.size() > 1 && values[0] == values[1] ? 1 : 0;
  }
  check.number("entries_on_an_s_bucket", n_entries);
  check.number("s_buckets_with_several", several);
  check.number("most_on_one_s_bucket", most);
  check.number("s_buckets_with_tie_of_smallest_y", ties);
  IntegerHasher chosen;
  for (const ParentPositions& target : table.proof_targets()) {
    const auto found = ranks.find({target.left, target.right});
    chosen.add(found == ranks.end() ? 0xFFFFFFFFU : found->second, 4);
  }
  check.bytes("chosen_rank_by_s_bucket_blake3", chosen.finish().bytes);
}

void check_tables(const nlohmann::json& expected, const WholeTables& tables,
                  const ProofTable& table, const VectorReport::Fail& fail) {
  Ranking before;
  for (const nlohmann::json& one : expected) {
    const std::size_t index = number(one, "table");
    const CaseChecker check(one, fail, "table " + std::to_string(index) + ".");
    const Entries& entries = tables.of(index);
    const bool has_metadata = index < core::pos::kNumTables;
    Ranking ranking = rank_entries(entries, before);
    check_counts(entries, check);
    check_order("", has_metadata, entries, ranking.running, before.running, check);
    check_order("ranked_", has_metadata, entries, ranking.rank, before.rank, check);
    if (index == core::pos::kNumTables) {
      check_choice(entries, ranking, table, check);
    }
    before = std::move(ranking);
  }
}

/// Proofs of all s-buckets, also of those that a record does not use.
void check_all_proofs(const ProofTable& table, const CaseChecker& check) {
  FoundProofs all;
  std::vector<std::uint8_t> proofs;
  std::vector<std::uint8_t> proof(table.proof_size());
  for (std::size_t s = 0; s < kNumSBuckets; ++s) {
    if (table.proof_of(SBucket(static_cast<std::uint16_t>(s)), proof)) {
      all.bytes[s / 8] |= static_cast<std::uint8_t>(1U << (s % 8));
      proofs.insert(proofs.end(), proof.begin(), proof.end());
    }
  }
  check.number("num_proofs", proofs.size() / proof.size());
  check.digest("found_proofs_all_blake3", all.bytes);
  check.digest("all_proofs_blake3", proofs);
}

void check_used_s_buckets(const FoundProofs& used, const CaseChecker& check) {
  const std::vector<std::uint16_t> s_buckets = s_buckets_of(used);
  check.number("num_used", s_buckets.size());
  check.number("last_used_s_bucket", s_buckets.empty() ? 0 : s_buckets.back());
  check.digest("record_chunks_used_blake3", used.bytes);
  check.bytes("record_chunks_used_first_64_bytes", std::span(used.bytes).first(64));
}

}  // namespace

void run_autonomys_pos_vectors(const nlohmann::json& file, const VectorOptions& options,
                               VectorReport& report) {
  const auto table = make_proof_table(Network::kAutonomys, kPosK, options.mode);
  std::size_t index = 0;
  for (const nlohmann::json& expected : file.at("cases")) {
    const std::string name = "proof of space, case " + std::to_string(index++);
    const auto seed = fixed_bytes_at<PosSeed>(expected, "seed");
    report.run_case(name, [&](const VectorReport::Fail& fail) {
      WholeTables tables;
      table->generate(seed, &tables);
      const CaseChecker check(expected, fail);
      check_used_s_buckets(table->found_proofs(), check);
      check_proofs_of(expected, *table, fail);
      check_all_proofs(*table, check);
      check_tables(expected.value("tables", nlohmann::json::array()), tables, *table, fail);
    });
    for (const nlohmann::json& one : expected.value("verification", nlohmann::json::array())) {
      report.run_case(
          name + ", verification: " + one.value("what", ""), [&](const VectorReport::Fail& fail) {
            const auto challenge = static_cast<std::uint32_t>(number(one, "challenge_index"));
            CaseChecker(one, fail).boolean("valid", is_proof_valid(Network::kAutonomys, kPosK, seed,
                                                                   challenge, hex(one, "proof")));
          });
    }
  }
}

}  // namespace furrow::vectors
