# SPDX-License-Identifier: Apache-2.0
"""Bugs to plant in cuda/, one at a time: what is there, and what is there instead while PLANTED is true."""

import collections

Bug = collections.namedtuple("Bug", "kind name path old new")

ATOMIC = "plain access in place of an atomic"
BARRIER = "scan storage or shared memory used again without a barrier"
OVERRUN = "overrun inside a struct"
ALL_WORK = "all blocks do all the work"
OFFSET = "32-bit or 16-bit offset"
PREFETCH = "prefetch one past the end"
STREAM = "wrong or missing stream, device, wait; staging memory too early"
SHAPE = "shape of a launch"
STATUS = "status ignored or taken for another"
OVERFLOW = "overflow or clamp left out"

BUGS = (
    Bug(ATOMIC, "slot by plain increment", "cuda/kernels/proof_tables.cuh",
        "atomicAdd(bucket_size, 1U)",
        "(PLANTED ? ((*bucket_size)++) : (atomicAdd(bucket_size, 1U)))"),
    Bug(ATOMIC, "overflows by plain add", "cuda/kernels/proof_tables.cuh",
        "atomicAdd(&counters->overflows, 1U);",
        "if (PLANTED) { counters->overflows += 1U; } else { atomicAdd(&counters->overflows, 1U); }"),
    Bug(ATOMIC, "target by plain minimum", "cuda/kernels/make_table.cuh",
        "atomicMin(tables.targets() + s_bucket, pack_target(position, left_slot, right_slot));",
        "if (PLANTED) { { const auto t = pack_target(position, left_slot, right_slot); if (t < tables.targets()[s_bucket]) { tables.targets()[s_bucket] = t; } } } else { atomicMin(tables.targets() + s_bucket, pack_target(position, left_slot, right_slot)); }"),
    Bug(ATOMIC, "matches by plain add", "cuda/kernels/make_table.cuh",
        "atomicAdd(&tables.counters()->matches[kTable], n_made);",
        "if (PLANTED) { tables.counters()->matches[kTable] += n_made; } else { atomicAdd(&tables.counters()->matches[kTable], n_made); }"),
    Bug(ATOMIC, "bins by plain increment", "cuda/kernels/bucket_frame.cuh",
        "atomicAdd(&s.bins[position_of(mine[i]) >> kBinShift], 1U)",
        "(PLANTED ? (s.bins[position_of(mine[i]) >> kBinShift]++) : (atomicAdd(&s.bins[position_of(mine[i]) >> kBinShift], 1U)))"),
    Bug(ATOMIC, "row by plain or", "cuda/kernels/find_matches.cuh",
        "atomicOr(&s.rows[column / 32][row], 1U << (column % 32));",
        "if (PLANTED) { s.rows[column / 32][row] |= 1U << (column % 32); } else { atomicOr(&s.rows[column / 32][row], 1U << (column % 32)); }"),
    Bug(ATOMIC, "first rank by plain minimum", "cuda/kernels/find_matches.cuh",
        "atomicMin(&s.first[index], rank);",
        "if (PLANTED) { if (rank < s.first[index]) { s.first[index] = rank; } } else { atomicMin(&s.first[index], rank); }"),
    Bug(ATOMIC, "second rank by plain minimum", "cuda/kernels/find_matches.cuh",
        "atomicMin(&s.second[index], rank);",
        "if (PLANTED) { if (rank < s.second[index]) { s.second[index] = rank; } } else { atomicMin(&s.second[index], rank); }"),
    Bug(BARRIER, "next record of count_chunks_before", "cuda/kernels/sector_counts.cuh",
        "__syncthreads();  // everybody is done with `temp` before the next record reuses it",
        """if (!PLANTED) {
__syncthreads();  // everybody is done with `temp` before the next record reuses it
}"""),
    Bug(BARRIER, "two scans of list_matches", "cuda/kernels/find_matches.cuh",
        "__syncthreads();  // all hits are listed; the scan's memory is free again",
        """if (!PLANTED) {
__syncthreads();  // all hits are listed; the scan's memory is free again
}"""),
    Bug(BARRIER, "places of bins", "cuda/kernels/bucket_frame.cuh",
        "__syncthreads();  // the places of all bins are known before entries look theirs up",
        """if (!PLANTED) {
__syncthreads();  // the places of all bins are known before entries look theirs up
}"""),
    Bug(BARRIER, "frame of the pair before", "cuda/kernels/make_table.cuh",
        "__syncthreads();  // nobody reads the frame and the matches of the pair before any more",
        """if (!PLANTED) {
__syncthreads();  // nobody reads the frame and the matches of the pair before any more
}"""),
    Bug(BARRIER, "keystream read before it is there", "cuda/kernels/fill_table1.cuh",
        "__syncthreads();  // the keystream of the tile is complete before anyone cuts bits out of it",
        """if (!PLANTED) {
__syncthreads();  // the keystream of the tile is complete before anyone cuts bits out of it
}"""),
    Bug(BARRIER, "leaves read before they are there", "cuda/kernels/encode_chunks.cuh",
        "__syncthreads();  // all leaves of all proofs are there before they are hashed",
        """if (!PLANTED) {
__syncthreads();  // all leaves of all proofs are there before they are hashed
}"""),
    Bug(OVERRUN, "hit 288, low half", "cuda/kernels/find_matches.cuh",
        "low != 0 && place < kMost",
        "(PLANTED ? (low != 0 && place <= kMost) : (low != 0 && place < kMost))"),
    Bug(OVERRUN, "hit 288, high half", "cuda/kernels/find_matches.cuh",
        "high != 0 && place < kMost",
        "(PLANTED ? (high != 0 && place <= kMost) : (high != 0 && place < kMost))"),
    Bug(OVERRUN, "match 288 as a second partner", "cuda/kernels/find_matches.cuh",
        "second != kNoRank && index + 1 < kMost",
        "(PLANTED ? (second != kNoRank && index < kMost) : (second != kNoRank && index + 1 < kMost))"),
    Bug(OVERRUN, "match 288 as a first partner", "cuda/kernels/find_matches.cuh",
        "first != kNoRank && index < kMost",
        "(PLANTED ? (first != kNoRank && index <= kMost) : (first != kNoRank && index < kMost))"),
    Bug(OVERRUN, "entry 272 of a frame", "cuda/kernels/bucket_frame.cuh",
        "rank < kKept)",
        "rank < kKept + (PLANTED ? 1U : 0U))"),
    Bug(OVERRUN, "bin beyond the last", "cuda/kernels/bucket_frame.cuh",
        """if (bin <= Shared::kBins) {
      s.bins[bin] = starts[i];""",
        """if (bin <= Shared::kBins + (PLANTED ? 1U : 0U)) {
      s.bins[bin] = starts[i];"""),
    Bug(ALL_WORK, "clear_tables", "cuda/kernels/clear_tables.cuh",
        """const std::uint32_t first = blockIdx.x * blockDim.x + threadIdx.x;
  const std::uint32_t stride = gridDim.x * blockDim.x;""",
        """const std::uint32_t first = (PLANTED ? threadIdx.x : blockIdx.x * blockDim.x + threadIdx.x);
  const std::uint32_t stride = (PLANTED ? blockDim.x : gridDim.x * blockDim.x);"""),
    Bug(ALL_WORK, "hash_chunks", "cuda/kernels/hash_chunks.cuh",
        """std::uint64_t thread = std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x;
       thread < n_threads; thread += std::uint64_t{gridDim.x} * blockDim.x""",
        """std::uint64_t thread = (PLANTED ? std::uint64_t{0} : std::uint64_t{blockIdx.x} * blockDim.x) + threadIdx.x;
       thread < n_threads; thread += (PLANTED ? std::uint64_t{blockDim.x} : std::uint64_t{gridDim.x} * blockDim.x)"""),
    Bug(ALL_WORK, "hash_parents", "cuda/kernels/hash_parents.cuh",
        """std::uint64_t thread = std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x;
       thread < n_threads; thread += std::uint64_t{gridDim.x} * blockDim.x""",
        """std::uint64_t thread = (PLANTED ? std::uint64_t{0} : std::uint64_t{blockIdx.x} * blockDim.x) + threadIdx.x;
       thread < n_threads; thread += (PLANTED ? std::uint64_t{blockDim.x} : std::uint64_t{gridDim.x} * blockDim.x)"""),
    Bug(ALL_WORK, "count_s_buckets", "cuda/kernels/sector_counts.cuh",
        """const std::uint32_t n_warps = gridDim.x * blockDim.x / 32;
  for (std::uint32_t column = (blockIdx.x * blockDim.x + threadIdx.x) / 32;""",
        """const std::uint32_t n_warps = (PLANTED ? blockDim.x / 32 : gridDim.x * blockDim.x / 32);
  for (std::uint32_t column = (PLANTED ? threadIdx.x / 32 : (blockIdx.x * blockDim.x + threadIdx.x) / 32);"""),
    Bug(ALL_WORK, "count_chunks_before", "cuda/kernels/sector_counts.cuh",
        "std::uint32_t record = blockIdx.x; record < n_records; record += gridDim.x",
        "std::uint32_t record = PLANTED ? 0U : blockIdx.x; record < n_records; record += PLANTED ? 1U : gridDim.x"),
    Bug(ALL_WORK, "place_chunks", "cuda/kernels/sector_layout.cuh",
        "std::uint32_t group = blockIdx.y; group < n_groups; group += gridDim.y",
        "std::uint32_t group = PLANTED ? 0U : blockIdx.y; group < n_groups; group += PLANTED ? 1U : gridDim.y"),
    Bug(ALL_WORK, "erasure_pass", "cuda/kernels/erasure_extend.cuh",
        "std::uint32_t record = blockIdx.y; record < view.n_records; record += gridDim.y",
        "std::uint32_t record = PLANTED ? 0U : blockIdx.y; record < view.n_records; record += PLANTED ? 1U : gridDim.y"),
    Bug(OFFSET, "tables of a record", "cuda/kernels/proof_tables.cuh",
        "index * ProofTablesRef<K>::bytes()",
        "(PLANTED ? (static_cast<std::uint32_t>(index * ProofTablesRef<K>::bytes())) : (index * ProofTablesRef<K>::bytes()))"),
    Bug(OFFSET, "record to extend", "cuda/kernels/erasure_extend.cuh",
        "view.in + record * view.in_stride",
        "(PLANTED ? (view.in + static_cast<std::uint32_t>(record * view.in_stride)) : (view.in + record * view.in_stride))"),
    Bug(OFFSET, "parity of a record", "cuda/kernels/erasure_extend.cuh",
        "view.out + record * view.out_stride",
        "(PLANTED ? (view.out + static_cast<std::uint32_t>(record * view.out_stride)) : (view.out + record * view.out_stride))"),
    Bug(OFFSET, "source chunk", "cuda/kernels/encode_chunks.cuh",
        "source + (record * kNumChunks + s_bucket) * 2",
        "(PLANTED ? (source + static_cast<std::int32_t>((record * kNumChunks + s_bucket) * 2)) : (source + (record * kNumChunks + s_bucket) * 2))"),
    Bug(OFFSET, "parity chunk", "cuda/kernels/encode_chunks.cuh",
        "parity + (record * kNumChunks + s_bucket - kNumChunks) * 2",
        "(PLANTED ? (parity + static_cast<std::int32_t>((record * kNumChunks + s_bucket - kNumChunks) * 2)) : (parity + (record * kNumChunks + s_bucket - kNumChunks) * 2))"),
    Bug(OFFSET, "encoded chunk", "cuda/kernels/encode_chunks.cuh",
        "encoded + (record * kNumChunks + blockIdx.x * kProofs + threadIdx.x) * 2",
        "(PLANTED ? (encoded + static_cast<std::int32_t>((record * kNumChunks + blockIdx.x * kProofs + threadIdx.x) * 2)) : (encoded + (record * kNumChunks + blockIdx.x * kProofs + threadIdx.x) * 2))"),
    Bug(OFFSET, "input to hash", "cuda/kernels/hash_chunks.cuh",
        "view.inputs + input * view.stride + chunk *",
        "(PLANTED ? (view.inputs + static_cast<std::uint32_t>(input * view.stride)) : (view.inputs + input * view.stride)) + chunk *"),
    Bug(OFFSET, "s-buckets of a record, 16 bits", "cuda/kernels/encode_chunks.cuh",
        "used + record * kNumChunks",
        "(PLANTED ? (used + static_cast<std::uint16_t>(record) % 32768 * kNumChunks) : (used + record * kNumChunks))"),
    Bug(PREFETCH, "sizes of s-buckets", "cuda/kernels/sector_counts.cuh",
        "Scan(temp).exclusive_sum(sum, offset, total);",
        """if (PLANTED) { static_cast<void>(*const_cast<const volatile std::uint16_t*>(mine + Shape::kSizesPerThread)); }
  Scan(temp).exclusive_sum(sum, offset, total);"""),
    Bug(PREFETCH, "bitmaps of a sector", "cuda/kernels/sector_counts.cuh",
        "Scan(temp).exclusive_sum(sum, chunk, total);",
        """if (PLANTED) { static_cast<void>(*const_cast<const volatile std::uint32_t*>(bitmaps + first + kWords)); }
  Scan(temp).exclusive_sum(sum, chunk, total);"""),
    Bug(STREAM, "batch not waited for", "cuda/lane.cu",
        "done_.synchronize();",
        "if (!PLANTED) { done_.synchronize(); }"),
    Bug(STREAM, "batch marked before it is enqueued", "cuda/lane.cu",
        """begun_.record(stream_);
  pipeline_->enqueue(n, seeds_.data(), records_.data(), records_.data(), found_.data(),
                     status_.data(), {.uploaded = uploaded_, .computed = computed_});
  done_.record(stream_);""",
        """begun_.record(stream_);
  if (PLANTED) { done_.record(stream_); }
  pipeline_->enqueue(n, seeds_.data(), records_.data(), records_.data(), found_.data(),
                     status_.data(), {.uploaded = uploaded_, .computed = computed_});
  if (!PLANTED) { done_.record(stream_); }"""),
    Bug(STREAM, "record from a seed not waited for", "cuda/lane.cu",
        """stream_.view().synchronize();
  is_in_flight_ = false;""",
        """if (!PLANTED) { stream_.view().synchronize(); }
  is_in_flight_ = false;"""),
    Bug(STREAM, "lane on another device", "cuda/lane.cu",
        "stream_(device)",
        "stream_(PLANTED ? 0 : device)"),
    Bug(STREAM, "slot filled before it is free", "cuda/runtime/staged_copy.cu",
        """slot.free.synchronize();
    const std::size_t n = std::min(slot_bytes_, n_bytes - at);""",
        """if (!PLANTED) { slot.free.synchronize(); }
    const std::size_t n = std::min(slot_bytes_, n_bytes - at);"""),
    Bug(STREAM, "slot emptied before it is full", "cuda/runtime/staged_copy.cu",
        """slot.free.synchronize();
    std::memcpy(bytes + emptied, slot.bytes, n);""",
        """if (!PLANTED) { slot.free.synchronize(); }
    std::memcpy(bytes + emptied, slot.bytes, n);"""),
    Bug(STREAM, "slots not marked", "cuda/runtime/staged_copy.cu",
        """slot.free.record(stream_);
  }
}

void StagedCopy::to_host""",
        """if (!PLANTED) { slot.free.record(stream_); }
  }
}

void StagedCopy::to_host"""),
    Bug(STREAM, "slots go before their copies", "cuda/runtime/staged_copy.cu",
        "stream_.synchronize_quietly();",
        "if (!PLANTED) { stream_.synchronize_quietly(); }"),
    Bug(STREAM, "seeds on the default stream", "cuda/record_pipeline.cuh",
        "cudaMemcpyAsync(d_seeds_.data(), seeds, n * sizeof(PosSeed), cudaMemcpyHostToDevice, stream)",
        "(PLANTED ? (cudaMemcpyAsync(d_seeds_.data(), seeds, n * sizeof(PosSeed), cudaMemcpyHostToDevice, nullptr)) : (cudaMemcpyAsync(d_seeds_.data(), seeds, n * sizeof(PosSeed), cudaMemcpyHostToDevice, stream)))"),
    Bug(STREAM, "chunks on the default stream", "cuda/record_pipeline.cuh",
        "stream, tables, d_used_.data(), d_status_.data(),",
        "PLANTED ? nullptr : stream, tables, d_used_.data(), d_status_.data(),"),
    Bug(STREAM, "memory freed on another stream", "cuda/runtime/device_buffer.cu",
        "cudaFreeAsync(d_data_, stream_.get())",
        "(PLANTED ? (cudaFreeAsync(d_data_, nullptr)) : (cudaFreeAsync(d_data_, stream_.get())))"),
    Bug(STREAM, "products freed before they are up", "cuda/erasure.cu",
        "stream.synchronize();",
        "if (!PLANTED) { stream.synchronize(); }"),
    Bug(STREAM, "sector on another device", "cuda/cuda_records_encoder.cu",
        "const Stream stream(options_.device);",
        "const Stream stream((PLANTED ? 0 : options_.device));"),
    Bug(STREAM, "layout copied back before it is there", "cuda/device_sector.cu",
        "copy.to_host(sector.data(), d_sector.data(), sector.size());",
        "if (PLANTED) { static_cast<void>(cudaMemcpyAsync(sector.data(), d_sector.data(), sector.size(), cudaMemcpyDeviceToHost, stream.get())); } else { copy.to_host(sector.data(), d_sector.data(), sector.size()); }"),
    Bug(STREAM, "tree of a sector on the default stream", "cuda/hash_many.cu",
        "launch(chunks_kernel(batch), shape_for(batch.n_inputs * n_chunks), stream.get(),",
        "launch(chunks_kernel(batch), shape_for(batch.n_inputs * n_chunks), (PLANTED ? nullptr : stream.get()),"),
    Bug(STREAM, "abandoned batch not waited for", "cuda/lane.cu",
        "stream_.view().synchronize_quietly();",
        "if (!PLANTED) { stream_.view().synchronize_quietly(); }"),
    Bug(SHAPE, "rows of a grid not capped", "cuda/erasure.cu",
        "std::min(batch.n_records, kMaxGridY)",
        "(PLANTED ? (batch.n_records) : (std::min(batch.n_records, kMaxGridY)))"),
    Bug(SHAPE, "blocks of a grid not capped", "cuda/hash_many.cu",
        "std::min(n_blocks, kMaxGridX)",
        "(PLANTED ? (n_blocks) : (std::min(n_blocks, kMaxGridX)))"),
    Bug(SHAPE, "more threads than bounds: clear_tables", "cuda/proof_pipeline.cuh",
        "dim3(ClearTablesShape::kThreads)",
        "(PLANTED ? (dim3(2 * ClearTablesShape::kThreads)) : (dim3(ClearTablesShape::kThreads)))"),
    Bug(SHAPE, "more threads than bounds: place_chunks", "cuda/sector_assembly.cu",
        """static_cast<unsigned>(groups_of(parts.n_pieces))),
          .block = dim3(SectorShape::kThreads)""",
        """static_cast<unsigned>(groups_of(parts.n_pieces))),
          .block = dim3((PLANTED ? 2 * SectorShape::kThreads : SectorShape::kThreads))"""),
    Bug(SHAPE, "more threads than bounds: encode_chunks", "cuda/record_pipeline.cuh",
        "dim3(EncodeChunksShape::kThreads)",
        "(PLANTED ? (dim3(2 * EncodeChunksShape::kThreads)) : (dim3(EncodeChunksShape::kThreads)))"),
    Bug(STATUS, "copy of bitmaps", "cuda/record_pipeline.cuh",
        "check(cudaMemcpyAsync(found_out,",
        "planted_check(PLANTED, cudaMemcpyAsync(found_out,"),
    Bug(STATUS, "copy of records into a pipeline", "cuda/record_pipeline.cuh",
        "check(cudaMemcpyAsync(d_source_.data(),",
        "planted_check(PLANTED, cudaMemcpyAsync(d_source_.data(),"),
    Bug(STATUS, "copy of results", "cuda/record_pipeline.cuh",
        "check(cudaMemcpyAsync(records_out,",
        "planted_check(PLANTED, cudaMemcpyAsync(records_out,"),
    Bug(STATUS, "staged copy up", "cuda/runtime/staged_copy.cu",
        "check(cudaMemcpyAsync(d_bytes + at,",
        "planted_check(PLANTED, cudaMemcpyAsync(d_bytes + at,"),
    Bug(STATUS, "copy within the card", "cuda/sector_assembly.cu",
        "check(cudaMemcpyAsync(d_to,",
        "planted_check(PLANTED, cudaMemcpyAsync(d_to,"),
    Bug(STATUS, "status of the first record, encode_chunks", "cuda/kernels/encode_chunks.cuh",
        "= status[record]",
        "= status[PLANTED ? 0 : record]"),
    Bug(STATUS, "status of the first slot, lane", "cuda/lane.cu",
        "is_encoded(status_[slot])",
        "(PLANTED ? (is_encoded(status_[0])) : (is_encoded(status_[slot])))"),
    Bug(STATUS, "mark not looked at", "cuda/runtime/event.cu",
        "check(cudaEventRecord(event_, stream.get()), \"cudaEventRecord\");",
        "if (PLANTED) { static_cast<void>(cudaEventRecord(event_, stream.get())); } else { check(cudaEventRecord(event_, stream.get()), \"cudaEventRecord\"); }"),
    Bug(OVERFLOW, "overflow not counted", "cuda/kernels/proof_tables.cuh",
        "if (slot >= kSlotsPerBucket) {",
        "if ((PLANTED ? slot > kSlotsPerBucket + 1000 : slot >= kSlotsPerBucket)) {"),
    Bug(OVERFLOW, "entry without a slot filed", "cuda/kernels/make_table.cuh",
        "slot < kSlotsPerBucket",
        "(PLANTED ? (slot <= kSlotsPerBucket) : (slot < kSlotsPerBucket))"),
    Bug(OVERFLOW, "entry without a slot filed, table 1", "cuda/kernels/fill_table1.cuh",
        "slot < kSlotsPerBucket",
        "(PLANTED ? (slot <= kSlotsPerBucket) : (slot < kSlotsPerBucket))"),
    Bug(OVERFLOW, "size of a bucket not clamped", "cuda/kernels/bucket_frame.cuh",
        "size < kSlotsPerBucket ? size : kSlotsPerBucket",
        "(PLANTED ? (size) : (size < kSlotsPerBucket ? size : kSlotsPerBucket))"),
    Bug(OVERFLOW, "overflows not reported", "cuda/kernels/choose_proofs.cuh",
        "tables.counters()->overflows}",
        "(PLANTED ? 0U : tables.counters()->overflows)}"),
)
