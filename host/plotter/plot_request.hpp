// SPDX-License-Identifier: Apache-2.0
// All that a user may say of a plotting run.
#pragma once

#include "host/plotter/engine_request.hpp"
#include "host/plotter/farm_request.hpp"
#include "host/plotter/piece_request.hpp"

namespace furrow {

struct PlotRequest {
  FarmRequest farm;
  PieceRequest pieces;
  EngineRequest engine;
};

}  // namespace furrow
