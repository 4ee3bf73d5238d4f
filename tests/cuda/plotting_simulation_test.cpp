// SPDX-License-Identifier: Apache-2.0
// How busy cards are when sectors of 1000 pieces are plotted: the real pipeline, pool, encoders and
// lanes, in virtual time. What they wait for is made up: cards, bus, and what the host computes.
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cuda/cuda_records_encoder.hpp"
#include "cuda/record_pipeline.hpp"
#include "cuda/runtime/device_buffer.hpp"
#include "cuda/simt.cuh"
#include "host/plotting/memory_plan.hpp"
#include "host/plotting/plot_pipeline.hpp"
#include "host/plotting/verified_encoder.hpp"
#include "simt/fake_cuda.hpp"
#include "tests/cuda/simulated_cards.hpp"

namespace furrow::cuda {
namespace {

using simt::FakeCuda;
using test::VirtualTime;

constexpr std::uint16_t kPieces = 1000;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

/// Of a bus, one way, as measured copies reach it.
constexpr double kGen3x4 = 3.2e9;
constexpr double kGen3x16 = 12e9;
constexpr double kGen4x16 = 24e9;
constexpr double kGen5x16 = 50e9;

/// What one core of a host takes for a sector of 1000 pieces, in seconds.
struct Host {
  unsigned cores;
  double pieces;  ///< of a source that is fast enough: hashes and copies
  double layout;
  double verification;                 ///< of one record
  double copy_bytes_per_second = 8e9;  ///< a third of what the machine below copies
};
/// As measured on one machine, bench/NOTES.md.
Host avx512(unsigned cores) {
  return {.cores = cores, .pieces = 0.25, .layout = 0.40, .verification = 0.12};
}
Host avx2(unsigned cores) {
  return {.cores = cores, .pieces = 0.40, .layout = 0.58, .verification = 0.18};
}
/// Seconds that the disk takes for a sector, which is nobody's work.
constexpr double kWriting = 0.1;

struct Card {
  CardSpeed speed;
  std::uint64_t memory_bytes;
  std::uint64_t vram_limit = 0;
};

/// With half of the s-buckets.
void encode_by_name_only(FoundProofs& found_proofs) {
  found_proofs.bytes.fill(0x5A);
}

__global__ void simulated_encoding(FoundProofs* found, RecordStatus* status) {
  encode_by_name_only(found[blockIdx.x]);
  status[blockIdx.x] = {kNumChunks, 0};
}

/// The order of copies and launches of the real one, and what it says of its memory. Records stay as
/// they are.
class SimulatedPipeline final : public BatchPipeline {
 public:
  SimulatedPipeline(StreamView stream, std::size_t max_records)
      : stream_(stream),
        d_seeds_(stream, max_records),
        d_records_(stream, max_records),
        d_found_(stream, max_records),
        d_status_(stream, max_records) {}

  void enqueue(std::size_t n, const PosSeed* seeds, const Record* records_in, Record* records_out,
               FoundProofs* found_out, RecordStatus* status_out, const BatchMarks& marks) override {
    const cudaStream_t stream = stream_.get();
    check(cudaMemcpyAsync(d_seeds_.data(), seeds, n * sizeof(PosSeed), cudaMemcpyHostToDevice,
                          stream));
    check(cudaMemcpyAsync(d_records_.data(), records_in, n * sizeof(Record), cudaMemcpyHostToDevice,
                          stream));
    marks.uploaded.record(stream_);
    launch(simulated_encoding, {dim3(static_cast<unsigned>(n)), dim3(1)}, stream, d_found_.data(),
           d_status_.data());
    marks.computed.record(stream_);
    check(cudaMemcpyAsync(records_out, d_records_.data(), n * sizeof(Record),
                          cudaMemcpyDeviceToHost, stream));
    check(cudaMemcpyAsync(found_out, d_found_.data(), n * sizeof(FoundProofs),
                          cudaMemcpyDeviceToHost, stream));
    check(cudaMemcpyAsync(status_out, d_status_.data(), n * sizeof(RecordStatus),
                          cudaMemcpyDeviceToHost, stream));
  }

 private:
  StreamView stream_;
  DeviceBuffer<PosSeed> d_seeds_;
  DeviceBuffer<Record> d_records_;
  DeviceBuffer<FoundProofs> d_found_;
  DeviceBuffer<RecordStatus> d_status_;
};

BatchPipelines simulated_pipelines() {
  return {.device_bytes = RecordPipeline::device_bytes,
          .make = [](StreamView stream, std::size_t max_records) {
            return std::make_unique<SimulatedPipeline>(stream, max_records);
          }};
}

/// A block of which each megabyte is the same one: all records are alike, and a sector takes no
/// memory.
MemoryBlock same_megabyte_everywhere(std::size_t n_bytes) {
  const int file = ::memfd_create("records", MFD_CLOEXEC);
  EXPECT_EQ(::ftruncate(file, sizeof(Record)), 0);
  const MemoryBlock block = make_page_block(n_bytes);
  for (std::size_t at = 0; at < n_bytes; at += sizeof(Record)) {
    EXPECT_NE(::mmap(block.get() + at, sizeof(Record), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_FIXED, file, 0),
              MAP_FAILED);
  }
  ::close(file);
  return block;
}

class SimulatedPieces final : public PieceGetter {
 public:
  SimulatedPieces(VirtualTime& time, double seconds) : time_(time), seconds_(seconds) {}
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token /*stop*/) override {
    time_.compute(seconds_);
    for (const PieceIndex index : indices) {
      sink(index, PieceAnswer::found(piece_));
    }
  }

 private:
  VirtualTime& time_;
  double seconds_;
  PiecePtr piece_ = std::make_unique<Piece>();
};

class PlottingSimulation : public testing::Test {
 protected:
  ~PlottingSimulation() override { FakeCuda::reset(); }

  /// Plots, and says of each card for how much of the time it encoded.
  static std::vector<double> plot(const Host& host, const std::vector<Card>& cards,
                                  std::uint16_t n_sectors) {
    VirtualTime time(host.cores);
    std::vector<simt::FakeDevice> devices = simt::fake_devices(static_cast<int>(cards.size()));
    std::vector<CardSpeed> speeds;
    for (std::size_t i = 0; i < cards.size(); ++i) {
      devices[i].memory_bytes = cards[i].memory_bytes;
      speeds.push_back(cards[i].speed);
    }
    FakeCuda::set_devices(devices);
    FakeCuda::set_stream_order(std::nullopt);  // when things are done is told by the virtual time
    SimulatedCards simulated(time, speeds, host.copy_bytes_per_second);
    plot_sectors_of(host, cards, time, n_sectors);

    std::vector<double> result;
    std::cout << "  " << host.cores << " cores, layout " << host.layout << " s:";
    for (std::size_t i = 0; i < cards.size(); ++i) {
      result.push_back(simulated.utilisation(i));
      std::cout << (i == 0 ? " " : ", ") << 100 * result.back() << " %";
    }
    std::cout << " encoding; " << simulated.elapsed() / n_sectors << " s a sector, "
              << time.computed() / n_sectors << " s of cores\n";
    return result;
  }

  static void expect_busy(const Host& host, const std::vector<Card>& cards,
                          std::uint16_t n_sectors = 6) {
    for (const double utilisation : plot(host, cards, n_sectors)) {
      EXPECT_GE(utilisation, 0.97);
    }
  }

 private:
  static void plot_sectors_of(const Host& host, const std::vector<Card>& cards, VirtualTime& time,
                              std::uint16_t n_sectors) {
    const EncodeOneRecord on_cpu = [&](Network, const SectorId&, PieceOffset, Record&,
                                       FoundProofs& found_proofs, const MayGoOn&) {
      time.compute(host.verification);
      encode_by_name_only(found_proofs);
      return EncodeOutcome::kComplete;
    };
    EncoderPool::Options of_pool;
    for (std::size_t i = 0; i < cards.size(); ++i) {
      auto encoder = std::make_unique<CudaRecordsEncoder>(
          CudaEncoderOptions{
              .device = static_cast<int>(i), .vram_limit = cards[i].vram_limit, .fallback = on_cpu},
          simulated_pipelines());
      of_pool.encoders.push_back(std::make_unique<VerifiedEncoder>(
          std::move(encoder), VerifiedEncoder::Options{.reference = on_cpu}));
    }
    EncoderPool pool(std::move(of_pool));
    SimulatedPieces pieces(time, host.pieces);
    const MemorySettings memory = default_memory_settings(kPieces, host.cores, cards.size());
    const PlotPipelineOptions options{
        .download = {.piece_getter = pieces},
        .encoders = pool,
        .sectors_in_memory = memory.sectors_in_memory,
        .output_buffers = memory.output_buffers,
        .lay_out = [&](const EncodedSector&,
                       std::vector<std::uint8_t>&) { time.compute(host.layout); },
        .memory = same_megabyte_everywhere};
    std::uint16_t n_planned = 0;
    std::uint16_t n_written = 0;
    const PlotResult result = plot_sectors(
        [&]() -> std::optional<SectorPlan> {
          if (n_planned == n_sectors) {
            return std::nullopt;
          }
          SectorPlan plan;
          plan.protocol_info.history_size = HistorySize::from_count(1);
          plan.sector_index = SectorIndex(n_planned++);
          plan.pieces_in_sector = kPieces;
          return plan;
        },
        options,
        [&](const PlottedSector&, std::span<const std::uint8_t>) {
          time.wait_until(time.now() + kWriting);
          ++n_written;
        },
        {});
    EXPECT_EQ(result.outcome, PlotOutcome::kFinished);
    EXPECT_TRUE(result.given_up.empty());
    EXPECT_EQ(n_written, n_sectors);
  }
};

TEST(VirtualTime, IsOfWhoeverWakesNextAndOfCoresThatAreShared) {
  VirtualTime time(2);
  std::vector<double> ends(4);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < 3; ++i) {  // on two cores, until the first has had its second
      threads.emplace_back([&time, &end = ends[i], i] {
        time.compute(1.0 + static_cast<double>(i));
        end = time.now();
      });
    }
    threads.emplace_back([&time, &end = ends[3]] {
      time.wait_until(0.25);
      time.wait_until(0.125);
      end = time.now();
    });
  }
  EXPECT_DOUBLE_EQ(ends[0], 1.5);
  EXPECT_DOUBLE_EQ(ends[1], 2.5);
  EXPECT_DOUBLE_EQ(ends[2], 3.5);
  EXPECT_DOUBLE_EQ(ends[3], 0.25);
  EXPECT_DOUBLE_EQ(time.computed(), 6.0);
}

constexpr Card kH200 = {{0.5e-3, kGen5x16}, 139 * kGiB};
constexpr Card kFastCard = {{0.5e-3, kGen4x16}, 24 * kGiB};
constexpr Card kFastCardBehindASlowBus = {{0.5e-3, kGen3x4}, 24 * kGiB};
constexpr Card kCardOf6GB = {{2.6e-3, kGen3x16}, 6 * kGiB};

TEST_F(PlottingSimulation, OfAnH200) {
  expect_busy(avx512(16), {kH200});
}

TEST_F(PlottingSimulation, OfAFastCardInADesktop) {
  expect_busy(avx2(8), {kFastCard});
}

TEST_F(PlottingSimulation, OfAFastCardBehindASlowBus) {
  expect_busy(avx2(8), {kFastCardBehindASlowBus});
}

TEST_F(PlottingSimulation, OfAFastCardWithFourCores) {
  expect_busy(avx2(4), {kFastCard});
}

TEST_F(PlottingSimulation, OfACardOf6GBWithTwoCores) {
  expect_busy(avx2(2), {kCardOf6GB});
}

TEST_F(PlottingSimulation, OfTwoUnequalCards) {
  expect_busy(avx2(8), {kFastCard, kCardOf6GB}, 10);
}

TEST_F(PlottingSimulation, OfFourCardsInOneHost) {
  constexpr Card kCard = {{1e-3, kGen3x16}, 12 * kGiB};
  Host host = avx2(16);
  host.pieces = 0.15;  // four sectors a second: no single thread would hash so much
  expect_busy(host, {kCard, kCard, kCard, kCard}, 16);
}

TEST_F(PlottingSimulation, OfACardThatMayUseLittleOfItsMemory) {
  Card card = kFastCard;
  card.vram_limit = RecordPipeline::device_bytes(1) * 3;  // three lanes of one record
  expect_busy(avx2(8), {card});
}

}  // namespace
}  // namespace furrow::cuda
