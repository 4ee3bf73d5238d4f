// SPDX-License-Identifier: Apache-2.0
// Addresses of servers of pieces: which text is one, and how one is shown to people.
#pragma once

#include <string>

namespace furrow {

/// Whether a source is meant as the address of a server, not as the directory of a store: it begins
/// with a scheme and "://", or with "http:" or "https:", in letters of any case. Whether pieces can
/// be asked for there, require_piece_url says.
[[nodiscard]] bool is_piece_url(const std::string& source);

/// An address, or any other name of a source, as it may be printed and logged: what can hold a
/// secret is replaced by "***", which is everything before the last '@' behind the scheme (a
/// password that should have been escaped may hold any character) and the query. Every message,
/// field of an error and line of JSON that names a source has it in this form. A directory is
/// itself.
[[nodiscard]] std::string printable_url(const std::string& source);

/// Throws InvalidArgument unless pieces can be asked for below it: http:// or https://, a host, and
/// neither a query nor a fragment, behind which no path can stand.
void require_piece_url(const std::string& url);

}  // namespace furrow
