// SPDX-License-Identifier: Apache-2.0
// What tests/headers.rs compares with what a C compiler makes of the headers: complete, or it fails.

structs! {
    furrow_device {
        size, index, compute_major, compute_minor, multiprocessors, clock_khz,
        memory_clock_khz, total_bytes, free_bytes, uuid, pci_id, name, unusable_reason,
        reserved
    }
    furrow_encoder_options {
        size, kind, threads
    }
    furrow_encoder_config {
        size, kind, devices, device_count, threads, verify_records, device_memory_limit,
        pinned_memory_limit, gate, reserved
    }
    furrow_encode_request {
        size, sector_id, records, record_count, first_offset, contents_map, abort_flag,
        on_record, user, reserved
    }
    furrow_encoder_info {
        size, name, note, simd_target, threads, member_count, running_calls, reserved0,
        records_done, host_bytes, device_bytes, reserved
    }
    furrow_encoder_member {
        size, name, state, reserved0, records_done, reserved
    }
    furrow_error {
        size, status, kind, fields, system_error, piece_index, segment_index, byte_offset,
        sector_index, piece_offset, reserved0, message, path, expected, actual, reserved
    }
    furrow_farm_options {
        size, mode, pieces_in_sector, allocated_space, min_sectors, cache_percentage,
        genesis_root, chain, reserved
    }
    furrow_farm_info {
        size, genesis_root, public_key, public_key_hash, shard_commitments_seed, id,
        allocated_space, sector_size, pieces_in_sector, sector_count, sector_room,
        reserved0, reserved
    }
    furrow_farm_sector {
        size, state, reserved0, history_size, sector_id, reserved
    }
    furrow_piece_place {
        sector_index, piece_offset
    }
    furrow_library_options {
        size, on_log, log_user, on_thread_start, on_thread_end, thread_user, reserved
    }
    furrow_memory_request {
        size, pieces_in_sector, threads, devices, device_count, device_memory_limit,
        pinned_memory_limit, sectors_in_memory, output_buffers, reserved
    }
    furrow_memory_plan {
        size, host_bytes, encoder_bytes, sector_bytes, device_host_bytes, device_bytes,
        sectors_in_memory, output_buffers, reserved
    }
    furrow_rebuild_request {
        size, piece_index, pieces, super_segment_header, piece, threads, reserved0,
        reserved
    }
    furrow_piece_source_callbacks {
        size, user, get_piece, get_pieces, on_destroy, concurrency, patience_ms, reserved
    }
    furrow_history {
        size, history_size, genesis_root, reserved
    }
    furrow_plotter_options {
        size, encoder, source, gate, sectors_in_memory, attempts, first_delay_ms,
        longest_delay_ms, reserved
    }
    furrow_plot_event {
        size, stage, sector_index, reserved0, seconds, records_done, message
    }
    furrow_plot_sector_request {
        size, plan, sector, sector_size, metadata, metadata_size, piece_indices,
        piece_index_count, plotted_sector, plotted_sector_size, abort_flag, on_event,
        user, reserved
    }
    furrow_plot_farm_request {
        size, farm, history_size, most_sectors, reserved0, abort_flag, on_event, user,
        reserved
    }
    furrow_proofs_request {
        size, seed, found_proofs, hashes, proofs, abort_flag, reserved
    }
    furrow_sector_plan {
        size, public_key_hash, shard_commitments_root, sector_index, pieces_in_sector,
        max_pieces_in_sector, reserved0, history_size, recent_segments,
        recent_history_numerator, recent_history_denominator, min_sector_lifetime,
        reserved
    }
    furrow_read_piece_request {
        size, sector_id, sector_metadata, piece_offset, read_at, user, piece, reserved
    }
}

constants! {
    FURROW_VERSION_MAJOR
    FURROW_VERSION_MINOR
    FURROW_VERSION_PATCH
    FURROW_ABI_VERSION
    FURROW_HASH_SIZE
    FURROW_RECORD_SIZE
    FURROW_FOUND_PROOFS_SIZE
    FURROW_OK
    FURROW_CANCELLED
    FURROW_INVALID_ARGUMENT
    FURROW_OUT_OF_MEMORY
    FURROW_ENCODER_FAILED
    FURROW_INTERNAL_ERROR
    FURROW_RESOURCE_EXHAUSTED
    FURROW_IO_ERROR
    FURROW_CORRUPT
    FURROW_MISMATCH
    FURROW_UNAVAILABLE
    FURROW_CALLBACK_FAILED
    FURROW_SECTOR_ID_SIZE
    FURROW_MAX_RECORDS
    FURROW_ENCODER_IDLE
    FURROW_ENCODER_WORKING
    FURROW_ENCODER_LOST
    FURROW_SHARD_IGNORED
    FURROW_SHARD_PRESENT
    FURROW_SHARD_WANTED
    FURROW_ERROR_NONE
    FURROW_ERROR_OTHER
    FURROW_ERROR_ARGUMENT
    FURROW_ERROR_CANCELLED
    FURROW_ERROR_MEMORY
    FURROW_ERROR_THREADS
    FURROW_ERROR_INTERNAL
    FURROW_ERROR_CALLBACK
    FURROW_ERROR_CALLBACK_SILENT
    FURROW_ERROR_NO_DEVICE
    FURROW_ERROR_DEVICE_LOST
    FURROW_ERROR_WRONG_ENCODING
    FURROW_ERROR_TOO_FEW_PROOFS
    FURROW_ERROR_ENCODER
    FURROW_ERROR_IO
    FURROW_ERROR_CHECKSUM
    FURROW_ERROR_LENGTH
    FURROW_ERROR_MALFORMED
    FURROW_ERROR_PIECE_INVALID
    FURROW_ERROR_PIECE_MISSING
    FURROW_ERROR_PIECE_SOURCE
    FURROW_ERROR_NOT_ENOUGH_PIECES
    FURROW_ERROR_SECTOR_DAMAGED
    FURROW_ERROR_SHARDS
    FURROW_ERROR_FARM_NOT_FOUND
    FURROW_ERROR_FARM_IN_USE
    FURROW_ERROR_FARM_MISMATCH
    FURROW_ERROR_FARM_SPACE
    FURROW_ERROR_FARM_GONE
    FURROW_ERROR_SECTOR_EMPTY
    FURROW_ERROR_FARM_DAMAGED
    FURROW_HAS_PIECE_INDEX
    FURROW_HAS_SEGMENT_INDEX
    FURROW_HAS_SECTOR_INDEX
    FURROW_HAS_PIECE_OFFSET
    FURROW_HAS_BYTE_OFFSET
    FURROW_HAS_SYSTEM_ERROR
    FURROW_FARM_READ
    FURROW_FARM_PLOT
    FURROW_FARM_CREATE
    FURROW_SECTOR_NOT_PLOTTED
    FURROW_SECTOR_PLOTTED
    FURROW_SECTOR_LOST
    FURROW_SECTOR_DAMAGED
    FURROW_LOG_NOTE
    FURROW_LOG_WARNING
    FURROW_PIECE_SIZE
    FURROW_PIECE_HEADER_SIZE
    FURROW_PIECES_IN_SEGMENT
    FURROW_SUPER_SEGMENT_HEADER_SIZE
    FURROW_PLOT_DOWNLOADING
    FURROW_PLOT_DOWNLOADED
    FURROW_PLOT_ENCODING
    FURROW_PLOT_RECORD
    FURROW_PLOT_ENCODED
    FURROW_PLOT_WRITING
    FURROW_PLOT_FINISHED
    FURROW_PLOT_FAILED
    FURROW_PLOT_TRYING_AGAIN
    FURROW_PROOF_SIZE
    FURROW_MAX_PROOFS
    FURROW_SECTOR_METADATA_SIZE
    FURROW_MAX_PIECES_IN_SECTOR
}

enumerations! {
    furrow_status
    furrow_encoder_state
    furrow_shard_state
    furrow_error_kind
    furrow_error_fields
    furrow_farm_mode
    furrow_sector_state
    furrow_log_level
    furrow_plot_stage
}
