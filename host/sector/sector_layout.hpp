// SPDX-License-Identifier: Apache-2.0
// Where the parts of a sector lie.
#pragma once

#include "furrow/core/sector_layout.hpp"
