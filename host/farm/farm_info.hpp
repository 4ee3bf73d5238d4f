// SPDX-License-Identifier: Apache-2.0
// The info file of a farm, single_disk_farm.json (docs/spec/06-farm-format.md, section 2.2). It is
// the lock file as well, hence never replaced by a rename.
//
//   {"v0":{"id":"<ULID>","genesisRoot":"<64 hex>","publicKey":"<64 hex>",
//   "shardCommitmentsSeed":"<64 hex>","piecesInSector":1000,"allocatedSpace":100000000000}}
//
// in one line, without a line end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "furrow/types.hpp"

#include "host/base/file.hpp"
#include "host/primitives/ulid.hpp"

namespace furrow {

struct FarmInfo {
  Ulid id;
  Hash genesis_root;
  PublicKey public_key;
  /// Fixed at creation and used from then on, whatever identity.bin gives.
  Hash shard_commitments_seed;
  std::uint16_t pieces_in_sector = 0;
  std::uint64_t allocated_space = 0;
  bool operator==(const FarmInfo&) const = default;

  /// Exactly the text above.
  [[nodiscard]] std::string to_text() const;
  /// Accepts any order of keys, white space and unknown keys inside "v0". Throws MalformedData that
  /// names `what` for everything that section 2.2 calls an error.
  static FarmInfo parse(std::string_view text, const std::string& what);

  /// Reads and parses an open info file.
  static FarmInfo read_from(const File& file);
  /// Writes the text durably, then cuts the file to it. The file parses at every moment in between,
  /// unless it was empty before.
  void write_to(const File& file) const;
};

}  // namespace furrow
