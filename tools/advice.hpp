// SPDX-License-Identifier: Apache-2.0
// What somebody at the command line may do about an error. The engine, whose errors daemons read as
// well, says what is wrong; which option mends it is known here.
#pragma once

#include <string>

#include "furrow/errors.hpp"

namespace furrow::cli {

/// What stands behind the text of `error`, "; " included; empty when there is nothing to say.
std::string advice_on(const Error& error);

}  // namespace furrow::cli
