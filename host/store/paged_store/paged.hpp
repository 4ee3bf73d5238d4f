// SPDX-License-Identifier: Apache-2.0
// References to immutable objects that are in memory, in a paged store, or both
// (docs/spec/08-storage-components.md, section 2.2).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <typeindex>
#include <typeinfo>
#include <utility>
#include <variant>

#include "furrow/errors.hpp"

#include "host/base/mutex.hpp"
#include "host/store/paged_store/data_key.hpp"

namespace furrow {

class ObjectReader;
class ObjectWriter;
template <class T>
class Paged;

/// How objects of type T are written and read. Specialise it for types that lack the two functions.
template <class T>
struct PagedTraits {
  static_assert(!std::is_abstract_v<T>, "include host/store/paged_store/polymorphic.hpp");
  static_assert(
      !std::is_polymorphic_v<T> || std::is_final_v<T>,
      "a reference to an open class may hold a derived object: refer to an abstract base");

  static void serialize(const T& object, ObjectWriter& out) { object.serialize(out); }
  /// Must consume all data and all children; otherwise the bytes count as corrupt.
  static std::shared_ptr<const T> deserialize(ObjectReader& in) { return T::deserialize(in); }
};

/// PagedTraits with the type hidden. One constant object for each type.
struct PagedType {
  std::type_index id;
  void (*serialize)(const void* object, ObjectWriter& out);
  std::shared_ptr<const void> (*deserialize)(ObjectReader& in);
};

template <class T>
const PagedType& paged_type() {
  static const PagedType type{typeid(T),
                              [](const void* object, ObjectWriter& out) {
                                PagedTraits<T>::serialize(*static_cast<const T*>(object), out);
                              },
                              [](ObjectReader& in) -> std::shared_ptr<const void> {
                                return PagedTraits<T>::deserialize(in);
                              }};
  return type;
}

/// What all copies of one reference share: the object as long as it is not stored, its key
/// afterwards. Its address is the object's identity while it is paged out. Thread-safe.
class PagedCell {
 public:
  struct StoredKey {
    DataKey key;
    std::uint64_t store_id = 0;
  };
  using State = std::variant<std::shared_ptr<const void>, StoredKey>;

  PagedCell(const PagedType& type, State state) : type_(type), state_(std::move(state)) {}
  PagedCell(const PagedCell&) = delete;
  PagedCell& operator=(const PagedCell&) = delete;
  /// A chain of any length ends without recursion, see release_object.
  ~PagedCell();

  [[nodiscard]] const PagedType& type() const { return type_; }
  [[nodiscard]] State state() const {
    const Lock lock(mutex_);
    return state_;
  }
  /// Lets go of the object. Pre: a store has its record, and those of all it reaches. Does nothing
  /// when the reference has a key already.
  void set_data_key(const StoredKey& key);

 private:
  const PagedType& type_;
  mutable Mutex mutex_;
  State state_ FURROW_GUARDED_BY(mutex_);
};

/// A reference to one object of type T; copies share it. It keeps the object in memory until it is
/// paged out, and is 16 bytes of key afterwards; PagedStore::load gives the object in both cases.
/// Make one reference for an object and copy it: two made of the same pointer are two objects until
/// they meet under their key. Copies may be used by several threads, one copy as any value.
template <class T>
class Paged {
 public:
  /// Refers to nothing.
  Paged() = default;
  /// Throws InvalidArgument on a null pointer.
  explicit Paged(std::shared_ptr<const T> object) {
    if (object == nullptr) {
      throw InvalidArgument("paged store: reference to a null pointer");
    }
    cell_ = std::make_shared<PagedCell>(paged_type<T>(), std::move(object));
  }
  /// For PagedStore and ObjectReader. Pre: the cell is one of type T.
  explicit Paged(std::shared_ptr<PagedCell> cell) : cell_(std::move(cell)) {}

  explicit operator bool() const { return cell_ != nullptr; }
  /// None while the object is in memory only. Pre: refers to something, also below.
  [[nodiscard]] std::optional<DataKey> data_key() const {
    const PagedCell::State state = cell_->state();
    const auto* stored = std::get_if<PagedCell::StoredKey>(&state);
    return stored == nullptr ? std::nullopt : std::optional(stored->key);
  }
  [[nodiscard]] bool needs_paging_out() const { return !data_key().has_value(); }
  [[nodiscard]] const std::shared_ptr<PagedCell>& cell() const { return cell_; }

 private:
  std::shared_ptr<PagedCell> cell_;
};

}  // namespace furrow
