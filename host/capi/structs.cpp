// SPDX-License-Identifier: Apache-2.0
#include "host/capi/structs.hpp"

namespace furrow::capi {
namespace {

[[noreturn]] void refuse_size(const char* type, std::size_t expected, std::size_t actual) {
  throw InvalidArgument(std::string("furrow: size of ") + type + ": expected " +
                            std::to_string(expected) + " or more, actual " +
                            std::to_string(actual) + " (set it to sizeof(" + type + "))",
                        {.expected = std::to_string(expected), .actual = std::to_string(actual)});
}

std::size_t given_size(const void* bytes) {
  std::size_t size = 0;
  std::memcpy(&size, bytes, sizeof(size));
  return size;
}

}  // namespace

void check_pointer(const void* pointer, const char* name) {
  if (pointer == nullptr) {
    throw InvalidArgument(std::string("furrow: argument ") + name + " is NULL");
  }
}

void check_apart(std::initializer_list<Buffer> buffers) {
  const auto begin_of = [](const Buffer& buffer) {
    return reinterpret_cast<std::uintptr_t>(buffer.begin);
  };
  for (const Buffer* a = buffers.begin(); a != buffers.end(); ++a) {
    if (a->begin != nullptr && a->size > UINTPTR_MAX - begin_of(*a)) {
      throw InvalidArgument(std::string("furrow: ") + a->name + " of " + std::to_string(a->size) +
                            " bytes goes beyond the end of memory");
    }
    for (const Buffer* b = buffers.begin(); b != a; ++b) {
      const bool is_empty =
          a->begin == nullptr || b->begin == nullptr || a->size == 0 || b->size == 0;
      if (!is_empty && (a->is_written || b->is_written) && begin_of(*a) < begin_of(*b) + b->size &&
          begin_of(*b) < begin_of(*a) + a->size) {
        throw InvalidArgument(std::string("furrow: ") + b->name + " and " + a->name +
                              " overlap in memory");
      }
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

std::size_t size_of_output(const char* type, const void* bytes, std::size_t known) {
  const std::size_t size = given_size(bytes);
  constexpr std::size_t kMost = std::size_t{1} << 16;
  if (size < known || size > kMost) {
    refuse_size(type, known, size);
  }
  return size;
}

}  // namespace furrow::capi
