// SPDX-License-Identifier: Apache-2.0
// Where a plotter gets its pieces: stores and servers by name, in order of preference, with the
// manifest that says what the history is, and a cache in front when one is wanted:
//
//   cache ── rebuilding ── sources ── stores and servers
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "furrow/piece_getter.hpp"

#include "host/archive/manifest.hpp"
#include "host/base/observer.hpp"
#include "host/base/url.hpp"
#include "host/pieces/http_source_options.hpp"
#include "host/pieces/piece_cache.hpp"
#include "host/pieces/piece_sources.hpp"
#include "host/pieces/recovering_piece_getter.hpp"
#include "host/pieces/source_errors.hpp"

namespace furrow {

/// A source that has no name to be opened by, such as a cluster. It is asked after all others.
struct FurtherPieceSource {
  std::function<PieceSource()> make = {};  ///< none without it
  /// What pieces of a segment are verified against where there is no manifest, or beyond its history.
  std::function<SegmentIdentity(SegmentIndex)> identity = {};
};

struct PieceSupplyOptions {
  /// Directories of piece stores, and addresses that begin with http:// or https://. There may be none
  /// with a further one.
  std::vector<std::string> sources;
  FurtherPieceSource further = {};
  /// Decides what the history is. Without it the first source does: the manifest.json of a store,
  /// or what a server says its manifest is, which one has to trust then. Where there is no source by
  /// name, there is no manifest.
  std::optional<std::filesystem::path> manifest;
  /// For all servers; `url` is not used.
  HttpSourceOptions http;
  PieceSourcesOptions fallback;
  /// Directory and bound of the piece cache; none without.
  std::optional<std::filesystem::path> cache_directory;
  MakeDirectory make_cache_directory = MakeDirectory::kLastOnly;
  std::uint64_t cache_bytes = std::uint64_t{10} << 30;
  /// Of pieces that no source gives. `identity` and `may_change` are not used.
  RecoveringPieceGetterOptions recovery;
  /// Gets lines about what is wrong but harmless.
  Observer<const std::string&> on_warning;
  /// Gets lines about what stores lack. Called on the threads that ask for pieces.
  Observer<const std::string&> on_missing_pack;
};

/// Thread-safe but for open_cache().
class PieceSupply {
 public:
  /// Throws InvalidArgument, what Manifest::load and StorePieceGetter throw, HistoryMismatch, the
  /// errors of source_errors.hpp when the manifest has to come from a server that does not give it.
  /// After a stop request it may throw HttpTransferFailed. Makes nothing on disk.
  explicit PieceSupply(const PieceSupplyOptions& options, const std::stop_token& stop = {});
  PieceSupply(const PieceSupply&) = delete;
  PieceSupply& operator=(const PieceSupply&) = delete;
  ~PieceSupply() = default;

  /// Opens the cache, or makes it, if the options want one; until then there is none. A step of its
  /// own, for callers who may still have to refuse something. Not beside other calls, and before
  /// getter() is used. Throws what PieceCache throws.
  void open_cache();

  /// Gives pieces that fit the manifest, whatever source they are from, and rebuilds the others.
  [[nodiscard]] PieceGetter& getter();
  /// Pre: there is a source by name, or a manifest was given.
  [[nodiscard]] const Manifest& manifest() const { return *manifest_; }
  /// Whether nothing but a server said what the history is.
  [[nodiscard]] bool is_manifest_from_server() const { return is_manifest_from_server_; }
  [[nodiscard]] const PieceSources& sources() const { return *sources_; }
  /// Null without a cache.
  [[nodiscard]] const PieceCache* cache() const { return cache_.get(); }

 private:
  void choose_manifest(const PieceSupplyOptions& options, const std::stop_token& stop);

  [[nodiscard]] SegmentIdentity identity_of(SegmentIndex segment) const;

  std::shared_ptr<const Manifest> manifest_;
  FurtherPieceSource further_;
  bool is_manifest_from_server_ = false;
  std::unique_ptr<PieceSources> sources_;
  std::unique_ptr<RecoveringPieceGetter> recovering_;
  std::function<void()> open_cache_;
  std::unique_ptr<PieceCache> cache_;
  std::unique_ptr<CachingPieceGetter> caching_;
};

}  // namespace furrow
