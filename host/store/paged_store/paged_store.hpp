// SPDX-License-Identifier: Apache-2.0
// Paged, content-addressed store: parts of a graph of immutable objects go to a database and come
// back on demand, equal parts once, one stored part as one live object
// (docs/spec/08-storage-components.md, part 2; docs/formats/paged-store.md).
//
//   Paged<T>  --schedule_for_paging-->  pending --page_out_pending-->  records, children first
//      |                                             (a thread of the store, or any caller)
//      '------load------>  shared_ptr<const T>, the one live object of its (type, key)
//
// Memory of a store: its backend's, plus what is scheduled and not paged out yet, plus objects that
// somebody holds a pointer to, plus the new records of each root that is being paged out, twice
// (once serialized, once in the backend). A reference whose object was paged out is about 150
// bytes. The cache keeps no object alive; of objects that are gone it may hold back the memory made
// by make_shared for at most twice the live ones or 32, until it sweeps, so keep large contents in
// a vector, which goes at once.
//
// A farm that pages out the metadata of each sector when it is written and loads one when it is
// audited thus holds two sectors' metadata (2 * 131 kB) for each thread that does so, 150 bytes for
// each sector, and the backend (2 MiB of cache and 2 * 8 MiB of write buffers unless told
// otherwise).
#pragma once

#include <concepts>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>

#include "host/base/mutex.hpp"
#include "host/store/paged_store/object_cache.hpp"
#include "host/store/paged_store/paged.hpp"
#include "host/store/paged_store/paged_backend.hpp"
#include "host/store/paged_store/paged_errors.hpp"
#include "host/store/paged_store/record.hpp"
#include "host/store/paged_store/session_context.hpp"

namespace furrow {

/// Values that are the same bytes wherever they are equal: fixed size, no padding, no pointers.
template <class T>
concept RawValue = std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T> &&
    std::has_unique_object_representations_v<T> && !std::is_pointer_v<T>;

/// Thread-safe; no lock is held while code of an object runs, so that may use the store, too. Every
/// operation may throw BackendError. The store outlives its users, references to objects may
/// outlive it.
class PagedStore {
 public:
  struct Options {
    LongerValues longer_values = LongerValues::kRefused;
    /// A thread pages out what is scheduled; without it, page_out_pending does.
    bool in_background = true;
  };

  explicit PagedStore(std::unique_ptr<PagedBackend> backend, SessionContext context = {});
  PagedStore(std::unique_ptr<PagedBackend> backend, SessionContext context, Options options);
  PagedStore(const PagedStore&) = delete;
  PagedStore& operator=(const PagedStore&) = delete;
  /// Shuts down. What is scheduled and not paged out stays in memory only: drain first.
  ~PagedStore();

  /// Puts the object into the queue of those to be paged out. Does not wait for anything; fails
  /// only for want of memory. After shut_down the reference is dropped.
  template <class T>
  void schedule_for_paging(const Paged<T>& object) {
    schedule(cell_of(object));
  }
  /// Objects in the queue; more may come just after.
  [[nodiscard]] std::size_t pending_count() const;
  /// Pages out until the queue is empty, the last element first, each with all it reaches as one
  /// atomic write. An error ends the call. The object in hand goes back to the far end of the queue
  /// if the backend failed, and else out of it; the others stay, and all stay in memory.
  void page_out_pending();
  /// Empties the queue together with the background thread and returns when nothing is under way.
  /// Throws the first error that the background thread met since errors were last thrown from here
  /// or from flush. Not to be called while an object is serialized.
  void drain();
  /// Pages out one object with all it reaches, now. Its key; the one it has if it is stored
  /// already.
  template <class T>
  DataKey page_out(const Paged<T>& object) {
    return page_out_cell(cell_of(object));
  }
  /// Makes all that was written so far durable. Afterwards throws what drain would have thrown of
  /// the background thread, since then something scheduled was not written.
  void flush();
  /// Ends the background thread after the object in hand, and drops the queue. Everything else goes
  /// on. Not to be called while an object is serialized.
  void shut_down();

  /// The object, from memory if it is there. Equal contents of one type give one object.
  /// Throws NoDataForKey and CorruptEntry.
  template <class T>
  std::shared_ptr<const T> load(const Paged<T>& object) {
    const PagedCell::State state = cell_of(object)->state();
    if (const auto* live = std::get_if<std::shared_ptr<const void>>(&state)) {
      return std::static_pointer_cast<const T>(*live);
    }
    return fetch<T>(key_here(std::get<PagedCell::StoredKey>(state)));
  }
  /// The same for a key. Types are not part of keys: bytes of another type are an object if they
  /// can be read as one.
  template <class T>
  std::shared_ptr<const T> fetch(const DataKey& key) {
    return std::static_pointer_cast<const T>(fetch_object(paged_type<T>(), key));
  }
  /// A reference to a stored object without reading it as one. Throws NoDataForKey: a parent made
  /// with this reference must find its child.
  template <class T>
  Paged<T> reference(const DataKey& key) {
    require_record(key);
    return Paged<T>(std::make_shared<PagedCell>(paged_type<T>(),
                                                PagedCell::StoredKey{.key = key, .store_id = id_}));
  }
  /// The contents of a record, verified. Throws NoDataForKey and CorruptEntry.
  [[nodiscard]] PagedData fetch_data(const DataKey& key) const;

  /// Stores the bytes of a value under a name; names have nothing to do with keys. Replaces.
  template <RawValue T>
  void write_value(std::string_view name, const T& value) {
    write_bytes(name, {reinterpret_cast<const std::uint8_t*>(&value), sizeof(T)});
  }
  /// Throws NoDataForKey, CorruptEntry, and InvalidBytesLength for a value of another size.
  template <RawValue T>
  [[nodiscard]] T fetch_value(std::string_view name) const {
    T value{};
    fetch_bytes(name, {reinterpret_cast<std::uint8_t*>(&value), sizeof(T)});
    return value;
  }

  [[nodiscard]] const PagedBackend& backend() const { return *backend_; }

 private:
  using Cell = std::shared_ptr<PagedCell>;

  template <class T>
  static const Cell& cell_of(const Paged<T>& object) {
    if (!object) {
      throw InvalidArgument("paged store: reference to nothing");
    }
    return object.cell();
  }
  void schedule(const Cell& cell);
  DataKey page_out_cell(const Cell& cell);
  std::shared_ptr<const void> fetch_object(const PagedType& type, const DataKey& key);
  [[nodiscard]] DataKey key_here(const PagedCell::StoredKey& stored) const;
  void require_record(const DataKey& key) const;
  void write_bytes(std::string_view name, std::span<const std::uint8_t> value);
  void fetch_bytes(std::string_view name, std::span<std::uint8_t> out) const;

  Cell take_pending();
  enum class Caller { kUser, kBackground };
  std::exception_ptr page_out_taken(const Cell& cell, Caller caller);
  void page_out_in_background(const std::stop_token& stop);
  void rethrow_background_error();

  const std::uint64_t id_;
  const std::unique_ptr<PagedBackend> backend_;
  const SessionContext context_;
  const Options options_;
  ObjectCache cache_;

  mutable Mutex mutex_;
  ConditionVariable changed_;
  std::deque<Cell> pending_ FURROW_GUARDED_BY(mutex_);
  /// Taken from pending_, not finished.
  std::size_t under_way_ FURROW_GUARDED_BY(mutex_) = 0;
  bool is_shut_down_ FURROW_GUARDED_BY(mutex_) = false;
  /// The background thread rests from a failure of the backend until the error was thrown to
  /// somebody: to try again at once would not help.
  bool is_resting_ FURROW_GUARDED_BY(mutex_) = false;
  std::exception_ptr background_error_ FURROW_GUARDED_BY(mutex_);

  Mutex joining_;  // one at a time may wait for the thread's end
  std::jthread background_ FURROW_GUARDED_BY(joining_);  // last: ends before the rest does
};

}  // namespace furrow
