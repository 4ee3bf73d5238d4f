// SPDX-License-Identifier: Apache-2.0
//! What an encoder is to be made of.

use std::ffi::CString;
use std::os::raw::c_char;

use crate::c_struct::{c_struct, text_for_c};
use crate::{ffi, Error, Gate};

/// What an encoder encodes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncoderKind {
    /// Every CUDA device; the CPU if there is none.
    Auto,
    /// CUDA devices.
    Cuda,
    /// The CPU.
    Cpu,
    /// The CPU without SIMD, for comparison.
    CpuScalar,
}

/// What an encoder is to be made of. The default is everything that the machine has.
///
/// ```no_run
/// use furrow::{Encoder, EncoderConfig, EncoderKind, Library};
///
/// let library = Library::new()?;
/// let config = EncoderConfig::new().kind(EncoderKind::Cuda).device("0").verify_records(2);
/// let encoder = Encoder::new(&library, &config)?;
/// # Ok::<(), furrow::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct EncoderConfig {
    kind: EncoderKind,
    devices: Vec<String>,
    threads: u32,
    verify_records: u32,
    device_memory_limit: u64,
    pinned_memory_limit: u64,
    gate: Option<Gate>,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        let defaults = c_struct!(furrow_encoder_config, furrow_encoder_config_init);
        Self {
            kind: EncoderKind::Auto,
            devices: Vec::new(),
            threads: defaults.threads,
            verify_records: defaults.verify_records,
            device_memory_limit: defaults.device_memory_limit,
            pinned_memory_limit: defaults.pinned_memory_limit,
            gate: None,
        }
    }
}

impl EncoderConfig {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What to encode with; the default is [`EncoderKind::Auto`].
    #[must_use]
    pub fn kind(mut self, kind: EncoderKind) -> Self {
        self.kind = kind;
        self
    }

    /// One more CUDA device to use, by index or UUID (enough of it to tell it from the others). Each
    /// that is named has to work; without any, all that do are used.
    #[must_use]
    pub fn device(mut self, device: impl Into<String>) -> Self {
        self.devices.push(device.into());
        self
    }

    /// CPU threads, also of the encoder that stands in when all devices are lost; 0, the default,
    /// means one for each processor that the calling thread may use.
    #[must_use]
    pub fn threads(mut self, threads: u32) -> Self {
        self.threads = threads;
        self
    }

    /// Records of each call that are encoded on the CPU once more to verify the devices; the default
    /// is 1.
    #[must_use]
    pub fn verify_records(mut self, records: u32) -> Self {
        self.verify_records = records;
        self
    }

    /// Most bytes of memory on each device; 0, the default, means what is free.
    #[must_use]
    pub fn device_memory_limit(mut self, bytes: u64) -> Self {
        self.device_memory_limit = bytes;
        self
    }

    /// Most bytes of pinned host memory for each device; 0, the default, means as much as its
    /// batches want.
    #[must_use]
    pub fn pinned_memory_limit(mut self, bytes: u64) -> Self {
        self.pinned_memory_limit = bytes;
        self
    }

    /// Where work waits while it is closed.
    #[must_use]
    pub fn gate(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// As C wants it; `devices` are those of the configuration.
    pub(crate) fn for_c(&self, devices: &DeviceNames) -> ffi::furrow_encoder_config {
        let kind: &'static [u8] = match self.kind {
            EncoderKind::Auto => b"auto\0",
            EncoderKind::Cuda => b"cuda\0",
            EncoderKind::Cpu => b"cpu\0",
            EncoderKind::CpuScalar => b"cpu-scalar\0",
        };
        let mut config = c_struct!(furrow_encoder_config, furrow_encoder_config_init);
        config.kind = kind.as_ptr().cast();
        config.devices = devices.as_ptr();
        config.device_count = devices.pointers.len();
        config.threads = self.threads;
        config.verify_records = self.verify_records;
        config.device_memory_limit = self.device_memory_limit;
        config.pinned_memory_limit = self.pinned_memory_limit;
        config.gate = self
            .gate
            .as_ref()
            .map_or(std::ptr::null_mut(), Gate::as_ptr);
        config
    }

    pub(crate) fn device_names(&self) -> Result<DeviceNames, Error> {
        DeviceNames::new(&self.devices)
    }
}

/// Names of devices as C wants them.
pub(crate) struct DeviceNames {
    _texts: Vec<CString>,
    pub(crate) pointers: Vec<*const c_char>,
}

impl DeviceNames {
    pub(crate) fn new(names: &[String]) -> Result<Self, Error> {
        let texts = names
            .iter()
            .map(|name| text_for_c("the name of a device", name.as_str()))
            .collect::<Result<Vec<_>, _>>()?;
        let pointers = texts.iter().map(|text| text.as_ptr()).collect();
        Ok(Self {
            _texts: texts,
            pointers,
        })
    }

    /// NULL when there are none.
    pub(crate) fn as_ptr(&self) -> *const *const c_char {
        if self.pointers.is_empty() {
            std::ptr::null()
        } else {
            self.pointers.as_ptr()
        }
    }
}
