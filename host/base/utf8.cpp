// SPDX-License-Identifier: Apache-2.0
#include "host/base/utf8.hpp"

#include <array>
#include <cstdint>

namespace furrow {
namespace {

/// A form of code points: lead bytes `lead` under `lead_mask`, then `n_more` bytes 10xxxxxx.
struct Utf8Form {
  std::uint8_t lead_mask;
  std::uint8_t lead;
  unsigned n_more;
  std::uint32_t least;  // smaller code points have a shorter form
};
constexpr std::array<Utf8Form, 4> kForms = {
    {{0x80, 0x00, 0, 0}, {0xE0, 0xC0, 1, 0x80}, {0xF0, 0xE0, 2, 0x800}, {0xF8, 0xF0, 3, 0x10000}}};

}  // namespace

std::size_t code_point_length(std::string_view bytes) {
  if (bytes.empty()) {
    return 0;
  }
  const auto lead = static_cast<std::uint8_t>(bytes.front());
  for (const Utf8Form& form : kForms) {
    if ((lead & form.lead_mask) != form.lead) {
      continue;
    }
    if (bytes.size() <= form.n_more) {
      return 0;
    }
    std::uint32_t code_point = lead & static_cast<std::uint8_t>(~form.lead_mask);
    for (unsigned i = 1; i <= form.n_more; ++i) {
      const auto byte = static_cast<std::uint8_t>(bytes[i]);
      if ((byte & 0xC0) != 0x80) {
        return 0;
      }
      code_point = (code_point << 6) | (byte & 0x3F);
    }
    const bool is_surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    return code_point >= form.least && code_point <= 0x10FFFF && !is_surrogate ? form.n_more + 1
                                                                               : 0;
  }
  return 0;
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = code_point_length(bytes);
    if (length == 0) {
      return false;
    }
    bytes.remove_prefix(length);
  }
  return true;
}

}  // namespace furrow
