/* SPDX-License-Identifier: Apache-2.0 */
/** @file
 * Farms on disk: a directory with a key, sectors and their metadata (docs/spec/06). Since
 * version 3. */
#ifndef FURROW_C_FARM_H
#define FURROW_C_FARM_H

#include "furrow/c/library.h"
#include "furrow/c/sector.h"

#ifdef __cplusplus
extern "C" {
#endif

/** An open farm. Paths are bytes, as the operating system takes them. A new farm draws a key of its
 * own, identity.bin in its directory: whoever loses it loses the farm, so back it up. */
typedef struct furrow_farm furrow_farm;

/** Why a farm is opened. */
typedef enum furrow_farm_mode FURROW_ENUM {
  /** To look at one that exists. Changes nothing. */
  FURROW_FARM_READ = 0,
  /** To plot into one that exists; takes its lock. */
  FURROW_FARM_PLOT = 1,
  /** The same; when there is none, it is created. */
  FURROW_FARM_CREATE = 2
} furrow_farm_mode;

/** How a farm is opened, or made. */
typedef struct furrow_farm_options {
  size_t size;
  furrow_farm_mode mode;
  /** Pieces in a sector; 0: those of the farm, 1000 in a new one. Another number than that of the
   * farm is a mismatch. */
  uint32_t pieces_in_sector;
  /** Bytes of all files of the farm; 0: it stays as it is. A new farm needs this or min_sectors, and
   * nobody may give both. Neither is for reading. */
  uint64_t allocated_space;
  /** Instead: room for so many sectors at least. */
  uint32_t min_sectors;
  /** Share of the space, 0 to 99, that is left to a piece cache of a farmer; the default, 255, is
   * what the farm has, or 1 in a new one. */
  uint32_t cache_percentage;
  /** 32 bytes: chain of the farm (furrow_piece_source_get_history). Needed by a new one, checked
   * otherwise; NULL: not checked. */
  const uint8_t* genesis_root;
  /** Parameters of the chain (the last five and max_pieces_in_sector) of a new farm, checked
   * otherwise; NULL: those of a development chain, and not checked. */
  const furrow_sector_plan* chain;
  uint64_t reserved[8];
} furrow_farm_options;

/** Sets all of it to the defaults: read.
 * @param options written
 * @param size sizeof(furrow_farm_options) */
FURROW_API void furrow_farm_options_init(furrow_farm_options* options, size_t size);

/** Opens a farm, or creates it. Whatever else is returned, a farm that was there is as before, and
 * one that was not leaves no files. Damage that is found and repaired is a warning of the library.
 * @param library a library
 * @param directory of the farm; a new one is made, its parent is not
 * @param options NULL for the defaults
 * @param farm set to the open farm, or to NULL
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT, FURROW_UNAVAILABLE (no farm there, or it is in use),
 * FURROW_MISMATCH, FURROW_CORRUPT, FURROW_IO_ERROR, FURROW_OUT_OF_MEMORY */
FURROW_API furrow_status furrow_farm_open(furrow_library* library, const char* directory,
                                          const furrow_farm_options* options, furrow_farm** farm);

/** Closes a farm and releases its lock, as soon as no source uses it any more.
 * @param farm NULL is allowed */
FURROW_API void furrow_farm_destroy(furrow_farm* farm);

/** What a farm is. */
typedef struct furrow_farm_info {
  size_t size;
  uint8_t genesis_root[FURROW_HASH_SIZE];
  uint8_t public_key[FURROW_HASH_SIZE];
  uint8_t public_key_hash[FURROW_HASH_SIZE];
  uint8_t shard_commitments_seed[FURROW_HASH_SIZE];
  /** ULID, 26 characters. */
  char id[32];
  uint64_t allocated_space;
  /** Bytes of one sector. */
  uint64_t sector_size;
  uint32_t pieces_in_sector;
  /** Sectors 0 .. sector_count - 1 exist. */
  uint32_t sector_count;
  /** Sectors that there is room for. */
  uint32_t sector_room;
  uint32_t reserved0;
  uint64_t reserved[8];
} furrow_farm_info;

/** What a farm is.
 * @param farm an open farm
 * @param info its size is set before; the rest is written */
FURROW_API furrow_status furrow_farm_get_info(furrow_farm* farm, furrow_farm_info* info);

/** What there is of a sector. */
typedef enum furrow_sector_state FURROW_ENUM {
  FURROW_SECTOR_NOT_PLOTTED = 0,
  FURROW_SECTOR_PLOTTED = 1,
  /** Counted, but holds nothing: to be plotted again. */
  FURROW_SECTOR_LOST = 2,
  /** Counted, but its slot is unreadable; in farms open for reading. */
  FURROW_SECTOR_DAMAGED = 3
} furrow_sector_state;

/** One sector of a farm. */
typedef struct furrow_farm_sector {
  size_t size;
  furrow_sector_state state;
  uint32_t reserved0;
  /** Of a plotted sector: segments of history when it was plotted. */
  uint64_t history_size;
  /** Of a plotted sector. Takes a good part of a second for the first of each history size. */
  uint8_t sector_id[FURROW_HASH_SIZE];
  uint64_t reserved[8];
} furrow_farm_sector;

/** One sector of a farm.
 * @param farm an open farm
 * @param sector_index less than sector_room
 * @param sector its size is set before; the rest is written */
FURROW_API furrow_status furrow_farm_get_sector(furrow_farm* farm, uint32_t sector_index,
                                                furrow_farm_sector* sector);

/** Metadata of a plotted sector.
 * @param farm an open farm
 * @param sector_index less than sector_count
 * @param metadata written: FURROW_SECTOR_METADATA_SIZE bytes
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT, FURROW_UNAVAILABLE for one that holds nothing,
 * FURROW_CORRUPT, FURROW_IO_ERROR */
FURROW_API furrow_status furrow_farm_sector_metadata(furrow_farm* farm, uint32_t sector_index,
                                                     uint8_t* metadata);

/** Reads bytes of a sector as they are on disk.
 * @param farm an open farm
 * @param sector_index less than sector_count
 * @param offset from the start of the sector
 * @param bytes written
 * @param size how many; offset + size is at most the size of a sector
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT, FURROW_IO_ERROR */
FURROW_API furrow_status furrow_farm_read_sector(furrow_farm* farm, uint32_t sector_index,
                                                 uint64_t offset, uint8_t* bytes, size_t size);

/** What plotting a sector of this farm at a history size needs to know. Takes a good part of a
 * second for the first of each history size.
 * @param farm an open farm
 * @param sector_index less than sector_room
 * @param history_size segments, at least 1
 * @param plan its size is set before; the rest is written */
FURROW_API furrow_status furrow_farm_plan_sector(furrow_farm* farm, uint32_t sector_index,
                                                 uint64_t history_size, furrow_sector_plan* plan);

/** Writes a sector and its metadata, each durable before the next begins; a sector that was there is
 * replaced. Sectors before it that are not there are counted as lost. A crash at any moment leaves
 * the old sector, the new one, or one that is known to be lost. Sector and metadata are taken to
 * belong together and to this farm; `furrow scrub` finds bytes that do not.
 * @param farm open for plotting
 * @param sector_index less than sector_room
 * @param sector sector_size bytes
 * @param sector_size that of the farm
 * @param metadata FURROW_SECTOR_METADATA_SIZE bytes; that of this sector
 * @return FURROW_OK, FURROW_INVALID_ARGUMENT, FURROW_CORRUPT for metadata that are damaged,
 * FURROW_IO_ERROR */
FURROW_API furrow_status furrow_farm_write_sector(furrow_farm* farm, uint32_t sector_index,
                                                  const uint8_t* sector, size_t sector_size,
                                                  const uint8_t* metadata);

/** Where a piece is in a farm. */
typedef struct furrow_piece_place {
  uint16_t sector_index;
  uint16_t piece_offset;
} furrow_piece_place;

/** All places of a piece in plotted sectors, by sector, then by offset.
 * @param farm an open farm
 * @param piece_index which
 * @param places written, as many as there is room for; may be NULL when capacity is 0
 * @param capacity places that there is room for
 * @param count set to how many there are, which may be more
 * @return FURROW_OK, also when there is none; FURROW_INVALID_ARGUMENT, FURROW_CORRUPT,
 * FURROW_IO_ERROR, FURROW_OUT_OF_MEMORY */
FURROW_API furrow_status furrow_farm_find_piece(furrow_farm* farm, uint64_t piece_index,
                                                furrow_piece_place* places, size_t capacity,
                                                size_t* count);

#ifdef __cplusplus
}
#endif

#endif
