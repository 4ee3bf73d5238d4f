// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/piece_supply.hpp"

#include <algorithm>
#include <utility>

#include "host/archive/store_layout.hpp"
#include "host/pieces/http_source.hpp"
#include "host/pieces/piece_validator.hpp"
#include "host/pieces/store_piece_getter.hpp"

namespace furrow {
namespace {

/// Whether one history is the beginning of the other, or they are equal.
bool belong_together(const Manifest& a, const Manifest& b) {
  const std::size_t n = std::min(a.segments.size(), b.segments.size());
  const auto end = a.segments.begin() + static_cast<std::ptrdiff_t>(n);
  return a.shard == b.shard && std::equal(a.segments.begin(), end, b.segments.begin());
}

HttpSourceOptions http_options(const PieceSupplyOptions& options, const std::string& url) {
  HttpSourceOptions result = options.http;
  result.url = url;
  if (result.read_token) {
    result.token = result.read_token();
  }
  return result;
}

std::string manifest_name(const std::string& url) {
  return "manifest from " + printable_url(url);
}

}  // namespace

PieceSupply::PieceSupply(const PieceSupplyOptions& options, const std::stop_token& stop)
    : further_(options.further) {
  if (options.sources.empty() && !further_.make) {
    throw InvalidArgument("expected at least one source of pieces, actual 0");
  }
  PieceValidator validator;
  if (!options.sources.empty() || options.manifest.has_value()) {
    choose_manifest(options, stop);
    validator = manifest_validator(manifest_);
  }
  std::vector<PieceSource> sources;
  for (const std::string& name : options.sources) {
    if (is_url(name)) {
      HttpSourceOptions http = http_options(options, name);
      http.check_manifest = [name, manifest = manifest_](const std::string& text) {
        if (!belong_together(Manifest::parse(text, manifest_name(name)), *manifest)) {
          throw HistoryMismatch(manifest_name(name) +
                                ": describes another history than the one that is plotted");
        }
      };
      sources.push_back(
          {printable_url(name), make_http_piece_getter(std::move(http), validator), true});
      continue;
    }
    auto store = std::make_unique<StorePieceGetter>(
        name, StorePieceGetterOptions{.on_warning = options.on_warning,
                                      .on_missing_pack = options.on_missing_pack,
                                      .block_source = options.http.memory});
    if (!belong_together(store->manifest(), *manifest_)) {
      throw HistoryMismatch("'" + name + "': its manifest describes another history than " +
                            (options.manifest.has_value()
                                 ? "'" + options.manifest->native() + "'"
                                 : "that of '" + printable_url(options.sources.front()) + "'"));
    }
    sources.push_back({name, std::move(store), false});
  }
  if (further_.make) {
    sources.push_back(further_.make());
  }
  sources_ = std::make_unique<PieceSources>(std::move(sources), options.fallback);
  RecoveringPieceGetterOptions recovery = options.recovery;
  recovery.identity = [this](SegmentIndex segment) { return identity_of(segment); };
  recovery.may_change = [sources = sources_.get()] { return sources->may_change(); };
  recovering_ =
      std::make_unique<RecoveringPieceGetter>(*sources_, ErasureCoding(), std::move(recovery));
  if (options.cache_directory.has_value()) {
    PieceCache::require_usable(*options.cache_directory, options.cache_bytes);
    open_cache_ = [this, validator, directory = *options.cache_directory,
                   bytes = options.cache_bytes, how = options.make_cache_directory] {
      cache_ = std::make_unique<PieceCache>(directory, bytes, how);
      caching_ = std::make_unique<CachingPieceGetter>(*cache_, *recovering_, validator);
    };
  }
}

SegmentIdentity PieceSupply::identity_of(SegmentIndex segment) const {
  const bool is_in_manifest =
      manifest_ != nullptr && segment.value() < manifest_->history_size().count();
  return is_in_manifest || !further_.identity ? manifest_->segment_identity(segment)
                                              : further_.identity(segment);
}

void PieceSupply::open_cache() {
  if (open_cache_) {
    open_cache_();
  }
}

void PieceSupply::choose_manifest(const PieceSupplyOptions& options, const std::stop_token& stop) {
  const std::string& first = options.sources.front();
  if (options.manifest.has_value()) {
    manifest_ = std::make_shared<const Manifest>(Manifest::load(*options.manifest));
  } else if (is_url(first)) {
    const std::optional<std::string> text = fetch_manifest_text(http_options(options, first), stop);
    if (!text.has_value()) {
      throw HttpTransferFailed(manifest_name(first) + ": a stop was requested");
    }
    manifest_ = std::make_shared<const Manifest>(Manifest::parse(*text, manifest_name(first)));
    is_manifest_from_server_ = true;
  } else {
    manifest_ = std::make_shared<const Manifest>(
        Manifest::load(std::filesystem::path(first) / kManifestFileName));
  }
}

PieceGetter& PieceSupply::getter() {
  return caching_ != nullptr ? static_cast<PieceGetter&>(*caching_) : *recovering_;
}

}  // namespace furrow
