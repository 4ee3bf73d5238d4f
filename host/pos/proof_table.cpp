// SPDX-License-Identifier: Apache-2.0
// The tables of one seed, one after another. Each entry is written once, into its bucket in the
// next table; a pair of buckets at a time is read, matched, hashed and filed.
//
//   array 0: table 1, 4, 6     array 1: table 2, 5     array 2: table 3, which stays
//
// A proof is walked back through the origins of tables 6, 5 and 4 to table 3, whose metadata are
// four x values each. Origins move from the entries to a compact array when an entry becomes a
// parent, so that the walk touches little memory.
#include "host/pos/proof_table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>

#include "furrow/core/chacha8.hpp"

#include "host/crypto/blake3_many.hpp"
#include "host/crypto/chacha8.hpp"
#include "host/pos/bucket_array.hpp"
#include "host/pos/match_finder.hpp"
#include "host/pos/proof_choice.hpp"
#include "host/pos/proof_rank.hpp"
#include "host/pos/proof_tree.hpp"
#include "host/pos/supported_k.hpp"
#include "host/pos/table_function.hpp"
#include "host/pos/table_observation.hpp"

namespace furrow {
namespace {

using core::pos::kNumTables;

constexpr std::size_t kMaxProofSize = core::pos::Params<20>::kProofSize;

/// How many of the matches found in a pair of buckets become entries of `table`.
template <class Rules>
std::size_t matches_that_count(unsigned table, std::size_t found) {
  if constexpr (Rules::kCuts) {
    return std::min(found, Rules::kPairMatches);
  } else {
    if (found > Rules::kPairMatches) [[unlikely]] {
      throw TableOverflow(table, "a pair of buckets", Rules::kPairMatches);
    }
    return found;
  }
}

template <class Rules>
class Tables final : public ProofTable {
 public:
  Tables(unsigned k, std::size_t n_buckets, SimdMode mode)
      : k_(k),
        mode_(mode),
        n_buckets_(n_buckets),
        arrays_{Array(n_buckets), Array(n_buckets), Array(n_buckets)},
        origins_{HugeArray<std::uint32_t>(n_buckets * kPlaces),
                 HugeArray<std::uint32_t>(n_buckets * kPlaces),
                 HugeArray<std::uint32_t>(n_buckets * kPlaces)},
        finder_(mode) {
    used_targets_.reserve(kNumChunks);
  }

  bool generate(const PosSeed& seed, TableObserver* observer, const MayGoOn& go_on) override {
    std::optional<TableObservation> observation;
    if (observer != nullptr) {
      observation.emplace(*observer, n_buckets_, kPlaces);
    }
    TableObservation* const seen = observation ? &*observation : nullptr;
    if (!make_table1(seed, seen, go_on)) {
      return false;
    }
    choice_.clear();
    for (unsigned table = 2; table <= kNumTables; ++table) {
      if (!make_table(table, seen, go_on)) {
        return false;
      }
    }
    choice_.settle([&](Origin match) {
      std::array<std::uint8_t, kMaxProofSize> proof;
      tree().write_proofs(k_, {&match, 1}, proof.data());
      return proof_rank(k_, seed, std::span(proof).first(proof_size()));
    });
    if (seen != nullptr) {
      note_target_positions(*seen);
    }
    take_first_proofs();
    return true;
  }

  [[nodiscard]] const FoundProofs& found_proofs() const override { return found_proofs_; }
  [[nodiscard]] std::size_t num_proofs() const override { return used_targets_.size(); }
  [[nodiscard]] std::size_t proof_size() const override {
    return core::pos::kProofEntries / 8 * k_;
  }
  [[nodiscard]] std::span<const ParentPositions> proof_targets() const override {
    return target_positions_;
  }

  void proof(std::size_t index, std::span<std::uint8_t> out) const override {
    tree().write_proofs(k_, {&used_targets_[index], 1}, out.data());
  }

  bool proof_of(SBucket s_bucket, std::span<std::uint8_t> out) const override {
    const bool is_used =
        (found_proofs_.bytes[s_bucket.value() / 8] >> (s_bucket.value() % 8) & 1) != 0;
    const std::optional<Origin> match =
        is_used || Rules::kProofsOfUnused ? choice_.match(s_bucket.value()) : std::nullopt;
    if (match.has_value()) {
      tree().write_proofs(k_, {&*match, 1}, out.data());
    }
    return match.has_value();
  }

  bool proof_hashes(std::span<Hash> out, const MayGoOn& go_on) const override {
    std::array<std::uint8_t, ProofTree::kMaxBatch * kMaxProofSize> proofs;
    for (std::size_t first = 0; first < out.size(); first += ProofTree::kMaxBatch) {
      if (first % kProofsBetweenQuestions == 0 && !may_go_on(go_on)) {
        return false;
      }
      const std::size_t count = std::min(ProofTree::kMaxBatch, out.size() - first);
      tree().write_proofs(k_, {&used_targets_[first], count}, proofs.data());
      blake3_many(mode_, std::span(proofs).first(count * proof_size()), proof_size(),
                  out.subspan(first, count));
    }
    return true;
  }

 private:
  using Array = BucketArray<Rules>;
  /// From one bucket to the next in all arrays.
  static constexpr std::uint32_t kPlaces = bucket_places<Rules>();

  /// Values of x whose keystream is made at a time, and those that fill a batch. 512 K bits are
  /// whole blocks for every K.
  static constexpr std::size_t kKeystreamEntries = 4096;
  static constexpr std::size_t kFirstEntries = 256;
  static constexpr std::size_t kKeystreamPadding = 8;
  static_assert(kFirstEntries <= EntryBatch::kPlaces);

  /// Work between two questions whether to go on: below a millisecond each with SIMD, a few
  /// without.
  static constexpr std::size_t kPairsBetweenQuestions = 64;
  static constexpr std::size_t kKeystreamsBetweenQuestions = 4;
  static constexpr std::size_t kProofsBetweenQuestions = 1024;
  static_assert(kProofsBetweenQuestions % ProofTree::kMaxBatch == 0);

  Array& entries_of(unsigned table) {
    constexpr std::array<std::size_t, kNumTables> kArrays = {0, 0, 1, 2, 0, 1, 0};
    return arrays_[kArrays[table]];
  }

  [[nodiscard]] ProofTree tree() const {
    return {kPlaces,
            arrays_[2].entries(0),
            {origins_[0].data(), origins_[1].data(), origins_[2].data()}};
  }

  [[nodiscard]] bool make_table1(const PosSeed& seed, TableObservation* observation,
                                 const MayGoOn& go_on) {
    Array& children = entries_of(1);
    children.reset(1);
    const std::size_t n_entries = std::size_t{1} << k_;
    const std::size_t n_bytes = kKeystreamEntries * k_ / 8;
    const std::size_t n_blocks = n_bytes / core::chacha8::kBlockSize;
    for (std::size_t x = 0; x < n_entries; x += kKeystreamEntries) {
      if (x / kKeystreamEntries % kKeystreamsBetweenQuestions == 0 && !may_go_on(go_on)) {
        return false;
      }
      chacha8_blocks(mode_, std::span<const std::uint8_t, 32>(seed.bytes),
                     static_cast<std::uint32_t>(x / kKeystreamEntries * n_blocks), n_blocks,
                     keystream_.data());
      for (std::size_t i = 0; i < kKeystreamEntries; i += kFirstEntries) {
        table1_entries(mode_, k_, keystream_.data() + i * k_ / 8, static_cast<std::uint32_t>(x + i),
                       kFirstEntries, batch_);
        if (observation != nullptr) {
          observation->add_first_entries(kFirstEntries, batch_);
        }
        file_children<entry_words(1)>(kFirstEntries, children);
      }
    }
    check_buckets(1);
    if (observation != nullptr) {
      observation->end_table(1);
    }
    return true;
  }

  /// Makes `table` from the buckets of the table before. Children are filed in pair and match
  /// order, which is that of their positions and makes every later choice deterministic.
  [[nodiscard]] bool make_table(unsigned table, TableObservation* observation,
                                const MayGoOn& go_on) {
    if (table < kNumTables) {
      entries_of(table).reset(table);
    }
    load_parents(table - 1, 0, residues_[0]);
    for (std::size_t pair = 0; pair + 1 < n_buckets_; ++pair) {
      if (pair % kPairsBetweenQuestions == 0 && !may_go_on(go_on)) {
        return false;
      }
      const BucketResidues& left = residues_[pair % 2];
      BucketResidues& right = residues_[(pair + 1) % 2];
      load_parents(table - 1, pair + 1, right);
      if (pair + 2 < n_buckets_) {
        entries_of(table - 1).prefetch_bucket(pair + 2);
      }
      const std::size_t found = finder_.find(pair % 2, left, right);
      const std::size_t kept = matches_that_count<Rules>(table, found);
      stage_parents(table - 1, pair, kept);
      table_function_many(mode_, k_, table, static_cast<std::uint32_t>(pair) * core::pos::kParamBC,
                          kept, batch_);
      if (observation != nullptr) {
        observation->add_pair(table, pair, found, kept, finder_.matches(), batch_);
      }
      if (table == kNumTables) {
        offer_proofs(pair, kept);
      } else if (entry_words(table) == 2) {
        file_children<2>(kept, entries_of(table));
      } else {
        file_children<4>(kept, entries_of(table));
      }
    }
    if (table < kNumTables) {
      check_buckets(table);
      if (observation != nullptr) {
        observation->end_table(table);
      }
    }
    return true;
  }

  /// Residues of a bucket of parents; its origins go to where proofs will look for them.
  void load_parents(unsigned table, std::size_t bucket, BucketResidues& residues) {
    const Array& parents = entries_of(table);
    const std::uint32_t* entries = parents.entries(bucket);
    residues.size = parents.size(bucket);
    for (std::size_t i = 0; i < residues.size; ++i) {
      residues.values[i] =
          static_cast<std::uint16_t>(entry_residue(table, entries + i * entry_words(table)));
    }
    if (has_origin(table)) {
      std::uint32_t* origins = origins_[table - 4].data() + bucket * kPlaces;
      for (std::size_t i = 0; i < residues.size; ++i) {
        origins[i] = entries[4 * i + kOriginWord];
      }
    }
  }

  /// Puts the parents of the first `count` matches of `pair` in the order of the matches.
  void stage_parents(unsigned table, std::size_t pair, std::size_t count) {
    const Array& parents = entries_of(table);
    if (entry_words(table) == 2) {
      stage<2>(parents.entries(pair), parents.entries(pair + 1), count);
      return;
    }
    stage<4>(parents.entries(pair), parents.entries(pair + 1), count);
    for (std::size_t i = 0; i < count; ++i) {
      const Match match = finder_.matches()[i];
      batch_.left[4 * i + kOriginWord] = Origin(pair, match >> 16, match & 0xFFFFU).bits();
    }
  }

  template <std::size_t kWords>
  void stage(const std::uint32_t* left, const std::uint32_t* right, std::size_t count) {
    const Match* matches = finder_.matches();
    for (std::size_t i = 0; i < count; ++i) {
      std::memcpy(batch_.left.data() + kWords * i, left + kWords * (matches[i] >> 16),
                  kWords * sizeof(std::uint32_t));
      std::memcpy(batch_.right.data() + kWords * i, right + kWords * (matches[i] & 0xFFFFU),
                  kWords * sizeof(std::uint32_t));
    }
  }

  template <std::size_t kWords>
  void file_children(std::size_t count, Array& children) {
    for (std::size_t i = 0; i < count; ++i) {
      children.template prefetch<kWords>(batch_.buckets[i]);
    }
    for (std::size_t i = 0; i < count; ++i) {
      children.template append<kWords>(batch_.buckets[i], batch_.children.data() + kWords * i);
    }
  }

  /// Entries of table 7 that are proofs of s-buckets, in position order.
  void offer_proofs(std::size_t pair, std::size_t count) {
    const auto left_base = static_cast<std::uint32_t>(pair) * core::pos::kParamBC;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t s_bucket = Rules::s_bucket(k_, batch_.y[i]);
      if (s_bucket < kNumSBuckets) {
        const std::uint32_t* left = batch_.left.data() + 4 * i;
        choice_.offer(s_bucket, batch_.y[i], left_base + entry_residue(kNumTables - 1, left),
                      Origin::from_bits(left[kOriginWord]));
      }
    }
  }

  void check_buckets(unsigned table) {
    if (entries_of(table).overflowed()) {
      throw TableOverflow(table, "a bucket", Rules::kBucketEntries);
    }
  }

  void take_first_proofs() {
    found_proofs_ = {};
    used_targets_.clear();
    for (std::size_t s = 0; s < kNumSBuckets && used_targets_.size() < kNumChunks; ++s) {
      if (const std::optional<Origin> match = choice_.match(s)) {
        found_proofs_.bytes[s / 8] |= static_cast<std::uint8_t>(1U << (s % 8));
        used_targets_.push_back(*match);
      }
    }
  }

  void note_target_positions(const TableObservation& observation) {
    target_positions_.assign(kNumSBuckets, ParentPositions{0, 0});
    for (std::size_t s = 0; s < kNumSBuckets; ++s) {
      if (const std::optional<Origin> match = choice_.match(s)) {
        target_positions_[s] = observation.positions(*match);
      }
    }
  }

  unsigned k_;
  SimdMode mode_;
  std::size_t n_buckets_;
  std::array<Array, 3> arrays_;
  std::array<HugeArray<std::uint32_t>, 3> origins_;  // of tables 4, 5 and 6, by slot

  std::array<std::uint8_t, kKeystreamEntries * 20 / 8 + kKeystreamPadding> keystream_{};
  std::array<BucketResidues, 2> residues_;  // of even and odd buckets
  MatchFinder<Rules> finder_;
  EntryBatch batch_;

  ProofChoice<Rules> choice_;  // among matches of table 6
  std::vector<Origin> used_targets_;
  FoundProofs found_proofs_;
  std::vector<ParentPositions> target_positions_;  // only of an observed seed
};

}  // namespace

std::optional<std::size_t> ProofTable::proof_index(SBucket s_bucket) const {
  const FoundProofs& found = found_proofs();
  const std::size_t byte = s_bucket.value() / 8;
  const unsigned bit = s_bucket.value() % 8;
  if (((found.bytes[byte] >> bit) & 1) == 0) {
    return std::nullopt;
  }
  std::size_t before = 0;
  for (std::size_t i = 0; i < byte; ++i) {
    before += static_cast<std::size_t>(std::popcount(found.bytes[i]));
  }
  const auto lower_bits = static_cast<std::uint8_t>(found.bytes[byte] & ((1U << bit) - 1));
  return before + static_cast<std::size_t>(std::popcount(lower_bits));
}

TableOverflow::TableOverflow(unsigned table, const std::string& what, std::size_t room)
    : Error(ErrorKind::kUnavailable,
            "proof of space: " + what + " of table " + std::to_string(table) + " has more than " +
                std::to_string(room) + " entries, which practically never happens",
            {.expected = "at most " + std::to_string(room), .actual = "more"}) {}

std::unique_ptr<ProofTable> make_proof_table(Network network, unsigned k, SimdMode mode) {
  return with_supported_k(k, [&]<unsigned K>() {
    constexpr std::size_t kNumBuckets = core::pos::Params<K>::kNumBuckets;
    static_assert(kNumBuckets <= 1 << 13, "pairs have 13 bits in origins");
    return core::pos::with_rules_of(network, [&]<class Rules>() -> std::unique_ptr<ProofTable> {
      return std::make_unique<Tables<Rules>>(K, kNumBuckets, mode);
    });
  });
}

}  // namespace furrow
