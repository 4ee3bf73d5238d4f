// SPDX-License-Identifier: Apache-2.0
// Messages of farmers, farms and caches about themselves (docs/spec/07, section 10).
#include "host/cluster/farm_messages.hpp"
#include "tests/fuzz/cluster_messages_fuzz.hpp"

namespace {

using namespace furrow::cluster;
using furrow::test::fuzz_message;
using furrow::test::fuzz_stream;

// The corpus counts on their order.
constexpr furrow::test::Fuzz kTypes[] = {
    fuzz_message<CacheIdentify>,
    fuzz_message<FarmerIdentify>,
    fuzz_message<CacheDetails>,
    fuzz_message<FarmDetails>,
    fuzz_message<PlottedSectorsElement>,
    fuzz_message<FarmReadPieceRequest>,
    fuzz_message<FarmReadPieceResponse>,
    fuzz_message<SectorUpdateBroadcast>,
    fuzz_message<FarmingNotificationBroadcast>,
    fuzz_message<SolutionBroadcast>,
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return furrow::test::fuzz_one_of(kTypes, {data, size});
}
