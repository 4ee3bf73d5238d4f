// SPDX-License-Identifier: Apache-2.0
// Streams of the fake runtime do their work late, in a seeded order (stream_queues.hpp).
#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

#include "simt/test/fake_cuda_fixture.hpp"

namespace furrow::simt {
namespace {

#if !defined(__SANITIZE_THREAD__)  // which sees all work done at the call

/// Two streams with pinned memory of their own, and two words on the device.
class SimtLateStreams : public SimtFakeCuda {
 protected:
  void prepare() {
    FakeCuda::reset();
    for (cudaStream_t& stream : streams_) {
      EXPECT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    }
    EXPECT_EQ(cudaHostAlloc(&pinned_, sizeof(unsigned), cudaHostAllocDefault), cudaSuccess);
    EXPECT_EQ(cudaMalloc(&d_word_, sizeof(unsigned)), cudaSuccess);
    EXPECT_EQ(cudaMemset(d_word_, 0, sizeof(unsigned)), cudaSuccess);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    *pinned_ = 7;
  }
  void fetch(cudaStream_t stream) {
    EXPECT_EQ(cudaMemcpyAsync(pinned_, d_word_, sizeof(unsigned), cudaMemcpyDeviceToHost, stream),
              cudaSuccess);
  }

  std::array<cudaStream_t, 2> streams_{};
  unsigned* pinned_ = nullptr;
  unsigned* d_word_ = nullptr;
};

TEST_F(SimtLateStreams, DoNothingBeforeSomebodyWaits) {
  prepare();
  launch_increment(streams_[0], d_word_, 1);
  fetch(streams_[0]);
  EXPECT_EQ(*pinned_, 7U);
  ASSERT_EQ(cudaStreamSynchronize(streams_[0]), cudaSuccess);
  EXPECT_EQ(*pinned_, 1U);
}

TEST_F(SimtLateStreams, ReadMemoryWhenTheyGetThere) {
  prepare();
  cudaMemcpyAsync(d_word_, pinned_, sizeof(unsigned), cudaMemcpyHostToDevice, streams_[0]);
  *pinned_ = 8;  // too early
  fetch(streams_[0]);
  cudaStreamSynchronize(streams_[0]);
  EXPECT_EQ(*pinned_, 8U);
}

TEST_F(SimtLateStreams, WithoutAnEventGoInAnyOrder) {
  std::array<int, 2> n_seen{};
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    FakeCuda::set_stream_order(seed);
    prepare();
    launch_increment(streams_[0], d_word_, 1);
    fetch(streams_[1]);
    cudaStreamSynchronize(streams_[1]);
    ASSERT_LE(*pinned_, 1U);
    ++n_seen[*pinned_];
  }
  EXPECT_GE(n_seen[0], 5);
  EXPECT_GE(n_seen[1], 5);
}

TEST_F(SimtLateStreams, WaitForEvents) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    FakeCuda::set_stream_order(seed);
    prepare();
    cudaEvent_t made = nullptr;
    ASSERT_EQ(cudaEventCreateWithFlags(&made, cudaEventDisableTiming), cudaSuccess);
    launch_increment(streams_[0], d_word_, 1);
    ASSERT_EQ(cudaEventRecord(made, streams_[0]), cudaSuccess);
    ASSERT_EQ(cudaStreamWaitEvent(streams_[1], made), cudaSuccess);
    ASSERT_EQ(cudaEventDestroy(made), cudaSuccess);
    ASSERT_EQ(cudaStreamDestroy(streams_[0]),
              cudaSuccess);  // what it was given is done all the same
    fetch(streams_[1]);
    cudaStreamSynchronize(streams_[1]);
    EXPECT_EQ(*pinned_, 1U);
  }
}

TEST_F(SimtLateStreams, AreDoneInTheEndForWhoAsks) {
  prepare();
  cudaEvent_t made = nullptr;
  ASSERT_EQ(cudaEventCreate(&made), cudaSuccess);
  EXPECT_EQ(cudaEventQuery(made), cudaSuccess) << "nothing was recorded";
  launch_increment(streams_[0], d_word_, 1);
  fetch(streams_[0]);
  cudaEventRecord(made, streams_[0]);
  float milliseconds = 0;
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, made, made), cudaErrorNotReady);
  int n_questions = 1;
  for (; cudaEventQuery(made) == cudaErrorNotReady; ++n_questions) {
  }
  EXPECT_LT(n_questions, 100);
  EXPECT_EQ(*pinned_, 1U);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, made, made), cudaSuccess);
}

TEST_F(SimtLateStreams, NoticeMemoryThatWasFreedTooEarly) {
  prepare();
  fetch(streams_[0]);
  ASSERT_EQ(cudaFreeHost(pinned_), cudaSuccess);
  EXPECT_THROW(cudaStreamSynchronize(streams_[0]), FreedTooEarly);
  EXPECT_THROW(cudaStreamSynchronize(streams_[1]), FreedTooEarly) << "whoever caught the first";

  // On the stream of the copy, which comes first, it is in time.
  for (const int freeing : {0, 1}) {
    int n_caught = 0;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      FakeCuda::set_stream_order(seed);
      prepare();
      fetch(streams_[0]);
      ASSERT_EQ(cudaFreeAsync(d_word_, streams_[freeing]), cudaSuccess);
      EXPECT_EQ(FakeCuda::live().device_allocations, 0U);
      try {
        cudaStreamSynchronize(streams_[0]);
      } catch (const FreedTooEarly&) {
        ++n_caught;
      }
    }
    EXPECT_EQ(n_caught > 0, freeing == 1);
  }
}

// What one thread waits for may use memory that another one lets go, because its calls fail.
TEST_F(SimtLateStreams, MemoryGoesBetweenStepsAndNotInTheMiddleOfOne) {
  prepare();
  struct Step {
    std::atomic<bool> is_under_way = false;
    std::atomic<bool> is_freed = false;
    std::atomic<bool> was_freed_meanwhile = false;
  } step;
  ASSERT_EQ(cudaLaunchHostFunc(
                streams_[0],
                [](void* argument) {
                  auto& own = *static_cast<Step*>(argument);
                  own.is_under_way = true;
                  std::this_thread::sleep_for(std::chrono::milliseconds(100));
                  own.was_freed_meanwhile = own.is_freed.load();
                },
                &step),
            cudaSuccess);
  std::thread waits([&] { EXPECT_EQ(cudaStreamSynchronize(streams_[0]), cudaSuccess); });
  while (!step.is_under_way) {
    std::this_thread::yield();
  }
  EXPECT_EQ(cudaFreeHost(pinned_), cudaSuccess);
  step.is_freed = true;
  waits.join();
  EXPECT_FALSE(step.was_freed_meanwhile);
}

TEST_F(SimtLateStreams, OfALostDeviceDoNothingMore) {
  prepare();
  fetch(streams_[0]);
  FakeCuda::lose_device(0, cudaErrorECCUncorrectable);
  EXPECT_EQ(cudaStreamSynchronize(streams_[0]), cudaErrorECCUncorrectable);
  EXPECT_EQ(*pinned_, 7U);
}

TEST_F(SimtLateStreams, AreNotLateWhenToldSo) {
  FakeCuda::set_stream_order(std::nullopt);
  prepare();
  launch_increment(streams_[0], d_word_, 1);
  fetch(streams_[0]);
  EXPECT_EQ(*pinned_, 1U);
}

#endif

}  // namespace
}  // namespace furrow::simt
