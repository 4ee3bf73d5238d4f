// SPDX-License-Identifier: Apache-2.0
// How far a sector is (docs/spec/03-record-encoding-and-sector.md, section 6.5).
#pragma once

#include <chrono>
#include <string>
#include <variant>

namespace furrow {

// Progress of one sector, in this order; Failed ends it like Finished does (section 6.5). The first
// three come once more when a device gave wrong bytes, and after TryingAgain.
struct Downloading {};
struct Downloaded {
  std::chrono::duration<double> duration;
};
struct Encoding {};
struct Encoded {
  std::chrono::duration<double> duration;  ///< encoding and writing into the buffer
};
struct Writing {};
struct Finished {
  std::chrono::duration<double> duration;  ///< since Downloading, waiting included
};
struct Failed {
  std::string error;
};
/// The encoders failed with the sector; it is made anew from its pieces.
struct TryingAgain {
  std::string error;
  bool is_at_the_end;  ///< when nothing else is left to plot, instead of now
};
using PlottingEvent = std::variant<Downloading, Downloaded, Encoding, Encoded, Writing, Finished,
                                   Failed, TryingAgain>;

}  // namespace furrow
