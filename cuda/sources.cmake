# SPDX-License-Identifier: Apache-2.0
# The sources of the CUDA engine. They are compiled twice: by nvcc into furrow_cuda, and by the host
# compiler, as C++, against the harness of tests/simt. What defines or launches kernels is compiled for
# each architecture; for the rest once is enough.
set(FURROW_CUDA_KERNEL_SOURCES
  cuda/cuda_devices.cu
  cuda/erasure.cu
  cuda/record_pipeline.cu)
set(FURROW_CUDA_HOST_SOURCES
  cuda/batch_pipeline.cu
  cuda/device_trial.cu
  cuda/encoder_memory.cu
  cuda/cuda_records_encoder.cu
  cuda/lane.cu
  cuda/lane_plan.cu
  cuda/runtime/check.cu
  cuda/runtime/device_buffer.cu
  cuda/runtime/device_clock.cu
  cuda/runtime/event.cu
  cuda/runtime/log.cu
  cuda/runtime/patience.cu
  cuda/runtime/pinned_buffer.cu
  cuda/runtime/shared_memory.cu
  cuda/runtime/staging_memory.cu
  cuda/runtime/stream.cu
  cuda/transfer_time.cu)
list(TRANSFORM FURROW_CUDA_KERNEL_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/)
list(TRANSFORM FURROW_CUDA_HOST_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/)
set(FURROW_CUDA_SOURCES ${FURROW_CUDA_KERNEL_SOURCES} ${FURROW_CUDA_HOST_SOURCES})
