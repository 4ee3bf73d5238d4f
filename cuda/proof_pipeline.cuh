// SPDX-License-Identifier: Apache-2.0
// The order of launches that makes the proof-of-space tables of a batch of records. No arithmetic.
#pragma once

#include "cuda/kernels/choose_proofs.cuh"
#include "cuda/kernels/clear_tables.cuh"
#include "cuda/kernels/fill_table1.cuh"
#include "cuda/kernels/make_table.cuh"
#include "cuda/runtime/shared_memory.hpp"
#include "cuda/runtime/stream.hpp"

namespace furrow::cuda {

/// To be called once for each device on which make_proof_tables shall be quick: make_table needs its
/// blocks side by side to hide its latencies, and they need the shared memory.
template <unsigned K>
void prepare_proof_tables(StreamView stream) {
  for (const auto kernel : {make_table<K, 2>, make_table<K, 3>, make_table<K, 4>, make_table<K, 5>,
                            make_table<K, 6>, make_table<K, 7>}) {
    prefer_shared_memory(stream, reinterpret_cast<const void*>(kernel),
                         {.most = MakeTableTuning::kMostBlocks,
                          .threads = MakeTableShape::kThreads,
                          .n_shared = sizeof(MakeTableShared)});
  }
}

/// Makes tables 1 to 7 of `n` records. `d_seeds`: [n][8] little-endian words of the seeds.
template <unsigned K>
void make_proof_tables(StreamView stream, std::uint32_t n, const std::uint32_t* d_seeds,
                       ProofTablesBatch<K> batch) {
  constexpr std::uint32_t kRuns =
      (ProofTablesRef<K>::kNumPairs + MakeTableShape::kPairsPerBlock - 1) /
      MakeTableShape::kPairsPerBlock;
  constexpr std::uint32_t kTiles = core::pos::Params<K>::kTable1Entries / FillTable1Shape::kTile;
  const LaunchShape per_run{dim3(kRuns, n), dim3(MakeTableShape::kThreads)};
  launch(clear_tables<K>, {dim3(ClearTablesShape::kBlocks, n), dim3(ClearTablesShape::kThreads)},
         stream.get(), batch);
  launch(fill_table1<K>, {dim3(kTiles, n), dim3(FillTable1Shape::kThreads)}, stream.get(), d_seeds,
         batch);
  launch(make_table<K, 2>, per_run, stream.get(), batch);
  launch(make_table<K, 3>, per_run, stream.get(), batch);
  launch(make_table<K, 4>, per_run, stream.get(), batch);
  launch(make_table<K, 5>, per_run, stream.get(), batch);
  launch(make_table<K, 6>, per_run, stream.get(), batch);
  launch(make_table<K, 7>, per_run, stream.get(), batch);
}

/// Chooses the proofs of `n` records whose tables are made. `d_found`: [n][2048] words; `d_used`:
/// [n][32768] s-buckets; `d_status`: [n].
template <unsigned K>
void choose_all_proofs(StreamView stream, std::uint32_t n, ProofTablesBatch<K> batch,
                       std::uint32_t* d_found, std::uint16_t* d_used, RecordStatus* d_status) {
  launch(find_proofs<K>, {dim3(FindProofsShape::kBlocks, n), dim3(FindProofsShape::kThreads)},
         stream.get(), batch);
  launch(choose_proofs<K>, {dim3(ChooseProofsShape::kBlocks, n), dim3(ChooseProofsShape::kThreads)},
         stream.get(), batch, d_found, d_used, d_status);
}

}  // namespace furrow::cuda
