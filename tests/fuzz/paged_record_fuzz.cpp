// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as a record, and as a raw entry, of the paged store: an error or contents, and
// never contents other than those that were written.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "host/crypto/blake3.hpp"
#include "host/store/paged_store/memory_backend.hpp"
#include "host/store/paged_store/object_reader.hpp"
#include "host/store/paged_store/object_writer.hpp"
#include "host/store/paged_store/paged_store.hpp"
#include "host/store/paged_store/paged_store_check.hpp"
#include "host/store/paged_store/polymorphic.hpp"
#include "host/store/paged_store/raw_entry.hpp"

namespace furrow {
namespace {

using Bytes = std::vector<std::uint8_t>;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

struct Shape {
  virtual ~Shape() = default;
  [[nodiscard]] virtual int corners() const = 0;
};

/// Reads and writes all that an object can.
struct Polygon final : Shape {
  std::uint8_t a = 0;
  std::uint16_t b = 0;
  std::uint32_t c = 0;
  Bytes name;
  std::vector<Paged<Shape>> parts;

  [[nodiscard]] int corners() const override { return a; }
  void serialize(ObjectWriter& out) const {
    out.u8(a).u16(b).u32(c).text({reinterpret_cast<const char*>(name.data()), name.size()});
    for (const Paged<Shape>& part : parts) {
      out.child(part);
    }
  }
  static std::shared_ptr<const Polygon> deserialize(ObjectReader& in) {
    auto polygon = std::make_shared<Polygon>();
    polygon->a = in.u8();
    polygon->b = in.u16();
    polygon->c = in.u32();
    const std::string_view text = in.text();
    polygon->name.assign(text.begin(), text.end());
    for (std::uint8_t i = 0; i < polygon->a; ++i) {
      polygon->parts.push_back(in.child<Shape>());
    }
    return polygon;
  }
};

SessionContext shapes() {
  SessionContext context;
  context.put(PolymorphicTypes<Shape>().add<Polygon>("polygon"));
  return context;
}

DataKey key_of(std::span<const std::uint8_t> record) {
  const Hash digest = blake3(record);
  DataKey key;
  std::copy_n(digest.begin(), DataKey::kSize, key.begin());
  return key;
}

/// What a value decodes to, if it does. Only errors of damage may come.
std::optional<PagedData> decode(const DataKey& key, const Bytes& value, LongerValues longer) {
  try {
    return decode_record(key, value, longer);
  } catch (const CorruptEntry&) {
    return std::nullopt;
  }
}

/// `value` as it is, under a key, through all that reads one.
void play(const DataKey& key, const Bytes& value) {
  const auto strict = decode(key, value, LongerValues::kRefused);
  const auto lenient = decode(key, value, LongerValues::kAccepted);
  if (strict) {
    const PagedRecord again = encode_record(*strict);
    require(again.key == key && again.value == value);
    require(lenient == strict);
  }
  if (lenient) {
    const PagedRecord again = encode_record(*lenient);
    require(again.key == key);
    require(value.size() >= again.value.size() - kHashSize);
    require(std::equal(again.value.begin(), again.value.end() - kHashSize, value.begin()));
  }
  for (const LongerValues longer : {LongerValues::kRefused, LongerValues::kAccepted}) {
    auto backend = std::make_unique<MemoryBackend>();
    backend->put_records(std::vector{PagedRecord{key, value}});
    (void)check_paged_store(*backend, longer);
    PagedStore store(std::move(backend), shapes(),
                     {.longer_values = longer, .in_background = false});
    try {
      // An object that can be read is written as the same record.
      const auto object = store.fetch<Shape>(key);
      require(store.page_out(Paged<Shape>(object)) == key);
    } catch (const CorruptEntry&) {
    }
    try {
      const auto object = store.fetch<Polygon>(key);
      require(store.page_out(Paged<Polygon>(object)) == key);
    } catch (const CorruptEntry&) {
    }
  }
}

void play_raw_entry(std::span<const std::uint8_t> bytes) {
  Bytes value(bytes.size() < kHashSize ? 8 : bytes.size() - kHashSize);
  try {
    decode_raw_entry("name", bytes, value);
    const Bytes again = encode_raw_entry("name", value);
    require(std::ranges::equal(again, bytes));
  } catch (const CorruptEntry&) {
  }
  const Bytes sound = encode_raw_entry("name", bytes);
  Bytes back(bytes.size());
  decode_raw_entry("name", sound, back);
  require(std::ranges::equal(back, bytes));
}

}  // namespace
}  // namespace furrow

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace furrow;
  const std::span<const std::uint8_t> input(data, size);
  Bytes value(input.begin(), input.end());
  // As it is; then with the key that belongs to it, so that its lengths and contents are reached;
  // and with the check behind it, as the store writes it.
  play(key_of(input.first(std::min<std::size_t>(size, 16))), value);
  const DataKey key = key_of(input);
  play(key, value);
  const Hash check = blake3(input);
  value.insert(value.end(), check.begin(), check.end());
  play(key, value);
  // The input as the data of a record without children, and with its own key as the only child.
  for (const std::size_t children : {std::size_t{0}, std::size_t{1}, std::size_t{3}}) {
    const PagedRecord record =
        encode_record({Bytes(input.begin(), input.end()), std::vector<DataKey>(children, key)});
    play(record.key, record.value);
  }
  play_raw_entry(input);
  return 0;
}
