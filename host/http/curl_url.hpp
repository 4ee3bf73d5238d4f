// SPDX-License-Identifier: Apache-2.0
// Addresses as libcurl reads them.
#pragma once

#include <string>
#include <vector>

namespace furrow {

/// Throws InvalidArgument unless require_http_url takes the address and libcurl can read it: else
/// it would be refused with every request, long after the start. `purpose` begins the message.
void require_readable_url(const std::string& url, const std::string& purpose);

/// What a request to the address shows to the server of its user and password, as it is sent and as
/// it is meant.
std::vector<std::string> secrets_in(const std::string& url);

}  // namespace furrow
