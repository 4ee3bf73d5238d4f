// SPDX-License-Identifier: Apache-2.0
// Missing values of a polynomial over Fr (docs/spec/09-autonomys.md, section 6.4).
#pragma once

#include <cstddef>
#include <span>

#include "host/erasure/fr.hpp"

namespace furrow {

/// Element s of `values` is f(w^s), w being the root of order N = values.size() and f a polynomial of
/// degree below N / 2. The values at the places `missing`, at least one and at most N / 2, ascending,
/// are not looked at; those of them at `wanted`, a part of them, are filled in. Values are canonical.
/// Pre: N is a power of two, at most FrRoots::kMaxLength. Thread-safe.
void recover_fr_values(std::span<Fr> values, std::span<const std::size_t> missing,
                       std::span<const std::size_t> wanted);

}  // namespace furrow
