// SPDX-License-Identifier: Apache-2.0
// The statuses of the CUDA runtime that Furrow knows, with CUDA's numbers.
#pragma once

#define FURROW_SIMT_STATUSES(X)                \
  X(cudaSuccess, 0)                            \
  X(cudaErrorInvalidValue, 1)                  \
  X(cudaErrorMemoryAllocation, 2)              \
  X(cudaErrorInitializationError, 3)           \
  X(cudaErrorCudartUnloading, 4)               \
  X(cudaErrorInvalidConfiguration, 9)          \
  X(cudaErrorInvalidSymbol, 13)                \
  X(cudaErrorInvalidHostPointer, 16)           \
  X(cudaErrorInvalidDevicePointer, 17)         \
  X(cudaErrorInvalidMemcpyDirection, 21)       \
  X(cudaErrorStubLibrary, 34)                  \
  X(cudaErrorInsufficientDriver, 35)           \
  X(cudaErrorCallRequiresNewerDriver, 36)      \
  X(cudaErrorDevicesUnavailable, 46)           \
  X(cudaErrorIncompatibleDriverContext, 49)    \
  X(cudaErrorInvalidDeviceFunction, 98)        \
  X(cudaErrorNoDevice, 100)                    \
  X(cudaErrorInvalidDevice, 101)               \
  X(cudaErrorDeviceNotLicensed, 102)           \
  X(cudaErrorStartupFailure, 127)              \
  X(cudaErrorInvalidKernelImage, 200)          \
  X(cudaErrorDeviceUninitialized, 201)         \
  X(cudaErrorNoKernelImageForDevice, 209)      \
  X(cudaErrorECCUncorrectable, 214)            \
  X(cudaErrorUnsupportedLimit, 215)            \
  X(cudaErrorDeviceAlreadyInUse, 216)          \
  X(cudaErrorInvalidPtx, 218)                  \
  X(cudaErrorNvlinkUncorrectable, 220)         \
  X(cudaErrorJitCompilerNotFound, 221)         \
  X(cudaErrorUnsupportedPtxVersion, 222)       \
  X(cudaErrorContained, 226)                   \
  X(cudaErrorOperatingSystem, 304)             \
  X(cudaErrorInvalidResourceHandle, 400)       \
  X(cudaErrorIllegalState, 401)                \
  X(cudaErrorSymbolNotFound, 500)              \
  X(cudaErrorNotReady, 600)                    \
  X(cudaErrorIllegalAddress, 700)              \
  X(cudaErrorLaunchOutOfResources, 701)        \
  X(cudaErrorLaunchTimeout, 702)               \
  X(cudaErrorSetOnActiveProcess, 708)          \
  X(cudaErrorContextIsDestroyed, 709)          \
  X(cudaErrorAssert, 710)                      \
  X(cudaErrorHostMemoryAlreadyRegistered, 712) \
  X(cudaErrorHostMemoryNotRegistered, 713)     \
  X(cudaErrorHardwareStackError, 714)          \
  X(cudaErrorIllegalInstruction, 715)          \
  X(cudaErrorMisalignedAddress, 716)           \
  X(cudaErrorInvalidAddressSpace, 717)         \
  X(cudaErrorInvalidPc, 718)                   \
  X(cudaErrorLaunchFailure, 719)               \
  X(cudaErrorTensorMemoryLeak, 721)            \
  X(cudaErrorNotPermitted, 800)                \
  X(cudaErrorNotSupported, 801)                \
  X(cudaErrorSystemNotReady, 802)              \
  X(cudaErrorSystemDriverMismatch, 803)        \
  X(cudaErrorCompatNotSupportedOnDevice, 804)  \
  X(cudaErrorMpsConnectionFailed, 805)         \
  X(cudaErrorMpsClientTerminated, 810)         \
  X(cudaErrorStreamCaptureUnsupported, 900)    \
  X(cudaErrorStreamCaptureInvalidated, 901)    \
  X(cudaErrorStreamCaptureUnmatched, 903)      \
  X(cudaErrorStreamCaptureUnjoined, 904)       \
  X(cudaErrorStreamCaptureImplicit, 906)       \
  X(cudaErrorStreamCaptureWrongThread, 908)    \
  X(cudaErrorTimeout, 909)                     \
  X(cudaErrorExternalDevice, 911)              \
  X(cudaErrorUnknown, 999)

enum cudaError {
#define FURROW_SIMT_ENUMERATOR(name, number) name = (number),
  FURROW_SIMT_STATUSES(FURROW_SIMT_ENUMERATOR)
#undef FURROW_SIMT_ENUMERATOR
};
using cudaError_t = cudaError;

extern "C" {
const char* cudaGetErrorName(cudaError_t error);
const char* cudaGetErrorString(cudaError_t error);
}
