// SPDX-License-Identifier: Apache-2.0
#include "tools/engine_options.hpp"

#include "host/base/byte_size.hpp"
#include "tools/compute_options.hpp"

namespace furrow::cli {
namespace {

std::uint64_t size_or_none(const std::optional<std::string>& text) {
  return text.has_value() ? parse_size(*text) : 0;
}

}  // namespace

void add_engine_options(Command command, EngineArguments& arguments) {
  command.add_option("--threads", arguments.engine.threads,
                     "Threads; 0 means one for each processor that may be used");
  add_simd_option(command);
  command
      .add_option("--encoder", arguments.engine.encoder,
                  "auto (CUDA devices, the CPU if there are none), cuda, cpu or cpu-scalar")
      .with_default();
  command
      .add_option("--device", arguments.engine.devices,
                  "CUDA device to use, by index or UUID; may be given several times; all that "
                  "are supported if not given")
      .one_word_each();
  command.add_option(
      "--ram-limit", arguments.ram_limit,
      "Most memory to use, such as 4GiB; what is free if not given. Fewer sectors are under "
      "way with less");
  command.add_option("--vram-limit", arguments.vram_limit,
                     "Most memory to use on each device, such as 6GiB; what is free if not given");
  command.add_option("--pinned-limit", arguments.pinned_limit,
                     "Most pinned host memory for each device, for copies to and from it");
  command
      .add_option("--verify-records", arguments.engine.verify_records,
                  "Records of each sector that are encoded on the CPU as well, to verify devices")
      .with_default();
}

EngineRequest engine_request(const EngineArguments& arguments) {
  EngineRequest request = arguments.engine;
  if (arguments.ram_limit.has_value()) {
    request.ram_limit = parse_size(*arguments.ram_limit);
  }
  request.vram_limit = size_or_none(arguments.vram_limit);
  request.pinned_limit = size_or_none(arguments.pinned_limit);
  return request;
}

}  // namespace furrow::cli
