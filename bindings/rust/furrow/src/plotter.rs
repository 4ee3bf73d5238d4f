// SPDX-License-Identifier: Apache-2.0
//! Plotters: sectors from a source of pieces, by an encoder, into buffers or into a farm.

use std::fmt;
use std::os::raw::c_void;
use std::ptr::{null_mut, NonNull};
use std::sync::atomic::AtomicBool;
use std::sync::Arc;
use std::time::Duration;

use crate::c_struct::{c_struct, text_from_c};
use crate::callback::{catch_and_warn, flag_pointer, user_pointer};
use crate::error::{check, check_outcome};
use crate::library::no_handle;
use crate::piece_source::milliseconds;
use crate::sector::{plotted_sector_size, sector_size};
use crate::{
    ffi, Encoder, Error, Farm, Gate, Library, Outcome, PieceSource, SectorMetadata, SectorPlan,
};

/// How a plotter works.
#[derive(Clone, Debug)]
pub struct PlotterOptions {
    gate: Option<Gate>,
    sectors_in_memory: u32,
    attempts: u32,
    first_delay: Duration,
    longest_delay: Duration,
}

impl Default for PlotterOptions {
    fn default() -> Self {
        let defaults = c_struct!(furrow_plotter_options, furrow_plotter_options_init);
        Self {
            gate: None,
            sectors_in_memory: defaults.sectors_in_memory,
            attempts: defaults.attempts,
            first_delay: Duration::from_millis(defaults.first_delay_ms.into()),
            longest_delay: Duration::from_millis(defaults.longest_delay_ms.into()),
        }
    }
}

impl PlotterOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Where it waits before each download, before it lays a sector out and before it is written.
    /// Encoders have gates of their own, which may be the same.
    #[must_use]
    pub fn gate(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// Sectors in memory at the same time, from download to layout; more calls wait. 1 MiB for each
    /// piece of a sector. The default is 3.
    #[must_use]
    pub fn sectors_in_memory(mut self, sectors: u32) -> Self {
        self.sectors_in_memory = sectors;
        self
    }

    /// Attempts to get pieces that the source did not give, and to rebuild them from others of their
    /// segments; 0, the default: without end, as the reference does. 1: what the source does not give
    /// is rebuilt if that can be done at once.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Time between attempts: `first` at first (15 seconds), twice as long each time, at most
    /// `longest` (10 minutes); in whole milliseconds.
    #[must_use]
    pub fn delays(mut self, first: Duration, longest: Duration) -> Self {
        self.first_delay = first;
        self.longest_delay = longest;
        self
    }
}

/// How far a sector is. Stages come in this order, [`PlotStage::Record`] once for each record.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum PlotStage<'a> {
    /// Its pieces are downloaded.
    Downloading,
    /// They were, in this time.
    Downloaded(Duration),
    /// Its records are encoded.
    Encoding,
    /// So many records are done.
    Record(u64),
    /// Encoded and laid out, in this time.
    Encoded(Duration),
    /// It is being written into the farm.
    Writing,
    /// It is done; it took this time.
    Finished(Duration),
    /// It failed, for this reason.
    Failed(&'a str),
    /// The encoders failed with it, for this reason; it is made anew, from the first stage on.
    TryingAgain(&'a str),
}

/// What a caller is told of a sector.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlotEvent<'a> {
    /// Which sector.
    pub sector_index: u16,
    /// How far it is.
    pub stage: PlotStage<'a>,
}

/// How a caller follows a call that plots, and ends it. The default is not at all.
#[derive(Clone, Copy, Default)]
pub struct PlotWatch<'a> {
    abort: Option<&'a AtomicBool>,
    on_event: Option<&'a (dyn Fn(&PlotEvent<'_>) + Sync)>,
}

impl fmt::Debug for PlotWatch<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PlotWatch")
            .field("abort", &self.abort)
            .finish_non_exhaustive()
    }
}

impl<'a> PlotWatch<'a> {
    /// Not at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Setting the flag, and leaving it set, ends the call. What is written into a farm already is
    /// finished.
    #[must_use]
    pub fn abort(mut self, flag: &'a AtomicBool) -> Self {
        self.abort = Some(flag);
        self
    }

    /// Told of progress, from threads of the library; events of one sector come in their order, those
    /// of records several at once. What it panics with becomes a warning of the library and ends
    /// nothing.
    #[must_use]
    pub fn on_event(mut self, on_event: &'a (dyn Fn(&PlotEvent<'_>) + Sync)) -> Self {
        self.on_event = Some(on_event);
        self
    }
}

/// A sector that was plotted into memory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlottedSector {
    /// The sector, as it stands in a farm.
    pub sector: Vec<u8>,
    /// Its metadata.
    pub metadata: Box<SectorMetadata>,
    /// Its pieces, by piece offset.
    pub piece_indices: Vec<u64>,
    /// What plotting leaves behind besides the sector, in SCALE: sector id, sector index, metadata
    /// with checksum, piece indices.
    pub scale: Vec<u8>,
}

/// What came of plotting into a farm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FarmPlot {
    /// Whether all sectors were plotted, or given up.
    pub outcome: Outcome,
    /// Sectors that the encoders failed with again and again; the others are plotted.
    pub given_up: usize,
}

/// A plotter. Clones are the same plotter, and several threads may plot with it at the same time.
#[derive(Clone, Debug)]
pub struct Plotter(Arc<Inner>);

struct Inner {
    handle: NonNull<ffi::furrow_plotter>,
    library: Library,
    /// Behind the handle, so that both are there as long as it is.
    _encoder: Encoder,
    _source: PieceSource,
}

// SAFETY: every function of the interface may be called from any thread, also on the same handle at
// the same time.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: calls borrow the plotter, so this is the last one.
        unsafe { ffi::furrow_plotter_destroy(self.handle.as_ptr()) };
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(formatter)
    }
}

impl Plotter {
    /// Makes a plotter. Encoder and source may belong to several.
    pub fn new(
        library: &Library,
        encoder: &Encoder,
        source: &PieceSource,
        options: &PlotterOptions,
    ) -> Result<Self, Error> {
        let mut wanted = c_struct!(furrow_plotter_options, furrow_plotter_options_init);
        wanted.encoder = encoder.as_ptr();
        wanted.source = source.as_ptr();
        wanted.gate = options.gate.as_ref().map_or(null_mut(), Gate::as_ptr);
        wanted.sectors_in_memory = options.sectors_in_memory;
        wanted.attempts = options.attempts;
        wanted.first_delay_ms = milliseconds("the first delay", options.first_delay)?;
        wanted.longest_delay_ms = milliseconds("the longest delay", options.longest_delay)?;
        let mut handle = null_mut();
        // SAFETY: handles, and where to write.
        check(unsafe { ffi::furrow_plotter_create(library.as_ptr(), &wanted, &mut handle) })?;
        let handle = NonNull::new(handle).ok_or_else(no_handle)?;
        Ok(Self(Arc::new(Inner {
            handle,
            library: library.clone(),
            _encoder: encoder.clone(),
            _source: source.clone(),
        })))
    }

    /// Plots one sector into memory: downloads its pieces, encodes their records, lays the sector
    /// out. None when it was aborted.
    pub fn plot_sector(
        &self,
        plan: &SectorPlan,
        watch: PlotWatch<'_>,
    ) -> Result<Option<PlottedSector>, Error> {
        let n_pieces = plan.pieces_in_sector.into();
        let mut plotted = PlottedSector {
            sector: vec![0; sector_size(n_pieces)],
            metadata: SectorMetadata::new_boxed(),
            piece_indices: vec![0; n_pieces],
            scale: vec![0; plotted_sector_size(n_pieces)],
        };
        let plan = plan.to_c();
        let told = self.told(watch);
        let mut request = c_struct!(furrow_plot_sector_request, furrow_plot_sector_request_init);
        request.plan = &plan;
        request.sector = plotted.sector.as_mut_ptr();
        request.sector_size = plotted.sector.len();
        request.metadata = plotted.metadata.as_mut_ptr();
        request.metadata_size = SectorMetadata::SIZE;
        request.piece_indices = plotted.piece_indices.as_mut_ptr();
        request.piece_index_count = plotted.piece_indices.len();
        request.plotted_sector = plotted.scale.as_mut_ptr();
        request.plotted_sector_size = plotted.scale.len();
        request.abort_flag = flag_pointer(watch.abort);
        if let Some(told) = &told {
            request.on_event = Some(on_event);
            request.user = user_pointer(told);
        }
        // SAFETY: a plotter, buffers of the sizes that are given, and what the callback gets lives
        // until the call returns.
        let outcome = check_outcome(unsafe {
            ffi::furrow_plotter_plot_sector(self.0.handle.as_ptr(), &request)
        })?;
        Ok(Some(plotted).filter(|_| outcome == Outcome::Complete))
    }

    /// Plots sectors into a farm that is open for plotting: the first that are not there or lost, as
    /// many as there is room for, or `most_sectors`. The next one is downloaded and the one before
    /// written while one is encoded; each is durable before it is reported as finished.
    /// `history_size` is in segments, when the sectors are created.
    pub fn plot_farm(
        &self,
        farm: &Farm,
        history_size: u64,
        most_sectors: Option<u32>,
        watch: PlotWatch<'_>,
    ) -> Result<FarmPlot, Error> {
        if most_sectors == Some(0) {
            return Ok(FarmPlot {
                outcome: Outcome::Complete,
                given_up: 0,
            }); // 0 means all to C
        }
        let told = self.told(watch);
        let mut request = c_struct!(furrow_plot_farm_request, furrow_plot_farm_request_init);
        request.farm = farm.as_ptr();
        request.history_size = history_size;
        request.most_sectors = most_sectors.unwrap_or(0);
        request.abort_flag = flag_pointer(watch.abort);
        if let Some(told) = &told {
            request.on_event = Some(on_event);
            request.user = user_pointer(told);
        }
        let mut given_up = 0;
        // SAFETY: a plotter, a farm, where to write, and what the callback gets lives until the call
        // returns.
        let outcome = check_outcome(unsafe {
            ffi::furrow_plotter_plot_farm(self.0.handle.as_ptr(), &request, &mut given_up)
        })?;
        Ok(FarmPlot { outcome, given_up })
    }

    fn told<'a>(&'a self, watch: PlotWatch<'a>) -> Option<Told<'a>> {
        watch.on_event.map(|on_event| Told {
            on_event,
            library: &self.0.library,
        })
    }
}

/// Who is told of sectors.
struct Told<'a> {
    on_event: &'a (dyn Fn(&PlotEvent<'_>) + Sync),
    library: &'a Library,
}

unsafe extern "C" fn on_event(user: *mut c_void, event: *const ffi::furrow_plot_event) {
    // SAFETY: what the call was given lives until it returns, and is Sync; the event and its text
    // live as long as this.
    let (told, event, message) = unsafe {
        let event = &*event;
        (&*user.cast::<Told<'_>>(), event, text_from_c(event.message))
    };
    let duration = duration_of(event.seconds);
    let stage = match event.stage {
        ffi::FURROW_PLOT_DOWNLOADING => PlotStage::Downloading,
        ffi::FURROW_PLOT_DOWNLOADED => PlotStage::Downloaded(duration),
        ffi::FURROW_PLOT_ENCODING => PlotStage::Encoding,
        ffi::FURROW_PLOT_RECORD => PlotStage::Record(event.records_done),
        ffi::FURROW_PLOT_ENCODED => PlotStage::Encoded(duration),
        ffi::FURROW_PLOT_WRITING => PlotStage::Writing,
        ffi::FURROW_PLOT_FINISHED => PlotStage::Finished(duration),
        ffi::FURROW_PLOT_FAILED => PlotStage::Failed(&message),
        ffi::FURROW_PLOT_TRYING_AGAIN => PlotStage::TryingAgain(&message),
        _ => return, // of a newer library
    };
    catch_and_warn(told.library, "the closure that is told of events", || {
        (told.on_event)(&PlotEvent {
            sector_index: event.sector_index,
            stage,
        });
    });
}

/// Zero for what is no duration, rather than a panic.
fn duration_of(seconds: f64) -> Duration {
    if (0.0..1e12).contains(&seconds) {
        Duration::from_secs_f64(seconds)
    } else {
        Duration::ZERO
    }
}
