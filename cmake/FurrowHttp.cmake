# SPDX-License-Identifier: Apache-2.0
# Pieces over HTTP are optional. AUTO takes them when the libraries are found, ON demands them, OFF
# leaves them out.

set(FURROW_HTTP_ENABLED OFF)
if(FURROW_HTTP STREQUAL "OFF")
  message(STATUS "HTTP: left out (FURROW_HTTP=OFF)")
else()
  pkg_check_modules(HTTPLIB QUIET IMPORTED_TARGET cpp-httplib)
  pkg_check_modules(CURL QUIET IMPORTED_TARGET libcurl)
  pkg_check_modules(OPENSSL QUIET IMPORTED_TARGET openssl)
  set(missing)
  foreach(pair HTTPLIB:libcpp-httplib-dev CURL:libcurl4-openssl-dev OPENSSL:libssl-dev)
    string(REPLACE ":" ";" pair ${pair})
    list(GET pair 0 prefix)
    list(GET pair 1 package)
    if(NOT ${prefix}_FOUND)
      list(APPEND missing ${package})
    endif()
  endforeach()
  if(NOT missing)
    set(FURROW_HTTP_ENABLED ON)
    message(STATUS "HTTP: cpp-httplib ${HTTPLIB_VERSION}, libcurl ${CURL_VERSION}, "
                   "OpenSSL ${OPENSSL_VERSION}")
  elseif(FURROW_HTTP STREQUAL "ON")
    message(FATAL_ERROR "FURROW_HTTP=ON, but Debian packages are missing: ${missing}. "
                        "tools/install-deps.sh installs everything Furrow needs.")
  else()
    message(STATUS "HTTP: left out, Debian packages are missing: ${missing}")
  endif()
endif()
