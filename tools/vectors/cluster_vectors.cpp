// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include "host/cluster/message_reader.hpp"
#include "host/cluster/stream_packer.hpp"
#include "tools/vectors/cluster_fields.hpp"
#include "tools/vectors/vector_file.hpp"
#include "tools/vectors/vector_input.hpp"

namespace furrow::vectors {
namespace {

using cluster::Bytes;

/// Up to this length every shorter one is tried, beyond it some.
constexpr std::size_t kCutEverywhere = 4096;
constexpr std::size_t kEnds = 64;  ///< bytes of long messages that the file has of each end

bool is_refused(const ClusterType& type, std::span<const std::uint8_t> payload) {
  try {
    (void)type.recode(payload);
    return false;
  } catch (const cluster::MalformedMessage&) {
    return true;
  }
}

void check_cut(const ClusterType& type, const Bytes& bytes, const VectorReport::Fail& fail) {
  const std::size_t step =
      bytes.size() <= kCutEverywhere ? 1 : std::max<std::size_t>(1, bytes.size() / 16);
  for (std::size_t length = 0; length < bytes.size(); length += step) {
    if (!is_refused(type, std::span(bytes).first(length))) {
      fail("accepted when cut to " + std::to_string(length) + " bytes");
      return;
    }
  }
  if (!bytes.empty() && !is_refused(type, std::span(bytes).first(bytes.size() - 1))) {
    fail("accepted without its last byte");
  }
}

void check_message(const nlohmann::json& expected, const VectorReport::Fail& fail) {
  const ClusterType& type = cluster_type(expected.at("type").get<std::string>());
  const nlohmann::json& fields = expected.at("fields");
  const CaseChecker check(expected, fail);
  Bytes bytes = type.encode_fields(fields);
  check.number("length", bytes.size());
  check.digest("bytes_blake3", bytes);
  if (expected.contains("bytes")) {
    check.bytes("bytes", bytes);
  } else {
    check.bytes("first_64", std::span(bytes).first(kEnds));
    check.bytes("last_64", std::span(bytes).last(kEnds));
  }
  check.is_true(type.decodes_to(bytes, fields), "other fields when decoded");
  check.is_true(type.recode(bytes) == bytes, "other bytes when decoded and encoded");
  check_cut(type, bytes, fail);
  const std::size_t length = bytes.size();
  bytes.insert(bytes.end(), {0xAB, 0xCD});
  check.is_true(type.recode(bytes).size() == length, "reads beyond its end");
}

void check_refused(const nlohmann::json& expected, const VectorReport::Fail& fail) {
  if (!is_refused(cluster_type(expected.at("type").get<std::string>()), hex(expected, "bytes"))) {
    fail("accepted, though: " + expected.value("why", "it must be refused"));
  }
}

/// All elements are ready at once.
void check_packing(const nlohmann::json& expected, const VectorReport::Fail& fail) {
  const std::string ack_subject = "stream-response-ack.01ARZ3NDEKTSV4RRFFQ69G5FAV";
  const std::size_t max_payload = number(expected, "max_payload");
  CaseChecker(expected, fail)
      .number("approximate_max_message_size", cluster::approximate_max_message_size(max_payload));
  cluster::StreamPacker packer(max_payload, ack_subject);
  const nlohmann::json& sizes = expected.at("element_data_sizes");
  std::size_t next = 0;
  const auto next_element = [&] {
    const Bytes data(sizes.at(next++).get<std::size_t>());
    ScaleWriter element;
    return element.byte_string(data).take();
  };
  std::size_t packed = 0;
  for (const nlohmann::json& message : expected.at("messages")) {
    const CaseChecker check(message, fail);
    while (packer.wants_more()) {
      if (next == sizes.size()) {
        packer.end();
      } else {
        packer.add(next_element());
      }
    }
    const cluster::PackedMessage packed_message = packer.pack();
    check.text("variant", packed_message.is_last ? "Last" : "Continue");
    check.number("index", packed_message.index);
    check.number("message_size", packed_message.payload.size());
    const std::size_t n_elements = message.at("element_data_sizes").size();
    check.is_true(packed_message.n_elements == n_elements, "other elements");
    packed += n_elements;
  }
  if (packed != sizes.size() || !packer.is_done()) {
    fail("other messages");
  }
}

}  // namespace

void run_cluster_vectors(const nlohmann::json& file, const VectorOptions&, VectorReport& report) {
  for (const nlohmann::json& expected : file.at("messages")) {
    report.run_case("cluster, " + expected.at("name").get<std::string>(),
                    [&](const VectorReport::Fail& fail) { check_message(expected, fail); });
  }
  using Check = void (*)(const nlohmann::json&, const VectorReport::Fail&);
  const std::pair<const char*, Check> lists[] = {{"refused", check_refused},
                                                 {"stream_packing", check_packing}};
  for (const auto& [list, check] : lists) {
    std::size_t index = 0;
    for (const nlohmann::json& expected : file.at(list)) {
      report.run_case("cluster, " + std::string(list) + " " + std::to_string(index++),
                      [&, run = check](const VectorReport::Fail& fail) { run(expected, fail); });
    }
  }
}

}  // namespace furrow::vectors
