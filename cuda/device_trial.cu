// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "furrow/cuda.hpp"

#include "cuda/record_pipeline.hpp"
#include "cuda/runtime/check.hpp"
#include "cuda/runtime/retry.hpp"

namespace furrow::cuda {
namespace {

struct Outcome {
  Record record;
  FoundProofs found_proofs;
  RecordStatus status{};
};

/// The memory is ordinary, so the copies wait, and nothing is left in flight when one fails.
std::unique_ptr<Outcome> encode_once(StreamView stream, const PosSeed& seed, const Record& record) {
  auto outcome = std::make_unique<Outcome>();
  RecordPipelineOf<kTrialK> pipeline(stream, 1);
  // The same record may have been encoded there before, by a device that has stopped working since.
  pipeline.forget_results();
  pipeline.enqueue(1, &seed, &record, &outcome->record, &outcome->found_proofs, &outcome->status);
  stream.synchronize();
  return outcome;
}

std::string why_nothing_is_encoded(const RecordStatus& status) {
  return "it does not encode a known record: expected " + std::to_string(kNumChunks) +
         " proofs and room for all entries, actual " + std::to_string(status.n_proofs) +
         " proofs and " + std::to_string(status.n_overflows) + " entries without room";
}

}  // namespace
}  // namespace furrow::cuda

namespace furrow {

CudaTrial try_cuda_device(int device, const PosSeed& seed, Record& record,
                          FoundProofs& found_proofs) {
  try {
    CudaTrial trial{.k = cuda::kTrialK};
    const auto outcome = cuda::with_attempts([&] {
      const cuda::Stream stream(device);
      trial.free_bytes = cuda::free_device_bytes();
      auto encoded = cuda::encode_once(stream, seed, record);
      stream.view().synchronize();  // for its memory, which the encoder will want
      return encoded;
    });
    if (!cuda::is_encoded(outcome->status)) {
      throw EncoderError(cuda::why_nothing_is_encoded(outcome->status));
    }
    record = outcome->record;
    found_proofs = outcome->found_proofs;
    return trial;
  } catch (const cuda::CudaError& error) {
    throw EncoderError(error.what());
  }
}

}  // namespace furrow
