// SPDX-License-Identifier: Apache-2.0
#include "host/capi/structs.hpp"

#include <vector>

namespace furrow::capi {
namespace {

[[noreturn]] void refuse_size(const char* type, std::size_t expected, std::size_t actual) {
  throw InvalidArgument(std::string("furrow: size of ") + type + ": expected " +
                            std::to_string(expected) + " or more, actual " +
                            std::to_string(actual) + " (set it to sizeof(" + type + "))",
                        {.expected = std::to_string(expected), .actual = std::to_string(actual)});
}

std::string name_of(const Buffer& buffer) {
  return buffer.index == Buffer::kNoIndex
             ? buffer.name
             : std::string(buffer.name) + "[" + std::to_string(buffer.index) + "]";
}

std::size_t given_size(const void* bytes) {
  std::size_t size = 0;
  std::memcpy(&size, bytes, sizeof(size));
  return size;
}

}  // namespace

void refuse(const std::string& what, const std::string& expected, const std::string& actual) {
  throw InvalidArgument(what + ": expected " + expected + ", actual " + actual,
                        {.expected = expected, .actual = actual});
}

void check_pointer(const void* pointer, const char* name) {
  if (pointer == nullptr) {
    throw InvalidArgument(std::string("furrow: argument ") + name + " is NULL");
  }
}

void check_text(const char* text, const char* name) {
  check_pointer(text, name);
  if (*text == '\0') {
    throw InvalidArgument(std::string("furrow: argument ") + name + " is empty");
  }
}

void check_apart(std::span<const Buffer> buffers) {
  const auto begin_of = [](const Buffer* buffer) {
    return reinterpret_cast<std::uintptr_t>(buffer->begin);
  };
  const auto end_of = [&](const Buffer* buffer) { return begin_of(buffer) + buffer->size; };
  std::vector<const Buffer*> sorted;
  for (const Buffer& buffer : buffers) {
    if (buffer.begin == nullptr || buffer.size == 0) {
      continue;
    }
    if (buffer.size > UINTPTR_MAX - begin_of(&buffer)) {
      throw InvalidArgument("furrow: " + name_of(buffer) + " of " + std::to_string(buffer.size) +
                            " bytes goes beyond the end of memory");
    }
    sorted.push_back(&buffer);
  }
  std::ranges::sort(sorted, {}, begin_of);
  // Of those that begin before, the ones that reach furthest decide: the furthest of all, and the
  // furthest of those that are written.
  const Buffer* furthest = nullptr;
  const Buffer* furthest_written = nullptr;
  for (const Buffer* buffer : sorted) {
    const Buffer* const before = buffer->is_written ? furthest : furthest_written;
    if (before != nullptr && begin_of(buffer) < end_of(before)) {
      throw InvalidArgument("furrow: " + name_of(*std::min(before, buffer)) + " and " +
                            name_of(*std::max(before, buffer)) + " overlap in memory");
    }
    const auto extend = [&](const Buffer*& reach) {
      if (reach == nullptr || end_of(reach) < end_of(buffer)) {
        reach = buffer;
      }
    };
    extend(furthest);
    if (buffer->is_written) {
      extend(furthest_written);
    }
  }
}

void copy_text(std::string_view text, char* out, std::size_t size) {
  std::size_t length = std::min(text.size(), size - 1);
  if (length < text.size()) {
    const auto continues = [&](std::size_t at) {
      return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
    };
    while (length > 0 && continues(length)) {
      --length;
    }
  }
  std::copy_n(text.begin(), length, out);
  out[length] = '\0';
}

void check_struct(const char* type, const void* bytes, std::size_t known, std::size_t reserved_at) {
  const std::size_t size = given_size(bytes);
  constexpr std::size_t kMost = std::size_t{1} << 16;  // nothing that anybody calls options
  if (size < known || size > kMost) {
    refuse_size(type, known, size);
  }
  const auto* const all = static_cast<const std::uint8_t*>(bytes);
  const auto* const wish =
      std::find_if(all + reserved_at, all + size, [](std::uint8_t byte) { return byte != 0; });
  if (wish != all + size) {
    throw InvalidArgument(std::string("furrow: byte ") + std::to_string(wish - all) + " of " +
                              type +
                              ", which this library (version " FURROW_VERSION_TEXT
                              ") does not know: expected 0, actual " +
                              std::to_string(*wish) + "; use the init function, or a newer library",
                          {.expected = "0", .actual = std::to_string(*wish)});
  }
}

void check_reserved(const char* type, const char* member, std::uint64_t value) {
  if (value != 0) {
    throw InvalidArgument(std::string("furrow: member ") + member + " of " + type +
                              ": expected 0, actual " + std::to_string(value) +
                              "; use the init function, or a newer library",
                          {.expected = "0", .actual = std::to_string(value)});
  }
}

std::size_t size_of_output(const char* type, const void* bytes, std::size_t known) {
  const std::size_t size = given_size(bytes);
  constexpr std::size_t kMost = std::size_t{1} << 16;
  if (size < known || size > kMost) {
    refuse_size(type, known, size);
  }
  return size;
}

}  // namespace furrow::capi
