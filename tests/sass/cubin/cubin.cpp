// SPDX-License-Identifier: Apache-2.0
#include "tests/sass/cubin/cubin.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include <cxxabi.h>

namespace furrow::sass {
namespace {

constexpr std::uint16_t kMachine = 190;
constexpr std::string_view kText = ".text.";
constexpr std::uint32_t kReservedShared = 1024;
constexpr unsigned kFirstWithReservedShared = 90;

// Entries of `.nv.info`: form, what it says, and a length with a value behind it or a value of two
// bytes in its place.
constexpr std::uint8_t kSizedValue = 4;
constexpr std::uint8_t kMaxThreads = 0x05;
constexpr std::uint8_t kParameterBank = 0x0A;
constexpr std::uint8_t kParameter = 0x17;
constexpr std::uint8_t kRegisters = 0x2F;

/// Calls `entry(what, value)` for each sized entry.
template <class Entry>
void for_each_info(Bytes info, const Entry& entry) {
  std::uint64_t at = 0;
  while (at < info.size()) {
    const auto form = read_at<std::uint8_t>(info, at, ".nv.info");
    const auto what = read_at<std::uint8_t>(info, at + 1, ".nv.info");
    const auto length = read_at<std::uint16_t>(info, at + 2, ".nv.info");
    at += 4;
    if (form == kSizedValue) {
      entry(what, part_of(info, at, length, ".nv.info"));
      at += length;
    }
  }
}

std::vector<Words> words_of(Bytes code) {
  std::vector<Words> words(code.size() / sizeof(Words));
  std::memcpy(words.data(), code.data(), words.size() * sizeof(Words));
  return words;
}

void read_info(CompiledKernel& kernel, Bytes info) {
  std::vector<std::pair<std::uint16_t, Parameter>> parameters;
  for_each_info(info, [&](std::uint8_t what, Bytes value) {
    if (what == kParameterBank) {
      kernel.parameters_at = read_at<std::uint16_t>(value, 4, "place of parameters");
      kernel.parameters_bytes = read_at<std::uint16_t>(value, 6, "size of parameters");
    } else if (what == kParameter) {
      const Parameter parameter{
          .offset = read_at<std::uint16_t>(value, 6, "place of a parameter"),
          .bytes = read_at<std::uint32_t>(value, 8, "size of a parameter") >> 18};
      parameters.emplace_back(read_at<std::uint16_t>(value, 4, "number of a parameter"), parameter);
    } else if (what == kMaxThreads) {
      kernel.max_threads = read_at<std::uint32_t>(value, 0, "threads of a block") *
                           read_at<std::uint32_t>(value, 4, "threads of a block") *
                           read_at<std::uint32_t>(value, 8, "threads of a block");
    }
  });
  std::ranges::sort(parameters, {}, [](const auto& one) { return one.first; });
  for (const auto& [number, parameter] : parameters) {
    kernel.parameters.push_back(parameter);
  }
}

CompiledKernel read_kernel(const ElfFile& file, const std::string& name, unsigned architecture) {
  CompiledKernel kernel;
  kernel.name = name;
  kernel.architecture = architecture;
  kernel.code = words_of(file.find(std::string(kText) + name)->content);
  if (const auto* const constants = file.find(".nv.constant2." + name)) {
    kernel.constants.assign(constants->content.begin(), constants->content.end());
  }
  if (const auto* const info = file.find(".nv.info." + name)) {
    read_info(kernel, info->content);
  }
  if (const auto* const shared = file.find(".nv.shared." + name)) {
    kernel.shared_bytes = static_cast<std::uint32_t>(shared->size);
  }
  if (architecture >= kFirstWithReservedShared) {
    kernel.reserved_shared_bytes = kReservedShared;
    kernel.shared_bytes = std::max(kernel.shared_bytes, kReservedShared);
  }
  if (const auto* const info = file.find(".nv.info")) {
    for_each_info(info->content, [&](std::uint8_t what, Bytes value) {
      if (what == kRegisters &&
          file.symbol(read_at<std::uint32_t>(value, 0, "a function")) == name) {
        kernel.n_registers = read_at<std::uint32_t>(value, 4, "registers of a function");
      }
    });
  }
  if (kernel.n_registers == 0) {
    throw BadCubin(name + ": expected a number of registers, found none");
  }
  return kernel;
}

}  // namespace

std::vector<CompiledKernel> read_kernels(Bytes bytes, unsigned architecture) {
  static constexpr std::uint8_t kMagic[] = {0x7F, 'E', 'L', 'F', 2};
  std::vector<CompiledKernel> kernels;
  auto at = bytes.begin();
  while (true) {
    at = std::search(at, bytes.end(), std::begin(kMagic), std::end(kMagic));
    if (at == bytes.end()) {
      return kernels;
    }
    const Bytes rest(at, bytes.end());
    if (rest.size() < 64 || read_at<std::uint16_t>(rest, 18, "an ELF file") != kMachine) {
      ++at;
      continue;
    }
    const ElfFile file(rest);
    // Bits 8 to 15 of the flags; before CUDA 13 the low byte.
    const unsigned of_file =
        (file.flags() >> 8 & 0xFF) != 0 ? file.flags() >> 8 & 0xFF : file.flags() & 0xFF;
    if (of_file == architecture) {
      for (const auto& [name, section] : file.sections()) {
        if (name.starts_with(kText)) {
          kernels.push_back(read_kernel(file, name.substr(kText.size()), architecture));
        }
      }
    }
    at += static_cast<std::ptrdiff_t>(file.size());
  }
}

std::string readable_name(const std::string& mangled) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status), std::free);
  if (status != 0) {
    return mangled;
  }
  std::string name = text.get();
  if (name.starts_with("void ")) {
    name.erase(0, 5);
  }
  int depth = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    depth += (name[i] == '<') - (name[i] == '>');
    if (name[i] == '(' && depth == 0 && !name.substr(i).starts_with("(anonymous namespace)")) {
      name.resize(i);
    }
  }
  return name;
}

}  // namespace furrow::sass
