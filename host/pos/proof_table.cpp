#include "host/pos/proof_table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <string>
#include <utility>

#include "furrow/core/pos.hpp"
#include "furrow/errors.hpp"

#include "host/crypto/blake3_many.hpp"
#include "host/crypto/chacha8.hpp"
#include "host/pos/bucket_array.hpp"
#include "host/pos/match_finder.hpp"

namespace furrow {
namespace {

using core::pos::kReducedMatchesCount;

/// Rows of a word-sliced batch of matches; a multiple of every vector length.
constexpr std::size_t kStride = kReducedMatchesCount;
static_assert(kStride % kMaxLanes == 0);

/// Proofs packed and hashed at a time.
constexpr std::size_t kProofBatch = 64;

template <unsigned K>
class ProofTableOfK final : public ProofTable {
  using Params = core::pos::Params<K>;
  using Buckets = BucketArray<K>;

 public:
  explicit ProofTableOfK(SimdMode mode) : mode_(mode), finder_(mode) {
    keystream_.resize((std::size_t{Params::kTable1Entries} * K + 7) / 8 + kKeystreamPadding);
    for (std::vector<ParentPositions>& parents : parents_) {
      parents.resize(Params::kMaxEntries);
    }
  }

  void generate(const PosSeed& seed, TableObserver* observer) override {
    make_table1(seed, observer);
    for (unsigned table = 2; table <= core::pos::kNumTables; ++table) {
      make_table(table, observer);
    }
    choose_proofs();
  }

  [[nodiscard]] const FoundProofs& found_proofs() const override { return found_proofs_; }
  [[nodiscard]] std::size_t num_proofs() const override { return used_targets_.size(); }
  [[nodiscard]] std::size_t proof_size() const override { return Params::kProofSize; }
  [[nodiscard]] std::span<const ParentPositions> proof_targets() const override { return targets_; }

  void proof(std::size_t index, std::span<std::uint8_t> out) const override {
    pack_proof(used_targets_[index], out.data());
  }

  void proof_hashes(std::span<Hash> out) const override {
    std::vector<std::uint8_t> proofs(kProofBatch * Params::kProofSize);
    for (std::size_t first = 0; first < out.size(); first += kProofBatch) {
      const std::size_t count = std::min(kProofBatch, out.size() - first);
      for (std::size_t i = 0; i < count; ++i) {
        pack_proof(used_targets_[first + i], proofs.data() + i * Params::kProofSize);
      }
      blake3_many(mode_, std::span(proofs).first(count * Params::kProofSize), Params::kProofSize,
                  out.subspan(first, count));
    }
  }

 private:
  /// Reading K bits takes eight bytes from the first one on.
  static constexpr std::size_t kKeystreamPadding = 8;

  void make_table1(const PosSeed& seed, TableObserver* observer) {
    chacha8_keystream(std::span<const std::uint8_t, 32>(seed.bytes),
                      std::span(keystream_).first(keystream_.size() - kKeystreamPadding));
    current_.clear();
    for (std::uint32_t x = 0; x < Params::kTable1Entries; ++x) {
      current_.append(x, core::pos::table1_y<K>(keystream_bits(x), x), x);
    }
    if (observer != nullptr) {
      show_table1(*observer);
    }
  }

  [[nodiscard]] std::uint32_t keystream_bits(std::uint32_t x) const {
    const std::size_t bit = std::size_t{x} * K;
    std::uint64_t window = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      window = (window << 8) | keystream_[bit / 8 + i];
    }
    return static_cast<std::uint32_t>((window << (bit % 8)) >> (64 - K));
  }

  void show_table1(TableObserver& observer) const {
    std::vector<std::uint32_t> y(Params::kTable1Entries);
    std::vector<uint128> metadata(Params::kTable1Entries);
    for (std::uint32_t x = 0; x < Params::kTable1Entries; ++x) {
      y[x] = core::pos::table1_y<K>(keystream_bits(x), x);
      metadata[x] = x;
    }
    observer.on_entries(1, 0, y, metadata, {});
  }

  /// Makes `table` from the buckets of the table before. Positions ascend with pair and match
  /// order, which is what makes them dense and every later choice deterministic.
  void make_table(unsigned table, TableObserver* observer) {
    next_.clear();
    if (table == core::pos::kNumTables) {
      std::fill(targets_.begin(), targets_.end(), ParentPositions{0, 0});
    }
    std::uint32_t position = 0;
    for (std::size_t bucket = 0; bucket < Params::kNumBucketPairs; ++bucket) {
      load(bucket, left_);
      load(bucket + 1, right_);
      const std::size_t found = finder_.find(bucket % 2, left_, right_);
      const std::size_t kept = std::min(found, kReducedMatchesCount);
      hash_matches(table, bucket, kept);
      if (table < core::pos::kNumTables) {
        std::copy_n(batch_parents_.begin(), kept, parents_of(table).begin() + position);
        for (std::size_t i = 0; i < kept; ++i) {
          next_.append(position + static_cast<std::uint32_t>(i), batch_y_[i], batch_metadata_[i]);
        }
      } else {
        file_targets(kept);
      }
      position += static_cast<std::uint32_t>(kept);
      if (observer != nullptr) {
        observer->on_entries(table, found, std::span(batch_y_).first(kept),
                             std::span(batch_metadata_).first(kept),
                             std::span(batch_parents_).first(kept));
      }
    }
    std::swap(current_, next_);
  }

  void load(std::size_t bucket, BucketResidues& residues) const {
    const std::span<const std::uint16_t> from = current_.residues(bucket);
    std::copy(from.begin(), from.end(), residues.values.begin());
    residues.size = from.size();
  }

  /// Carries out the table function for the first `count` matches of the pair at `bucket`.
  void hash_matches(unsigned table, std::size_t bucket, std::size_t count) {
    const std::uint32_t base = static_cast<std::uint32_t>(bucket) * core::pos::kParamBC;
    const typename Buckets::Entry* left = current_.entries(bucket);
    const typename Buckets::Entry* right = current_.entries(bucket + 1);
    const std::span<const std::uint16_t> residues = current_.residues(bucket);
    const std::uint32_t length = core::pos::table_function_input_bytes<K>(table);
    const std::size_t n_words = (length + 3) / 4;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t left_rank = finder_.matches()[i] >> 16;
      const std::size_t right_rank = finder_.matches()[i] & 0xFFFF;
      std::array<std::uint32_t, 8> words;
      core::pos::table_function_message<K>(table, base + residues[left_rank],
                                           left[left_rank].metadata(), right[right_rank].metadata(),
                                           words.data());
      for (std::size_t w = 0; w < n_words; ++w) {
        batch_words_[w * kStride + i] = words[w];
      }
    }
    blake3_many_sliced(mode_, batch_words_.data(), n_words, length, kStride, count,
                       batch_hashes_.data());
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t left_rank = finder_.matches()[i] >> 16;
      const std::size_t right_rank = finder_.matches()[i] & 0xFFFF;
      std::array<std::uint32_t, kSlicedHashWords> hash;
      for (std::size_t w = 0; w < kSlicedHashWords; ++w) {
        hash[w] = batch_hashes_[w * kStride + i];
      }
      batch_y_[i] = core::pos::y_from_hash<K>(hash[0]);
      batch_metadata_[i] = core::pos::table_function_metadata<K>(
          table, left[left_rank].metadata(), right[right_rank].metadata(), hash.data());
      batch_parents_[i] = {left[left_rank].position, right[right_rank].position};
    }
  }

  /// The first match in position order takes the s-bucket. No real pair is (0, 0), since its
  /// members lie in different buckets.
  void file_targets(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t s_bucket = batch_y_[i] >> core::pos::kParamExt;
      if (s_bucket < kNumSBuckets && targets_[s_bucket] == ParentPositions{0, 0}) {
        targets_[s_bucket] = batch_parents_[i];
      }
    }
  }

  void choose_proofs() {
    found_proofs_ = {};
    used_targets_.clear();
    for (std::size_t s = 0; s < kNumSBuckets && used_targets_.size() < kNumChunks; ++s) {
      if (targets_[s] != ParentPositions{0, 0}) {
        found_proofs_.bytes[s / 8] |= static_cast<std::uint8_t>(1U << (s % 8));
        used_targets_.push_back(targets_[s]);
      }
    }
  }

  void pack_proof(ParentPositions target, std::uint8_t* out) const {
    std::array<std::uint32_t, core::pos::kProofEntries> values;
    values[0] = target.left;
    values[1] = target.right;
    std::size_t count = 2;
    for (unsigned table = core::pos::kNumTables - 1; table >= 2; --table, count *= 2) {
      const std::vector<ParentPositions>& parents = parents_[table - 2];
      for (std::size_t i = count; i-- > 0;) {  // downwards, so that nothing is overwritten unread
        const ParentPositions pair = parents[values[i]];
        values[2 * i] = pair.left;
        values[2 * i + 1] = pair.right;
      }
    }
    std::uint64_t window = 0;
    unsigned bits = 0;
    for (const std::uint32_t x : values) {
      window = (window << K) | x;
      bits += K;
      for (; bits >= 8; bits -= 8) {
        *out++ = static_cast<std::uint8_t>(window >> (bits - 8));
      }
    }
  }

  std::vector<ParentPositions>& parents_of(unsigned table) { return parents_[table - 2]; }

  SimdMode mode_;
  std::vector<std::uint8_t> keystream_;
  Buckets current_;
  Buckets next_;
  std::array<std::vector<ParentPositions>, 5> parents_;  // of tables 2 to 6, by position
  MatchFinder finder_;
  BucketResidues left_;
  BucketResidues right_;

  // One batch: the matches of one pair of buckets.
  std::array<std::uint32_t, kSlicedMessageWords * kStride> batch_words_{};
  std::array<std::uint32_t, kSlicedHashWords * kStride> batch_hashes_{};
  std::array<std::uint32_t, kReducedMatchesCount> batch_y_{};
  std::array<uint128, kReducedMatchesCount> batch_metadata_{};
  std::array<ParentPositions, kReducedMatchesCount> batch_parents_{};

  std::vector<ParentPositions> targets_ = std::vector<ParentPositions>(kNumSBuckets);
  std::vector<ParentPositions> used_targets_;
  FoundProofs found_proofs_;
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

std::unique_ptr<ProofTable> make_proof_table(unsigned k, SimdMode mode) {
  switch (k) {
    case 15:
      return std::make_unique<ProofTableOfK<15>>(mode);
    case 16:
      return std::make_unique<ProofTableOfK<16>>(mode);
    case 17:
      return std::make_unique<ProofTableOfK<17>>(mode);
    case 18:
      return std::make_unique<ProofTableOfK<18>>(mode);
    case 20:
      return std::make_unique<ProofTableOfK<20>>(mode);
    default:
      throw InvalidArgument("proof of space: supported K are 15 to 18 and 20, actual " +
                            std::to_string(k));
  }
}

}  // namespace furrow
