// SPDX-License-Identifier: Apache-2.0
#include "host/capi/gate.hpp"

#include "host/capi/last_error.hpp"
#include "host/capi/structs.hpp"

namespace furrow::capi {

std::shared_ptr<Gate> gate_of(furrow_gate* gate) {
  if (gate == nullptr) {
    return nullptr;
  }
  const Call call(gate, "gate");
  return gate->core;
}

}  // namespace furrow::capi

using furrow::capi::Call;
using furrow::capi::guarded;

extern "C" {

furrow_status furrow_gate_create(furrow_gate** gate) {
  return guarded([&] {
    furrow::capi::check_pointer(gate, "gate");
    *gate = nullptr;
    *gate = new furrow_gate;
    return FURROW_OK;
  });
}

void furrow_gate_destroy(furrow_gate* gate) {
  furrow::capi::destroy(gate);
}

furrow_status furrow_gate_close(furrow_gate* gate) {
  return guarded([&] {
    const Call call(gate, "gate");
    const furrow::Lock lock(gate->mutex);
    ++gate->n_closings;
    gate->core->close();
    return FURROW_OK;
  });
}

furrow_status furrow_gate_open(furrow_gate* gate) {
  return guarded([&] {
    const Call call(gate, "gate");
    const furrow::Lock lock(gate->mutex);
    if (gate->n_closings == 0) {
      throw furrow::InvalidArgument("furrow: the gate is open: every closing was taken back");
    }
    if (--gate->n_closings == 0) {
      gate->core->open();
    }
    return FURROW_OK;
  });
}

}  // extern "C"
