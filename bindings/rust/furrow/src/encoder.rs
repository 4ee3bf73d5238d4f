// SPDX-License-Identifier: Apache-2.0
//! Encoders: records of a sector into their encoded form, on CUDA devices and on the CPU.

use std::fmt;
use std::os::raw::c_void;
use std::ptr::{null_mut, NonNull};
use std::sync::atomic::AtomicBool;
use std::sync::Arc;

use crate::c_struct::{c_struct, text_from_array};
use crate::callback::{catch_and_warn, flag_pointer, user_pointer};
use crate::error::{check, check_outcome};
use crate::library::no_handle;
use crate::{ffi, ContentsMap, EncoderConfig, Error, Hash, Library, Outcome, Record};

/// An encoder. Clones are the same encoder, and several threads may encode with it at the same time:
/// they share its threads and devices.
///
/// [`Encoder::encode_records`] has the form of the trait that farmers plot with, so that implementing
/// it takes a few lines:
///
/// ```
/// use std::sync::atomic::AtomicBool;
/// # mod farmer {
/// #     use std::sync::atomic::AtomicBool;
/// #     pub type SectorId = [u8; 32];
/// #     pub type SectorContentsMap = Vec<Vec<u8>>;
/// #     #[repr(transparent)]
/// #     pub struct Record(pub [[u8; 32]; 32768]);
/// #     impl Record {
/// #         pub fn slice_mut_to_repr(records: &mut [Self]) -> &mut [[[u8; 32]; 32768]] {
/// #             unsafe {
/// #                 std::slice::from_raw_parts_mut(records.as_mut_ptr().cast(), records.len())
/// #             }
/// #         }
/// #     }
/// #     pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
/// #     pub trait RecordsEncoder {
/// #         fn encode_records(
/// #             &mut self,
/// #             sector_id: &SectorId,
/// #             records: &mut [Record],
/// #             abort_early: &AtomicBool,
/// #         ) -> Result<SectorContentsMap>;
/// #     }
/// # }
/// # use farmer::{Record, RecordsEncoder, Result, SectorContentsMap, SectorId};
/// struct Furrow(furrow::Encoder);
///
/// impl RecordsEncoder for Furrow {
///     fn encode_records(
///         &mut self,
///         sector_id: &SectorId,
///         records: &mut [Record],
///         abort_early: &AtomicBool,
///     ) -> Result<SectorContentsMap> {
///         let records = furrow::Record::slice_from_chunks_mut(Record::slice_mut_to_repr(records));
///         let map = self.0.encode_records(sector_id, records, abort_early)?;
///         Ok(map.iter().map(|found_proofs| found_proofs.to_vec()).collect())
///     }
/// }
/// # let library = furrow::Library::new()?;
/// # let config = furrow::EncoderConfig::new().kind(furrow::EncoderKind::Cpu).threads(1);
/// # let mut encoder = Furrow(furrow::Encoder::new(&library, &config)?);
/// # let map = encoder.encode_records(&[7; 32], &mut [], &AtomicBool::new(false)).unwrap();
/// # assert!(map.is_empty());
/// # Ok::<(), furrow::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Encoder(Arc<Inner>);

struct Inner {
    handle: NonNull<ffi::furrow_encoder>,
    library: Library,
}

// SAFETY: every function of the interface may be called from any thread, also on the same handle at
// the same time.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: calls borrow the encoder, so this is the last one.
        unsafe { ffi::furrow_encoder_destroy(self.handle.as_ptr()) };
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(formatter)
    }
}

/// Records of one sector to encode, and how. See [`Encoder::encode`].
pub struct EncodeRequest<'a> {
    sector_id: &'a Hash,
    records: &'a mut [Record],
    first_offset: u16,
    abort: Option<&'a AtomicBool>,
    progress: Option<&'a (dyn Fn(u16) + Sync)>,
}

impl fmt::Debug for EncodeRequest<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EncodeRequest")
            .field("sector_id", &self.sector_id)
            .field("records", &self.records.len())
            .field("first_offset", &self.first_offset)
            .finish_non_exhaustive()
    }
}

impl<'a> EncodeRequest<'a> {
    /// Records that begin at piece offset 0 of a sector. Each is replaced by its encoded form.
    #[must_use]
    pub fn new(sector_id: &'a Hash, records: &'a mut [Record]) -> Self {
        Self {
            sector_id,
            records,
            first_offset: 0,
            abort: None,
            progress: None,
        }
    }

    /// The piece offset of the first record.
    #[must_use]
    pub fn first_offset(mut self, piece_offset: u16) -> Self {
        self.first_offset = piece_offset;
        self
    }

    /// Setting the flag, and leaving it set, ends the call: see [`Encoder::encode_records`].
    #[must_use]
    pub fn abort(mut self, flag: &'a AtomicBool) -> Self {
        self.abort = Some(flag);
        self
    }

    /// Told the piece offset of each record that is done, from threads of the library, several at
    /// once. What it panics with becomes a warning of the library and ends nothing.
    #[must_use]
    pub fn progress(mut self, progress: &'a (dyn Fn(u16) + Sync)) -> Self {
        self.progress = Some(progress);
        self
    }
}

/// What came of an [`EncodeRequest`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Encoded {
    /// The s-buckets of each record; of an aborted call, without any bit for records that are as
    /// they were.
    pub map: ContentsMap,
    /// Whether all records are encoded.
    pub outcome: Outcome,
}

impl Encoder {
    /// Makes an encoder. Each device encodes a known record first and is left out, with a warning,
    /// when it does not do that right; it is an error when the device was named, or when
    /// [`crate::EncoderKind::Cuda`] has no device left.
    pub fn new(library: &Library, config: &EncoderConfig) -> Result<Self, Error> {
        let devices = config.device_names()?;
        let wanted = config.for_c(&devices);
        let mut handle = null_mut();
        // SAFETY: a library, texts that end with a zero, and where to write.
        check(unsafe { ffi::furrow_encoder_open(library.as_ptr(), &wanted, &mut handle) })?;
        let handle = NonNull::new(handle).ok_or_else(no_handle)?;
        Ok(Self(Arc::new(Inner {
            handle,
            library: library.clone(),
        })))
    }

    /// Encodes the records of a sector in place, in the form of the trait that farmers plot with.
    ///
    /// After `abort` was set this is a success with an incomplete map, as such a trait has it: the
    /// caller looks at the flag itself. Each record is then done, or as it was and without any bit in
    /// the map ([`ContentsMap::is_done`]). On a CPU that takes milliseconds, on a device it takes
    /// effect after a batch of records.
    pub fn encode_records(
        &mut self,
        sector_id: &Hash,
        records: &mut [Record],
        abort: &AtomicBool,
    ) -> Result<ContentsMap, Error> {
        let encoded = self.encode(EncodeRequest::new(sector_id, records).abort(abort))?;
        Ok(encoded.map)
    }

    /// Encodes records of one sector in place. A sector can be encoded in several calls, by several
    /// encoders. After an error the records are unspecified.
    pub fn encode(&self, request: EncodeRequest<'_>) -> Result<Encoded, Error> {
        let mut map = ContentsMap::new(request.records.len());
        let told = request.progress.map(|progress| Told {
            progress,
            library: &self.0.library,
        });
        let mut wanted = c_struct!(furrow_encode_request, furrow_encode_request_init);
        wanted.sector_id = request.sector_id.as_ptr();
        wanted.records = request.records.as_mut_ptr().cast();
        wanted.record_count = request.records.len();
        wanted.first_offset = request.first_offset.into();
        wanted.contents_map = map.as_mut_ptr().cast();
        wanted.abort_flag = flag_pointer(request.abort);
        if let Some(told) = &told {
            wanted.on_record = Some(on_record);
            wanted.user = user_pointer(told);
        }
        // SAFETY: the records and an entry of the map for each of them are borrowed until the call
        // returns, and so is what the callback gets.
        let outcome = check_outcome(unsafe { ffi::furrow_encoder_encode(self.as_ptr(), &wanted) })?;
        Ok(Encoded { map, outcome })
    }

    /// What the encoder is and does at the moment.
    pub fn info(&self) -> Result<EncoderInfo, Error> {
        let info = self.raw_info()?;
        Ok(EncoderInfo {
            name: text_from_array(&info.name),
            note: Some(text_from_array(&info.note)).filter(|note| !note.is_empty()),
            simd_target: text_from_array(&info.simd_target),
            threads: info.threads,
            running_calls: info.running_calls,
            records_done: info.records_done,
            host_bytes: info.host_bytes,
            device_bytes: info.device_bytes,
        })
    }

    /// Its devices, or the CPU.
    pub fn members(&self) -> Result<Vec<EncoderMember>, Error> {
        (0..self.raw_info()?.member_count as usize)
            .map(|position| self.member(position))
            .collect()
    }

    fn raw_info(&self) -> Result<ffi::furrow_encoder_info, Error> {
        let mut info = c_struct!(furrow_encoder_info);
        // SAFETY: an encoder, and a struct whose size is set.
        check(unsafe { ffi::furrow_encoder_get_info(self.as_ptr(), &mut info) })?;
        Ok(info)
    }

    fn member(&self, position: usize) -> Result<EncoderMember, Error> {
        let mut member = c_struct!(furrow_encoder_member);
        // SAFETY: an encoder, and a struct whose size is set.
        check(unsafe { ffi::furrow_encoder_get_member(self.as_ptr(), position, &mut member) })?;
        Ok(EncoderMember {
            name: text_from_array(&member.name),
            state: match member.state {
                ffi::FURROW_ENCODER_IDLE => EncoderState::Idle,
                ffi::FURROW_ENCODER_LOST => EncoderState::Lost,
                _ => EncoderState::Working,
            },
            records_done: member.records_done,
        })
    }

    pub(crate) fn as_ptr(&self) -> *mut ffi::furrow_encoder {
        self.0.handle.as_ptr()
    }
}

/// Who is told of records that are done.
struct Told<'a> {
    progress: &'a (dyn Fn(u16) + Sync),
    library: &'a Library,
}

unsafe extern "C" fn on_record(user: *mut c_void, piece_offset: usize) {
    // SAFETY: it lives until the call returns that was given it, and is Sync.
    let told = unsafe { &*user.cast::<Told<'_>>() };
    catch_and_warn(told.library, "the progress closure of an encoder", || {
        (told.progress)(piece_offset as u16); // at most 65535
    });
}

/// An encoder at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncoderInfo {
    /// For logs, such as "cpu (avx3, 2 threads)". Of several devices, all names.
    pub name: String,
    /// Why [`crate::EncoderKind::Auto`] does without CUDA, if it does.
    pub note: Option<String>,
    /// Instruction set that the CPU uses, such as "avx2"; "scalar" for none.
    pub simd_target: String,
    /// Threads of the CPU, also if only in case that all devices are lost.
    pub threads: u32,
    /// Calls that encode.
    pub running_calls: u32,
    /// Records that were encoded so far.
    pub records_done: u64,
    /// Bytes of host memory: what its CPU threads take when all of them have worked, verification of
    /// devices included, and what it has pinned.
    pub host_bytes: u64,
    /// Bytes of memory on its devices.
    pub device_bytes: u64,
}

/// What a member of an encoder does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EncoderState {
    /// It has nothing to encode.
    Idle,
    /// It encodes.
    Working,
    /// It is used no more; the others have its work.
    Lost,
}

/// One device of an encoder, or the CPU.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncoderMember {
    /// For logs.
    pub name: String,
    /// What it does.
    pub state: EncoderState,
    /// Records that it encoded so far.
    pub records_done: u64,
}
