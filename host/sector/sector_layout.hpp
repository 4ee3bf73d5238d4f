// SPDX-License-Identifier: Apache-2.0
// Where the parts of a sector lie; the arithmetic is shared with the CUDA engine.
#pragma once

#include "furrow/core/sector_layout.hpp"
