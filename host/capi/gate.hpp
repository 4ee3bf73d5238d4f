// SPDX-License-Identifier: Apache-2.0
// What a furrow_gate is to the encoders and plotters that wait at it.
#pragma once

#include <memory>

#include "furrow/c/gate.h"

#include "host/base/gate.hpp"
#include "host/capi/handle.hpp"

struct furrow_gate final : furrow::capi::Handle {
  furrow_gate() : Handle("gate", nullptr) {}
  ~furrow_gate() override { core->open(); }  // whoever waits there is not left behind

  const std::shared_ptr<furrow::Gate> core = std::make_shared<furrow::Gate>();
  furrow::Mutex mutex;
  unsigned n_closings FURROW_GUARDED_BY(mutex) = 0;
};

namespace furrow::capi {

/// The gate that a caller has given, null if none.
std::shared_ptr<Gate> gate_of(furrow_gate* gate);

}  // namespace furrow::capi
