// SPDX-License-Identifier: Apache-2.0
// What a furrow_library is to everything that was made from it.
#pragma once

#include <memory>
#include <string>

#include "furrow/c/library.h"

#include "host/base/lease_pool.hpp"
#include "host/base/threads.hpp"
#include "host/pos/proof_table.hpp"

namespace furrow::capi {

/// Shared by all handles of a library; lives as long as the last of them. Thread-safe.
class Library {
 public:
  explicit Library(const furrow_library_options& options);

  /// Tells the user one line.
  void log(furrow_log_level level, const std::string& line) const;
  void warn(const std::string& line) const { log(FURROW_LOG_WARNING, line); }

  /// Of threads that work for this library; null when nobody wants to see them.
  std::shared_ptr<const ThreadHooks> hooks;
  /// Working memory of single proofs, kept for the next call.
  LeasePool<ProofTable> tables;

 private:
  furrow_library_options options_;
};

}  // namespace furrow::capi
