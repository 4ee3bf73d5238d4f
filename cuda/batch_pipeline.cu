// SPDX-License-Identifier: Apache-2.0
#include "cuda/batch_pipeline.hpp"
#include "cuda/record_pipeline.hpp"

namespace furrow::cuda {
namespace {

class RealPipeline final : public BatchPipeline {
 public:
  RealPipeline(StreamView stream, std::size_t max_records) : pipeline_(stream, max_records) {}
  void enqueue(std::size_t n, const PosSeed* seeds, const Record* records_in, Record* records_out,
               FoundProofs* found_out, RecordStatus* status_out, const BatchMarks& marks) override {
    pipeline_.enqueue(n, seeds, records_in, records_out, found_out, status_out, &marks);
  }

 private:
  RecordPipeline pipeline_;
};

}  // namespace

BatchPipelines record_pipelines() {
  return {.device_bytes = RecordPipeline::device_bytes,
          .make = [](StreamView stream, std::size_t max_records) {
            return std::make_unique<RealPipeline>(stream, max_records);
          }};
}

}  // namespace furrow::cuda
