# SPDX-License-Identifier: Apache-2.0
# Connections to a cluster are optional. AUTO takes them when the library is found, ON demands it, OFF
# leaves them out.

set(FURROW_NATS_ENABLED OFF)
if(FURROW_NATS STREQUAL "OFF")
  message(STATUS "NATS: left out (FURROW_NATS=OFF)")
else()
  pkg_check_modules(NATS QUIET IMPORTED_TARGET libnats)
  if(NATS_FOUND)
    set(FURROW_NATS_ENABLED ON)
    message(STATUS "NATS: cnats ${NATS_VERSION}")
  elseif(FURROW_NATS STREQUAL "ON")
    message(FATAL_ERROR "FURROW_NATS=ON, but a Debian package is missing: libnats-dev. "
                        "tools/install-deps.sh installs everything Furrow needs.")
  else()
    message(STATUS "NATS: left out, a Debian package is missing: libnats-dev")
  endif()
endif()
