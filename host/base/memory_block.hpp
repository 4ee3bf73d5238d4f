// SPDX-License-Identifier: Apache-2.0
// Blocks of memory that are made once and used for long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace furrow {

/// First byte of a block, and in its deleter the way back: it frees the block on whatever thread
/// lets go last, so it must not throw or depend on a thread.
using MemoryBlock = std::shared_ptr<std::uint8_t>;

/// Makes a block of at least `n_bytes`, more than 0, that starts at a page. Throws when it cannot.
/// Called from several threads at once where pools are made by several. Tests have others.
using BlockSource = std::function<MemoryBlock(std::size_t n_bytes)>;

/// Bytes of a page of this system.
[[nodiscard]] std::size_t page_size();

/// Pages from the system, zero, and not backed by memory until they are written. `n_bytes` is more
/// than 0. Throws std::bad_alloc when the system has no such block.
MemoryBlock make_page_block(std::size_t n_bytes);

}  // namespace furrow
