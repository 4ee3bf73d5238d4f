// SPDX-License-Identifier: Apache-2.0
// What a furrow_farm is to the sources and plotters that use it.
#pragma once

#include <memory>

#include "furrow/c/farm.h"

#include "host/base/mutex.hpp"
#include "host/capi/handle.hpp"
#include "host/farm/farm.hpp"
#include "host/farm/piece_finder.hpp"

namespace furrow::capi {

/// An open farm; its lock is released when the last handle that needs it is gone. Thread-safe.
struct SharedFarm {
  std::shared_ptr<Library> library;
  std::unique_ptr<Farm> farm;

  /// Made when it is first asked for.
  const PieceFinder& finder();

 private:
  Mutex mutex_;
  std::unique_ptr<const PieceFinder> finder_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow::capi

struct furrow_farm final : furrow::capi::Handle {
  explicit furrow_farm(std::shared_ptr<furrow::capi::SharedFarm> shared)
      : Handle("farm", shared->library), core(std::move(shared)) {}

  const std::shared_ptr<furrow::capi::SharedFarm> core;
};
