// SPDX-License-Identifier: Apache-2.0
// What the interpreter of SASS cannot go on with. What it can go on with is a finding
// (findings.hpp).
#pragma once

#include <string>

#include "furrow/errors.hpp"

namespace furrow::sass {

/// A file that is no cubin, or one that is built otherwise than the reader knows.
class BadCubin : public Error {
 public:
  explicit BadCubin(const std::string& message) : Error(ErrorKind::kCorrupt, message) {}
};

/// An operation or a modifier of one that the decoder does not know.
class UnknownInstruction : public Error {
 public:
  explicit UnknownInstruction(const std::string& message) : Error(ErrorKind::kMismatch, message) {}
};

/// A launch with a shape or with parameters that the kernel does not have.
class BadLaunch : public Error {
 public:
  explicit BadLaunch(const std::string& message) : Error(ErrorKind::kInvalidArgument, message) {}
};

/// A kernel did what would end it on a card: an access out of bounds or out of line, a deadlock, a
/// jump to nowhere; or something that the interpreter knows but does not carry out.
class KernelFault : public Error {
 public:
  explicit KernelFault(const std::string& message) : Error(ErrorKind::kInternal, message) {}
};

}  // namespace furrow::sass
