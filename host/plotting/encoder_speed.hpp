// SPDX-License-Identifier: Apache-2.0
// How fast this machine encodes, found out by doing it.
#pragma once

#include <cstddef>

#include "furrow/records_encoder.hpp"

namespace furrow {

/// Records a second of `encoder`, which encodes `n_records` of made-up contents for it, at least 1.
/// As many as it takes at a time give the speed of a long run. Throws what `encode` throws.
double measure_records_per_second(RecordsEncoder& encoder, std::size_t n_records,
                                  const std::stop_token& stop = {});

}  // namespace furrow
