// SPDX-License-Identifier: Apache-2.0
// The statuses of HTTP that server and client know by name.
#pragma once

namespace furrow {

inline constexpr int kStatusOk = 200;
inline constexpr int kStatusNotModified = 304;
inline constexpr int kStatusBadRequest = 400;
inline constexpr int kStatusUnauthorized = 401;
inline constexpr int kStatusForbidden = 403;
inline constexpr int kStatusNotFound = 404;
inline constexpr int kStatusMethodNotAllowed = 405;
inline constexpr int kStatusLengthRequired = 411;
inline constexpr int kStatusTooLarge = 413;
inline constexpr int kStatusUnsupportedType = 415;
inline constexpr int kStatusTooManyRequests = 429;
inline constexpr int kStatusServerError = 500;
inline constexpr int kStatusBadGateway = 502;
inline constexpr int kStatusUnavailable = 503;
inline constexpr int kStatusGatewayTimeout = 504;
inline constexpr int kStatusLoginRequired = 511;

}  // namespace furrow
