/* SPDX-License-Identifier: Apache-2.0 */
/** @file
 * A gate makes encoders and plotters pause while a farmer proves (docs/spec/03, section 6.4). Since
 * version 3. */
#ifndef FURROW_C_GATE_H
#define FURROW_C_GATE_H

#include "furrow/c/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Open at first. One gate may belong to any number of encoders and plotters, of any library. */
typedef struct furrow_gate furrow_gate;

/** Makes a gate.
 * @param gate set to the new gate, or to NULL
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT, FURROW_OUT_OF_MEMORY */
FURROW_API furrow_status furrow_gate_create(furrow_gate** gate);

/** Destroys a gate. Work that waits at it goes on, and whoever it belongs to has no gate then.
 * @param gate NULL is allowed */
FURROW_API void furrow_gate_destroy(furrow_gate* gate);

/** Closes the gate and returns at once. Work pauses where it is: on the CPU inside a record, within
 * milliseconds; a device ends the batches that it has. Downloads under way go on, none begins, and
 * no sector is laid out or written. Closed twice, it has to be opened twice.
 * @param gate a gate */
FURROW_API furrow_status furrow_gate_close(furrow_gate* gate);

/** Takes one closing back. FURROW_INVALID_ARGUMENT when the gate is open.
 * @param gate a gate */
FURROW_API furrow_status furrow_gate_open(furrow_gate* gate);

#ifdef __cplusplus
}
#endif

#endif
