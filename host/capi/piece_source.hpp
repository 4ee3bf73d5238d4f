// SPDX-License-Identifier: Apache-2.0
// What a furrow_piece_source is to the plotters that use it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "furrow/c/piece_source.h"
#include "furrow/errors.hpp"
#include "furrow/piece_getter.hpp"

#include "host/archive/manifest.hpp"
#include "host/capi/handle.hpp"

namespace furrow::capi {

/// A source does not have a piece that it was asked for.
class PieceNotThere : public Error {
 public:
  explicit PieceNotThere(PieceIndex index)
      : Error(ErrorKind::kUnavailable,
              "piece " + std::to_string(index.value()) + ": the source does not have it",
              {.piece_index = index.value()}) {}
};

/// A source with all that it uses; lives as long as the last handle that needs it. Thread-safe.
struct SharedPieceSource {
  std::shared_ptr<Library> library;
  std::shared_ptr<void> keeps;  ///< what the getter reads from, if that is another handle's
  std::unique_ptr<PieceGetter> getter;
  /// Of a piece store: what the history is. Null of other sources.
  const Manifest* manifest = nullptr;
  /// Whether the source may give later what it does not give now.
  bool may_change = true;
};

/// A source that asks the caller's functions. Throws InvalidArgument unless one of them is set.
std::unique_ptr<PieceGetter> make_callback_getter(const furrow_piece_source_callbacks& callbacks);

}  // namespace furrow::capi

struct furrow_piece_source final : furrow::capi::Handle {
  explicit furrow_piece_source(std::shared_ptr<furrow::capi::SharedPieceSource> shared)
      : Handle("piece source", shared->library), core(std::move(shared)) {}

  const std::shared_ptr<furrow::capi::SharedPieceSource> core;
};
