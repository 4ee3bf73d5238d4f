// SPDX-License-Identifier: Apache-2.0
// Errors of the paged store.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/errors.hpp"

#include "host/store/paged_store/data_key.hpp"

namespace furrow {

/// The store has nothing under this key or name.
class NoDataForKey : public Error {
 public:
  explicit NoDataForKey(const DataKey& key);
  explicit NoDataForKey(std::string_view entry_name);
};

/// What the store has under a key or name is damaged, or no object of the type asked for.
class CorruptEntry : public Error {
 public:
  CorruptEntry(const DataKey& key, const std::string& reason);
  CorruptEntry(std::string_view entry_name, const std::string& reason);
};

/// An object reaches itself through its children, so that none of them has a content to name it by.
class PagingCycle : public InvalidArgument {
 public:
  /// `type_names` are those on the way round, beginning and ending with the same object.
  explicit PagingCycle(const std::vector<std::string>& type_names);
};

/// The database under the store failed. Nothing of the operation was carried out unless it says so.
class BackendError : public Error {
 public:
  enum class Reason { kIo, kNoSpace, kCorrupt };
  BackendError(Reason reason, std::string_view operation, std::string_view what,
               const std::string& message);
  [[nodiscard]] Reason reason() const noexcept { return reason_; }

 private:
  Reason reason_;
};

}  // namespace furrow
