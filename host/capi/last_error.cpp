// SPDX-License-Identifier: Apache-2.0
#include "host/capi/last_error.hpp"

#include <array>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include "furrow/c/error.h"

#include "host/base/printable.hpp"
#include "host/capi/structs.hpp"

namespace furrow::capi {
namespace {

/// Plain buffers, so that reporting an error can never fail for want of memory.
struct LastError {
  Verdict verdict{FURROW_OK, FURROW_ERROR_NONE};
  std::uint32_t fields = 0;
  int system_error = 0;
  std::uint64_t piece_index = 0;
  std::uint64_t segment_index = 0;
  std::uint64_t byte_offset = 0;
  std::uint16_t sector_index = 0;
  std::uint16_t piece_offset = 0;
  std::array<char, 2048> message{};
  std::array<char, 1024> path{};
  std::array<char, 256> expected{};
  std::array<char, 256> actual{};
};

thread_local LastError last_error;
thread_local std::array<char, 1024> callback_error{};

template <std::size_t kSize>
void copy_printable(std::string_view text, std::array<char, kSize>& out) noexcept {
  try {
    copy_text(printable(text), out.data(), kSize);
  } catch (const std::bad_alloc&) {
    copy_text(text, out.data(), kSize);
  }
}

template <class T, class U>
void copy_field(const std::optional<T>& value, furrow_error_fields bit, U& out) noexcept {
  if (value.has_value()) {
    last_error.fields |= static_cast<std::uint32_t>(bit);
    out = *value;
  }
}

furrow_status keep(Verdict verdict, std::string_view message) noexcept {
  last_error.verdict = verdict;
  copy_printable(message, last_error.message);
  return verdict.status;
}

furrow_status keep(const Error& error) noexcept {
  const ErrorFields& fields = error.fields();
  copy_field(fields.piece_index, FURROW_HAS_PIECE_INDEX, last_error.piece_index);
  copy_field(fields.segment_index, FURROW_HAS_SEGMENT_INDEX, last_error.segment_index);
  copy_field(fields.sector_index, FURROW_HAS_SECTOR_INDEX, last_error.sector_index);
  copy_field(fields.piece_offset, FURROW_HAS_PIECE_OFFSET, last_error.piece_offset);
  copy_field(fields.offset, FURROW_HAS_BYTE_OFFSET, last_error.byte_offset);
  if (const auto* const io = dynamic_cast<const IoError*>(&error);
      io != nullptr && io->error_number() != 0) {
    copy_field(std::optional(io->error_number()), FURROW_HAS_SYSTEM_ERROR, last_error.system_error);
  }
  copy_printable(fields.path, last_error.path);
  copy_printable(fields.expected, last_error.expected);
  copy_printable(fields.actual, last_error.actual);
  return keep(verdict_on(error), error.what());
}

}  // namespace

void clear_last_error() noexcept {
  last_error.verdict = {FURROW_OK, FURROW_ERROR_NONE};
  last_error.fields = 0;
  last_error.system_error = 0;
  last_error.piece_index = last_error.segment_index = last_error.byte_offset = 0;
  last_error.sector_index = last_error.piece_offset = 0;
  last_error.message[0] = last_error.path[0] = '\0';
  last_error.expected[0] = last_error.actual[0] = '\0';
}

furrow_status keep_current_exception() noexcept {
  try {
    throw;
  } catch (const Error& error) {
    return keep(error);
  } catch (const std::bad_alloc&) {
    return keep({FURROW_OUT_OF_MEMORY, FURROW_ERROR_MEMORY}, "out of memory");
  } catch (const std::exception& error) {
    return keep({FURROW_INTERNAL_ERROR, FURROW_ERROR_INTERNAL}, error.what());
  } catch (...) {
    return keep({FURROW_INTERNAL_ERROR, FURROW_ERROR_INTERNAL}, "unknown exception");
  }
}

furrow_status keep_cancelled() noexcept {
  return keep({FURROW_CANCELLED, FURROW_ERROR_CANCELLED},
              "cancelled: the abort flag is set, or a handle of the call is being destroyed");
}

std::string take_callback_error() {
  std::string text = callback_error.data();
  callback_error[0] = '\0';
  return text;
}

}  // namespace furrow::capi

extern "C" {

const char* furrow_last_error(void) {
  return furrow::capi::last_error.message.data();
}

furrow_status furrow_last_error_get(furrow_error* error) {
  using furrow::capi::last_error;
  // Not guarded(): that would forget what is asked for. Nothing here throws but for bad arguments.
  if (error == nullptr || error->size < sizeof(furrow_error)) {
    return FURROW_INVALID_ARGUMENT;
  }
  furrow::capi::init_struct(error, error->size,
                            {.size = 0,
                             .status = last_error.verdict.status,
                             .kind = last_error.verdict.kind,
                             .fields = last_error.fields,
                             .system_error = last_error.system_error,
                             .piece_index = last_error.piece_index,
                             .segment_index = last_error.segment_index,
                             .byte_offset = last_error.byte_offset,
                             .sector_index = last_error.sector_index,
                             .piece_offset = last_error.piece_offset,
                             .reserved0 = 0,
                             .message = last_error.message.data(),
                             .path = last_error.path.data(),
                             .expected = last_error.expected.data(),
                             .actual = last_error.actual.data(),
                             .reserved = {}});
  return FURROW_OK;
}

void furrow_set_callback_error(const char* text) {
  auto& out = furrow::capi::callback_error;
  furrow::capi::copy_text(text != nullptr ? text : "", out.data(), out.size());
}

}  // extern "C"
