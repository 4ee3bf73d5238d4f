// SPDX-License-Identifier: Apache-2.0
#include "host/farm/identity.hpp"

#include <sodium.h>

#include "furrow/errors.hpp"

#include "host/base/file.hpp"
#include "host/base/pending_file.hpp"
#include "host/crypto/blake3.hpp"
#include "host/primitives/sector_id.hpp"

namespace furrow {
namespace {

static_assert(crypto_sign_SECRETKEYBYTES == 64 && crypto_sign_BYTES == 64 &&
              crypto_sign_SEEDBYTES == Identity::kFileSize && crypto_sign_PUBLICKEYBYTES == 32);

void ensure_sodium_is_ready() {
  static const int result = sodium_init();
  if (result < 0) {
    throw Error(ErrorKind::kInternal, "libsodium cannot be initialised");
  }
}

/// A secret seed on its way, wiped when it goes out of scope.
struct Seed {
  std::array<std::uint8_t, Identity::kFileSize> bytes{};
  Seed() = default;
  Seed(const Seed&) = delete;
  Seed& operator=(const Seed&) = delete;
  ~Seed() { sodium_memzero(bytes.data(), bytes.size()); }
};

}  // namespace

Identity::Identity(std::span<const std::uint8_t, kFileSize> seed) {
  ensure_sodium_is_ready();
  crypto_sign_seed_keypair(public_key_.data(), secret_key_.data(), seed.data());
  public_key_hash_ = furrow::public_key_hash(public_key_);
  shard_commitments_seed_ = blake3(seed);
}

Identity Identity::open(const std::filesystem::path& path) {
  const File file = File::open_read(path);
  const std::uint64_t size = file.size();
  if (size < kFileSize) {
    throw InvalidBytesLength(path.native() + ": secret key", kFileSize, size);
  }
  Seed seed;
  file.read_at(0, seed.bytes);
  return Identity(seed.bytes);
}

Identity Identity::create(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    throw InvalidArgument(path.native() + ": exists, a new key would replace the one in it");
  }
  ensure_sodium_is_ready();
  Seed seed;
  randombytes_buf(seed.bytes.data(), seed.bytes.size());
  PendingFile file(path, PendingFile::Publish::kNew, 0600);
  file.file().write_at(0, seed.bytes);
  file.publish();
  return Identity(seed.bytes);
}

Identity Identity::open_or_create(const std::filesystem::path& path) {
  std::error_code ignored;  // what hinders this hinders opening too, which says so
  return std::filesystem::exists(path, ignored) ? open(path) : create(path);
}

Identity::Identity(Identity&& other) noexcept
    : secret_key_(other.secret_key_),
      public_key_(other.public_key_),
      public_key_hash_(other.public_key_hash_),
      shard_commitments_seed_(other.shard_commitments_seed_) {
  sodium_memzero(other.secret_key_.data(), other.secret_key_.size());
}

Identity& Identity::operator=(Identity&& other) noexcept {
  if (this != &other) {
    secret_key_ = other.secret_key_;
    public_key_ = other.public_key_;
    public_key_hash_ = other.public_key_hash_;
    shard_commitments_seed_ = other.shard_commitments_seed_;
    sodium_memzero(other.secret_key_.data(), other.secret_key_.size());
  }
  return *this;
}

Identity::~Identity() {
  sodium_memzero(secret_key_.data(), secret_key_.size());
}

Signature Identity::seal(const Hash& pre_seal_hash) const {
  Signature signature;
  crypto_sign_detached(signature.data(), nullptr, pre_seal_hash.data(), pre_seal_hash.size(),
                       secret_key_.data());
  return signature;
}

}  // namespace furrow
