// SPDX-License-Identifier: Apache-2.0
// What a program says before it dies in a kernel: of a wild access or of a block that never ends, which
// launch, block and thread it was, behind which barrier, and under which schedule.
#pragma once

#include <chrono>

namespace furrow::simt {

/// Makes signals of the calling thread say so; cheap from the second call on. With AddressSanitizer, which
/// reports accesses itself, those of blocks that never end.
void watch_this_thread();

/// A block that takes a thread more CPU time than this ends the program (at first 20 s; others take
/// milliseconds). Noticed within three times as much. For threads that launch nothing before the call.
void set_block_limit(std::chrono::milliseconds limit);

}  // namespace furrow::simt
