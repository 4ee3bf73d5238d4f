// SPDX-License-Identifier: Apache-2.0
#include "tests/sass/card/card.hpp"

#include <algorithm>
#include <cstring>

#include "tests/sass/decoder/decoder.hpp"
#include "tests/sass/errors.hpp"

namespace furrow::sass {

Multiprocessor multiprocessor_of(unsigned architecture) {
  switch (architecture) {
    case 75:
      return {.threads = 1024, .shared_bytes = 64 << 10, .kept_bytes = 0};
    case 80:
      return {.threads = 2048, .shared_bytes = 164 << 10, .kept_bytes = 1024};
    case 86:
    case 89:
      return {.threads = 1536, .shared_bytes = 100 << 10, .kept_bytes = 1024};
    case 90:
      return {.threads = 2048, .shared_bytes = 228 << 10, .kept_bytes = 1024};
    default:
      throw BadLaunch("multiprocessor: nothing is known of compute capability " +
                      std::to_string(architecture));
  }
}

Card& Card::instance() {
  static Card card;
  return card;
}

void Card::set_architecture(unsigned architecture) {
  if (architecture < 75 || architecture > 90) {
    throw BadLaunch("architecture of the card: expected 75 to 90, actual " +
                    std::to_string(architecture));
  }
  architecture_ = architecture;
}

void Card::leave_out(const std::string& name, std::uint32_t at) {
  left_out_ = LeftOut{.name = name, .at = at};
}

void Card::register_function(const void* function, const std::string& name, Bytes fat_binary) {
  registered_[function] = {.name = name, .fat_binary = fat_binary};
}

const Kernel& Card::kernel(const void* function) {
  const auto found = registered_.find(function);
  if (found == registered_.end()) {
    throw BadLaunch("a launch: expected a kernel that the program has registered");
  }
  auto& kept = kernels_[{architecture_, function}];
  if (kept == nullptr) {
    for (CompiledKernel& compiled : read_kernels(found->second.fat_binary, architecture_)) {
      if (compiled.name == found->second.name) {
        auto made = std::make_unique<Kernel>();
        made->name = readable_name(compiled.name);
        made->code = decode(compiled);
        made->compiled = std::move(compiled);
        kept = std::move(made);
        break;
      }
    }
  }
  if (kept == nullptr) {
    throw BadLaunch(readable_name(found->second.name) + ": expected code for compute capability " +
                    std::to_string(architecture_) + " that is not compressed, found none");
  }
  return *kept;
}

std::vector<const void*> Card::functions_named(const std::string& begin) const {
  std::vector<const void*> functions;
  for (const auto& [function, registered] : registered_) {
    const std::string name = readable_name(registered.name);
    if (name.starts_with(begin) && name.find("(anonymous namespace)") == std::string::npos) {
      functions.push_back(function);
    }
  }
  return functions;
}

bool Card::prefer_shared(const void* function, int percent) {
  if (!registered_.contains(function) || percent < -1 || percent > 100) {
    return false;
  }
  shared_percent_[function] = percent;
  return true;
}

void Card::launch(const void* function, const LaunchShape& shape, void** parameters) {
  const Kernel* kernel = &this->kernel(function);
  Kernel changed;
  if (left_out_ && left_out_->name == kernel->name) {
    changed = *kernel;
    changed.code.at(left_out_->at) = Instruction{};
    changed.code.at(left_out_->at).name = "left out";
    kernel = &changed;
  }
  std::vector<std::uint8_t> bytes(kernel->compiled.parameters_bytes);
  for (std::size_t i = 0; i < kernel->compiled.parameters.size(); ++i) {
    const Parameter& parameter = kernel->compiled.parameters[i];
    std::memcpy(bytes.data() + parameter.offset, parameters[i], parameter.bytes);
  }
  const auto percent = shared_percent_.find(function);
  launches_.push_back({.name = kernel->name,
                       .count = run(*kernel, shape, bytes, memory_, findings_, options_),
                       .shape = shape,
                       .n_registers = kernel->compiled.n_registers,
                       .shared_bytes = kernel->compiled.shared_bytes + shape.dynamic_shared,
                       .shared_percent = percent == shared_percent_.end()
                                             ? std::nullopt
                                             : std::optional(percent->second)});
}

}  // namespace furrow::sass
