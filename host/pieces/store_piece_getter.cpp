#include "host/pieces/store_piece_getter.hpp"

#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "host/archive/piece_validation.hpp"
#include "host/archive/store_layout.hpp"
#include "host/primitives/piece_element.hpp"
#include "host/store/file.hpp"

namespace furrow {

WrongElementIndex::WrongElementIndex(const std::string& file, PieceIndex expected,
                                     std::uint64_t actual)
    : Error(ErrorKind::kMismatch, "'" + file + "': expected " + describe_piece(expected) +
                                      ", actual piece index " + std::to_string(actual)) {}

/// The segment file last used by a batch, so that neighbouring pieces open it once.
class StorePieceGetter::OpenSegment {
 public:
  /// Null when the file is absent.
  const File* get(const std::filesystem::path& store, SegmentIndex segment) {
    if (segment_ != segment) {
      file_.reset();
      segment_.reset();
      const std::filesystem::path path = store / segment_file_name(segment);
      try {
        file_ = File::open_read(path);
      } catch (const IoError& error) {
        if (error.error_number() != ENOENT) {
          throw;
        }
      }
      segment_ = segment;
    }
    return file_ ? &*file_ : nullptr;
  }

 private:
  std::optional<SegmentIndex> segment_;
  std::optional<File> file_;
};

StorePieceGetter::StorePieceGetter(std::filesystem::path store, SimdMode mode)
    : store_(std::move(store)),
      mode_(mode),
      manifest_(Manifest::load(store_ / kManifestFileName)) {}

void StorePieceGetter::get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                                  std::stop_token stop) {
  OpenSegment open;
  for (const PieceIndex index : indices) {
    if (stop.stop_requested()) {
      return;
    }
    PieceAnswer answer;
    try {
      answer = read(index, open);
    } catch (const Error&) {
      answer = PieceAnswer::failed(std::current_exception());
    }
    sink(index, std::move(answer));
  }
}

PieceAnswer StorePieceGetter::read(PieceIndex index, OpenSegment& open) const {
  const SegmentIndex segment = segment_index_of(index);
  if (segment.value() >= manifest_.segments.size()) {
    return PieceAnswer::not_found();
  }
  const File* file = open.get(store_, segment);
  if (file == nullptr) {
    return PieceAnswer::not_found();
  }
  const PiecePosition position = position_of(index);
  const std::string name = file->path().native();
  const std::uint64_t size = file->size();
  if (size < element_offset(position) + kPieceElementSize) {
    throw InvalidBytesLength("'" + name + "': cut off before " + describe_piece(index),
                             kSegmentFileSize, size);
  }
  const auto element = std::make_unique<PieceElement>();
  file->read_at(element_offset(position), mutable_bytes_of(*element));
  element->verify_checksum("'" + name + "': " + describe_piece(index));
  if (element->piece_index.value() != index.value()) {
    throw WrongElementIndex(name, index, element->piece_index.value());
  }
  verify_piece_of_segment(mode_, element->piece, position, manifest_.segment_identity(segment));
  return PieceAnswer::found(std::make_unique<Piece>(element->piece));
}

std::vector<SegmentFileProblem> StorePieceGetter::check_files() const {
  std::vector<SegmentFileProblem> problems;
  OpenSegment open;
  for (std::uint64_t i = 0; i < manifest_.segments.size(); ++i) {
    const SegmentIndex segment(i);
    const std::string name = (store_ / segment_file_name(segment)).native();
    try {
      const File* file = open.get(store_, segment);
      if (file == nullptr) {
        problems.push_back({segment, "'" + name + "' is missing"});
      } else if (file->size() != kSegmentFileSize) {
        throw InvalidBytesLength("'" + name + "'", kSegmentFileSize, file->size());
      }
    } catch (const Error& error) {
      problems.push_back({segment, error.what()});
    }
  }
  return problems;
}

}  // namespace furrow
