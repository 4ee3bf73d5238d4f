// SPDX-License-Identifier: Apache-2.0
// The definitions of RecordPipelineOf, for who needs it for another K than the network's.
#pragma once

#include <limits>
#include <string>

#include "furrow/errors.hpp"

#include "cuda/kernels/encode_chunks.cuh"
#include "cuda/proof_pipeline.cuh"
#include "cuda/record_pipeline.hpp"
#include "cuda/runtime/check.hpp"

namespace furrow::cuda {

inline std::size_t checked_batch(std::size_t max_records) {
  if (max_records == 0 || max_records > std::numeric_limits<std::uint16_t>::max()) {
    throw InvalidArgument("record pipeline: expected batches of 1 to 65535 records, actual " +
                          std::to_string(max_records));
  }
  return max_records;
}

template <unsigned K>
std::size_t RecordPipelineOf<K>::device_bytes(std::size_t max_records) {
  return ErasureTable::kDeviceBytes +
         max_records *
             (ProofTablesRef<K>::bytes() + sizeof(PosSeed) + 3 * sizeof(Record) +
              sizeof(FoundProofs) + kNumChunks * sizeof(std::uint16_t) + sizeof(RecordStatus));
}

template <unsigned K>
RecordPipelineOf<K>::RecordPipelineOf(StreamView stream, std::size_t max_records)
    : stream_(stream),
      max_records_(checked_batch(max_records)),
      erasure_(stream),
      d_tables_(stream, max_records * ProofTablesRef<K>::bytes()),
      d_seeds_(stream, max_records),
      d_source_(stream, max_records),
      d_parity_(stream, max_records),
      d_encoded_(stream, max_records),
      d_found_(stream, max_records),
      d_used_(stream, max_records * kNumChunks),
      d_status_(stream, max_records) {
  prepare_proof_tables<K>(stream);
}

template <unsigned K>
void RecordPipelineOf<K>::enqueue(std::size_t n, const PosSeed* seeds, const Record* records_in,
                                  Record* records_out, FoundProofs* found_out,
                                  RecordStatus* status_out, const BatchMarks* marks) {
  if (n == 0 || n > max_records_) {
    throw InvalidArgument("record pipeline: expected 1 to " + std::to_string(max_records_) +
                          " records, actual " + std::to_string(n));
  }
  const auto count = static_cast<std::uint32_t>(n);
  const cudaStream_t stream = stream_.get();
  const ProofTablesBatch<K> tables(d_tables_.data());

  check(
      cudaMemcpyAsync(d_seeds_.data(), seeds, n * sizeof(PosSeed), cudaMemcpyHostToDevice, stream));
  check(cudaMemcpyAsync(d_source_.data(), records_in, n * sizeof(Record), cudaMemcpyHostToDevice,
                        stream));
  if (marks != nullptr) {
    marks->uploaded.record(stream_);
  }
  make_proof_tables<K>(stream_, count, reinterpret_cast<std::uint32_t*>(d_seeds_.data()), tables);
  choose_all_proofs<K>(stream_, count, tables, reinterpret_cast<std::uint32_t*>(d_found_.data()),
                       d_used_.data(), d_status_.data());
  extend_records(stream_, erasure_,
                 {.n_records = n,
                  .d_source = reinterpret_cast<const std::uint8_t*>(d_source_.data()),
                  .d_parity = reinterpret_cast<std::uint8_t*>(d_parity_.data())});
  launch(encode_chunks<K>,
         {dim3(kNumChunks / EncodeChunksShape::kProofs, count), dim3(EncodeChunksShape::kThreads)},
         stream, tables, d_used_.data(), d_status_.data(),
         reinterpret_cast<const uint4*>(d_source_.data()),
         reinterpret_cast<const uint4*>(d_parity_.data()),
         reinterpret_cast<uint4*>(d_encoded_.data()));
  if (marks != nullptr) {
    marks->computed.record(stream_);
  }
  check(cudaMemcpyAsync(records_out, d_encoded_.data(), n * sizeof(Record), cudaMemcpyDeviceToHost,
                        stream));
  check(cudaMemcpyAsync(found_out, d_found_.data(), n * sizeof(FoundProofs), cudaMemcpyDeviceToHost,
                        stream));
  check(cudaMemcpyAsync(status_out, d_status_.data(), n * sizeof(RecordStatus),
                        cudaMemcpyDeviceToHost, stream));
}

template <unsigned K>
void RecordPipelineOf<K>::forget_results() {
  const cudaStream_t stream = stream_.get();
  check(cudaMemsetAsync(d_encoded_.data(), 0, d_encoded_.n_bytes(), stream));
  check(cudaMemsetAsync(d_found_.data(), 0, d_found_.n_bytes(), stream));
  check(cudaMemsetAsync(d_status_.data(), 0, d_status_.n_bytes(), stream));
}

}  // namespace furrow::cuda
