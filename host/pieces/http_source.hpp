// SPDX-License-Identifier: Apache-2.0
// The seam to pieces over HTTP, which a build may lack: what is declared here then throws
// InvalidArgument that says so.
#pragma once

#include <memory>

#include "furrow/piece_getter.hpp"

#include "host/pieces/http_manifest.hpp"
#include "host/pieces/http_source_options.hpp"
#include "host/pieces/piece_validator.hpp"

namespace furrow {

/// An HttpPieceGetter. http_manifest.hpp declares the other half of the seam.
std::unique_ptr<PieceGetter> make_http_piece_getter(HttpSourceOptions options,
                                                    PieceValidator validator);

}  // namespace furrow
