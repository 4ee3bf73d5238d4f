// SPDX-License-Identifier: Apache-2.0
// The packing pipeline (docs/spec/08-storage-components.md, sections 1.3 to 1.6).
#include "host/store/pack_pipeline.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "host/base/foreign_error.hpp"
#include "tests/unit/store/pack/pack_fixture.hpp"

namespace furrow {
namespace {

using test::Bytes;
using test::ListSource;

Bytes decompressed(std::span<const std::uint8_t> frame, std::size_t size) {
  Bytes bytes(size);
  zstd_decompress(frame, bytes, "chunk");
  return bytes;
}

std::vector<RawChunk> numbered_chunks(std::size_t n, std::size_t size) {
  std::vector<RawChunk> chunks;
  for (std::size_t i = 0; i < n; ++i) {
    chunks.push_back({.key = i * size, .data = Bytes(size, static_cast<std::uint8_t>(i))});
  }
  return chunks;
}

std::vector<PackedChunk> pack_all(std::vector<RawChunk> chunks, const PackConfig& config,
                                  const Compressor& compressor = ZstdCompressor()) {
  ListSource source(std::move(chunks));
  std::vector<PackedChunk> result;
  EXPECT_EQ(pack_chunks(source, compressor, config,
                        [&](PackedChunk chunk) { result.push_back(std::move(chunk)); }),
            PackOutcome::kFinished);
  return result;
}

/// Threads of this process, with the one that a thread sanitizer adds when the first is started.
std::size_t n_threads() {
  [[maybe_unused]] static const bool has_started_one = (std::thread([] {}).join(), true);
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator("/proc/self/task")) {
    ++n;
  }
  return n;
}

/// Waits until no more than `n` are left: a thread that was joined may be listed a moment longer.
void wait_for_threads(std::size_t n) {
  while (n_threads() > n) {
    std::this_thread::yield();
  }
}

/// Calls a function for each chunk, instead of compressing it.
class CompressorOf : public Compressor {
 public:
  using Function = std::function<void(std::span<const std::uint8_t>)>;
  explicit CompressorOf(Function function) : function_(std::move(function)) {}
  std::optional<Bytes> compress(std::span<const std::uint8_t> bytes) const override {
    function_(bytes);
    return std::nullopt;
  }

 private:
  Function function_;
};

/// Chunks of one byte that hold their number, up to `n`; calls a function before each, and at the
/// end.
class SourceOf : public ChunkSource {
 public:
  using Function = std::function<void(std::uint64_t)>;
  SourceOf(std::uint64_t n, Function function) : n_(n), function_(std::move(function)) {}
  std::optional<RawChunk> next() override {
    function_(next_);
    if (next_ == n_) {
      return std::nullopt;
    }
    const std::uint64_t i = next_++;
    return RawChunk{.key = i, .data = Bytes(1, static_cast<std::uint8_t>(i))};
  }

 private:
  std::uint64_t n_;
  std::uint64_t next_ = 0;
  Function function_;
};

/// Which of the four that may fail does so at chunk `at`, and how.
template <class Failure>
void expect_first_error(const PackConfig& config, std::uint64_t at) {
  const auto fail_at = [at](std::uint64_t number) {
    if (number == at) {
      throw Failure("chunk " + std::to_string(number));
    }
  };
  const auto fail_at_byte = [&](std::span<const std::uint8_t> bytes) { fail_at(bytes[0]); };
  const auto nothing = [](auto&&...) {};
  const auto run = [&](const SourceOf::Function& on_next, const CompressorOf::Function& on_compress,
                       const std::function<void(const RawChunk&)>& on_verify,
                       const std::function<void(std::uint64_t)>& on_write) {
    SourceOf source(200, on_next);
    PackConfig all = config;
    all.verify = on_verify;
    const std::size_t before = n_threads();
    std::uint64_t n_written = 0;
    try {
      pack_chunks(source, CompressorOf(on_compress), all, [&](const PackedChunk& chunk) {
        EXPECT_EQ(chunk.key, n_written) << "what is written is the beginning of the input";
        on_write(chunk.key);
        ++n_written;
      });
      ADD_FAILURE() << "no error";
    } catch (const Failure& error) {
      EXPECT_TRUE(std::string_view(error.what()).ends_with("chunk " + std::to_string(at)))
          << error.what();
    }
    EXPECT_LE(n_written, at);
    wait_for_threads(before);
  };
  run(fail_at, nothing, nothing, nothing);
  run(nothing, fail_at_byte, nothing, nothing);
  run(
      nothing, nothing, [&](const RawChunk& chunk) { fail_at(chunk.key); }, nothing);
  run(nothing, nothing, nothing, fail_at);
}

struct PackShape {
  unsigned num_workers;
  std::size_t max_chunks_in_flight;
};

class PackPipelineShapes : public ::testing::TestWithParam<PackShape> {
 protected:
  [[nodiscard]] static PackConfig config() {
    return {.num_workers = GetParam().num_workers,
            .max_chunks_in_flight = GetParam().max_chunks_in_flight};
  }
};

TEST_P(PackPipelineShapes, EveryChunkIsWrittenOnceInTheOrderOfTheSource) {
  for (const std::size_t n : {1U, 2U, 3U, 100U}) {
    SCOPED_TRACE(n);
    const std::vector<RawChunk> chunks = numbered_chunks(n, 1000);
    const std::vector<PackedChunk> packed = pack_all(chunks, config());
    ASSERT_EQ(packed.size(), n);
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_EQ(packed[i].key, chunks[i].key);
      EXPECT_EQ(packed[i].original_size, 1000U);
      EXPECT_EQ(packed[i].codec, PackCodec::kZstd);
      EXPECT_EQ(packed[i].hash, blake3(chunks[i].data));
      EXPECT_EQ(decompressed(packed[i].stored, 1000), chunks[i].data);
    }
  }
}

TEST_P(PackPipelineShapes, TheFirstErrorOfAnyStageEndsAllAndIsReported) {
  for (const std::uint64_t at : {0U, 1U, 57U, 199U}) {
    SCOPED_TRACE(at);
    expect_first_error<MalformedData>(config(), at);
    expect_first_error<std::runtime_error>(config(), at);
  }
}

TEST_P(PackPipelineShapes, AStopRequestFromAnyStageIsAnOutcome) {
  for (const std::uint64_t at : {0U, 1U, 57U}) {
    for (int stage = 0; stage < 3; ++stage) {
      SCOPED_TRACE("stage " + std::to_string(stage) + " at " + std::to_string(at));
      std::stop_source stop;
      const auto stop_at = [&](int in_stage, std::uint64_t number) {
        if (in_stage == stage && number == at) {
          stop.request_stop();
        }
      };
      SourceOf source(200, [&](std::uint64_t number) { stop_at(0, number); });
      const CompressorOf compressor([&](auto bytes) { stop_at(1, bytes[0]); });
      const std::size_t before = n_threads();
      std::uint64_t n_written = 0;
      EXPECT_EQ(pack_chunks(
                    source, compressor, config(),
                    [&](const PackedChunk& chunk) {
                      EXPECT_EQ(chunk.key, n_written);
                      stop_at(2, n_written++);
                    },
                    stop.get_token()),
                PackOutcome::kCancelled);
      EXPECT_LE(n_written, at + 1);
      wait_for_threads(before);
    }
  }
}

// P5. The source counts; were the feeder not held back, it would run on to the end of its input.
TEST_P(PackPipelineShapes, ASlowWriterHoldsTheSourceBack) {
  const std::uint64_t window = 2 * config().max_chunks_in_flight + config().num_workers + 2;
  const std::uint64_t n = window + 300;
  std::atomic<std::uint64_t> n_written = 0;
  std::latch full(static_cast<std::ptrdiff_t>(window));
  SourceOf source(n, [&](std::uint64_t number) {
    EXPECT_LE(number + 1, n_written + window);
    if (number < window) {
      full.count_down();
    }
  });
  EXPECT_EQ(pack_chunks(source, CompressorOf([](auto) {}), config(),
                        [&](const PackedChunk&) {
                          full.wait();  // until the source was asked for as much as is allowed
                          ++n_written;
                        }),
            PackOutcome::kFinished);
  EXPECT_EQ(n_written, n);
}

INSTANTIATE_TEST_SUITE_P(Shapes, PackPipelineShapes,
                         ::testing::Values(PackShape{1, 0}, PackShape{1, 1}, PackShape{2, 10},
                                           PackShape{4, 0}, PackShape{4, 20}, PackShape{64, 1},
                                           PackShape{64, 1000}),
                         [](const auto& shape) {
                           return std::to_string(shape.param.num_workers) + "Workers" +
                                  std::to_string(shape.param.max_chunks_in_flight) + "InFlight";
                         });

// Chunks that overtake a slow one have to wait for it, and they are in memory while they do.
TEST(PackPipeline, ASlowChunkHoldsTheSourceBackToo) {
  const PackConfig config{.num_workers = 3, .max_chunks_in_flight = 4};
  constexpr std::uint64_t kWindow = 2 * 4 + 3 + 2;
  std::latch full(kWindow);
  std::atomic<std::uint64_t> n_written = 0;
  std::uint64_t most_alive = 0;
  SourceOf source(200, [&](std::uint64_t number) {
    most_alive = std::max(most_alive, number + 1 - n_written);
    if (number < kWindow) {
      full.count_down();
    }
  });
  const CompressorOf compressor([&](auto bytes) {
    if (bytes[0] == 0) {
      full.wait();
    }
  });
  pack_chunks(source, compressor, config, [&](const PackedChunk& chunk) {
    EXPECT_EQ(chunk.key, n_written);
    ++n_written;
  });
  EXPECT_EQ(n_written, 200U);
  EXPECT_EQ(most_alive, kWindow);
}

TEST(PackPipeline, EmptyInputStartsNoThreadAndWritesNothing) {
  const std::size_t before = n_threads();
  SourceOf source(0, [&](std::uint64_t) { EXPECT_EQ(n_threads(), before); });
  EXPECT_EQ(pack_chunks(source, ZstdCompressor(), {.num_workers = 4, .max_chunks_in_flight = 4},
                        [](const PackedChunk&) { ADD_FAILURE() << "there is no chunk"; }),
            PackOutcome::kFinished);
}

TEST(PackPipeline, WithoutWorkersItIsRefusedBeforeAnythingIsTaken) {
  SourceOf source(1, [](std::uint64_t) { ADD_FAILURE() << "the source was asked"; });
  const auto write = [](const PackedChunk&) {};
  EXPECT_THROW(pack_chunks(source, ZstdCompressor(), {.num_workers = 0}, write), InvalidArgument);
  EXPECT_THROW(pack_chunks(source, ZstdCompressor(),
                           {.num_workers = 1, .max_chunks_in_flight = ~std::size_t{0}}, write),
               InvalidArgument);
}

TEST(PackPipeline, AStopRequestedBeforeTakesNothing) {
  SourceOf source(1, [](std::uint64_t) { ADD_FAILURE() << "the source was asked"; });
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(pack_chunks(
                source, ZstdCompressor(), {.num_workers = 2}, [](const PackedChunk&) {},
                stop.get_token()),
            PackOutcome::kCancelled);
}

// The worker fails when the feeder has ended with an error of its own, so that one came first.
TEST(PackPipeline, TheErrorThatCameFirstWins) {
  const std::size_t before = n_threads();
  SourceOf source(100, [&](std::uint64_t number) {
    if (number == 1) {
      throw MalformedData("the source, first");
    }
  });
  const CompressorOf compressor([&](auto) {
    wait_for_threads(before + 1);
    throw std::runtime_error("the worker, later");
  });
  EXPECT_THROW(pack_chunks(source, compressor, {.num_workers = 1}, [](const PackedChunk&) {}),
               MalformedData);
}

TEST(PackPipeline, AnExceptionOfAnyTypeIsATypedError) {
  SourceOf source(3, [](std::uint64_t) {});
  try {
    pack_chunks(source, CompressorOf([](auto) { throw 42; }), {.num_workers = 2},
                [](const PackedChunk&) {});
    FAIL() << "nothing was compressed";
  } catch (const ForeignError& error) {
    EXPECT_STREQ(error.what(), "the compressor of chunks failed: an exception of an unknown type");
  }
  SourceOf again(3, [](std::uint64_t) {});
  EXPECT_THROW(pack_chunks(again, CompressorOf([](auto) {}), {.num_workers = 2},
                           [](const PackedChunk&) { throw std::logic_error("full"); }),
               ForeignError);
}

TEST(PackPipeline, TheWriterIsAlwaysCalledOnTheCallersThread) {
  const std::thread::id caller = std::this_thread::get_id();
  ListSource source(numbered_chunks(50, 100));
  pack_chunks(source, ZstdCompressor(), {.num_workers = 3, .max_chunks_in_flight = 2},
              [&](const PackedChunk&) { EXPECT_EQ(std::this_thread::get_id(), caller); });
}

TEST(PackPipeline, WhatDoesNotShrinkIsStoredAsItIs) {
  for (const std::size_t size : {0U, 1U, 2U, 100U, 70000U}) {
    SCOPED_TRACE(size);
    const Bytes data = test::random_bytes(size, size);
    const auto packed = pack_all({{.key = 1, .data = data}}, {.num_workers = 1});
    ASSERT_EQ(packed.size(), 1U);
    EXPECT_EQ(packed[0].codec, PackCodec::kRaw);
    EXPECT_EQ(packed[0].stored, data);
    EXPECT_EQ(packed[0].hash, blake3(data));
  }
}

TEST(PackPipeline, WhatIsSaidNotToShrinkIsNotTried) {
  const Bytes data = test::periodic_bytes(1, 5000);
  const CompressorOf compressor([](auto) { ADD_FAILURE() << "compressed"; });
  const auto packed =
      pack_all({{.key = 1, .data = data, .compressible = false}}, {.num_workers = 1}, compressor);
  ASSERT_EQ(packed.size(), 1U);
  EXPECT_EQ(packed[0].stored, data);
}

TEST(PackPipeline, ATooLargeChunkIsRefused) {
  ListSource largest({{.key = 3, .data = Bytes(kMaxPackChunkSize)}});
  EXPECT_EQ(pack_chunks(largest, ZstdCompressor(), {.num_workers = 1}, [](const PackedChunk&) {}),
            PackOutcome::kFinished);
  ListSource larger({{.key = 3, .data = Bytes(kMaxPackChunkSize + 1)}});
  EXPECT_THROW(pack_chunks(larger, ZstdCompressor(), {.num_workers = 1}, [](const PackedChunk&) {}),
               InvalidArgument);
}

TEST(PackPipeline, ThereIsAWorkerForEachProcessorUnlessSaidOtherwise) {
  const unsigned processors = std::thread::hardware_concurrency();
  EXPECT_EQ(PackConfig().num_workers, processors == 0 ? 1 : processors);
  EXPECT_EQ(PackConfig().max_chunks_in_flight, 1000U);
}

TEST(ChunkCompression, LevelsAreThoseOfZstd) {
  EXPECT_THROW(ZstdCompressor(0), InvalidArgument);
  EXPECT_THROW(ZstdCompressor(23), InvalidArgument);
  const Bytes data = test::periodic_bytes(5, 100000);
  for (const int level : {1, 3, 19, 22}) {
    const auto compressed = ZstdCompressor(level).compress(data);
    ASSERT_TRUE(compressed.has_value());
    EXPECT_EQ(decompressed(*compressed, data.size()), data);
  }
}

TEST(ChunkCompression, OnlyOneFrameOfTheRightSizeIsDecompressed) {
  const Bytes data = test::periodic_bytes(5, 1000);
  const Bytes frame = *ZstdCompressor().compress(data);
  for (const std::size_t size : {0U, 1U, 999U, 1001U, 100000U}) {
    EXPECT_THROW(decompressed(frame, size), MalformedData) << size;
  }
  for (std::size_t size = 0; size < frame.size(); ++size) {
    EXPECT_THROW(decompressed(std::span(frame).first(size), 1000), MalformedData);
  }
  Bytes twice = frame;
  twice.insert(twice.end(), frame.begin(), frame.end());
  EXPECT_THROW(decompressed(twice, 1000), MalformedData);
  EXPECT_THROW(decompressed(twice, 2000), MalformedData);
}

}  // namespace
}  // namespace furrow
