// SPDX-License-Identifier: Apache-2.0
// The key of a farm: identity.bin, 32 bytes, the secret Ed25519 seed (docs/spec/06-farm-format.md,
// section 2.1). Whoever reads the file owns the farm.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>

#include "furrow/types.hpp"

namespace furrow {

/// Ed25519 signature.
using Signature = FixedBytes<struct SignatureTag, 64>;

/// Move-only owner of the secret, which is wiped from memory at the end. Thread-safe to use.
class Identity {
 public:
  static constexpr std::size_t kFileSize = 32;

  /// Reads the file; bytes beyond the first 32 are ignored. Throws InvalidBytesLength when it is
  /// shorter.
  static Identity open(const std::filesystem::path& path);
  /// Draws a new key and writes it durably, readable by the owner alone; the file appears whole or
  /// not at all. Until then it has the name `path` with ".tmp" behind it, which must be free.
  /// Throws InvalidArgument when it exists.
  static Identity create(const std::filesystem::path& path);
  static Identity open_or_create(const std::filesystem::path& path);

  Identity(Identity&& other) noexcept;
  Identity& operator=(Identity&& other) noexcept;
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;
  ~Identity();

  [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
  [[nodiscard]] const Hash& public_key_hash() const { return public_key_hash_; }
  /// Hash of the secret seed.
  [[nodiscard]] const Hash& shard_commitments_seed() const { return shard_commitments_seed_; }
  /// Signs the hash of a block before sealing (docs/spec/07, section 9).
  [[nodiscard]] Signature seal(const Hash& pre_seal_hash) const;

 private:
  explicit Identity(std::span<const std::uint8_t, kFileSize> seed);

  std::array<std::uint8_t, 64> secret_key_;  // seed, then public key: the form libsodium signs with
  PublicKey public_key_;
  Hash public_key_hash_;
  Hash shard_commitments_seed_;
};

}  // namespace furrow
