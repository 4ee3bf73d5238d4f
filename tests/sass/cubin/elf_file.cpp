// SPDX-License-Identifier: Apache-2.0
#include "tests/sass/cubin/elf_file.hpp"

#include <algorithm>

namespace furrow::sass {
namespace {

constexpr std::uint8_t kMagic[] = {0x7F, 'E', 'L', 'F', 2, 1};
constexpr std::uint32_t kNoBits = 8;
constexpr std::uint64_t kSymbolBytes = 24;

struct Header {
  std::uint8_t identity[16];
  std::uint16_t type;
  std::uint16_t machine;
  std::uint32_t version;
  std::uint64_t entry;
  std::uint64_t programs_at;
  std::uint64_t sections_at;
  std::uint32_t flags;
  std::uint16_t header_bytes;
  std::uint16_t program_bytes;
  std::uint16_t n_programs;
  std::uint16_t section_bytes;
  std::uint16_t n_sections;
  std::uint16_t names_section;
};
static_assert(sizeof(Header) == 64);

struct SectionHeader {
  std::uint32_t name;
  std::uint32_t type;
  std::uint64_t flags;
  std::uint64_t address;
  std::uint64_t offset;
  std::uint64_t size;
};

std::string text_at(Bytes texts, std::uint64_t at) {
  const Bytes rest = part_of(texts, at, texts.size() - std::min<std::uint64_t>(at, texts.size()),
                             "a name in an ELF file");
  const auto end = std::ranges::find(rest, std::uint8_t{0});
  if (end == rest.end()) {
    throw BadCubin("a name in an ELF file: expected an end before byte " +
                   std::to_string(texts.size()) + ", found none");
  }
  return std::string(rest.begin(), end);
}

}  // namespace

Bytes part_of(Bytes bytes, std::uint64_t at, std::uint64_t size, std::string_view what) {
  if (at > bytes.size() || size > bytes.size() - at) {
    throw BadCubin(std::string(what) + ": expected bytes " + std::to_string(at) + " to " +
                   std::to_string(at + size) + " to exist, found " + std::to_string(bytes.size()) +
                   " bytes");
  }
  return bytes.subspan(at, size);
}

ElfFile::ElfFile(Bytes bytes) {
  const auto header = read_at<Header>(bytes, 0, "the header of an ELF file");
  if (!std::equal(std::begin(kMagic), std::end(kMagic), header.identity)) {
    throw BadCubin("an ELF file: expected one of 64 bits, least significant byte first");
  }
  machine_ = header.machine;
  flags_ = header.flags;
  size_ = std::max(header.programs_at + std::uint64_t{header.program_bytes} * header.n_programs,
                   header.sections_at + std::uint64_t{header.section_bytes} * header.n_sections);
  const Bytes file = part_of(bytes, 0, size_, "an ELF file");
  const auto section_header = [&](unsigned number) {
    return read_at<SectionHeader>(file,
                                  header.sections_at + std::uint64_t{header.section_bytes} * number,
                                  "a section of an ELF file");
  };
  const SectionHeader of_names = section_header(header.names_section);
  const Bytes names = part_of(file, of_names.offset, of_names.size, "names of sections");
  for (unsigned i = 1; i < header.n_sections; ++i) {
    const SectionHeader section = section_header(i);
    const bool is_empty = section.type == kNoBits;
    sections_[text_at(names, section.name)] = {
        .content = is_empty ? Bytes() : part_of(file, section.offset, section.size, "a section"),
        .size = section.size};
  }
}

const ElfFile::Section* ElfFile::find(std::string_view name) const {
  const auto found = sections_.find(name);
  return found == sections_.end() ? nullptr : &found->second;
}

std::string ElfFile::symbol(std::uint32_t number) const {
  const Section* const symbols = find(".symtab");
  const Section* const names = find(".strtab");
  if (symbols == nullptr || names == nullptr) {
    throw BadCubin("a cubin: expected the sections .symtab and .strtab");
  }
  return text_at(names->content, read_at<std::uint32_t>(symbols->content, kSymbolBytes * number,
                                                        "a symbol of a cubin"));
}

}  // namespace furrow::sass
