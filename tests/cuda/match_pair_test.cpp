// SPDX-License-Identifier: Apache-2.0
// Sorting a bucket and matching a pair of them, on buckets made up for the purpose, against the
// CPU's search for matches.

#include <algorithm>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "cuda/kernels/find_matches.cuh"
#include "host/pos/match_finder_scalar.hpp"
#include "tests/cuda/cuda_test.hpp"

namespace furrow::cuda {
namespace {

constexpr unsigned kK = 15;
constexpr unsigned kThreads = 256;
using Tables = ProofTablesRef<kK>;

struct PairShared {
  BucketFrame left;
  BucketFrame right;
  MatchShared match;
};

struct PairResult {
  BucketFrame left;
  BucketFrame right;
  std::uint32_t n_matches;
  std::uint32_t matches[core::pos::kReducedMatchesCount];
};

/// Matches of the pair `pair` of table 3, as make_table finds them.
__global__ void __launch_bounds__(kThreads)
    match_pair(ProofTablesBatch<kK> batch, std::uint32_t pair, PairResult* result) {
  SHARED(PairShared, s);
  const SourceTable<kK, 4> source{batch.record(0)};
  clear_counts<kThreads>(threadIdx.x, s.match.sort);
  __syncthreads();
  load_bucket<kThreads>(threadIdx.x, source, pair, s.left, s.match.sort);
  __syncthreads();
  clear_counts<kThreads>(threadIdx.x, s.match.sort);
  __syncthreads();
  load_bucket<kThreads>(threadIdx.x, source, pair + 1, s.right, s.match.sort);
  __syncthreads();
  const std::uint32_t n = find_matches<kThreads>(threadIdx.x, pair % 2, s.left, s.right, s.match);
  for (std::uint32_t i = threadIdx.x; i < n; i += kThreads) {
    const MatchedRanks ranks = ranks_of(i, s.right, s.match);
    result->matches[i] = ranks.left << 16 | ranks.right;
  }
  for (std::uint32_t i = threadIdx.x; i < s.left.size; i += kThreads) {
    result->left.entries[i] = s.left.entries[i];
  }
  for (std::uint32_t i = threadIdx.x; i < s.right.size; i += kThreads) {
    result->right.entries[i] = s.right.entries[i];
  }
  if (threadIdx.x == 0) {
    result->n_matches = n;
    result->left.size = s.left.size;
    result->right.size = s.right.size;
  }
}

/// Entries of a bucket in order of arrival.
using Bucket = std::vector<PackedEntry>;

class Pair {
 public:
  Pair() : stream_(0), d_memory_(stream_, Tables::bytes()), d_result_(stream_, 1) {}

  /// `n_asked`: entries that asked for a slot of the right bucket, when more did than there are.
  void compare(std::uint32_t pair, const Bucket& left, const Bucket& right,
               std::size_t n_asked = 0) {
    upload(pair, left, left.size());
    upload(pair + 1, right, std::max(n_asked, right.size()));
    launch(match_pair, {dim3(1), dim3(kThreads)}, stream_.view().get(),
           ProofTablesBatch<kK>(d_memory_.data()), pair, d_result_.data());
    PairResult result;
    check(cudaMemcpyAsync(&result, d_result_.data(), sizeof(result), cudaMemcpyDeviceToHost,
                          stream_.view().get()));
    stream_.view().synchronize();

    const std::vector<std::uint16_t> left_residues = expect_sorted(left, result.left);
    const std::vector<std::uint16_t> right_residues = expect_sorted(right, result.right);
    ScalarMatchFinder<core::pos::AbundanceRules> finder;
    std::vector<Match> wanted(kMaxMatches<core::pos::AbundanceRules>);
    const std::size_t n =
        std::min(finder.find(pair % 2, left_residues, right_residues, wanted.data()),
                 core::pos::kReducedMatchesCount);
    ASSERT_EQ(result.n_matches, n);
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_EQ(result.matches[i], wanted[i]) << i;
    }
  }

 private:
  void upload(std::uint32_t bucket, const Bucket& entries, std::size_t n_asked) {
    const Tables tables(d_memory_.data());
    const auto size = static_cast<std::uint32_t>(n_asked);
    check(cudaMemcpyAsync(tables.bucket_sizes(3) + bucket, &size, sizeof(size),
                          cudaMemcpyHostToDevice, stream_.view().get()));
    check(cudaMemcpyAsync(tables.entries(3) + bucket * kSlotsPerBucket, entries.data(),
                          entries.size() * sizeof(PackedEntry), cudaMemcpyHostToDevice,
                          stream_.view().get()));
    stream_.view().synchronize();
  }

  /// Checks a frame against its bucket; returns the residues of the kept entries.
  static std::vector<std::uint16_t> expect_sorted(const Bucket& bucket, const BucketFrame& frame) {
    std::vector<std::uint32_t> slots(bucket.size());
    std::iota(slots.begin(), slots.end(), 0U);
    std::sort(slots.begin(), slots.end(), [&](std::uint32_t a, std::uint32_t b) {
      return position_of(bucket[a]) < position_of(bucket[b]);
    });
    slots.resize(std::min(slots.size(), core::pos::kReducedBucketSize));
    EXPECT_EQ(frame.size, slots.size());
    std::vector<std::uint16_t> residues;
    for (std::size_t rank = 0; rank < slots.size(); ++rank) {
      const uint4& kept = frame.entries[rank].words;
      const uint4& entry = bucket[slots[rank]].words;
      EXPECT_EQ(kept.w, slots[rank]) << "rank " << rank;
      EXPECT_EQ(kept.x, entry.x);
      EXPECT_EQ(kept.y, entry.y);
      EXPECT_EQ(kept.z, entry.z);
      residues.push_back(static_cast<std::uint16_t>(residue_of(bucket[slots[rank]])));
    }
    return residues;
  }

  Stream stream_;
  DeviceBuffer<std::byte> d_memory_;
  DeviceBuffer<PairResult> d_result_;
};

/// `size` entries with distinct positions in random order and residues below `residues`.
Bucket make_bucket(std::mt19937_64& random, std::size_t size, std::uint32_t residues) {
  constexpr std::uint32_t kPositions = Tables::kNumPairs << kMatchIndexBits;
  std::vector<std::uint32_t> positions;
  while (positions.size() < size) {
    const auto position = static_cast<std::uint32_t>(random() % kPositions);
    if (std::find(positions.begin(), positions.end(), position) == positions.end()) {
      positions.push_back(position);
    }
  }
  Bucket bucket;
  for (const std::uint32_t position : positions) {
    bucket.push_back(pack_entry(position, static_cast<std::uint32_t>(random() % residues),
                                (static_cast<uint128>(random()) << 16) | (random() & 0xFFFF)));
  }
  return bucket;
}

class CudaMatchPair : public testing::Test {
 protected:
  RandomSeed seed_;
  std::mt19937_64 random_{seed_.value()};
  Pair pair_;
};

TEST_F(CudaMatchPair, SizesThatStraddleWarpsAndCapacities) {
  for (const std::size_t left : {0U, 1U, 31U, 32U, 33U, 236U, 271U, 272U, 273U, 351U, 352U}) {
    for (const std::size_t right : {0U, 1U, 33U, 240U, 271U, 272U, 273U, 352U}) {
      SCOPED_TRACE(std::to_string(left) + " and " + std::to_string(right) + " entries");
      pair_.compare(static_cast<std::uint32_t>(random_() % Tables::kNumPairs),
                    make_bucket(random_, left, core::pos::kParamBC),
                    make_bucket(random_, right, core::pos::kParamBC));
    }
  }
}

TEST_F(CudaMatchPair, MoreMatchesThanAPairMayHave) {
  for (std::uint32_t pair = 0; pair < 6; ++pair) {
    pair_.compare(pair, make_bucket(random_, 270, 10000), make_bucket(random_, 272, 10000));
  }
}

// The first left entry has one match and the others have two each, so that of the two of a hit the first
// is number 287 and the second is one too many.
TEST_F(CudaMatchPair, OfTheTwoMatchesOfAHitTheSecondIsOneTooMany) {
  constexpr std::uint32_t kPair = 2;
  constexpr std::uint32_t kSingle = 5000;
  constexpr std::uint32_t kDouble = 9000;
  Bucket left = {pack_entry(0, kSingle, 1)};
  for (std::uint32_t position = 1; position < 200; ++position) {
    left.push_back(pack_entry(position, kDouble, 2));
  }
  const Bucket right = {pack_entry(0, core::pos::target(kPair % 2, kSingle, 9), 3),
                        pack_entry(1, core::pos::target(kPair % 2, kDouble, 3), 4),
                        pack_entry(2, core::pos::target(kPair % 2, kDouble, 3), 5)};
  pair_.compare(kPair, left, right);
}

TEST_F(CudaMatchPair, EntriesThatFoundTheirBucketFullAreNotRead) {
  for (const std::size_t n_asked : {353U, 400U, 576U, 100'000U}) {
    pair_.compare(4, make_bucket(random_, 236, core::pos::kParamBC),
                  make_bucket(random_, kSlotsPerBucket, core::pos::kParamBC), n_asked);
  }
}

TEST_F(CudaMatchPair, EverySchedule) {
  const Bucket left = make_bucket(random_, 270, 9000);
  const Bucket right = make_bucket(random_, 300, 9000);
  for_each_schedule([&] { pair_.compare(0, left, right); });
}

TEST_F(CudaMatchPair, EqualResidues) {
  for (const std::uint32_t residues : {1U, 2U, 50U, 127U, 300U, 2000U}) {
    SCOPED_TRACE("residues below " + std::to_string(residues));
    pair_.compare(static_cast<std::uint32_t>(residues % 2), make_bucket(random_, 100, residues),
                  make_bucket(random_, 272, residues));
  }
}

TEST_F(CudaMatchPair, ResiduesAtTheEndsOfRowsAndColumns) {
  const std::uint32_t ends[] = {0,    1,     126,   127,   128,   253,   254,
                                7999, 15112, 15111, 14986, 14985, 14859, 14858};
  Bucket left;
  Bucket right;
  std::uint32_t position = 5000;
  for (const std::uint32_t residue : ends) {
    left.push_back(pack_entry(--position, residue, 1));
    right.push_back(pack_entry(--position, residue, 2));
    for (std::uint32_t m = 0; m < core::pos::kParamM; m += 7) {
      right.push_back(pack_entry(--position, core::pos::target(1, residue, m), 3));
    }
  }
  pair_.compare(3, left, right);
  pair_.compare(4, left, right);
}

// In row 0 all multiples of the row are 0 modulo 127, some in the form 0 and some in the form 127.
TEST_F(CudaMatchPair, BothFormsOfZero) {
  for (std::uint32_t pair = 0; pair < 2; ++pair) {
    const Bucket right = {pack_entry(0, 0, 1)};
    Bucket left;
    for (std::uint32_t residue = 0; residue < core::pos::kParamBC; ++residue) {
      for (std::uint32_t m = 0; m < core::pos::kParamM; ++m) {
        if (core::pos::target(pair, residue, m) == 0) {
          left.push_back(pack_entry(static_cast<std::uint32_t>(left.size()), residue, 2));
        }
      }
    }
    ASSERT_EQ(left.size(), core::pos::kParamM);
    pair_.compare(pair, left, right);
  }
}

}  // namespace
}  // namespace furrow::cuda
