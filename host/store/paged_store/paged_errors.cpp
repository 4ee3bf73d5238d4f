// SPDX-License-Identifier: Apache-2.0
#include "host/store/paged_store/paged_errors.hpp"

#include "host/base/hex.hpp"

namespace furrow {
namespace {

std::string cycle_message(const std::vector<std::string>& type_names) {
  // A long way round says no more than its ends.
  constexpr std::size_t kShown = 8;
  std::string message = "paged store: cycle of " + std::to_string(type_names.size() - 1) +
                        " objects, expected none: ";
  for (std::size_t i = 0; i < type_names.size(); ++i) {
    if (i == kShown && type_names.size() > kShown + 1) {
      message += "... -> " + type_names.back();
      break;
    }
    message += (i == 0 ? "" : " -> ") + type_names[i];
  }
  return message;
}

ErrorKind kind_of(BackendError::Reason reason) {
  return reason == BackendError::Reason::kCorrupt ? ErrorKind::kCorrupt : ErrorKind::kIo;
}

}  // namespace

std::string describe(const DataKey& key) {
  return "key " + to_hex(key.bytes);
}

std::string describe(std::string_view entry_name) {
  return "name \"" + std::string(entry_name) + "\"";
}

NoDataForKey::NoDataForKey(const DataKey& key)
    : Error(ErrorKind::kUnavailable, "paged store: no data for " + describe(key)) {}

NoDataForKey::NoDataForKey(std::string_view entry_name)
    : Error(ErrorKind::kUnavailable, "paged store: no data for " + describe(entry_name)) {}

CorruptEntry::CorruptEntry(const DataKey& key, const std::string& reason)
    : Error(ErrorKind::kCorrupt,
            "paged store: corrupt entry for " + describe(key) + ": " + reason) {}

CorruptEntry::CorruptEntry(std::string_view entry_name, const std::string& reason)
    : Error(ErrorKind::kCorrupt,
            "paged store: corrupt entry for " + describe(entry_name) + ": " + reason) {}

PagingCycle::PagingCycle(const std::vector<std::string>& type_names)
    : InvalidArgument(cycle_message(type_names)) {}

BackendError::BackendError(Reason reason, std::string_view operation, std::string_view what,
                           const std::string& message)
    : Error(kind_of(reason), "paged store: cannot " + std::string(operation) + " " +
                                 std::string(what) + ": " + message),
      reason_(reason) {}

}  // namespace furrow
