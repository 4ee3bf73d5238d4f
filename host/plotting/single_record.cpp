// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/single_record.hpp"

#include <memory>

#include "host/base/mutex.hpp"
#include "host/plotting/record_encoding.hpp"
#include "host/primitives/sector_id.hpp"

namespace furrow {
namespace {

struct LazyEncoding {
  Mutex mutex;
  std::unique_ptr<RecordEncoding> encoding FURROW_GUARDED_BY(mutex);
};

}  // namespace

EncodeOneRecord make_single_record_encoder(SimdMode mode, unsigned k) {
  return [lazy = std::make_shared<LazyEncoding>(), mode, k](
             Network network, const SectorId& sector_id, PieceOffset offset, Record& record,
             FoundProofs& found_proofs, const MayGoOn& go_on) {
    const Lock lock(lazy->mutex);
    if (lazy->encoding == nullptr) {
      lazy->encoding = std::make_unique<RecordEncoding>(k, mode);
    }
    return lazy->encoding->encode(network, derive_evaluation_seed(sector_id, offset), offset,
                                  record, found_proofs, go_on);
  };
}

}  // namespace furrow
