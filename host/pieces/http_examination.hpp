// SPDX-License-Identifier: Apache-2.0
// Whether a server that answers without a piece is the one that it should be
// (docs/formats/piece-http.md).
#pragma once

#include <exception>
#include <optional>
#include <stop_token>

#include "furrow/types.hpp"

#include "host/pieces/http_source_options.hpp"

namespace furrow {

struct HttpExamination {
  bool is_right = false;  ///< the server has shown it
  std::exception_ptr refusal =
      {};  ///< a SourceFailed; null when it is right, or nothing can be said
};

/// Asks for `known`, a piece that the server has given before, and without one, or when it does not
/// give it any more, for the manifest. `answer` is what made the server doubtful; null is 404.
///
/// A manifest that is refused or none at all (HttpApiAbsent), or of another history, is a refusal.
/// Where pieces and manifest fail alike with statuses of a server in trouble, it is
/// SourceUnavailable. Pre: the options have check_manifest.
HttpExamination examine_server(const HttpSourceOptions& options, std::optional<PieceIndex> known,
                               const std::exception_ptr& answer, const std::stop_token& stop);

}  // namespace furrow
