// SPDX-License-Identifier: Apache-2.0
// The manifest that a server of pieces has (docs/formats/piece-http.md).
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "host/pieces/http_source_options.hpp"

namespace furrow {

/// The text that the server gives for /v1/manifest; none when a stop was requested. Whoever
/// believes it lets the server say what the history is.
///
/// Throws the errors of source_errors.hpp, HttpStatusError also when the server has no manifest,
/// InvalidBytesLength beyond max_manifest_bytes, and ChecksumMismatch unless the text is what its
/// entity tag says.
std::optional<std::string> fetch_manifest_text(const HttpSourceOptions& options,
                                               const std::stop_token& stop);

}  // namespace furrow
