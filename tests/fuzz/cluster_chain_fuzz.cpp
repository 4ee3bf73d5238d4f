// SPDX-License-Identifier: Apache-2.0
// Messages of controllers about the chain (docs/spec/07, section 9).
#include "host/cluster/chain_messages.hpp"
#include "tests/fuzz/cluster_messages_fuzz.hpp"

namespace {

using namespace furrow::cluster;
using furrow::test::fuzz_message;
using furrow::test::fuzz_stream;

// The corpus counts on their order.
constexpr furrow::test::Fuzz kTypes[] = {
    fuzz_message<FarmerAppInfoResponse>,
    fuzz_message<SuperSegmentHeadersRequest>,
    fuzz_message<SuperSegmentHeadersResponse>,
    fuzz_message<SuperSegmentRootRequest>,
    fuzz_message<SuperSegmentRootResponse>,
    fuzz_message<NewSuperSegmentHeader>,
    fuzz_message<SlotInfoBroadcast>,
    fuzz_message<BlockSealingInfo>,
    fuzz_message<BlockSeal>,
    fuzz_message<SolutionNotification>,
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return furrow::test::fuzz_one_of(kTypes, {data, size});
}
