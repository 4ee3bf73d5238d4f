// SPDX-License-Identifier: Apache-2.0
// What may be wrong with an answer.
#pragma once

#include <string>

#include "furrow/errors.hpp"

namespace furrow {

/// Why a request has no answer, or what came in its place. What it means is for those to say who
/// asked.
struct HttpProblem {
  enum class Kind {
    kNoConnection,  ///< nobody listens, the name is unknown, or the agreement on TLS broke off
    kNoTrust,       ///< TLS failed for what one side is or wants
    kTimeout,       ///< nothing, or not everything, came in time
    kBroken,        ///< the connection broke
    kUnauthorized,  ///< statuses 401 and 403: no token, or not the one that is wanted
    kForeign,       ///< what only another server says: a redirection, a page for people
    kStatus,        ///< any other status than 200
    kBadAddress,    ///< libcurl cannot read it
  };
  Kind kind;
  std::string message;
  ErrorFields fields;
  int status = 0;  ///< of kStatus and kUnauthorized
};

}  // namespace furrow
