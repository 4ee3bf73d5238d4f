// SPDX-License-Identifier: Apache-2.0
// Kernels with one planted bug each; the tests assert that the harness, or a sanitizer, finds every one
// of them. The line that is to be named carries a comment `BUG name`.
#pragma once

#include <cstdint>
#include <vector>

#include "cuda/simt.cuh"

namespace furrow::simt {

/// Each runs its kernel under the current schedule.
namespace planted {

// Found in every build.
void divergent_barrier();
void barrier_against_warp();
void exit_before_barrier();
void exit_while_others_wait();
void caller_not_in_mask();
void ended_lane_in_mask();
void shuffle_from_outside();
void divergent_collectives();
void different_masks();
void static_overrun();
void static_underrun();
void dynamic_overrun();
void overrun_by_two_objects();
void too_much_static_shared();
void misaligned_atomic();
void null_atomic();
void bad_width();
void spin_for_ever();
void trap();
void too_many_threads();
void write_through_wild_pointer();
void read_past_allocation();
void loop_for_ever();

// Found by a schedule: the sum of what came out wrong, 0 when all was right.
unsigned missing_barrier();
unsigned missing_syncwarp();
unsigned order_of_atomics();
unsigned warp_order();
unsigned block_order();
unsigned read_before_increment();
unsigned unset_shared();

// Found by ThreadSanitizer, though ascending order happens to give the right result.
void race_missing_barrier();
void race_before_overwriting();
void race_missing_syncwarp();
void race_ballot_is_no_barrier();
void race_between_blocks();
void race_plain_increment();
void race_plain_read_of_atomic();
void race_syncwarp_of_another_warp();
void race_barrier_between_blocks();
void race_missing_stream_synchronize();
void race_missing_event_wait();

// Found by AddressSanitizer.
void read_past_static_object();
void read_past_dynamic_memory();
void read_past_device_memory();
void write_to_freed_device_memory();

// What they share.

inline constexpr unsigned kFull = 0xFFFFFFFF;
inline constexpr unsigned kThreads = 96;

using Words = std::uint32_t[kThreads];

/// Memory of the fake device; the copies wait, so that the host sees everything.
class DeviceWords {
 public:
  explicit DeviceWords(std::size_t n) : n_(n) {
    cudaMalloc(&words_, n * sizeof(unsigned));
    cudaMemset(words_, 0, n * sizeof(unsigned));
    cudaDeviceSynchronize();
  }
  ~DeviceWords() { cudaFree(words_); }
  DeviceWords(const DeviceWords&) = delete;
  DeviceWords& operator=(const DeviceWords&) = delete;
  [[nodiscard]] unsigned* get() const { return words_; }
  [[nodiscard]] std::vector<unsigned> on_host() const {
    std::vector<unsigned> words(n_);
    cudaMemcpy(words.data(), words_, n_ * sizeof(unsigned), cudaMemcpyDeviceToHost);
    return words;
  }

 private:
  unsigned* words_ = nullptr;
  std::size_t n_;
};

}  // namespace planted

}  // namespace furrow::simt
