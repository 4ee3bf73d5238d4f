// SPDX-License-Identifier: Apache-2.0
/** @file
 * libfurrow for C++17 and later: the C interface (furrow.h) with owners, functions and exceptions.
 * Header-only: what is linked is the C library, so compilers and standard libraries may differ.
 *
 * * Owners (Library, Gate, Encoder, ...) are moved, not copied, and may be destroyed in any order. A
 *   call on one that was moved from throws an Error of status FURROW_INVALID_ARGUMENT.
 * * Failures are exceptions of type Error. Being cancelled is none: it is Outcome::kCancelled, or an
 *   empty std::optional.
 * * Enumerations and structs of plain values are those of the C interface, whose headers say what
 *   their members mean. Structs of requests and options begin with the defaults.
 * * Threads, aborting, buffers and the rest of the process: as furrow/c/base.h says.
 * * Functions that are given to the library may throw. What then happens is said with each; nothing
 *   leaves them into the library.
 *
 * All names are in namespace furrow. */
#ifndef FURROW_FURROW_HPP
#define FURROW_FURROW_HPP

#include "furrow/cpp/base.hpp"
#include "furrow/cpp/device.hpp"
#include "furrow/cpp/encoder.hpp"
#include "furrow/cpp/erasure.hpp"
#include "furrow/cpp/error.hpp"
#include "furrow/cpp/farm.hpp"
#include "furrow/cpp/gate.hpp"
#include "furrow/cpp/hash.hpp"
#include "furrow/cpp/library.hpp"
#include "furrow/cpp/memory.hpp"
#include "furrow/cpp/piece.hpp"
#include "furrow/cpp/piece_source.hpp"
#include "furrow/cpp/plotter.hpp"
#include "furrow/cpp/proofs.hpp"
#include "furrow/cpp/sector.hpp"

#endif
