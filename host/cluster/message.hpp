// SPDX-License-Identifier: Apache-2.0
// Messages as bytes and back (docs/spec/07-cluster-protocol.md; SCALE in docs/spec/05, section 1). Whose
// network a message is of decides how some values are sent (docs/spec/09-autonomys.md, section 13).
//
// A message is a plain struct that names its fields in the order in which they are sent:
//
//   struct CacheDetails {
//     static constexpr std::string_view kName = "cache details";
//     PieceCacheId piece_cache_id;
//     std::uint32_t max_num_elements = 0;
//     static void visit(auto& self, auto& field) {
//       field("piece cache id", self.piece_cache_id);
//       field("max num elements", self.max_num_elements);
//     }
//   };
//
// so that one list is what encodes and what decodes. How a member is sent follows from its type:
//
//   integers, Index, float       fixed width, little-endian
//   bool                         one byte, 0 or 1
//   HistorySize                  u64, the number of the network, which may have no 0
//   FixedBytes                   the bytes
//   identifiers                  u128, some behind a variant byte (identifiers.hpp)
//   std::string, Bytes           compact length, then the bytes; text is UTF-8
//   std::vector                  compact number of elements, then these
//   std::optional                00, or 01 and the value
//   std::variant                 index of the alternative in one byte, then that one
//   SharedPiece                  as a byte string that has to be as long as a piece
//   a wire image                 the bytes of the object
//   anything else                its fields, one after another
//
// The encoding is canonical: what decodes encodes to the same bytes, but for what follows the message.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "furrow/types.hpp"

#include "host/cluster/message_reader.hpp"
#include "host/primitives/scale.hpp"

namespace furrow::cluster {

using Bytes = std::vector<std::uint8_t>;

/// Of a variant whose second alternative this is: the other side failed and says why.
struct RemoteFailure {
  std::string text;
  bool operator==(const RemoteFailure&) const = default;
  static void visit(auto& self, auto& field) { field("error", self.text); }
};

/// What succeeded without anything to say.
struct Nothing {
  bool operator==(const Nothing&) const = default;
  static void visit(auto&, auto&) {}
};

/// `00` and the value, or `01` and the text of an error.
template <class T>
using ResultOf = std::variant<T, RemoteFailure>;

/// Whether the memory image of T (alignment 1, no padding) is its encoding.
template <class T>
inline constexpr bool kIsWireImage = false;

/// Names the fields of a type that is not of this folder.
template <class T>
struct FieldsOf {
  static void visit(auto& self, auto& field) { T::visit(self, field); }
};

template <>
struct FieldsOf<FarmerProtocolInfo> {
  static void visit(auto& self, auto& field) {
    field("history size", self.history_size);
    field("max pieces in sector", self.max_pieces_in_sector);
    field("recent segments", self.recent_segments);
    field("recent history numerator", self.recent_history_numerator);
    field("recent history denominator", self.recent_history_denominator);
    field("min sector lifetime", self.min_sector_lifetime);
  }
};

/// How a type of its own kind is sent: `static void encode(const T&, ScaleWriter&)` and
/// `static void decode(T&, MessageReader&)`.
template <class T>
struct CodecOf;

template <class T>
concept HasCodec = requires(const T& value, ScaleWriter& out) {
  CodecOf<T>::encode(value, out);
};

/// Appends the fields that it is shown.
class FieldEncoder {
 public:
  FieldEncoder(ScaleWriter& out, Network network) : out_(out), network_(network) {}

  [[nodiscard]] Network network() const { return network_; }

  void operator()(std::string_view, const auto& value) { put(value); }
  template <class T>
  void list(std::string_view, const std::vector<T>& values, std::size_t) {
    put(values);
  }

 private:
  void put(std::uint8_t value) { out_.u8(value); }
  void put(std::uint16_t value) { out_.u16(value); }
  void put(std::uint32_t value) { out_.u32(value); }
  void put(std::uint64_t value) { out_.u64(value); }
  void put(bool value) { out_.boolean(value); }
  void put(float value) { out_.u32(std::bit_cast<std::uint32_t>(value)); }
  void put(HistorySize value) { out_.u64(value.number(network_)); }
  void put(const std::string& text) { out_.text(text); }
  void put(const Bytes& bytes) { out_.byte_string(bytes); }
  template <class Tag, class T>
  void put(Index<Tag, T> value) {
    put(value.value());
  }
  template <class Tag, std::size_t N>
  void put(const FixedBytes<Tag, N>& bytes) {
    out_.raw(bytes.bytes);
  }
  template <class T>
  void put(const std::vector<T>& values) {
    out_.compact(values.size());
    for (const T& value : values) {
      put(value);
    }
  }
  template <class T>
  void put(const std::optional<T>& value) {
    out_.u8(value ? 1 : 0);
    if (value) {
      put(*value);
    }
  }
  template <class... Alternatives>
  void put(const std::variant<Alternatives...>& value) {
    static_assert(sizeof...(Alternatives) <= 256);
    out_.u8(static_cast<std::uint8_t>(value.index()));
    std::visit([this](const auto& alternative) { this->put(alternative); }, value);
  }
  template <class T>
  void put(const T& value) {
    if constexpr (kIsWireImage<T>) {
      out_.raw(bytes_of(value));
    } else if constexpr (HasCodec<T>) {
      CodecOf<T>::encode(value, out_);
    } else {
      FieldsOf<T>::visit(value, *this);
    }
  }

  ScaleWriter& out_;
  Network network_;
};

/// Sets the fields that it is shown.
class FieldDecoder {
 public:
  explicit FieldDecoder(MessageReader& in) : in_(in) {}

  [[nodiscard]] Network network() const { return in_.network(); }

  void operator()(std::string_view field, auto& value) {
    in_.enter(field);
    get(value);
  }
  /// A list of at most `limit` elements, where the protocol knows a limit.
  template <class T>
  void list(std::string_view field, std::vector<T>& values, std::size_t limit) {
    in_.enter(field);
    get_list(values, limit);
  }

 private:
  void get(std::uint8_t& value) { value = in_.u8(); }
  void get(std::uint16_t& value) { value = in_.u16(); }
  void get(std::uint32_t& value) { value = in_.u32(); }
  void get(std::uint64_t& value) { value = in_.u64(); }
  void get(bool& value) { value = in_.boolean(); }
  void get(float& value) { value = std::bit_cast<float>(in_.u32()); }
  void get(HistorySize& value) {
    const std::optional<HistorySize> size = HistorySize::from_number(in_.network(), in_.u64());
    if (!size) {
      in_.refuse("at least 1 segment", "0");
    }
    value = *size;
  }
  void get(std::string& text) { text = in_.text(); }
  void get(Bytes& bytes) {
    const std::span<const std::uint8_t> view = in_.byte_string();
    if (in_.keeps_bytes()) {
      bytes.assign(view.begin(), view.end());
    }
  }
  template <class Tag, class T>
  void get(Index<Tag, T>& value) {
    T number{};
    get(number);
    value = Index<Tag, T>(number);
  }
  template <class Tag, std::size_t N>
  void get(FixedBytes<Tag, N>& bytes) {
    std::memcpy(bytes.data(), in_.raw(N).data(), N);
  }
  template <class T>
  void get(std::vector<T>& values) {
    get_list(values, kNoLimit);
  }
  template <class T>
  void get(std::optional<T>& value) {
    value.reset();
    if (in_.variant(2) == 1) {
      get(value.emplace());
    }
  }
  template <class... Alternatives>
  void get(std::variant<Alternatives...>& value) {
    const std::uint8_t chosen = in_.variant(sizeof...(Alternatives));
    std::uint8_t index = 0;
    const auto get_if_chosen = [&]<class Alternative>(std::type_identity<Alternative>) {
      if (index++ == chosen) {
        get(value.template emplace<Alternative>());
      }
    };
    (get_if_chosen(std::type_identity<Alternatives>()), ...);
  }
  template <class T>
  void get(T& value) {
    if constexpr (kIsWireImage<T>) {
      std::memcpy(&value, in_.raw(sizeof(T)).data(), sizeof(T));
    } else if constexpr (HasCodec<T>) {
      CodecOf<T>::decode(value, in_);
    } else {
      FieldsOf<T>::visit(value, *this);
    }
    if constexpr (requires { value.check(in_); }) {
      value.check(in_);  // what the protocol demands of the values themselves
    }
  }
  template <class T>
  void get_list(std::vector<T>& values, std::uint64_t limit) {
    const std::size_t length = in_.list_length(limit);
    values.clear();
    for (std::size_t i = 0; i < length; ++i) {
      get(values.emplace_back());
    }
  }

  MessageReader& in_;
};

/// Appends the encoding of a message, or of an element of a stream.
template <class T>
void encode_to(ScaleWriter& out, const T& message, Network network = Network::kAbundance) {
  FieldEncoder fields(out, network);
  fields(T::kName, message);
}

/// The payload of a message.
template <class T>
[[nodiscard]] Bytes encode_message(const T& message, Network network = Network::kAbundance) {
  ScaleWriter out;
  encode_to(out, message, network);
  return out.take();
}

/// Reads a message from where the reader is.
template <class T>
[[nodiscard]] T decode_from(MessageReader& in) {
  T message;
  FieldDecoder fields(in);
  fields(T::kName, message);
  return message;
}

/// The message at the start of a payload; bytes behind it are ignored. Throws MalformedMessage.
template <class T>
[[nodiscard]] T decode_message(std::span<const std::uint8_t> payload,
                               Network network = Network::kAbundance) {
  MessageReader in(T::kName, payload, network);
  return decode_from<T>(in);
}

}  // namespace furrow::cluster
