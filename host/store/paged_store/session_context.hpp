// SPDX-License-Identifier: Apache-2.0
// Values that all objects of a paged store share while they are written and read
// (docs/spec/08-storage-components.md, section 2.2).
#pragma once

#include <memory>
#include <typeindex>
#include <typeinfo>
#include <unordered_map>
#include <utility>

#include "furrow/errors.hpp"

namespace furrow {

/// At most one value of each type. Filled before a store is made of it, only read afterwards, and
/// therefore safe to read from several threads.
class SessionContext {
 public:
  /// Adds a value, or replaces the one of its type.
  template <class T>
  SessionContext& put(T value) {
    values_[typeid(T)] = std::make_shared<const T>(std::move(value));
    return *this;
  }
  /// Throws InvalidArgument when there is no such value.
  template <class T>
  [[nodiscard]] const T& get() const {
    const auto found = values_.find(typeid(T));
    if (found == values_.end()) {
      throw InvalidArgument(std::string("session context: expected a value of type ") +
                            typeid(T).name() + ", there is none");
    }
    return *static_cast<const T*>(found->second.get());
  }

 private:
  std::unordered_map<std::type_index, std::shared_ptr<const void>> values_;
};

}  // namespace furrow
