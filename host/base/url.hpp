// SPDX-License-Identifier: Apache-2.0
// Addresses of servers: which text is one, and how one is shown to people.
#pragma once

#include <string>

namespace furrow {

/// Whether a text is meant as the address of a server, not as a directory: it begins with a scheme
/// and "://", or with "http:" or "https:", in letters of any case. Whether anything can be asked for
/// there, require_http_url says.
[[nodiscard]] bool is_url(const std::string& text);

/// An address, or a directory in its place, as it may be printed and logged: what can hold a secret
/// is replaced by "***", which is everything before the last '@' behind the scheme (a
/// password that should have been escaped may hold any character) and the query. Every message,
/// field of an error and line of JSON that names a source has it in this form. A directory is
/// itself.
[[nodiscard]] std::string printable_url(const std::string& source);

/// Throws InvalidArgument unless something can be asked for below it: http:// or https://, a host,
/// and neither a query nor a fragment, behind which no path can stand. `purpose` begins the message.
void require_http_url(const std::string& url, const std::string& purpose);

}  // namespace furrow
