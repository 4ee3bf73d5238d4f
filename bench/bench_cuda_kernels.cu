// SPDX-License-Identifier: Apache-2.0
// Each kernel on its own: the steps of a batch of records.
#include <memory>
#include <utility>

#include "furrow/types.hpp"

#include "bench/cuda_bench.hpp"
#include "cuda/erasure.hpp"
#include "cuda/kernels/encode_chunks.cuh"
#include "cuda/proof_pipeline.cuh"
#include "cuda/runtime/check.hpp"
#include "cuda/runtime/device_buffer.hpp"

namespace furrow::cuda {
namespace {

using Tables = ProofTablesRef<kPosK>;

constexpr double kEntries = 1 << 20;  // of a table, on average

template <class T>
void upload(StreamView stream, T* d_to, const std::vector<std::uint8_t>& bytes) {
  check(cudaMemcpyAsync(d_to, bytes.data(), bytes.size(), cudaMemcpyHostToDevice, stream.get()));
  stream.synchronize();
}

/// A batch of records in device memory, and the launches that encode it one by one.
class Batch {
 public:
  struct Step {
    const char* name;
    Work per_record;
    std::function<void()> enqueue;
  };

  explicit Batch(std::size_t n)
      : stream_(0),
        n_(static_cast<std::uint32_t>(n)),
        erasure_(stream_),
        tables_(stream_, n * Tables::bytes()),
        seeds_(stream_, 8 * n),
        source_(stream_, n),
        parity_(stream_, n),
        encoded_(stream_, n),
        found_(stream_, n * kNumSBuckets / 32),
        used_(stream_, n * kNumChunks),
        status_(stream_, n) {
    upload(stream_, seeds_.data(), made_up_bytes(32 * n, 1));
    upload(stream_, source_.data(), made_up_bytes(n * sizeof(Record), 2));
    prepare_proof_tables<kPosK>(stream_);
    add_table_steps();
    add_other_steps();
  }

  [[nodiscard]] StreamView stream() const { return stream_; }
  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }

 private:
  void add_table_steps() {
    constexpr std::uint32_t kTiles =
        core::pos::Params<kPosK>::kTable1Entries / FillTable1Shape::kTile;
    constexpr double kClearedBytes = 4.0 * Tables::kZeroWords + 8.0 * Tables::kNumTargets;
    steps_.push_back({"clear_tables", {.bytes = kClearedBytes}, [this] {
                        launch(
                            clear_tables<kPosK>,
                            {dim3(ClearTablesShape::kBlocks, n_), dim3(ClearTablesShape::kThreads)},
                            queue(), batch());
                      }});
    steps_.push_back({"fill_table1", {.bytes = 4 * kEntries}, [this] {
                        launch(fill_table1<kPosK>,
                               {dim3(kTiles, n_), dim3(FillTable1Shape::kThreads)}, queue(),
                               seeds_.data(), batch());
                      }});
    add_make_table<2>("make_table_2", (4 + 16) * kEntries);
    add_make_table<3>("make_table_3", (16 + 16) * kEntries);
    add_make_table<4>("make_table_4", (16 + 20) * kEntries);
    add_make_table<5>("make_table_5", (16 + 16) * kEntries);
    add_make_table<6>("make_table_6", (16 + 16) * kEntries);
    add_make_table<7>("make_table_7", 16 * kEntries);
  }

  template <unsigned kTable>
  void add_make_table(const char* name, double n_bytes) {
    constexpr std::uint32_t kRuns =
        (Tables::kNumPairs + MakeTableShape::kPairsPerBlock - 1) / MakeTableShape::kPairsPerBlock;
    steps_.push_back({name, {.bytes = n_bytes}, [this] {
                        launch(make_table<kPosK, kTable>,
                               {dim3(kRuns, n_), dim3(MakeTableShape::kThreads)}, queue(), batch());
                      }});
  }

  void add_other_steps() {
    steps_.push_back({"choose_proofs", {.bytes = 8.0 * kNumSBuckets}, [this] {
                        choose_all_proofs<kPosK>(stream_, n_, batch(), found_.data(), used_.data(),
                                                 status_.data());
                      }});
    steps_.push_back({"erasure_extend", {.bytes = 2.0 * kRecordSize}, [this] {
                        extend_records(
                            stream_, erasure_,
                            {.n_records = n_,
                             .d_source = reinterpret_cast<const std::uint8_t*>(source_.data()),
                             .d_parity = reinterpret_cast<std::uint8_t*>(parity_.data())});
                      }});
    steps_.push_back({"encode_chunks", {.bytes = 3.0 * kRecordSize}, [this] {
                        launch(encode_chunks<kPosK>,
                               {dim3(kNumChunks / EncodeChunksShape::kProofs, n_),
                                dim3(EncodeChunksShape::kThreads)},
                               queue(), batch(), used_.data(), status_.data(),
                               reinterpret_cast<const uint4*>(source_.data()),
                               reinterpret_cast<const uint4*>(parity_.data()),
                               reinterpret_cast<uint4*>(encoded_.data()));
                      }});
  }

  [[nodiscard]] cudaStream_t queue() const { return stream_.view().get(); }
  [[nodiscard]] ProofTablesBatch<kPosK> batch() const {
    return ProofTablesBatch<kPosK>(tables_.data());
  }

  Stream stream_;
  std::uint32_t n_;
  ErasureTable erasure_;
  DeviceBuffer<std::byte> tables_;
  DeviceBuffer<std::uint32_t> seeds_;
  DeviceBuffer<Record> source_;
  DeviceBuffer<Record> parity_;
  DeviceBuffer<Record> encoded_;
  DeviceBuffer<std::uint32_t> found_;
  DeviceBuffer<std::uint16_t> used_;
  DeviceBuffer<RecordStatus> status_;
  std::vector<Step> steps_;
};

/// One step of a batch. A step needs the steps before it, so all of them run; one is timed.
void step_of_batch(benchmark::State& state, std::size_t index) {
  const auto n = static_cast<double>(state.range(0));
  const Batch batch(static_cast<std::size_t>(state.range(0)));
  double total = 0;
  for (auto _ : state) {
    PartTimer timer;
    for (std::size_t i = 0; i < batch.steps().size(); ++i) {
      if (i == index) {
        timer.around(batch.stream(), batch.steps()[i].enqueue);
      } else {
        batch.steps()[i].enqueue();
      }
    }
    const double seconds = timer.seconds();
    batch.stream().synchronize();
    state.SetIterationTime(seconds);
    total += seconds;
  }
  Work work = batch.steps()[index].per_record;
  work.records = n;
  work.bytes *= n;
  report(state, work, total);
}

}  // namespace

void register_kernel_benchmarks() {
  constexpr std::int64_t kIterations = 20;
  const std::int64_t most = fitting(32, Tables::bytes() + 3 * sizeof(Record));
  const Batch names(1);
  for (std::size_t i = 0; i < names.steps().size(); ++i) {
    auto* const step =
        benchmark::RegisterBenchmark((std::string("kernel/") + names.steps()[i].name).c_str(),
                                     [i](benchmark::State& state) { step_of_batch(state, i); });
    step->ArgName("batch")->Arg(1)->UseManualTime()->Unit(benchmark::kMillisecond);
    step->Iterations(kIterations);
    if (most > 1) {
      step->Arg(most);
    }
  }
}

}  // namespace furrow::cuda
