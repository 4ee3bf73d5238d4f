// SPDX-License-Identifier: Apache-2.0
// References to an abstract class: the record begins with the name under which the class of the
// object was registered, and then holds what that class writes.
//
//   0  u64       length of the name, little-endian
//   8            name, then the data of the object
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeindex>
#include <typeinfo>
#include <unordered_map>
#include <utility>

#include "host/store/paged_store/object_reader.hpp"
#include "host/store/paged_store/object_writer.hpp"
#include "host/store/paged_store/paged.hpp"

namespace furrow {

/// Classes that objects behind a Paged<Base> may have; a store finds them in its SessionContext.
/// Names are part of the format: never change one.
template <class Base>
class PolymorphicTypes {
 public:
  /// Throws InvalidArgument when the name or the class is registered already.
  template <std::derived_from<Base> Derived>
  PolymorphicTypes& add(const std::string& name) {
    static_assert(!std::is_abstract_v<Derived>);
    if (by_name_.contains(name) || names_.contains(typeid(Derived))) {
      throw InvalidArgument("paged store: class \"" + name + "\" is registered twice");
    }
    by_name_.emplace(name, Functions{[](const Base& object, ObjectWriter& out) {
                                       PagedTraits<Derived>::serialize(
                                           static_cast<const Derived&>(object), out);
                                     },
                                     [](ObjectReader& in) -> std::shared_ptr<const Base> {
                                       return PagedTraits<Derived>::deserialize(in);
                                     }});
    names_.emplace(typeid(Derived), name);
    return *this;
  }

  /// Throws InvalidArgument when the class of `object` is not registered.
  void serialize(const Base& object, ObjectWriter& out) const {
    const auto name = names_.find(typeid(object));
    if (name == names_.end()) {
      throw InvalidArgument(std::string("paged store: expected a registered class, actual ") +
                            typeid(object).name());
    }
    out.text(name->second);
    by_name_.at(name->second).serialize(object, out);
  }
  /// Throws CorruptEntry when no class has the name in the record.
  std::shared_ptr<const Base> deserialize(ObjectReader& in) const {
    const std::string name(in.text());
    const auto functions = by_name_.find(name);
    if (functions == by_name_.end()) {
      in.fail("expected the name of a registered class, actual \"" + name + "\"");
    }
    return functions->second.deserialize(in);
  }

 private:
  struct Functions {
    void (*serialize)(const Base&, ObjectWriter&);
    std::shared_ptr<const Base> (*deserialize)(ObjectReader&);
  };
  std::unordered_map<std::string, Functions> by_name_;
  std::unordered_map<std::type_index, std::string> names_;
};

template <class Base>
requires std::is_abstract_v<Base>
struct PagedTraits<Base> {
  static void serialize(const Base& object, ObjectWriter& out) {
    out.context().get<PolymorphicTypes<Base>>().serialize(object, out);
  }
  static std::shared_ptr<const Base> deserialize(ObjectReader& in) {
    return in.context().get<PolymorphicTypes<Base>>().deserialize(in);
  }
};

}  // namespace furrow
