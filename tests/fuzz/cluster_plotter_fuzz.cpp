// SPDX-License-Identifier: Apache-2.0
// Messages of farmers and plotters, and the acknowledgements of streams (docs/spec/07, sections 6 and 7).
#include "host/cluster/plotter_messages.hpp"
#include "tests/fuzz/cluster_messages_fuzz.hpp"

namespace {

using namespace furrow::cluster;
using furrow::test::fuzz_message;
using furrow::test::fuzz_stream;

// The corpus counts on their order.
constexpr furrow::test::Fuzz kTypes[] = {
    fuzz_message<FreeInstanceResponse>,  fuzz_message<PlotSectorRequest>,
    fuzz_message<PlottingProgress>,      fuzz_stream<PlottingProgress>,
    fuzz_message<StreamAcknowledgement>,
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return furrow::test::fuzz_one_of(kTypes, {data, size});
}
