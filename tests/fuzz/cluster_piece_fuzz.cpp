// SPDX-License-Identifier: Apache-2.0
// Messages of caches and controllers about pieces (docs/spec/07, section 8).
#include "host/cluster/piece_messages.hpp"
#include "tests/fuzz/cluster_messages_fuzz.hpp"

namespace {

using namespace furrow::cluster;
using furrow::test::fuzz_message;
using furrow::test::fuzz_stream;

// The corpus counts on their order.
constexpr furrow::test::Fuzz kTypes[] = {
    fuzz_message<PieceRequest>,       fuzz_message<FindPieceResponse>,
    fuzz_message<FindPiecesRequest>,  fuzz_message<FoundPiece>,
    fuzz_stream<FoundPiece>,          fuzz_message<ReadPieceRequest>,
    fuzz_message<ReadPieceResponse>,  fuzz_message<ReadPiecesRequest>,
    fuzz_message<ReadPiecesElement>,  fuzz_message<ReadPieceIndexResponse>,
    fuzz_message<ContentsElement>,    fuzz_message<WritePieceRequest>,
    fuzz_message<WritePieceResponse>, fuzz_message<PieceResponse>,
    fuzz_message<PiecesElement>,      fuzz_stream<ReadPiecesElement>,
    fuzz_stream<ContentsElement>,
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return furrow::test::fuzz_one_of(kTypes, {data, size});
}
