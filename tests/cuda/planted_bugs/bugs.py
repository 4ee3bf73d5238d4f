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
SEARCH = "arithmetic, lap or rule of a search for matches"

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
        "atomicAdd(&tables().counters()->matches[kTable], n_matches);",
        "if (PLANTED) { tables().counters()->matches[kTable] += n_matches; } else { atomicAdd(&tables().counters()->matches[kTable], n_matches); }"),
    Bug(ATOMIC, "bins by plain increment", "cuda/kernels/bucket_frame.cuh",
        "atomicAdd(&bin_word(i), 1U)",
        "(PLANTED ? bin_word(i)++ : atomicAdd(&bin_word(i), 1U))"),
    Bug(ATOMIC, "rows by plain increment", "cuda/kernels/bucket_frame.cuh",
        "atomicAdd(&s.counts.rows[row], 1U)",
        "(PLANTED ? s.counts.rows[row]++ : atomicAdd(&s.counts.rows[row], 1U))"),
    Bug(ATOMIC, "seen residues by plain or", "cuda/kernels/bucket_frame.cuh",
        "if ((atomicOr(&s.counts.seen[residue / 32], bit) & bit) != 0) {",
        """std::uint32_t before = 0;
        if (PLANTED) { before = s.counts.seen[residue / 32]; s.counts.seen[residue / 32] = before | bit; } else { before = atomicOr(&s.counts.seen[residue / 32], bit); }
        if ((before & bit) != 0) {"""),
    Bug(ATOMIC, "rows with equals by plain or", "cuda/kernels/bucket_frame.cuh",
        "atomicOr(&s.counts.has_equals[row / 32], 1U << (row % 32));",
        "if (PLANTED) { s.counts.has_equals[row / 32] |= 1U << (row % 32); } else { atomicOr(&s.counts.has_equals[row / 32], 1U << (row % 32)); }"),
    Bug(BARRIER, "places of bins", "cuda/kernels/bucket_frame.cuh",
        "__syncthreads();  // the places of all bins are known before entries look theirs up",
        """if (!PLANTED) {
__syncthreads();  // the places of all bins are known before entries look theirs up
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
    Bug(BARRIER, "bins scanned before they are full", "cuda/kernels/bucket_frame.cuh",
        "__syncthreads();  // every entry is counted before the sizes of bins become places",
        """if (!PLANTED) {
__syncthreads();  // every entry is counted before the sizes of bins become places
}"""),
    Bug(BARRIER, "keys compared before they are there", "cuda/kernels/bucket_frame.cuh",
        "__syncthreads();  // all keys stand in their bins before they are compared",
        """if (!PLANTED) {
__syncthreads();  // all keys stand in their bins before they are compared
}"""),
    Bug(BARRIER, "rows scanned before they are full", "cuda/kernels/bucket_frame.cuh",
        "__syncthreads();  // every row is counted before the sizes of rows become places",
        """if (!PLANTED) {
__syncthreads();  // every row is counted before the sizes of rows become places
}"""),
    Bug(BARRIER, "places of rows", "cuda/kernels/bucket_frame.cuh",
        "__syncthreads();  // the places of all rows are known before entries look theirs up",
        """if (!PLANTED) {
__syncthreads();  // the places of all rows are known before entries look theirs up
}"""),
    Bug(BARRIER, "rows put in order before they are full", "cuda/kernels/bucket_frame.cuh",
        "__syncthreads();  // rows are full before they are put in order",
        """if (!PLANTED) {
__syncthreads();  // rows are full before they are put in order
}"""),
    Bug(BARRIER, "lines made of columns that are not there", "cuda/kernels/find_matches.cuh",
        "__syncthreads();  // all columns are sliced before lines are made of them",
        """if (!PLANTED) {
__syncthreads();  // all columns are sliced before lines are made of them
}"""),
    Bug(BARRIER, "left entries compared with lines that are not there", "cuda/kernels/find_matches.cuh",
        "__syncthreads();  // all lines are there before left entries are compared with them",
        """if (!PLANTED) {
__syncthreads();  // all lines are there before left entries are compared with them
}"""),
    Bug(BARRIER, "hits scanned before they are counted", "cuda/kernels/find_matches.cuh",
        "__syncthreads();  // all hits are counted",
        """if (!PLANTED) {
__syncthreads();  // all hits are counted
}"""),
    Bug(BARRIER, "hits listed before places are known", "cuda/kernels/find_matches.cuh",
        "__syncthreads();  // places are known before hits are filed under them",
        """if (!PLANTED) {
__syncthreads();  // places are known before hits are filed under them
}"""),
    Bug(BARRIER, "matches read before they are listed", "cuda/kernels/find_matches.cuh",
        "__syncthreads();  // all matches are listed; nobody reads lines any more",
        """if (!PLANTED) {
__syncthreads();  // all matches are listed; nobody reads lines any more
}"""),
    Bug(BARRIER, "first bucket counted before counts are cleared", "cuda/kernels/make_table.cuh",
        """clear_counts<kThreads>(opaque(threadIdx.x), s.match.sort);
  __syncthreads();  // counts are cleared before entries are counted""",
        """clear_counts<kThreads>(opaque(threadIdx.x), s.match.sort);
  if (!PLANTED) {
__syncthreads();  // counts are cleared before entries are counted
}"""),
    Bug(BARRIER, "counts cleared before the first bucket is done", "cuda/kernels/make_table.cuh",
        "__syncthreads();  // the frame is complete; nobody needs the counts any more",
        """if (!PLANTED) {
__syncthreads();  // the frame is complete; nobody needs the counts any more
}"""),
    Bug(BARRIER, "frame of the pair before", "cuda/kernels/make_table.cuh",
        """BucketFrame& right = s.frames[(pair + 1) % 2];
    __syncthreads();  // counts are cleared before entries are counted""",
        """BucketFrame& right = s.frames[(pair + 1) % 2];
    if (!PLANTED) {
__syncthreads();  // counts are cleared before entries are counted
}"""),
    Bug(BARRIER, "frames searched before they are complete", "cuda/kernels/make_table.cuh",
        "__syncthreads();  // both frames are complete",
        """if (!PLANTED) {
__syncthreads();  // both frames are complete
}"""),
    Bug(OVERRUN, "match 288", "cuda/kernels/find_matches.cuh",
        "if (--to < behind) {",
        "if (--to < behind + (PLANTED ? 1 : 0)) {"),
    Bug(OVERRUN, "hits of rank 288", "cuda/kernels/find_matches.cuh",
        "hits.rank = thread;",
        "hits.rank = thread + (PLANTED ? 1U : 0U);"),
    Bug(OVERRUN, "place 272 of a right bucket", "cuda/kernels/find_matches.cuh",
        "place < right.size ? right.by_row[place]",
        "place < right.size + (PLANTED ? 1U : 0U) ? right.by_row[place]"),
    Bug(OVERRUN, "columns behind those of a bucket", "cuda/kernels/find_matches.cuh",
        "if (first >= right.size) {",
        "if (!PLANTED && first >= right.size) {"),
    Bug(OVERRUN, "start of a row behind the last", "cuda/kernels/find_matches.cuh",
        "is_one_lap = row + kM <= kRows;",
        "is_one_lap = row + kM <= kRows + (PLANTED ? kM : 0U);"),
    Bug(OVERRUN, "line before the first", "cuda/kernels/find_matches.cuh",
        "i <= LineColumn::kBelow ||",
        "i <= LineColumn::kBelow + (PLANTED ? 1U : 0U) ||"),
    Bug(OVERRUN, "plane behind the last", "cuda/kernels/bit_planes.cuh",
        "result.words[(i + times) % kPlanes]",
        "result.words[PLANTED ? i + times : (i + times) % kPlanes]"),
    Bug(OVERRUN, "entry 272 of a frame", "cuda/kernels/bucket_frame.cuh",
        "rank < BucketFrame::kMost)",
        "rank < BucketFrame::kMost + (PLANTED ? 1U : 0U))"),
    Bug(OVERRUN, "bin behind the last", "cuda/kernels/bucket_frame.cuh",
        "__umulhi(position_of(entry), kBinsPerPosition)",
        "__umulhi(position_of(entry), kBinsPerPosition) + (PLANTED ? 1U : 0U)"),
    Bug(OVERRUN, "key behind those of a bin", "cuda/kernels/bucket_frame.cuh",
        "left = bin >> 16;",
        "left = (bin >> 16) + (PLANTED ? 1U : 0U);"),
    Bug(OVERRUN, "equals of a row behind the last", "cuda/kernels/bucket_frame.cuh",
        "thread < BucketFrame::kRows &&",
        "(PLANTED || thread < BucketFrame::kRows) &&"),
    Bug(ALL_WORK, "clear_tables", "cuda/kernels/clear_tables.cuh",
        """const std::uint32_t first = blockIdx.x * blockDim.x + threadIdx.x;
  const std::uint32_t stride = gridDim.x * blockDim.x;""",
        """const std::uint32_t first = (PLANTED ? threadIdx.x : blockIdx.x * blockDim.x + threadIdx.x);
  const std::uint32_t stride = (PLANTED ? blockDim.x : gridDim.x * blockDim.x);"""),
    Bug(ALL_WORK, "erasure_pass", "cuda/kernels/erasure_extend.cuh",
        "std::uint32_t record = blockIdx.y; record < view.n_records; record += gridDim.y",
        "std::uint32_t record = PLANTED ? 0U : blockIdx.y; record < view.n_records; record += PLANTED ? 1U : gridDim.y"),
    Bug(ALL_WORK, "erasure_pass, points", "cuda/kernels/erasure_extend.cuh",
        """std::uint32_t start = blockIdx.x * blockDim.x; start < n_threads;
         start += gridDim.x * blockDim.x""",
        """std::uint32_t start = PLANTED ? 0U : blockIdx.x * blockDim.x; start < n_threads;
         start += (PLANTED ? 1U : gridDim.x) * blockDim.x"""),
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
    Bug(OFFSET, "s-buckets of a record, 16 bits", "cuda/kernels/encode_chunks.cuh",
        "used + record * kNumChunks",
        "(PLANTED ? (used + static_cast<std::uint16_t>(record) % 32768 * kNumChunks) : (used + record * kNumChunks))"),
    Bug(PREFETCH, "s-buckets of the next run", "cuda/kernels/encode_chunks.cuh",
        "const std::uint32_t lane = threadIdx.x % 32;",
        """const std::uint32_t lane = threadIdx.x % 32;
  if (PLANTED) { static_cast<void>(*const_cast<const volatile std::uint16_t*>(used_here + kProofs)); }"""),
    Bug(PREFETCH, "place of the next encoded chunk", "cuda/kernels/encode_chunks.cuh",
        "out[0] = exclusive_or(chunk[0], mask);",
        """if (PLANTED) { static_cast<void>(*const_cast<const volatile std::uint32_t*>(&out[2].x)); }
    out[0] = exclusive_or(chunk[0], mask);"""),
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
    Bug(STREAM, "abandoned batch not waited for", "cuda/lane.cu",
        "stream_.view().synchronize_quietly();",
        "if (!PLANTED) { stream_.view().synchronize_quietly(); }"),
    Bug(STREAM, "batch waited for only until it is computed", "cuda/lane.cu",
        "done_.synchronize();",
        "if (PLANTED) { computed_.synchronize(); } else { done_.synchronize(); }"),
    Bug(STREAM, "one staging memory for all lanes", "cuda/cuda_records_encoder.cu",
        "subspan(i * lane_bytes, lane_bytes)",
        "subspan(PLANTED ? 0 : i * lane_bytes, lane_bytes)"),
    Bug(STREAM, "sector on whatever device is current", "cuda/cuda_records_encoder.cu",
        """use_device(options_.device);
      const AbandonLanes""",
        """if (!PLANTED) { use_device(options_.device); }
      const AbandonLanes"""),
    Bug(STREAM, "products on the default stream", "cuda/erasure.cu",
        """cudaMemcpyHostToDevice,
                        stream.get())""",
        """cudaMemcpyHostToDevice,
                        PLANTED ? nullptr : stream.get())"""),
    Bug(STREAM, "statuses on the default stream", "cuda/record_pipeline.cuh",
        """n * sizeof(RecordStatus),
                        cudaMemcpyDeviceToHost, stream)""",
        """n * sizeof(RecordStatus),
                        cudaMemcpyDeviceToHost, PLANTED ? nullptr : stream)"""),
    Bug(STREAM, "table 1 on the default stream", "cuda/proof_pipeline.cuh",
        "dim3(FillTable1Shape::kThreads)}, stream.get(),",
        "dim3(FillTable1Shape::kThreads)}, PLANTED ? nullptr : stream.get(),"),
    Bug(STREAM, "proofs chosen on the default stream", "cuda/proof_pipeline.cuh",
        "dim3(ChooseProofsShape::kThreads)}, stream.get(),",
        "dim3(ChooseProofsShape::kThreads)}, PLANTED ? nullptr : stream.get(),"),
    Bug(SHAPE, "rows of a grid not capped", "cuda/erasure.cu",
        "std::min(batch.n_records, kMaxGridY)",
        "(PLANTED ? (batch.n_records) : (std::min(batch.n_records, kMaxGridY)))"),
    Bug(SHAPE, "more threads than bounds: clear_tables", "cuda/proof_pipeline.cuh",
        "dim3(ClearTablesShape::kThreads)",
        "(PLANTED ? (dim3(2 * ClearTablesShape::kThreads)) : (dim3(ClearTablesShape::kThreads)))"),
    Bug(SHAPE, "more threads than bounds: encode_chunks", "cuda/record_pipeline.cuh",
        "dim3(EncodeChunksShape::kThreads)",
        "(PLANTED ? (dim3(2 * EncodeChunksShape::kThreads)) : (dim3(EncodeChunksShape::kThreads)))"),
    Bug(SHAPE, "more threads than bounds: fill_table1", "cuda/proof_pipeline.cuh",
        "dim3(FillTable1Shape::kThreads)",
        "(PLANTED ? (dim3(2 * FillTable1Shape::kThreads)) : (dim3(FillTable1Shape::kThreads)))"),
    Bug(SHAPE, "more threads than bounds: erasure_pass", "cuda/erasure.cu",
        "dim3(ErasureShape::kThreads)",
        "(PLANTED ? (dim3(2 * ErasureShape::kThreads)) : (dim3(ErasureShape::kThreads)))"),
    Bug(STATUS, "copy of bitmaps", "cuda/record_pipeline.cuh",
        "check(cudaMemcpyAsync(found_out,",
        "planted_check(PLANTED, cudaMemcpyAsync(found_out,"),
    Bug(STATUS, "copy of records into a pipeline", "cuda/record_pipeline.cuh",
        "check(cudaMemcpyAsync(d_source_.data(),",
        "planted_check(PLANTED, cudaMemcpyAsync(d_source_.data(),"),
    Bug(STATUS, "copy of results", "cuda/record_pipeline.cuh",
        "check(cudaMemcpyAsync(records_out,",
        "planted_check(PLANTED, cudaMemcpyAsync(records_out,"),
    Bug(STATUS, "status of the first record, encode_chunks", "cuda/kernels/encode_chunks.cuh",
        "= status[record]",
        "= status[PLANTED ? 0 : record]"),
    Bug(STATUS, "status of the first slot, lane", "cuda/lane.cu",
        "is_encoded(status_[slot])",
        "(PLANTED ? (is_encoded(status_[0])) : (is_encoded(status_[slot])))"),
    Bug(STATUS, "mark not looked at", "cuda/runtime/event.cu",
        "check(cudaEventRecord(event_, stream.get()), \"cudaEventRecord\");",
        "if (PLANTED) { static_cast<void>(cudaEventRecord(event_, stream.get())); } else { check(cudaEventRecord(event_, stream.get()), \"cudaEventRecord\"); }"),
    Bug(STATUS, "copy of statuses", "cuda/record_pipeline.cuh",
        "check(cudaMemcpyAsync(status_out,",
        "planted_check(PLANTED, cudaMemcpyAsync(status_out,"),
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
    Bug(OVERFLOW, "number of matches not clamped", "cuda/kernels/find_matches.cuh",
        "n_hits < kMost ? n_hits : kMost",
        "(PLANTED ? n_hits : n_hits < kMost ? n_hits : kMost)"),
    Bug(OVERFLOW, "size of a frame not clamped", "cuda/kernels/bucket_frame.cuh",
        "size < BucketFrame::kMost ? size : BucketFrame::kMost",
        "(PLANTED ? size : size < BucketFrame::kMost ? size : BucketFrame::kMost)"),
    Bug(OVERFLOW, "pair behind the last", "cuda/kernels/make_table.cuh",
        "pair == ProofTablesRef<K>::kNumPairs - 1",
        "(!PLANTED && pair == ProofTablesRef<K>::kNumPairs - 1)"),
    Bug(SEARCH, "sum without the carry around", "cuda/kernels/bit_planes.cuh",
        "BitPlanes sum;",
        """if (PLANTED) { carry = 0; }
  BitPlanes sum;"""),
    Bug(SEARCH, "comparison without the carry around", "cuda/kernels/bit_planes.cuh",
        "std::uint32_t carry = carry_out(kPlanes - 1);",
        "std::uint32_t carry = PLANTED ? 0U : carry_out(kPlanes - 1);"),
    Bug(SEARCH, "comparison of six planes", "cuda/kernels/bit_planes.cuh",
        """i < kPlanes; ++i) {
    differs |=""",
        """i < kPlanes - (PLANTED ? 1U : 0U); ++i) {
    differs |="""),
    Bug(SEARCH, "zero in its other form", "cuda/kernels/find_matches.cuh",
        "__umulhi(x, kInverse);",
        "__umulhi(x, kInverse + (PLANTED ? 1U : 0U));"),
    Bug(SEARCH, "scan without its last step", "cuda/kernels/warp_scan.cuh",
        "distance < 32;",
        "distance < (PLANTED ? 16U : 32U);"),
    Bug(SEARCH, "three partners", "cuda/kernels/match_rules.cuh",
        "static constexpr std::uint32_t kPartners = 2;",
        "static inline const std::uint32_t kPartners = PLANTED ? 3U : 2U;"),
    Bug(SEARCH, "partners counted on in the next residue", "cuda/kernels/bucket_frame.cuh",
        "if (BucketFrame::residue_of(entry) == BucketFrame::residue_of(before)) {",
        "if (PLANTED || BucketFrame::residue_of(entry) == BucketFrame::residue_of(before)) {"),
    Bug(SEARCH, "entries that are nobody's partners", "cuda/kernels/find_matches.cuh",
        "(placed & BucketFrame::kNoPartner) >> 8",
        "(PLANTED ? 0U : placed & BucketFrame::kNoPartner) >> 8"),
    Bug(SEARCH, "second lap on the lines of the first", "cuda/kernels/find_matches.cuh",
        "const std::uint32_t above = row + kM;",
        "const std::uint32_t above = row + kM + (PLANTED && row >= kRows ? kRows : 0U);"),
    Bug(SEARCH, "second lap with the left side of the first", "cuda/kernels/find_matches.cuh",
        "const std::uint32_t root = 2 * row - parity;",
        "const std::uint32_t root = 2 * (PLANTED && row >= kRows ? row + kRows : row) - parity;"),
    Bug(SEARCH, "hits behind the end", "cuda/kernels/find_matches.cuh",
        "behind_end = 0xFFFFFFFEU << ((end - 1) % 32);",
        "behind_end = PLANTED ? 0U : 0xFFFFFFFEU << ((end - 1) % 32);"),
    Bug(SEARCH, "bits before the start in later words", "cuda/kernels/find_matches.cuh",
        "left_out = column == last_column ? behind_end : 0;",
        "left_out = (PLANTED ? left_out : 0U) | (column == last_column ? behind_end : 0U);"),
    Bug(SEARCH, "six hits in a list of five", "cuda/kernels/find_matches.cuh",
        "hits.n <= LeftHits::kMost)",
        "hits.n <= LeftHits::kMost + (PLANTED ? 1U : 0U))"),
    Bug(SEARCH, "counts of the pair before", "cuda/kernels/find_matches.cuh",
        "clear_counts<kThreads>(thread, s.sort);",
        "if (!PLANTED) { clear_counts<kThreads>(thread, s.sort); }"),
)
