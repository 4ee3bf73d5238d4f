// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "furrow/core/pos.hpp"

#include "host/crypto/blake3.hpp"
#include "host/pos/proof_table.hpp"
#include "tools/vectors/encoding_checks.hpp"
#include "tools/vectors/integer_hasher.hpp"
#include "tools/vectors/vector_file.hpp"
#include "tools/vectors/vector_input.hpp"

namespace furrow::vectors {
namespace {

using Params = core::pos::Params<kPosK>;

/// What the file says of one table.
struct TableSummary {
  std::size_t entries = 0;
  std::size_t pairs_truncated = 0;
  std::size_t matches_dropped = 0;
  IntegerHasher y;
  IntegerHasher metadata;
  IntegerHasher positions;
  std::vector<std::uint32_t> bucket_sizes = std::vector<std::uint32_t>(Params::kNumBuckets);
};

class Summaries final : public TableObserver {
 public:
  void on_entries(unsigned table, std::size_t matches_found, std::span<const std::uint32_t> y,
                  std::span<const uint128> metadata,
                  std::span<const ParentPositions> parents) override {
    TableSummary& summary = tables_[table - 1];
    summary.entries += y.size();
    if (matches_found > y.size() && table > 1) {
      ++summary.pairs_truncated;
      summary.matches_dropped += matches_found - y.size();
    }
    if (table == core::pos::kNumTables) {
      return;
    }
    for (const std::uint32_t value : y) {
      summary.y.add(value, 4);
      ++summary.bucket_sizes[core::pos::bucket_of(value)];
    }
    for (const uint128 value : metadata) {
      summary.metadata.add(value, 16);
    }
    for (const ParentPositions& pair : parents) {
      summary.positions.add(pair.left, 4);
      summary.positions.add(pair.right, 4);
    }
  }
  TableSummary& of(std::size_t table) { return tables_.at(table - 1); }

 private:
  std::vector<TableSummary> tables_ = std::vector<TableSummary>(core::pos::kNumTables);
};

void check_table(const nlohmann::json& expected, TableSummary& table, const CaseChecker& check) {
  check.number("entries", table.entries);
  check.bytes("y_blake3", table.y.finish().bytes);
  check.bytes("metadata_blake3", table.metadata.finish().bytes);
  std::size_t truncated = 0;
  std::size_t dropped = 0;
  std::size_t largest = 0;
  IntegerHasher sizes;
  for (const std::uint32_t size : table.bucket_sizes) {
    const std::size_t kept = std::min<std::size_t>(size, core::pos::kReducedBucketSize);
    truncated += size > kept ? 1 : 0;
    dropped += size - kept;
    largest = std::max<std::size_t>(largest, size);
    sizes.add(kept, 2);
  }
  check.bytes("bucket_sizes_blake3", sizes.finish().bytes);
  check.number("buckets_truncated_at_272", truncated);
  check.number("entries_dropped_at_272", dropped);
  check.number("max_untruncated_bucket", largest);
  if (!expected.at("positions_blake3").is_null()) {
    check.bytes("positions_blake3", table.positions.finish().bytes);
    check.number("pairs_truncated_at_288", table.pairs_truncated);
    check.number("found_matches_dropped_at_288", table.matches_dropped);
  }
}

void check_table7(const nlohmann::json& expected, const TableSummary& table,
                  std::span<const ParentPositions> targets, const VectorReport::Fail& fail) {
  const CaseChecker check(expected, fail, "table_7.");
  check.number("matches_kept", table.entries);
  check.number("pairs_truncated_at_288", table.pairs_truncated);
  check.number("found_matches_dropped_at_288", table.matches_dropped);
  IntegerHasher hasher;
  std::size_t non_zero = 0;
  for (const ParentPositions& target : targets) {
    hasher.add(target.left, 4);
    hasher.add(target.right, 4);
    non_zero += target != ParentPositions{0, 0} ? 1 : 0;
  }
  check.bytes("proof_targets_blake3", hasher.finish().bytes);
  check.number("proof_targets_non_zero", non_zero);
}

/// S-buckets with a bit, ascending.
std::vector<std::uint16_t> check_found_proofs(const FoundProofs& found, const CaseChecker& check) {
  const std::vector<std::uint16_t> s_buckets = s_buckets_of(found);
  check.number("num_set_bits", s_buckets.size());
  check.digest("found_proofs_blake3", found.bytes);
  check.number("last_set_s_bucket", s_buckets.empty() ? 0 : s_buckets.back());
  return s_buckets;
}

/// A record of zeros has parity chunks of zeros, so its encoded chunks are the hashes of the
/// proofs.
void check_encoder(const nlohmann::json& expected, const PosSeed& seed, CudaEncoder& encoder,
                   const VectorReport::Fail& fail) {
  const CaseChecker check(expected, fail);
  const auto masks = std::make_unique<Record>();
  FoundProofs found;
  encoder.encode_from_seed(seed, *masks, found);
  const std::vector<std::uint16_t> s_buckets = check_found_proofs(found, check);
  check.digest("proof_hashes_blake3", bytes_of(*masks));
  check_shown_proofs(expected, fail, s_buckets, [&](const CaseChecker& one, std::size_t index) {
    one.bytes("proof_hash", masks->at(index).bytes);
  });
}

}  // namespace

void run_pos_vectors(const nlohmann::json& file, const VectorOptions& options,
                     VectorReport& report) {
  const auto table = options.cuda == nullptr
                         ? make_proof_table(Network::kAbundance, kPosK, options.mode)
                         : nullptr;
  std::size_t index = 0;
  for (const nlohmann::json& expected : file.at("cases")) {
    const std::string name = "proof of space, case " + std::to_string(index++);
    const auto seed = fixed_bytes_at<PosSeed>(expected, "seed");
    if (options.cuda != nullptr) {
      report.run_case(name, [&](const VectorReport::Fail& fail) {
        check_encoder(expected, seed, *options.cuda, fail);
      });
      continue;
    }
    report.run_case(name, [&](const VectorReport::Fail& fail) {
      Summaries summaries;
      table->generate(seed, &summaries);
      check_found_proofs(table->found_proofs(), CaseChecker(expected, fail));
      check_proofs_of(expected, *table, fail);
      for (const nlohmann::json& one : expected.at("tables")) {
        const std::size_t number_of_table = number(one, "table");
        check_table(one, summaries.of(number_of_table),
                    CaseChecker(one, fail, "table " + std::to_string(number_of_table) + "."));
      }
      check_table7(expected.at("table_7"), summaries.of(core::pos::kNumTables),
                   table->proof_targets(), fail);
    });
    for (const nlohmann::json& one : expected.at("verification")) {
      report.run_case(
          name + ", verification: " + one.value("note", ""), [&](const VectorReport::Fail& fail) {
            const std::uint64_t s_bucket = number(one, "s_bucket");
            // No proof belongs to an s-bucket that does not exist.
            const bool valid =
                s_bucket < kNumSBuckets &&
                is_proof_valid(Network::kAbundance, kPosK, seed,
                               SBucket(static_cast<std::uint16_t>(s_bucket)), hex(one, "proof"));
            CaseChecker(one, fail).boolean("valid", valid);
          });
    }
  }
}

}  // namespace furrow::vectors
