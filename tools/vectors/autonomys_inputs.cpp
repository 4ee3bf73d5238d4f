// SPDX-License-Identifier: Apache-2.0
#include "tools/vectors/autonomys_inputs.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "furrow/errors.hpp"

#include "host/crypto/blake3.hpp"
#include "host/sector/contents_map.hpp"
#include "tools/vectors/vector_input.hpp"

namespace furrow::vectors {
namespace {

/// The modulus of the field, big-endian.
constexpr std::array<std::uint8_t, kChunkSize> kModulus = {
    0x73, 0xed, 0xa7, 0x53, 0x29, 0x9d, 0x7d, 0x48, 0x33, 0x39, 0xd8, 0x08, 0x09, 0xa1, 0xd8, 0x05,
    0x53, 0xbd, 0xa4, 0x02, 0xff, 0xfe, 0x5b, 0xfe, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01};

void subtract_modulus(RecordChunk& chunk) {
  int borrow = 0;
  for (std::size_t i = kChunkSize; i-- > 0;) {
    const int difference = chunk.bytes[i] - kModulus[i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    chunk.bytes[i] = static_cast<std::uint8_t>(difference);
  }
}

/// Proofs that follow from a hash of the seed and the s-bucket.
class SparseTable final : public ProofTable {
 public:
  bool generate(const PosSeed& seed, TableObserver* /*observer*/,
                const MayGoOn& /*go_on*/) override {
    found_proofs_ = {};
    hashes_.clear();
    for (std::size_t s = 0; s < kNumSBuckets && hashes_.size() < kNumChunks; ++s) {
      const std::array<std::uint8_t, 2> bytes = {static_cast<std::uint8_t>(s),
                                                 static_cast<std::uint8_t>(s >> 8)};
      const Hash hash = Blake3Hasher().update(seed.bytes).update(bytes).finalize();
      if (hash.bytes[0] < kHasProofBelow) {
        found_proofs_.bytes[s / 8] |= static_cast<std::uint8_t>(1U << (s % 8));
        hashes_.push_back(hash);
      }
    }
    return true;
  }

  [[nodiscard]] const FoundProofs& found_proofs() const override { return found_proofs_; }
  [[nodiscard]] std::size_t num_proofs() const override { return hashes_.size(); }
  [[nodiscard]] std::size_t proof_size() const override { return kRepeats * kHashSize; }

  void proof(std::size_t index, std::span<std::uint8_t> out) const override {
    for (std::size_t i = 0; i < kRepeats; ++i) {
      std::ranges::copy(hashes_[index].bytes,
                        out.begin() + static_cast<std::ptrdiff_t>(i * kHashSize));
    }
  }
  bool proof_of(SBucket s_bucket, std::span<std::uint8_t> out) const override {
    const std::optional<std::size_t> index = proof_index(s_bucket);
    if (index.has_value()) {
      proof(*index, out);
    }
    return index.has_value();
  }
  bool proof_hashes(std::span<Hash> out, const MayGoOn& /*go_on*/) const override {
    std::vector<std::uint8_t> bytes(proof_size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      proof(i, bytes);
      out[i] = blake3(bytes);
    }
    return true;
  }
  [[nodiscard]] std::span<const ParentPositions> proof_targets() const override { return {}; }

 private:
  static constexpr std::uint8_t kHasProofBelow = 100;
  static constexpr std::size_t kRepeats = 5;

  FoundProofs found_proofs_;
  std::vector<Hash> hashes_;
};

}  // namespace

void fill_fr_source(std::string_view kind, std::uint64_t seed, std::span<RecordChunk> chunks) {
  if (kind == "zero") {
    std::ranges::fill(chunks, RecordChunk{});
  } else if (kind == "rminus1") {
    RecordChunk last{kModulus};
    --last.bytes.back();
    std::ranges::fill(chunks, last);
  } else if (kind == "scalars" || kind == "safe") {
    const bool is_safe = kind == "safe";
    const std::size_t size = is_safe ? kChunkSize - 1 : kChunkSize;
    std::vector<std::uint8_t> bytes(size * chunks.size());
    fill_stream(seed, bytes);
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      RecordChunk& chunk = chunks[i];
      chunk = {};
      std::ranges::copy(std::span(bytes).subspan(i * size, size),
                        chunk.bytes.end() - static_cast<std::ptrdiff_t>(size));
      chunk.bytes[0] &= 0x7F;
      if (!std::ranges::lexicographical_compare(chunk.bytes, kModulus)) {
        subtract_modulus(chunk);
      }
    }
  } else {
    throw MalformedData("unknown kind of source: '" + std::string(kind) + "'");
  }
}

std::unique_ptr<AutonomysPiece> made_up_autonomys_piece(std::string_view kind,
                                                        std::uint64_t first_record_seed,
                                                        std::uint64_t first_rest_seed,
                                                        std::uint64_t i) {
  auto piece = std::make_unique<AutonomysPiece>();
  fill_fr_source(kind, first_record_seed + i, piece->record);
  std::array<std::uint8_t, 2 * kG1PointSize> rest{};
  fill_stream(first_rest_seed + i, rest);
  std::copy_n(rest.begin(), kG1PointSize, piece->record_commitment.bytes.begin());
  std::copy_n(rest.begin() + kG1PointSize, kG1PointSize, piece->record_witness.bytes.begin());
  return piece;
}

std::unique_ptr<ProofTable> make_named_table(const std::string& name, SimdMode mode) {
  if (name == "chia") {
    return make_proof_table(Network::kAutonomys, kPosK, mode);
  }
  if (name == "sparse") {
    return std::make_unique<SparseTable>();
  }
  throw MalformedData("unknown name of a table: '" + name + "'");
}

}  // namespace furrow::vectors
