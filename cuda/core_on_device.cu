// SPDX-License-Identifier: Apache-2.0
// Compiles every function of include/furrow/core for the device, so that one which only a host
// compiler understands is found at once. Linked into nothing.

#include "furrow/core/blake3.hpp"
#include "furrow/core/chacha8.hpp"
#include "furrow/core/gf16.hpp"
#include "furrow/core/pos.hpp"

namespace furrow {

__global__ void core_on_device(const std::uint32_t* in, std::uint32_t* out) {
  std::uint32_t words[16] = {};
  core::chacha8::keystream_block(in, 1, words);
  core::blake3::hash_single_block(words, 64, out);
  core::pos::table_function_message<20>(4, out[0], out[1], out[2], words);
  const uint128 metadata = core::pos::table_function_metadata<20>(4, 1, 2, words);
  out[0] = core::pos::y_from_hash<20>(out[0]) + static_cast<std::uint32_t>(metadata) +
           core::pos::target(0, out[1] % core::pos::kParamBC, 3);
  out[1] = core::gf16::multiply_polynomial(
      core::gf16::to_polynomial(static_cast<core::gf16::Element>(in[0])),
      core::gf16::butterfly_factor(32768, 2, 1));
}

}  // namespace furrow
