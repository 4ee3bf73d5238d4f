// SPDX-License-Identifier: Apache-2.0
#include "cuda/record_pipeline.cuh"

namespace furrow::cuda {

template class RecordPipelineOf<kPosK>;
#if !defined(__CUDACC__)
template class RecordPipelineOf<kTrialK>;
#endif

}  // namespace furrow::cuda
