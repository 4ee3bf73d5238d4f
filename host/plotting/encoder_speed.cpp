// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/encoder_speed.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

namespace furrow {

double measure_records_per_second(RecordsEncoder& encoder, std::size_t n_records,
                                  const std::stop_token& stop) {
  std::vector<Record> records(std::max<std::size_t>(1, n_records));
  std::vector<FoundProofs> found_proofs(records.size());
  SectorId sector_id;
  sector_id.bytes.fill(0x5A);
  for (Record& record : records) {
    record[0].bytes.fill(1);  // what is in a record does not change how long it takes
  }
  const auto start = std::chrono::steady_clock::now();
  static_cast<void>(encoder.encode_records(sector_id, records, found_proofs, stop));
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  return static_cast<double>(records.size()) / std::max(taken.count(), 1e-9);
}

}  // namespace furrow
