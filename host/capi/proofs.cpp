// SPDX-License-Identifier: Apache-2.0
#include "furrow/c/proofs.h"

#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "furrow/c/encoder.h"

#include "host/capi/abort_watch.hpp"
#include "host/capi/handle.hpp"
#include "host/capi/last_error.hpp"
#include "host/capi/structs.hpp"
#include "host/pos/proof_table.hpp"
#include "host/primitives/sector_id.hpp"

namespace furrow::capi {
namespace {

constexpr std::size_t kProofBytes = FURROW_PROOF_SIZE;
constexpr std::size_t kMaxProofs = FURROW_MAX_PROOFS;
static_assert(kProofBytes == 8 * kPosK);
static_assert(kMaxProofs == kNumChunks);

/// All proofs back to back; none when it was stopped.
std::optional<std::vector<std::uint8_t>> proofs_of(const ProofTable& table, const MayGoOn& go_on) {
  constexpr std::size_t kProofsBetweenQuestions = 256;
  std::vector<std::uint8_t> proofs(table.num_proofs() * kProofBytes);
  for (std::size_t i = 0; i < table.num_proofs(); ++i) {
    if (i % kProofsBetweenQuestions == 0 && !may_go_on(go_on)) {
      return std::nullopt;
    }
    table.proof(i, std::span(proofs).subspan(i * kProofBytes, kProofBytes));
  }
  return proofs;
}

furrow_status make_proofs(furrow_library* library, const furrow_proofs_request& request,
                          std::size_t* count) {
  const Call call(library, "library");
  const auto seed = fixed_bytes<PosSeed>(request.seed, "seed");
  check_apart({{"seed", request.seed, FURROW_HASH_SIZE, false},
               {"found_proofs", request.found_proofs, FURROW_FOUND_PROOFS_SIZE, true},
               {"hashes", request.hashes, kMaxProofs * FURROW_HASH_SIZE, true},
               {"proofs", request.proofs, kMaxProofs * kProofBytes, true},
               {"count", count, sizeof(*count), true}});
  const AbortWatch abort(request.abort_flag, library->end());
  const MayGoOn go_on = [stop = abort.token()] { return !stop.stop_requested(); };
  if (!go_on()) {
    return FURROW_CANCELLED;
  }
  const auto table =
      library->library()->tables.take([] { return make_proof_table(furrow::Network::kAbundance); });
  if (!table->generate(seed, nullptr, go_on)) {
    return FURROW_CANCELLED;
  }
  // Until nothing can stop it any more, the caller's buffers stay as they are.
  std::vector<Hash> hashes;
  std::optional<std::vector<std::uint8_t>> proofs;
  if (request.hashes != nullptr) {
    hashes.resize(table->num_proofs());
    if (!table->proof_hashes(hashes, go_on)) {
      return FURROW_CANCELLED;
    }
  }
  if (request.proofs != nullptr && !(proofs = proofs_of(*table, go_on))) {
    return FURROW_CANCELLED;
  }
  if (request.found_proofs != nullptr) {
    write_bytes(table->found_proofs(), request.found_proofs);
  }
  if (request.hashes != nullptr) {
    std::memcpy(request.hashes, hashes.data(), hashes.size() * kHashSize);
  }
  if (proofs.has_value()) {
    std::memcpy(request.proofs, proofs->data(), proofs->size());
  }
  if (count != nullptr) {
    *count = table->num_proofs();
  }
  return FURROW_OK;
}

}  // namespace
}  // namespace furrow::capi

using furrow::capi::guarded;

extern "C" {

void furrow_proofs_request_init(furrow_proofs_request* request, size_t size) {
  furrow::capi::init_struct(request, size, furrow_proofs_request{});
}

furrow_status furrow_proofs_make(furrow_library* library, const furrow_proofs_request* request,
                                 size_t* count) {
  return guarded([&] {
    return furrow::capi::make_proofs(
        library, furrow::capi::read_struct(request, "furrow_proofs_request"), count);
  });
}

furrow_status furrow_proof_verify(const uint8_t* seed, uint16_t s_bucket, const uint8_t* proof,
                                  int* is_valid) {
  return guarded([&] {
    const auto of = furrow::capi::fixed_bytes<furrow::PosSeed>(seed, "seed");
    furrow::capi::check_pointer(proof, "proof");
    furrow::capi::check_pointer(is_valid, "is_valid");
    furrow::capi::check_apart({{"seed", seed, FURROW_HASH_SIZE, false},
                               {"proof", proof, FURROW_PROOF_SIZE, false},
                               {"is_valid", is_valid, sizeof(*is_valid), true}});
    *is_valid = furrow::is_proof_valid(furrow::Network::kAbundance, furrow::kPosK, of,
                                       furrow::SBucket(s_bucket), {proof, FURROW_PROOF_SIZE})
                    ? 1
                    : 0;
    return FURROW_OK;
  });
}

furrow_status furrow_proof_seed(const uint8_t* sector_id, size_t piece_offset, uint8_t* seed) {
  return guarded([&] {
    constexpr std::size_t kMost = std::numeric_limits<std::uint16_t>::max();
    const auto sector = furrow::capi::fixed_bytes<furrow::SectorId>(sector_id, "sector_id");
    furrow::capi::check_pointer(seed, "seed");
    if (piece_offset > kMost) {
      furrow::capi::refuse("furrow: piece offset", "at most " + std::to_string(kMost),
                           piece_offset);
    }
    furrow::capi::check_apart({{"sector_id", sector_id, FURROW_HASH_SIZE, false},
                               {"seed", seed, FURROW_HASH_SIZE, true}});
    furrow::capi::write_bytes(
        furrow::derive_evaluation_seed(
            sector, furrow::PieceOffset(static_cast<std::uint16_t>(piece_offset))),
        seed);
    return FURROW_OK;
  });
}

}  // extern "C"
