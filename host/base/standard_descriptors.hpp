// SPDX-License-Identifier: Apache-2.0
// Descriptors 0 to 2 belong to the standard streams, whether or not they are open. A process that
// is started without them would give their numbers to the next files that it opens, and what
// somebody then prints would be written into a farm.
#pragma once

namespace furrow {

/// For programs (cmake/FurrowPrograms.cmake), before anything else: gives each of descriptors 0 to
/// 2 that is closed the null device. Reading standard input then finds its end. What is written to
/// standard error goes nowhere. Writing to standard output fails (EBADF) as it does when it is
/// closed, since results that nobody gets must not pass for success. Ends the process with exit
/// code 3 when there is no null device. Calls no library: it runs before their constructors.
void open_missing_standard_descriptors() noexcept;

/// For the library, whose process belongs to somebody else: the same open file under a descriptor
/// above 2. Takes over `descriptor`, which may be negative for a failed call and is given back
/// then. -1 with errno set, and `descriptor` closed, when there is no other.
[[nodiscard]] int above_standard_descriptors(int descriptor) noexcept;

}  // namespace furrow
