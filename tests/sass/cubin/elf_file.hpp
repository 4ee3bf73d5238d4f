// SPDX-License-Identifier: Apache-2.0
// Sections and symbols of an ELF file of 64 bits, least significant byte first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "tests/sass/errors.hpp"

namespace furrow::sass {

using Bytes = std::span<const std::uint8_t>;

/// The part of `bytes` that begins at `at` and has `size` bytes; throws BadCubin beyond the end.
Bytes part_of(Bytes bytes, std::uint64_t at, std::uint64_t size, std::string_view what);

/// A number in `bytes`, as it lies in memory.
template <class T>
T read_at(Bytes bytes, std::uint64_t at, std::string_view what) {
  T value;
  std::memcpy(&value, part_of(bytes, at, sizeof(T), what).data(), sizeof(T));
  return value;
}

class ElfFile {
 public:
  /// A section; of one that has no content in the file, such as shared memory, only the size is
  /// known.
  struct Section {
    Bytes content;
    std::uint64_t size = 0;
  };

  /// `bytes` must outlive it and may go on behind the end of the file.
  explicit ElfFile(Bytes bytes);

  [[nodiscard]] std::uint16_t machine() const { return machine_; }
  [[nodiscard]] std::uint32_t flags() const { return flags_; }
  /// Number of bytes of the file: its tables stand behind everything else.
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::map<std::string, Section, std::less<>>& sections() const {
    return sections_;
  }
  /// The section of that name, or null.
  [[nodiscard]] const Section* find(std::string_view name) const;
  /// Name of the symbol of that number.
  [[nodiscard]] std::string symbol(std::uint32_t number) const;

 private:
  std::uint16_t machine_ = 0;
  std::uint32_t flags_ = 0;
  std::uint64_t size_ = 0;
  std::map<std::string, Section, std::less<>> sections_;
};

}  // namespace furrow::sass
