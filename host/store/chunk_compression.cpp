// SPDX-License-Identifier: Apache-2.0
#include "host/store/chunk_compression.hpp"

#include <new>

#include <zstd.h>
#include <zstd_errors.h>

#include "furrow/errors.hpp"

namespace furrow {
namespace {

[[noreturn]] void throw_compression_failed(std::size_t size, const char* reason) {
  throw Error(ErrorKind::kInternal,
              "compressing a chunk of " + std::to_string(size) + " bytes failed: " + reason);
}

}  // namespace

struct ZstdCompressor::Context {
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> zstd{ZSTD_createCCtx()};
  std::vector<std::uint8_t> out;  // kept, because fresh memory costs as much as compressing fast
};

ZstdCompressor::ZstdCompressor(int level) : level_(level) {
  if (level < 1 || level > ZSTD_maxCLevel()) {
    throw InvalidArgument("zstd level: expected 1 to " + std::to_string(ZSTD_maxCLevel()) +
                          ", actual " + std::to_string(level));
  }
}

ZstdCompressor::~ZstdCompressor() = default;

std::optional<std::vector<std::uint8_t>> ZstdCompressor::compress(
    std::span<const std::uint8_t> bytes) const {
  if (bytes.empty()) {
    return std::nullopt;
  }
  const LeasePool<Context>::Lease context = contexts_.take([] {
    auto fresh = std::make_unique<Context>();
    if (!fresh->zstd) {
      throw std::bad_alloc();
    }
    return fresh;
  });
  if (context->out.size() < bytes.size()) {
    context->out.resize(bytes.size());
  }
  // One byte less than the chunk is all that is of use, so zstd gives up when that is full.
  const std::size_t size = ZSTD_compressCCtx(context->zstd.get(), context->out.data(),
                                             bytes.size() - 1, bytes.data(), bytes.size(), level_);
  std::optional<std::vector<std::uint8_t>> result;
  if (ZSTD_isError(size) == 0) {
    result.emplace(context->out.begin(), context->out.begin() + static_cast<std::ptrdiff_t>(size));
  } else if (ZSTD_getErrorCode(size) == ZSTD_error_memory_allocation) {
    throw std::bad_alloc();
  } else if (ZSTD_getErrorCode(size) != ZSTD_error_dstSize_tooSmall) {
    throw_compression_failed(bytes.size(), ZSTD_getErrorName(size));
  }
  return result;
}

void zstd_decompress(std::span<const std::uint8_t> frame, std::span<std::uint8_t> out,
                     const std::string& what) {
  // zstd goes on with a second frame behind the first; a chunk is one frame.
  const std::size_t frame_size = ZSTD_findFrameCompressedSize(frame.data(), frame.size());
  if (ZSTD_isError(frame_size) != 0) {
    throw MalformedData(what + ": no zstd frame: " + ZSTD_getErrorName(frame_size));
  }
  if (frame_size != frame.size()) {
    throw MalformedData(what + ": expected a zstd frame of " + std::to_string(frame.size()) +
                        " bytes, actual " + std::to_string(frame_size));
  }
  const std::size_t size = ZSTD_decompress(out.data(), out.size(), frame.data(), frame.size());
  if (ZSTD_isError(size) != 0) {
    throw MalformedData(what + ": cannot be decompressed to " + std::to_string(out.size()) +
                        " bytes: " + ZSTD_getErrorName(size));
  }
  if (size != out.size()) {
    throw MalformedData(what + ": expected " + std::to_string(out.size()) +
                        " decompressed bytes, actual " + std::to_string(size));
  }
}

}  // namespace furrow
