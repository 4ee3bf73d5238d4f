// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <vector>

#include "furrow/core/gf16.hpp"
#include "furrow/errors.hpp"

#include "cuda/erasure.hpp"
#include "cuda/kernels/erasure_extend.cuh"
#include "cuda/runtime/check.hpp"

namespace furrow::cuda {
namespace {

constexpr std::size_t kNumFactors = core::gf16::kOrder / 2;
static_assert(kNumFactors * sizeof(FactorProducts) == ErasureTable::kDeviceBytes);

/// Most blocks in y direction that CUDA allows; records beyond are reached by striding.
constexpr std::size_t kMaxGridY = 65535;

/// Products are linear in the factor too, so those of w follow from those of its bits.
std::vector<FactorProducts> make_products() {
  FactorProducts of_bit[16] = {};
  for (unsigned bit = 1; bit < 16; ++bit) {
    for (unsigned k = 0; k < 8; ++k) {
      const auto product = [&](unsigned i) {
        return std::uint32_t{core::gf16::multiply(static_cast<core::gf16::Element>(1U << bit),
                                                  static_cast<core::gf16::Element>(1U << i))};
      };
      of_bit[bit].words[k] = product(k) | product(k + 8) << 16;
    }
  }
  std::vector<FactorProducts> products(kNumFactors);
  for (std::size_t i = 1; i < kNumFactors; ++i) {
    const std::size_t rest = i & (i - 1);  // without the lowest bit
    unsigned bit = 0;
    while ((i >> bit & 1) == 0) {
      ++bit;
    }
    for (unsigned k = 0; k < 8; ++k) {
      products[i].words[k] = products[rest].words[k] ^ of_bit[bit + 1].words[k];
    }
  }
  return products;
}

using ErasureKernel = void (*)(ErasurePassView);
constexpr unsigned kMaxPasses = 3;  // in each direction, the last one is the first one back
constexpr ErasureKernel kToCoefficients[kMaxPasses - 1] = {
    erasure_pass<ErasurePass::kToCoefficients, 0>, erasure_pass<ErasurePass::kToCoefficients, 5>};
constexpr ErasureKernel kBoth[kMaxPasses] = {erasure_pass<ErasurePass::kBoth, 0>,
                                             erasure_pass<ErasurePass::kBoth, 5>,
                                             erasure_pass<ErasurePass::kBoth, 10>};
constexpr ErasureKernel kToValues[kMaxPasses - 1] = {erasure_pass<ErasurePass::kToValues, 0>,
                                                     erasure_pass<ErasurePass::kToValues, 5>};

bool is_word_multiple(std::uint64_t value) {
  return value % sizeof(std::uint32_t) == 0;
}

void check_batch(const ErasureBatch& batch) {
  if (batch.log_chunks != 5 && batch.log_chunks != 10 && batch.log_chunks != 15) {
    throw InvalidArgument(
        "erasure code on the device: expected 2^5, 2^10 or 2^15 chunks, actual 2^" +
        std::to_string(batch.log_chunks));
  }
  if (batch.n_records > UINT32_MAX) {
    throw InvalidArgument("erasure code on the device: expected fewer than 2^32 records, actual " +
                          std::to_string(batch.n_records));
  }
  const auto n_bytes = std::uint64_t{kChunkSize} << batch.log_chunks;
  if (batch.source_stride < n_bytes || batch.parity_stride < n_bytes) {
    throw InvalidArgument("erasure code on the device: expected records at least " +
                          std::to_string(n_bytes) + " bytes apart, actual " +
                          std::to_string(std::min(batch.source_stride, batch.parity_stride)));
  }
  if (!is_word_multiple(reinterpret_cast<std::uintptr_t>(batch.d_source)) ||
      !is_word_multiple(reinterpret_cast<std::uintptr_t>(batch.d_parity)) ||
      !is_word_multiple(batch.source_stride) || !is_word_multiple(batch.parity_stride)) {
    throw InvalidArgument(
        "erasure code on the device: source and parity must be aligned to 4 bytes");
  }
}

}  // namespace

ErasureTable::ErasureTable(StreamView stream)
    : products_(stream, kDeviceBytes / sizeof(std::uint32_t)) {
  const std::vector<FactorProducts> products = make_products();
  check(cudaMemcpyAsync(products_.data(), products.data(), kDeviceBytes, cudaMemcpyHostToDevice,
                        stream.get()),
        "cudaMemcpyAsync");
  stream.synchronize();
}

void extend_records(StreamView stream, const ErasureTable& table, const ErasureBatch& batch) {
  check_batch(batch);
  if (batch.n_records == 0) {
    return;
  }
  const std::uint32_t n_points = 1U << batch.log_chunks;
  ErasurePassView view{
      .in = reinterpret_cast<const std::uint32_t*>(batch.d_source),
      .out = reinterpret_cast<std::uint32_t*>(batch.d_parity),
      .in_stride = batch.source_stride / sizeof(std::uint32_t),
      .out_stride = batch.parity_stride / sizeof(std::uint32_t),
      .n_records = static_cast<std::uint32_t>(batch.n_records),
      .n_points = n_points,
      .first_point = n_points,  // sources have the points from n on, parity those from 0 on
      .products = reinterpret_cast<const FactorProducts*>(table.data())};
  const LaunchShape shape{
      .grid = dim3((n_points + ErasureShape::kThreads - 1) / ErasureShape::kThreads,
                   static_cast<unsigned>(std::min(batch.n_records, kMaxGridY))),
      .block = dim3(ErasureShape::kThreads)};
  const unsigned last = batch.log_chunks / ErasureShape::kLayers - 1;
  const auto run = [&](ErasureKernel kernel) {
    launch(kernel, shape, stream.get(), view);
    view.in = view.out;
    view.in_stride = view.out_stride;
  };
  for (unsigned pass = 0; pass < last; ++pass) {
    run(kToCoefficients[pass]);
  }
  run(kBoth[last]);
  for (unsigned pass = last; pass-- > 0;) {
    run(kToValues[pass]);
  }
}

}  // namespace furrow::cuda
