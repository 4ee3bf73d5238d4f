/* SPDX-License-Identifier: Apache-2.0 */
/** @file
 * Plotters: sectors from a source of pieces, by an encoder, into buffers or into a farm
 * (docs/spec/03, section 6). Since version 3. */
#ifndef FURROW_C_PLOTTER_H
#define FURROW_C_PLOTTER_H

#include "furrow/c/encoder.h"
#include "furrow/c/farm.h"
#include "furrow/c/gate.h"
#include "furrow/c/piece_source.h"
#include "furrow/c/sector.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A plotter. Several threads may plot with it at the same time. */
typedef struct furrow_plotter furrow_plotter;

/** What a plotter is made of. */
typedef struct furrow_plotter_options {
  size_t size;
  /** Has to be set; may belong to several plotters. */
  furrow_encoder* encoder;
  /** Has to be set; may belong to several plotters. */
  furrow_piece_source* source;
  /** Where it waits before each download, before it lays a sector out and before it is written;
   * NULL: nowhere. Encoders have gates of their own, which may be the same. */
  furrow_gate* gate;
  /** Sectors in memory at the same time, from download to layout: more calls of
   * furrow_plotter_plot_sector wait. 1 MiB for each piece of a sector. The default is 3. */
  uint32_t sectors_in_memory;
  /** Attempts to get pieces that the source did not give, and to rebuild them from others of their
   * segments; 0, the default: without end, as the reference does. 1: what the source does not give
   * is rebuilt if that can be done at once. */
  uint32_t attempts;
  /** Milliseconds between attempts: `first_delay_ms` at first (15,000), twice as long each time, at
   * most `longest_delay_ms` (600,000). */
  uint32_t first_delay_ms;
  uint32_t longest_delay_ms;
  uint64_t reserved[8];
} furrow_plotter_options;

/** Sets all of it to the defaults.
 * @param options written
 * @param size sizeof(furrow_plotter_options) */
FURROW_API void furrow_plotter_options_init(furrow_plotter_options* options, size_t size);

/** Makes a plotter.
 * @param library a library
 * @param options with an encoder and a source
 * @param plotter set to the new plotter, or to NULL
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT, FURROW_OUT_OF_MEMORY */
FURROW_API furrow_status furrow_plotter_create(furrow_library* library,
                                               const furrow_plotter_options* options,
                                               furrow_plotter** plotter);

/** Destroys a plotter. Calls that are under way end with FURROW_CANCELLED, and are waited for.
 * @param plotter NULL is allowed */
FURROW_API void furrow_plotter_destroy(furrow_plotter* plotter);

/** How far a sector is: in this order, FURROW_PLOT_RECORD once for each record, FURROW_PLOT_WRITING
 * only where a farm is plotted. */
typedef enum furrow_plot_stage FURROW_ENUM {
  FURROW_PLOT_DOWNLOADING = 1,
  FURROW_PLOT_DOWNLOADED = 2,
  FURROW_PLOT_ENCODING = 3,
  /** A record is done. Several at once, from threads of the library, so that a greater number may
   * be told before a smaller one. */
  FURROW_PLOT_RECORD = 4,
  /** Encoded and laid out. */
  FURROW_PLOT_ENCODED = 5,
  /** It is being written into the farm. */
  FURROW_PLOT_WRITING = 6,
  FURROW_PLOT_FINISHED = 7,
  FURROW_PLOT_FAILED = 8,
  /** The encoders failed with the sector; it is made anew, from the first stage on. */
  FURROW_PLOT_TRYING_AGAIN = 9
} furrow_plot_stage;

/** What a caller is told of a sector. */
typedef struct furrow_plot_event {
  size_t size;
  furrow_plot_stage stage;
  uint16_t sector_index;
  uint16_t reserved0;
  /** Of FURROW_PLOT_DOWNLOADED and FURROW_PLOT_ENCODED: of this stage. Of FURROW_PLOT_FINISHED: of
   * the sector. */
  double seconds;
  /** Of FURROW_PLOT_RECORD: records of the sector that are done. */
  uint64_t records_done;
  /** Of FURROW_PLOT_FAILED and FURROW_PLOT_TRYING_AGAIN; "" otherwise. Valid during the call. */
  const char* message;
} furrow_plot_event;

/** Told of progress. Events of one sector come in their order. */
typedef void (*furrow_on_plot_event)(void* user, const furrow_plot_event* event);

/** A sector to plot into buffers. Outputs that are not wanted are NULL, with a size of 0. */
typedef struct furrow_plot_sector_request {
  size_t size;
  const furrow_sector_plan* plan;
  /** Written: the sector, furrow_sector_size bytes. */
  uint8_t* sector;
  size_t sector_size;
  /** Written: its metadata, FURROW_SECTOR_METADATA_SIZE bytes. */
  uint8_t* metadata;
  size_t metadata_size;
  /** Written: its pieces by offset, as many as the plan has. */
  uint64_t* piece_indices;
  size_t piece_index_count;
  /** Written: the plotted sector in SCALE, furrow_plotted_sector_size bytes. */
  uint8_t* plotted_sector;
  size_t plotted_sector_size;
  /** NULL, or see "Aborting" in base.h. Looked at once more when all records are encoded. */
  const volatile uint8_t* abort_flag;
  /** NULL: nobody is told. */
  furrow_on_plot_event on_event;
  /** First argument of on_event. */
  void* user;
  uint64_t reserved[8];
} furrow_plot_sector_request;

/** Sets all of it to zero but the size.
 * @param request written
 * @param size sizeof(furrow_plot_sector_request) */
FURROW_API void furrow_plot_sector_request_init(furrow_plot_sector_request* request, size_t size);

/** Plots one sector: downloads its pieces, encodes their records, lays the sector out. Outputs are
 * written at the end alone, so whatever else is returned, they are as they were.
 * @param plotter a plotter
 * @param request the sector
 * @return FURROW_OK, FURROW_CANCELLED, FURROW_INVALID_ARGUMENT, FURROW_UNAVAILABLE and other
 * statuses for pieces that the source did not give, for whatever reason, and that could not be
 * rebuilt, FURROW_ENCODER_FAILED, FURROW_OUT_OF_MEMORY, FURROW_RESOURCE_EXHAUSTED */
FURROW_API furrow_status furrow_plotter_plot_sector(furrow_plotter* plotter,
                                                    const furrow_plot_sector_request* request);

/** Sectors to plot into a farm. */
typedef struct furrow_plot_farm_request {
  size_t size;
  /** Open for plotting. */
  furrow_farm* farm;
  /** Segments of history when the sectors are created, at least 1 and no more than the source has
   * (furrow_piece_source_get_history). */
  uint64_t history_size;
  /** Sectors to plot at most, the first that are not there or lost; 0: all that there is room for.
   */
  uint32_t most_sectors;
  uint32_t reserved0;
  /** NULL, or see "Aborting" in base.h. Sectors that are encoded already are still written. */
  const volatile uint8_t* abort_flag;
  /** NULL: nobody is told. Told of several sectors in turn. */
  furrow_on_plot_event on_event;
  /** First argument of on_event. */
  void* user;
  uint64_t reserved[8];
} furrow_plot_farm_request;

/** Sets all of it to zero but the size.
 * @param request written
 * @param size sizeof(furrow_plot_farm_request) */
FURROW_API void furrow_plot_farm_request_init(furrow_plot_farm_request* request, size_t size);

/** Plots sectors into a farm, the next one being downloaded and the one before being written while
 * one is encoded. Each is durable before it is reported as finished, in about their order. FURROW_OK
 * also when there was nothing to plot. One call at a time for each farm.
 * @param plotter a plotter
 * @param request the farm
 * @param given_up NULL, or set to the number of sectors that the encoders failed with again and
 * again; the others are plotted
 * @return as furrow_plotter_plot_sector, and what furrow_farm_write_sector returns */
FURROW_API furrow_status furrow_plotter_plot_farm(furrow_plotter* plotter,
                                                  const furrow_plot_farm_request* request,
                                                  size_t* given_up);

#ifdef __cplusplus
}
#endif

#endif
