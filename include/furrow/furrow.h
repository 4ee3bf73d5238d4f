/* SPDX-License-Identifier: Apache-2.0 */
/** @file
 * C interface of libfurrow (C11 and C++): plotting of proof-of-archival-storage farms, on CUDA
 * devices and on the CPU. One header for each noun; base.h has the rules that all of them keep. */
#ifndef FURROW_FURROW_H
#define FURROW_FURROW_H

#include "furrow/c/base.h"
#include "furrow/c/device.h"
#include "furrow/c/encoder.h"
#include "furrow/c/erasure.h"
#include "furrow/c/error.h"
#include "furrow/c/farm.h"
#include "furrow/c/gate.h"
#include "furrow/c/hash.h"
#include "furrow/c/library.h"
#include "furrow/c/memory.h"
#include "furrow/c/piece.h"
#include "furrow/c/piece_source.h"
#include "furrow/c/plotter.h"
#include "furrow/c/proofs.h"
#include "furrow/c/sector.h"

#endif
