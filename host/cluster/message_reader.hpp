// SPDX-License-Identifier: Apache-2.0
// Reads the payload of one message and knows, when it is refused, which message and which field of it
// (docs/spec/07-cluster-protocol.md; SCALE in docs/spec/05, section 1: integers are little-endian).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "furrow/core/network.hpp"
#include "furrow/errors.hpp"

#include "host/primitives/scale.hpp"

namespace furrow::cluster {

/// A payload that is no encoding of the message that it should be. Of its fields, `expected`, `actual`
/// and `offset` are set.
class MalformedMessage : public MalformedData {
 public:
  /// `offset` counts bytes from the start of the payload to the field.
  MalformedMessage(std::string_view message, std::string_view field, std::uint64_t offset,
                   const std::string& expected, const std::string& actual);
  /// Name of the message, such as "plot sector request".
  [[nodiscard]] const std::string& message() const noexcept { return names_->message; }
  /// Name of the field, such as "history size".
  [[nodiscard]] const std::string& field() const noexcept { return names_->field; }

 private:
  struct Names {
    std::string message;
    std::string field;
  };
  std::shared_ptr<const Names> names_;  // shared, so that copies of an error cannot throw
};

/// Of a list: as many elements as there are bytes for.
inline constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

/// Reads values from the front of a payload. Each call throws MalformedMessage where the input ends
/// early or is not allowed, before it takes memory for it. What follows the last value that was asked
/// for is nobody's business: messages may grow at their end (section 13). Of one thread; the payload
/// must outlive it and what it gave views of.
class MessageReader {
 public:
  /// `message` must outlive this.
  MessageReader(std::string_view message, std::span<const std::uint8_t> payload,
                Network network = Network::kAbundance)
      : message_(message), network_(network), size_(payload.size()), in_(payload) {}

  /// Whose message it is.
  [[nodiscard]] Network network() const { return network_; }

  /// From now on, byte strings are looked at and left empty: for who only asks whether the payload is
  /// one, and would throw away what may be most of it.
  void look_only() { keeps_bytes_ = false; }
  [[nodiscard]] bool keeps_bytes() const { return keeps_bytes_; }

  /// Says which field is read next. `field` must outlive the reading of it.
  void enter(std::string_view field) {
    field_ = field;
    field_offset_ = offset();
  }

  std::uint8_t u8();
  std::uint16_t u16();
  std::uint32_t u32();
  std::uint64_t u64();
  uint128 u128();
  bool boolean();
  /// Index of a variant out of `count`.
  std::uint8_t variant(std::size_t count);
  /// A view of the next `size` bytes.
  std::span<const std::uint8_t> raw(std::size_t size);
  std::span<const std::uint8_t> byte_string();
  /// UTF-8, strictly.
  std::string text();
  /// Number of elements that follow, of at least one byte each: at most `limit`, and at most as many
  /// as there are bytes.
  std::size_t list_length(std::uint64_t limit);

  /// Calls `decode`, and says of errors that are none of this reader's which field they are of.
  template <class Decode>
  decltype(auto) foreign(Decode decode) {
    try {
      return decode();
    } catch (const MalformedMessage&) {
      throw;
    } catch (const Error& error) {
      refuse(error.fields().expected.empty() ? "a valid value" : error.fields().expected,
             error.fields().actual.empty() ? error.what() : error.fields().actual);
    }
  }

  /// Throws MalformedMessage for the field that was entered last.
  [[noreturn]] void refuse(const std::string& expected, const std::string& actual) const;

  [[nodiscard]] std::size_t remaining() const { return in_.remaining(); }
  /// Bytes that were read so far.
  [[nodiscard]] std::size_t offset() const { return size_ - in_.remaining(); }

 private:
  std::string_view message_;
  Network network_;
  std::string_view field_ = "payload";
  std::size_t size_;
  std::size_t field_offset_ = 0;
  bool keeps_bytes_ = true;
  ScaleReader in_;
};

}  // namespace furrow::cluster
